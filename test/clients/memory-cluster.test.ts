import test from 'ava';
import type { Broker, BrokerProducer, GroupMember } from '../../src/clients/broker.ts';
import type { MemoryRequest } from '../../src/clients/memory/link.ts';
import { MemoryCluster, type MemoryRecord } from '../../src/clients/memory/memory-broker.ts';
import { recordsOf } from '../../src/clients/memory/records-of.ts';
import { StreamsError } from '../../src/common/errors.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const textOf = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
const valuesOf = (records: readonly MemoryRecord[]): (string | undefined)[] =>
  records.map(({ value }) => textOf(value));
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(1);
}

/** Whether a promise is still pending after everything that can happen has happened. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const done = (): void => {
    pending = false;
  };
  promise.then(done, done);
  await turns(20);
  return pending;
}

async function ready(broker: Broker, transactionalId: string): Promise<BrokerProducer> {
  const producer = broker.producer({ transactional: true, transactionalId });
  await producer.init();
  return producer;
}

function memberOf(broker: Broker, sessionTimeoutMs: number, events: string[]): GroupMember {
  const member = broker.member({
    groupId: 'group',
    topics: ['in'],
    sessionTimeoutMs,
    rebalanceTimeoutMs: 5000,
    userData: () => new Uint8Array(0),
    assign: async (members) =>
      new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: new Uint8Array(0) }])),
    rebalancing: () => {},
    assigned: async (_, generation) => void events.push(`assigned ${generation}`),
    lost: () => void events.push('lost'),
    failed: (error) => void events.push(`failed ${error.message}`),
  });
  member.start();
  return member;
}

test('a test writes topics and reads them without a client', (t) => {
  const cluster = new MemoryCluster({ now: () => 77 });
  cluster.createTopic('in', 2);
  cluster.createTopic('timed', 1, { 'message.timestamp.type': 'LogAppendTime' });
  t.is(cluster.write('in', 1, [{ key: 'k', value: 'v', timestamp: 5 }, { value: bytes('w') }]), 2);
  const header = { key: 'h', value: bytes('1') };
  t.is(cluster.write('in', 1, [{ key: 'none', headers: [header] }]), 3);
  t.deepEqual(cluster.read('in', 1), [
    { offset: 0, timestamp: 5, key: bytes('k'), value: bytes('v'), headers: [] },
    { offset: 1, timestamp: 0, key: undefined, value: bytes('w'), headers: [] },
    { offset: 2, timestamp: 0, key: bytes('none'), value: undefined, headers: [header] },
  ]);
  t.deepEqual(cluster.read('in', 0), []);
  cluster.write('timed', 0, [{ timestamp: 5 }]);
  t.is(cluster.read('timed', 0)[0]!.timestamp, 77);
  t.throws(() => cluster.createTopic('in'), { instanceOf: StreamsError, code: 'STREAMS_BROKER' });
  t.throws(() => cluster.read('in', 2), { instanceOf: StreamsError, code: 'STREAMS_BROKER' });
  t.throws(() => cluster.pause(new MemoryCluster().connect()), { instanceOf: TypeError });
});

test('records of an open transaction are read with read_uncommitted only', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('out');
  const producer = await ready(cluster.connect(), 'id');
  producer.append('out', 0, 1, undefined, bytes('a'));
  await producer.flush();
  t.deepEqual(valuesOf(cluster.read('out', 0)), []);
  t.deepEqual(valuesOf(cluster.read('out', 0, 'read_uncommitted')), ['a']);
});

test('calls of a paused client wait until it is resumed, those of others do not', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('out');
  const [one, two] = [cluster.connect(), cluster.connect()];
  const producer = await ready(one, 'id');
  cluster.pause(one);
  cluster.pause(one);
  producer.append('out', 0, 1, undefined, bytes('a'));
  const commit = producer.commit();
  const list = one.admin.listTopics();
  t.true(await isPending(commit));
  t.true(await isPending(list));
  t.deepEqual(await two.admin.listTopics(), ['out']);
  cluster.resume(one);
  cluster.resume(one);
  t.is((await commit).get('out-0'), 1);
  t.deepEqual(await list, ['out']);
});

test('a client whose sessions are ended is out of its groups at once, and joins again when it goes on', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const [one, two] = [cluster.connect(), cluster.connect()];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const events: string[] = [];
  const member = memberOf(one, 3000, events);
  await until(() => member.generation > 0);
  cluster.pause(one);
  cluster.endSessions(two);
  t.is((await two.admin.describeGroup('group')).members.length, 1);
  cluster.endSessions(one);
  t.deepEqual((await two.admin.describeGroup('group')).members, []);
  cluster.resume(one);
  await until(() => events.length === 3);
  t.is(events[1], 'lost');
  t.is((await two.admin.describeGroup('group')).members.length, 1);
});

test('a paused client can be closed: what waits fails', async (t) => {
  const cluster = new MemoryCluster();
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const member = memberOf(broker, 1000, []);
  await until(() => member.generation > 0);
  cluster.pause(broker);
  const list = broker.admin.listTopics();
  await Promise.all([broker.close(), t.throwsAsync(list, { code: 'STREAMS_CLOSED' })]);
  await t.throwsAsync(broker.admin.listTopics(), { code: 'STREAMS_CLOSED' });
});

for (const [when, isWritten, fails] of [
  ['before', false, true],
  ['in', true, true],
  ['after', true, false],
] as const) {
  test(`a request cut ${when}: ${isWritten ? 'carried out' : 'not carried out'}, and ${fails ? 'no' : 'its'} answer arrives`, async (t) => {
    const cluster = new MemoryCluster();
    cluster.createTopic('out');
    const broker = cluster.connect();
    const producer = await ready(broker, 'id');
    cluster.cut(broker, when, 'Produce');
    producer.append('out', 0, 1, undefined, bytes('a'));
    const flush = producer.flush();
    if (fails) {
      const error = await t.throwsAsync(flush, { instanceOf: StreamsError, code: 'STREAMS_BROKER' });
      t.true(error!.message.includes('NETWORK_EXCEPTION') && error!.retriable);
      await t.throwsAsync(producer.commit(), { code: 'STREAMS_BROKER' }, 'the producer is of no more use');
    } else {
      await flush;
    }
    t.is(cluster.read('out', 0, 'read_uncommitted').length, isWritten ? 1 : 0);
    await ready(broker, 'id');
    t.deepEqual(cluster.read('out', 0), [], 'nothing of it is committed');
  });
}

test('reads and changes of the admin, fetchers and members outlive cut connections', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  cluster.write('in', 0, [{ value: 'a' }]);
  const broker = cluster.connect();
  for (const when of ['before', 'in', 'after'] as const) {
    cluster.cut(broker, when, undefined, 3);
    t.deepEqual(await broker.admin.listTopics(), ['in']);
    const received: number[] = [];
    cluster.cut(broker, when, undefined, 5);
    const fetcher = broker.fetcher({
      receive: ({ length }) => void received.push(length),
      failed: (...failure) => t.fail(String(failure)),
    });
    fetcher.add({ topic: 'in', partition: 0, offset: 0 });
    await until(() => received.length > 0);
    t.deepEqual(received, [1]);
    await fetcher.close();
    const events: string[] = [];
    cluster.cut(broker, when, undefined, 3);
    const member = memberOf(broker, 1000, events);
    await until(() => member.generation > 0);
    cluster.cut(broker, when, 'Heartbeat', 3);
    t.false(events.some((event) => event.startsWith('failed')));
    await member.leave();
  }
});

test('while the cluster is down calls wait, those under way of producers fail, and nothing is lost', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const received: string[] = [];
  const fetcher = broker.fetcher({
    receive: (records) => {
      for (let i = 0; i < records.length; i++) {
        received.push(records.bytes.toString('utf8', records.valueStarts[i]!, records.valueEnds[i]!));
      }
    },
    failed: (...failure) => t.fail(String(failure)),
  });
  fetcher.add({ topic: 'in', partition: 0, offset: 0 });
  const events: string[] = [];
  const member = memberOf(broker, 6000, events);
  await until(() => member.generation > 0);
  const [under, waiting] = [await ready(broker, 'under'), await ready(broker, 'waiting')];
  under.append('in', 0, 1, undefined, bytes('under way'));
  const lost = t.throwsAsync(under.flush(), { code: 'STREAMS_BROKER' });
  // It has arrived, its answer has not.
  while (cluster.read('in', 0, 'read_uncommitted').length === 0) await turns(1);
  cluster.down();
  cluster.down();
  await lost;
  waiting.append('in', 0, 1, undefined, bytes('later'));
  const commit = waiting.commit();
  const list = broker.admin.listTopics();
  t.true(await isPending(commit));
  t.true(await isPending(list));
  cluster.up();
  cluster.up();
  await commit;
  t.deepEqual(await list, ['in']);
  await ready(broker, 'under');
  await until(() => received.length > 0);
  t.deepEqual(received, ['later']);
  t.true(await member.confirm());
  t.deepEqual(events, ['assigned 1']);
});

test('a member that has no broker for longer than its session is told that it is lost, and joins again', async (t) => {
  const cluster = new MemoryCluster();
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const events: string[] = [];
  const member = memberOf(broker, 60, events);
  await until(() => member.generation > 0);
  const before = member.generation;
  cluster.down();
  await until(() => events.includes('lost'));
  t.is(member.generation, -1);
  t.true(member.unconfirmedMs > 60);
  cluster.up();
  await until(() => member.generation > before);
  t.deepEqual(events, [`assigned ${before}`, 'lost', `assigned ${member.generation}`]);
  t.true(await member.confirm());
});

test('calls give up a cluster that stays down', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const broker = cluster.connect({ requestTimeoutMs: 30 });
  const producer = await ready(broker, 'id');
  cluster.down();
  producer.append('in', 0, 1, undefined, bytes('a'));
  const broken = { instanceOf: StreamsError, code: 'STREAMS_BROKER', message: /NETWORK_EXCEPTION/ };
  await Promise.all([t.throwsAsync(producer.flush(), broken), t.throwsAsync(broker.admin.listTopics(), broken)]);
});

test('a call that others hold up for longer than the timeout fails', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const holder = cluster.connect();
  const producer = await ready(holder, 'id');
  cluster.cut(holder, 'before', 'EndTxn');
  await t.throwsAsync(producer.commit('group', [{ topic: 'in', partition: 0, offset: 1, metadata: '' }]));
  const reader = cluster.connect({ requestTimeoutMs: 30 });
  const asked = [{ topic: 'in', partition: 0 }];
  await t.throwsAsync(reader.admin.committed('group', asked), { code: 'STREAMS_BROKER', message: /REQUEST_TIMED_OUT/ });
  const waiting = holder.admin.committed('group', asked);
  t.true(await isPending(waiting));
  await ready(holder, 'id');
  t.deepEqual(await waiting, [undefined]);
});

test('a hook sees each request before it is carried out, and may stop its client there', async (t) => {
  const seen: MemoryRequest[] = [];
  const cluster = new MemoryCluster({
    onRequest: (request, client) => {
      seen.push(request);
      if (request === 'EndTxn') cluster.pause(client);
    },
  });
  cluster.createTopic('out');
  const broker = cluster.connect();
  const producer = await ready(broker, 'id');
  producer.append('out', 0, 1, undefined, bytes('a'));
  const commit = producer.commit('group', [{ topic: 'out', partition: 0, offset: 1, metadata: '' }]);
  t.true(await isPending(commit));
  t.deepEqual(seen, ['InitProducerId', 'Produce', 'AddOffsetsToTxn', 'EndTxn']);
  const failed = t.throwsAsync(commit, { code: 'STREAMS_TASK_MIGRATED' });
  await ready(cluster.connect(), 'id');
  cluster.resume(broker);
  await failed;
  t.deepEqual(cluster.read('out', 0), []);
});

test('with a delay of markers a commit is answered before its records are seen, an init after', async (t) => {
  const cluster = new MemoryCluster({ markerDelayMs: 40 });
  cluster.createTopic('out', 2);
  const broker = cluster.connect();
  const producer = await ready(broker, 'id');
  for (const partition of [0, 1]) producer.append('out', partition, 1, undefined, bytes('a'));
  await producer.commit();
  t.deepEqual(cluster.read('out', 0), []);
  await ready(broker, 'id');
  t.deepEqual(
    [0, 1].map((partition) => valuesOf(cluster.read('out', partition))),
    [['a'], ['a']],
  );
});

test('requests overtake each other as their latencies say', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const broker = cluster.connect({ latencyMs: (request) => (request === 'Metadata' ? 60 : 2) });
  const order: string[] = [];
  await Promise.all([
    broker.admin.listTopics().then(() => order.push('slow')),
    broker.admin.describeGroup('group').then(() => order.push('fast')),
  ]);
  t.deepEqual(order, ['fast', 'slow']);
});

test('compaction leaves the last record of each key at its offset, tombstones, and what is not stable', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('table', 1, { 'cleanup.policy': 'compact' });
  const producer = await ready(cluster.connect(), 'id');
  cluster.write('table', 0, [
    { key: 'a', value: '1' },
    { key: 'b', value: '1' },
    { key: 'a', value: '2' },
    { key: 'b' },
  ]);
  producer.append('table', 0, 1, bytes('c'), bytes('open'));
  await producer.flush();
  cluster.write('table', 0, [{ key: 'a', value: '3' }]);
  cluster.compact('table');
  const left = (): unknown[] =>
    cluster.read('table', 0, 'read_uncommitted').map(({ offset, key, value }) => [offset, textOf(key), textOf(value)]);
  t.deepEqual(left(), [
    [2, 'a', '2'],
    [3, 'b', undefined],
    [4, 'c', 'open'],
    [5, 'a', '3'],
  ]);
  await producer.abort();
  await turns(5);
  cluster.compact('table');
  t.deepEqual(left(), [
    [3, 'b', undefined],
    [5, 'a', '3'],
  ]);
  t.deepEqual(
    cluster.read('table', 0).map(({ offset }) => offset),
    [3, 5],
  );
});

test('a compacted topic refuses records without key', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('table', 1, { 'cleanup.policy': 'compact' });
  const reasons: string[] = [];
  const broker = cluster.connect();
  const producer = broker.producer({
    transactional: false,
    refused: ({ reason }) => {
      reasons.push(reason);
      return 'continue';
    },
  });
  await producer.init();
  producer.append('table', 0, 1, undefined, bytes('a'));
  producer.append('table', 0, 1, bytes('k'), bytes('b'));
  await producer.commit();
  t.deepEqual(reasons, ['INVALID_RECORD']);
  t.deepEqual(valuesOf(cluster.read('table', 0)), ['b']);
});

test('misuse of a producer is told by a TypeError or RangeError', async (t) => {
  const broker = new MemoryCluster().connect();
  t.throws(() => broker.producer({ transactional: true }), { instanceOf: TypeError });
  const producer = broker.producer({ transactional: true, transactionalId: 'id' });
  await t.throwsAsync(producer.commit(undefined, [{ topic: 'a', partition: 0, offset: 1, metadata: '' }]), {
    instanceOf: TypeError,
  });
  await producer.init();
  await t.throwsAsync(producer.init(), { instanceOf: TypeError });
  t.throws(() => producer.append('a', 0, Number.NaN, undefined, undefined), { instanceOf: RangeError });
});

test('fetched records are made by hand for tests of what reads them', (t) => {
  const records = recordsOf('in', 3, [
    { key: 'k', value: 'v', timestamp: 9 },
    { value: bytes('w'), offset: 7 },
    { key: '', headers: [{ key: 'h', value: bytes('1') }] },
  ]);
  t.deepEqual([records.topic, records.partition, records.length], ['in', 3, 3]);
  t.deepEqual([...records.offsets], [0, 7, 8]);
  t.deepEqual([...records.timestamps], [9, 0, 0]);
  t.deepEqual([records.nextOffset, records.stableEnd, records.appendTime], [9, 9, false]);
  t.deepEqual(
    [...records.keyStarts].map((start) => start >= 0),
    [true, false, true],
  );
  t.deepEqual(
    [...records.valueStarts].map((start) => start >= 0),
    [true, true, false],
  );
  t.is(records.bytes.toString('utf8', records.valueStarts[1], records.valueEnds[1]), 'w');
  t.deepEqual(records.headers(2), [{ key: 'h', value: bytes('1') }]);
  t.deepEqual(records.headers(0), []);
  const empty = recordsOf('in', 0, [], 5, 8);
  t.deepEqual([empty.length, empty.nextOffset, empty.stableEnd], [0, 5, 8]);
});
