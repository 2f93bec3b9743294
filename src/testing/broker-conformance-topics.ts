import assert from 'node:assert/strict';
import { appendValues, type BrokerCase, fails, place, position } from './broker-conformance-kit.ts';

/** Topics: creating, describing, deleting. */
export const topicCases: readonly BrokerCase[] = [
  [
    'a topic is created with its partitions and configs, and can be used when the call resolves',
    async (kit) => {
      const { admin } = await kit.main();
      const [one, two] = [kit.name('topic'), kit.name('topic')];
      const { replicationFactor = -1 } = kit.harness;
      const configs = { 'cleanup.policy': 'compact', 'retention.ms': '-1', 'delete.retention.ms': '12345' };
      const created = await admin.createTopics([
        { topic: one, partitions: 3, replicationFactor, configs },
        { topic: two, partitions: 1, replicationFactor, configs: {} },
      ]);
      assert.deepEqual([...created].sort(), [one, two].sort());
      const counts = await admin.partitionCounts([one, two]);
      assert.deepEqual([counts.get(one), counts.get(two), counts.size], [3, 1, 2]);
      const producer = await kit.plainProducer();
      appendValues(producer, one, 2, ['a']);
      assert.deepEqual([...(await producer.commit())], [[`${one}-2`, 1]]);
      const found = (await admin.topicConfigs([one])).get(one)!;
      for (const [name, value] of Object.entries(configs)) assert.equal(found[name], value, name);
      assert.equal(found['message.timestamp.type'], 'CreateTime', 'defaults are included');
    },
  ],
  [
    'a topic that exists is left as it is, and is not among those created',
    async (kit) => {
      const { admin } = await kit.main();
      const old = await kit.topic(2, { 'delete.retention.ms': '111' });
      const fresh = kit.name('topic');
      const { replicationFactor = -1 } = kit.harness;
      const spec = { partitions: 5, replicationFactor, configs: { 'delete.retention.ms': '222' } };
      const created = await admin.createTopics([
        { topic: old, ...spec },
        { topic: fresh, ...spec },
      ]);
      assert.deepEqual(created, [fresh]);
      assert.equal((await admin.partitionCounts([old])).get(old), 2);
      assert.equal((await admin.topicConfigs([old])).get(old)!['delete.retention.ms'], '111');
      assert.deepEqual(await admin.createTopics([{ topic: old, ...spec }]), []);
    },
  ],
  [
    'a topic that is recreated has another id, and until then the same one for everybody',
    async (kit) => {
      const { admin } = await kit.main();
      const [topic, other] = [await kit.topic(), await kit.topic()];
      const missing = kit.name('topic');
      const before = await admin.topicIds([topic, missing, other]);
      assert.deepEqual([...before.keys()].sort(), [topic, other].sort());
      assert.notEqual(before.get(topic), before.get(other));
      const another = await kit.connect();
      assert.equal((await another.admin.topicIds([topic])).get(topic), before.get(topic));
      await admin.deleteTopics([topic]);
      assert.deepEqual([...(await admin.topicIds([topic])).keys()], []);
      const { replicationFactor = -1 } = kit.harness;
      await admin.createTopics([{ topic, partitions: 1, replicationFactor, configs: {} }]);
      const after = await admin.topicIds([topic, other]);
      assert.equal(after.size, 2);
      assert.notEqual(after.get(topic), before.get(topic));
      assert.equal(after.get(other), before.get(other));
      assert.deepEqual(await admin.topicIds([]), new Map());
    },
  ],
  [
    'asking for a topic that does not exist leaves it out and does not create it',
    async (kit) => {
      const { admin } = await kit.main();
      const there = await kit.topic();
      const missing = kit.name('topic');
      assert.deepEqual([...(await admin.partitionCounts([missing, there])).keys()], [there]);
      assert.deepEqual([...(await admin.topicConfigs([missing, there])).keys()], [there]);
      const error = await fails(
        admin.offsets([place(there), place(missing)], 'latest'),
        'STREAMS_MISSING_SOURCE_TOPIC',
      );
      assert.ok(error.message.includes(missing), error.message);
      const names = await admin.listTopics();
      assert.ok(names.includes(there));
      assert.ok(!names.includes(missing));
      assert.equal((await admin.partitionCounts([])).size, 0);
    },
  ],
  [
    "the broker's own topics are not listed",
    async (kit) => {
      const broker = await kit.main();
      const topic = await kit.topic();
      const producer = await kit.producer();
      await producer.commit(kit.name('group'), [position(topic, 0, 1)]);
      for (const name of await broker.admin.listTopics()) assert.ok(!name.startsWith('__'), name);
    },
  ],
  [
    'a topic whose config the broker does not know is refused with STREAMS_BROKER',
    async (kit) => {
      const { admin } = await kit.main();
      const topic = kit.name('topic');
      const { replicationFactor = -1 } = kit.harness;
      const spec = { topic, partitions: 1, replicationFactor, configs: { 'no.such.config': '1' } };
      const error = await fails(admin.createTopics([spec]), 'STREAMS_BROKER');
      assert.match(error.message, /INVALID_CONFIG/);
      assert.equal((await admin.partitionCounts([topic])).size, 0);
    },
  ],
  [
    'a deleted topic is gone',
    async (kit) => {
      const { admin } = await kit.main();
      const [kept, gone] = [await kit.topic(), await kit.topic()];
      await admin.deleteTopics([gone]);
      await kit.until('it is gone', async () => (await admin.partitionCounts([gone, kept])).size === 1);
      assert.ok((await admin.listTopics()).includes(kept));
    },
  ],
  [
    'offsets are given in the order asked, of an empty partition too',
    async (kit) => {
      const { admin } = await kit.main();
      const [one, two] = [await kit.topic(2), await kit.topic(1)];
      const producer = await kit.plainProducer();
      appendValues(producer, one, 1, ['a', 'b']);
      appendValues(producer, two, 0, ['c', 'd', 'e']);
      await producer.flush();
      const asked = [place(two), place(one, 0), place(one, 1)];
      assert.deepEqual(await admin.offsets(asked, 'earliest'), [0, 0, 0]);
      assert.deepEqual(await admin.offsets(asked, 'latest'), [3, 0, 2]);
      assert.deepEqual(await admin.offsets(asked, 'stable'), [3, 0, 2]);
      assert.deepEqual(await admin.offsets([], 'latest'), []);
    },
  ],
  [
    'deleting records moves the start of a partition, and of that partition alone',
    async (kit) => {
      const { admin } = await kit.main();
      const topic = await kit.topic(2);
      const producer = await kit.plainProducer();
      for (const partition of [0, 1]) appendValues(producer, topic, partition, ['a', 'b', 'c', 'd']);
      await producer.flush();
      await admin.deleteRecords([{ topic, partition: 1, offset: 3 }]);
      assert.deepEqual(await admin.offsets([place(topic, 0), place(topic, 1)], 'earliest'), [0, 3]);
      assert.deepEqual(await admin.offsets([place(topic, 0), place(topic, 1)], 'latest'), [4, 4]);
      assert.deepEqual(await kit.committedValues(topic, 1), ['d']);
      await admin.deleteRecords([{ topic, partition: 1, offset: 4 }]);
      assert.deepEqual(await kit.committedValues(topic, 1), []);
      appendValues(producer, topic, 1, ['e']);
      await producer.flush();
      assert.deepEqual(
        (await kit.committedRecords(topic, 1)).map(({ offset }) => offset),
        [4],
      );
      assert.deepEqual(await kit.committedValues(topic, 0), ['a', 'b', 'c', 'd']);
    },
  ],
  [
    'the cluster names its brokers',
    async (kit) => {
      const { brokers } = await (await kit.main()).admin.describeCluster();
      assert.ok(brokers.length > 0);
      for (const { nodeId, host, port } of brokers) {
        assert.ok(Number.isInteger(nodeId) && host.length > 0 && Number.isInteger(port));
      }
    },
  ],
];
