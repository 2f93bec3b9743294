import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, type StreamsError, type Topology } from '../../../src/index.ts';
import { Disk } from './disk.ts';
import { app, type Cleanup, type ClientOptions, messages, newClient, startClient, stop, until } from './kit.ts';
import { copies, counts, texts, valueCounts, windowedCounts } from './topologies.ts';

/** What a start fails with; everything is given back. */
async function failure(
  t: Cleanup,
  cluster: MemoryCluster,
  topology: Topology,
  options: ClientOptions = {},
): Promise<StreamsError> {
  const client = newClient(t, cluster, topology, options);
  const error = await client.streams.start().then(
    () => new Error('it has started'),
    (thrown: StreamsError) => thrown,
  );
  if (client.streams.state !== 'ERROR') throw new Error(`the state is ${client.streams.state}`);
  if (client.disk.openPlaces.length > 0 && options.disk === undefined) throw new Error('databases are left open');
  await stop(client);
  return error as StreamsError;
}

function clusterOf(topics: Readonly<Record<string, number>>): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const [topic, partitions] of Object.entries(topics)) cluster.createTopic(topic, partitions);
  return cluster;
}

test('a source topic that does not exist is named', async (t) => {
  const error = await failure(t, clusterOf({}), counts());
  t.is(error.code, 'STREAMS_MISSING_SOURCE_TOPIC');
  t.is(error.details.topic, 'in');
});

test('a sink topic that does not exist is named', async (t) => {
  const error = await failure(t, clusterOf({ in: 1 }), copies());
  t.is(error.code, 'STREAMS_PRODUCTION');
  t.is(error.details.topic, 'out');
});

/** Copies `in` to `out` with what a global table has. */
function enriched(): Topology {
  const builder = new StreamsBuilder();
  const table = builder.globalTable('table', { name: 'table', ...texts });
  builder
    .stream('in', texts)
    .join(table, (value, name) => `${value} ${name}`)
    .to('out', { keySerde: Serdes.string, valueSerde: Serdes.string });
  return builder.build();
}

test('a topic of a global table that does not exist is named', async (t) => {
  const error = await failure(t, clusterOf({ in: 1, out: 1 }), enriched());
  t.is(error.code, 'STREAMS_MISSING_SOURCE_TOPIC');
  t.is(error.details.topic, 'table');
});

test('topics whose records meet and that have different numbers of partitions are named', async (t) => {
  const builder = new StreamsBuilder();
  const table = builder.table('table', { name: 'table', ...texts });
  builder
    .stream('in', texts)
    .join(table, (value) => value)
    .to('out', texts);
  const error = await failure(t, clusterOf({ in: 2, table: 3, out: 1 }), builder.build());
  t.is(error.code, 'STREAMS_PARTITION_MISMATCH');
  t.regex(error.message, /in has 2|table has 3/);
});

test('an internal topic that somebody made otherwise is refused, with what to do', async (t) => {
  const partitions = clusterOf({ in: 2, [`${app}-counts-changelog`]: 3 });
  t.regex((await failure(t, partitions, counts())).message, /3 partitions.*needs 2.*weir reset/);
  const deleting = clusterOf({ in: 1 });
  deleting.createTopic(`${app}-counts-changelog`, 1, { 'cleanup.policy': 'delete' });
  const error = await failure(t, deleting, counts());
  t.is(error.code, 'STREAMS_INTERNAL_TOPIC');
  t.regex(error.message, /cleanup\.policy=compact/);
});

test('a folder that another client has open is refused', async (t) => {
  const cluster = clusterOf({ in: 1 });
  const disk = new Disk();
  await startClient(t, cluster, counts(), { disk });
  t.is((await failure(t, cluster, counts(), { disk })).code, 'STREAMS_STATE_STORE_LOCKED');
});

test('a folder of another topology, of other settings or of another application is refused', async (t) => {
  const cluster = clusterOf({ in: 1 });
  const disk = new Disk();
  const settings = { zone: 'Europe/Paris' };
  await stop(await startClient(t, cluster, counts(), { disk, settings }));
  for (const [topology, options] of [
    [windowedCounts(), { settings }],
    [counts(), { settings: { zone: 'UTC' } }],
    [counts(), { settings, applicationId: 'other' }],
  ] as const) {
    const error = await failure(t, cluster, topology, { disk, ...options });
    t.is(error.code, 'STREAMS_STATE_INCOMPATIBLE');
    t.deepEqual(disk.openPlaces, []);
  }
  await stop(await startClient(t, cluster, counts(), { disk, settings }));
});

test('a topology without stores of its own needs no changelog', async (t) => {
  const cluster = clusterOf({ in: 1, out: 1, table: 1 });
  cluster.write('table', 0, [{ key: 'k', value: 'Anna' }]);
  cluster.write('in', 0, [{ key: 'k', value: 'hello' }]);
  await startClient(t, cluster, enriched());
  await until(() => messages(cluster, 'out').length === 1, 'the record is copied');
  t.deepEqual(messages(cluster, 'out'), ['k=hello Anna']);
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  t.deepEqual(
    (await broker.admin.listTopics()).filter((topic) => topic.includes('changelog')),
    [],
  );
});

test('instances that start at the same time make the internal topics together', async (t) => {
  const cluster = clusterOf({ in: 4 });
  const clients = Array.from({ length: 4 }, () => newClient(t, cluster, counts()));
  await Promise.all(clients.map(({ streams }) => streams.start()));
  await until(() => clients.every(({ streams }) => streams.kafkaStats().tasks.length === 1), 'each of them has a task');
  t.deepEqual(clients.flatMap(({ streams }) => streams.kafkaStats().tasks.map(({ taskId }) => taskId)).sort(), [
    '0_0',
    '0_1',
    '0_2',
    '0_3',
  ]);
});

test('an instance whose program has none of the stores of the others ends with an error that says so, though nothing is committed yet', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 1);
  await startClient(t, cluster, valueCounts());
  const older = newClient(t, cluster, counts(), { uncaughtHandler: () => 'shutdown-client' });
  await older.streams.start();
  await older.streams.untilEnded();
  t.is((older.streams.failure as StreamsError).code, 'STREAMS_STATE_INCOMPATIBLE');
  t.regex(
    (older.streams.failure as StreamsError).message,
    /none of the stores of the others \(values, keys-by-value\)/,
  );
});
