import test, { type ExecutionContext } from 'ava';
import type { BrokerAdmin } from '../../../src/clients/broker.ts';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsBuilder, type StreamsError, type Topology } from '../../../src/index.ts';
import { filledOptions } from '../../../src/runtime/kafka/kafka-options.ts';
import { refillChangelogs } from '../../../src/runtime/kafka/refill.ts';
import { Disk } from './disk.ts';
import {
  app,
  type ClientOptions,
  drained,
  newClient,
  rowsOf,
  running,
  startClient,
  stop,
  type TestClient,
  until,
} from './kit.ts';
import { texts } from './topologies.ts';

const compacted = { 'cleanup.policy': 'compact' };
const changelog = `${app}-by-name-changelog`;
const repartition = `${app}-by-name-repartition`;

/** How many records each name has: the name of a key from a global table, the count behind a repartition topic. */
function byName(): Topology {
  const builder = new StreamsBuilder();
  const names = builder.globalTable('names', { name: 'names', ...texts });
  builder
    .stream('in', texts)
    .join(names, (_value, name) => name)
    .groupBy((_key, name) => name, { name: 'by-name', ...texts })
    .count({ name: 'by-name' });
  return builder.build();
}

/** What a broker or somebody at it does to an application. */
type Loss = (cluster: MemoryCluster, admin: BrokerAdmin, disk: Disk) => unknown;
/** What becomes of it: the right numbers, or a refusal that names the way on. */
type Outcome = 'right' | readonly [code: string, says: RegExp];

const recreate =
  (topic: string, configs = {}): Loss =>
  async (cluster, admin) => {
    const was = (await admin.topicConfigs([topic])).get(topic)!;
    cluster.deleteTopic(topic);
    cluster.createTopic(topic, 1, { ...was, ...configs });
  };
const remove =
  (topic: string): Loss =>
  (cluster) =>
    cluster.deleteTopic(topic);
const empty =
  (topic: string): Loss =>
  (cluster) =>
    cluster.deleteRecords(topic, 0);
const grow =
  (topic: string): Loss =>
  (cluster) =>
    cluster.growTopic(topic, 2);
const cut =
  (topic: string): Loss =>
  (cluster) =>
    cluster.truncate(topic, 0, 1);
const without: Loss = (_cluster, _admin, disk) => disk.erase();
const position =
  (topic: string, by: number, keeps: boolean): Loss =>
  async (_cluster, admin) => {
    const [found] = await admin.committed(app, [{ topic, partition: 0 }]);
    const metadata = keeps ? found!.metadata : '';
    await admin.setCommitted(app, [{ topic, partition: 0, offset: found!.offset + by, metadata }]);
  };

const unread: Loss = (cluster) => write(cluster, 'a');
const reset = /weir reset/;
const accept = /--accept-loss/;
const refill = /weir reset --refill/;

const stopped: Readonly<Record<string, readonly [losses: readonly Loss[], outcome: Outcome]>> = {
  'nothing is lost': [[], 'right'],
  'changelog deleted': [[remove(changelog)], ['STREAMS_INTERNAL_TOPIC', refill]],
  'changelog deleted, and the folder': [
    [remove(changelog), without],
    ['STREAMS_INTERNAL_TOPIC', reset],
  ],
  'changelog emptied': [[empty(changelog)], 'right'],
  'changelog emptied, and the folder': [
    [empty(changelog), without],
    ['STREAMS_INTERNAL_TOPIC', reset],
  ],
  'changelog recreated': [[recreate(changelog)], ['STREAMS_INTERNAL_TOPIC', refill]],
  'changelog recreated, and the folder gone': [
    [recreate(changelog), without],
    ['STREAMS_INTERNAL_TOPIC', reset],
  ],
  'changelog grown': [[grow(changelog)], ['STREAMS_INTERNAL_TOPIC', reset]],
  'changelog cut': [[cut(changelog)], ['STREAMS_INTERNAL_TOPIC', refill]],
  'repartition topic deleted': [[remove(repartition)], ['STREAMS_INTERNAL_TOPIC', reset]],
  'repartition topic emptied': [[empty(repartition)], 'right'],
  'repartition topic recreated': [[recreate(repartition)], ['STREAMS_INTERNAL_TOPIC', reset]],
  'repartition topic grown': [[grow(repartition)], ['STREAMS_INTERNAL_TOPIC', reset]],
  'repartition topic cut': [[cut(repartition)], ['STREAMS_INTERNAL_TOPIC', reset]],
  'input deleted': [[remove('in')], ['STREAMS_MISSING_SOURCE_TOPIC', /\bin\b/]],
  'input emptied': [[empty('in')], 'right'],
  'input emptied before all was read': [
    [unread, empty('in')],
    ['STREAMS_INPUT_REFUSED', accept],
  ],
  'input recreated': [[recreate('in')], ['STREAMS_INPUT_REFUSED', accept]],
  'input grown': [[grow('in')], ['STREAMS_INTERNAL_TOPIC', reset]],
  'input cut': [[cut('in')], ['STREAMS_INPUT_REFUSED', accept]],
  'table deleted': [[remove('names')], ['STREAMS_MISSING_SOURCE_TOPIC', /names/]],
  'table emptied': [[empty('names')], 'right'],
  'table emptied, and the folder': [
    [empty('names'), without],
    ['STREAMS_INPUT_REFUSED', accept],
  ],
  'table recreated': [[recreate('names')], ['STREAMS_INPUT_REFUSED', accept]],
  'table grown': [[grow('names')], ['STREAMS_PARTITION_MISMATCH', accept]],
  'table cut': [[cut('names')], ['STREAMS_INPUT_REFUSED', accept]],
  'positions deleted': [[(_cluster, admin) => admin.deleteGroup(app)], ['STREAMS_INPUT_REFUSED', accept]],
  'positions deleted, and the folder': [
    [(_cluster, admin) => admin.deleteGroup(app), without],
    ['STREAMS_INPUT_REFUSED', accept],
  ],
  'position of the input set back': [[position('in', -2, false)], ['STREAMS_INPUT_REFUSED', accept]],
  'position of the input set back by a tool that keeps the metadata': [
    [position('in', -2, true)],
    ['STREAMS_INPUT_REFUSED', accept],
  ],
  'position of the input set to where it was': [[position('in', 0, false)], ['STREAMS_INPUT_REFUSED', accept]],
  'position of the input set forward': [
    [unread, position('in', 1, true)],
    ['STREAMS_INPUT_REFUSED', accept],
  ],
  'position of the repartition topic set back': [[position(repartition, -2, false)], ['STREAMS_INPUT_REFUSED', accept]],
  'folder deleted': [[without], 'right'],
};

function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  cluster.createTopic('names', 1, compacted);
  for (const [key, value] of [
    ['a', 'Anna'],
    ['b', 'Berta'],
    ['c', 'Anna'],
  ] as const)
    cluster.write('names', 0, [{ key, value }]);
  return cluster;
}

function write(cluster: MemoryCluster, keys: string): void {
  cluster.write(
    'in',
    0,
    [...keys].map((key) => ({ key, value: 'x' })),
  );
}

/** Ends as it should: with a refusal, and nothing of the copy gone. */
async function refused(
  t: ExecutionContext,
  client: TestClient,
  [code, says]: readonly [string, RegExp],
): Promise<void> {
  await until(() => client.streams.state === 'ERROR', 'it is refused');
  const failure = client.streams.failure as StreamsError;
  t.is(failure.code as string, code, failure.message);
  t.regex(failure.message, says);
}

for (const [name, [losses, outcome]] of Object.entries(stopped))
  test(`while the application is stopped: ${name}`, async (t) => {
    const cluster = clusterOf();
    const disk = new Disk();
    t.teardown(() => disk.remove());
    write(cluster, 'aabbc');
    const before = await startClient(t, cluster, byName(), { disk });
    await drained(cluster, byName());
    await stop(before);
    const broker = cluster.connect();
    t.teardown(() => broker.close());
    for (const loss of losses) await loss(cluster, broker.admin, disk);
    const rows = (await disk.image()).get('tasks/1_0/db')?.filter(([key]) => key[0] === 1);
    const client = newClient(t, cluster, byName(), { disk });
    await client.streams.start().catch(() => {});
    if (outcome === 'right') {
      await running(client);
      write(cluster, 'ac');
      await drained(cluster, byName());
      // Anna: a a c and a c; Berta: b b.
      t.deepEqual(await rowsOf([client], 'by-name'), ['Anna 5', 'Berta 2']);
      await stop(client);
      return;
    }
    await refused(t, client, outcome);
    await stop(client);
    const left = (await disk.image()).get('tasks/1_0/db')?.filter(([key]) => key[0] === 1);
    if (rows !== undefined) t.deepEqual(left, rows, 'the copy is as it was');
    // And again: nothing that the refused start has done makes the next one pass.
    const again = newClient(t, cluster, byName(), { disk });
    await again.streams.start().catch(() => {});
    await refused(t, again, outcome);
    await stop(again);
  });

const whileRunning: Readonly<Record<string, readonly [loss: Loss, outcome: Outcome]>> = {
  'changelog deleted': [remove(changelog), ['STREAMS_INTERNAL_TOPIC', refill]],
  'changelog emptied': [empty(changelog), 'right'],
  'changelog recreated': [recreate(changelog), ['STREAMS_INTERNAL_TOPIC', refill]],
  'changelog grown': [grow(changelog), ['STREAMS_INTERNAL_TOPIC', reset]],
  'repartition topic deleted': [remove(repartition), ['STREAMS_INTERNAL_TOPIC', reset]],
  'repartition topic emptied': [empty(repartition), 'right'],
  'repartition topic recreated': [recreate(repartition), ['STREAMS_INTERNAL_TOPIC', reset]],
  'repartition topic grown': [grow(repartition), ['STREAMS_INTERNAL_TOPIC', reset]],
  'input deleted': [remove('in'), ['STREAMS_MISSING_SOURCE_TOPIC', /\bin\b/]],
  'input emptied': [empty('in'), 'right'],
  'input recreated': [recreate('in'), ['STREAMS_INPUT_REFUSED', accept]],
  'input grown': [grow('in'), ['STREAMS_INTERNAL_TOPIC', reset]],
  'table deleted': [remove('names'), ['STREAMS_MISSING_SOURCE_TOPIC', /names/]],
  'table emptied': [empty('names'), 'right'],
  'table recreated': [recreate('names'), ['STREAMS_INPUT_REFUSED', accept]],
  'table grown': [grow('names'), ['STREAMS_PARTITION_MISMATCH', /names/]],
  'positions deleted': [(_cluster, admin) => admin.deleteGroup(app).catch(() => {}), 'right'],
  'positions set back': [
    (cluster, admin, disk) => Promise.resolve(position('in', -2, false)(cluster, admin, disk)).catch(() => {}),
    'right',
  ],
};

for (const [name, [loss, outcome]] of Object.entries(whileRunning))
  test(`while the application runs: ${name}`, async (t) => {
    const cluster = clusterOf();
    const options: ClientOptions = { metadataMaxAgeMs: 100 };
    write(cluster, 'aabbc');
    const client = await startClient(t, cluster, byName(), options);
    t.teardown(() => client.disk.remove());
    await drained(cluster, byName());
    const broker = cluster.connect();
    t.teardown(() => broker.close());
    await loss(cluster, broker.admin, client.disk);
    if (outcome === 'right') {
      write(cluster, 'ac');
      await drained(cluster, byName());
      t.deepEqual(await rowsOf([client], 'by-name'), ['Anna 5', 'Berta 2']);
    } else await refused(t, client, outcome);
    await stop(client);
  });

for (const more of ['also', 'too'])
  test(`a changelog is made again with a program that reads topic ${more} besides, which has no position yet`, async (t) => {
    const merged = (...topics: readonly string[]): Topology => {
      const builder = new StreamsBuilder();
      const [first, ...others] = topics.map((topic) => builder.stream(topic, texts));
      others
        .reduce((all, each) => all.merge(each), first!)
        .groupByKey()
        .count({ name: 'counts' });
      return builder.build();
    };
    const cluster = new MemoryCluster();
    for (const topic of ['in', more]) cluster.createTopic(topic);
    const disk = new Disk();
    const { stateDir, openDatabase } = disk;
    const client = await startClient(t, cluster, merged('in'), { disk });
    for (let i = 0; i < 3; i++) cluster.write('in', 0, [{ key: 'a', value: 'x' }]);
    await drained(cluster, merged('in'));
    await stop(client);
    const both = merged('in', more);
    const broker = cluster.connect();
    await broker.admin.deleteTopics([`${app}-counts-changelog`]);
    const options = filledOptions({ broker, applicationId: app, stateDir, openDatabase });
    t.deepEqual(await refillChangelogs(both, options, true), [`${app}-counts-changelog`]);
    await broker.close();
    cluster.write(more, 0, [{ key: 'a', value: 'x' }]);
    const last = await startClient(t, cluster, both, { disk });
    await drained(cluster, both);
    t.deepEqual(await rowsOf([last], 'counts'), ['a 4']);
  });
