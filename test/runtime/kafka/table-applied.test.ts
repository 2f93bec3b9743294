import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, type Topology } from '../../../src/index.ts';
import type { Version } from '../../../src/processor/rows.ts';
import { writeHistoryTopic } from '../../../src/runtime/kafka/history-topic.ts';
import { untilTableApplied } from '../../../src/runtime/kafka/table-applied.ts';
import { app, changelogRows, drained, startClient, stop } from './kit.ts';

/** Readings per place, by a table of the places of meters; two sub-topologies. */
function topology(sources: readonly string[]): Topology {
  const builder = new StreamsBuilder();
  const places = builder.globalHistoryTable<string, string>('places', {
    name: 'places',
    keySerde: Serdes.string,
    valueSerde: Serdes.string,
  });
  builder
    .table<string, number>(sources[0]!, { name: 'latest', keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .leftJoin(places, (reading, place) => `${place ?? 'unknown'}:${reading}`, {
      name: 'placed',
      valueSerde: Serdes.string,
    })
    .groupBy((_key, value): [string, string] => [value.split(':')[0]!, value], {
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
    })
    .aggregate(
      () => 0,
      (_key, value, sum) => sum + Number(value.split(':')[1]),
      (_key, value, sum) => sum - Number(value.split(':')[1]),
      { name: 'per-place', valueSerde: Serdes.int64 },
    );
  return builder.build();
}

async function load(cluster: MemoryCluster, places: Record<string, string>): Promise<readonly number[]> {
  const broker = cluster.connect();
  const histories = Object.entries(places).map(([meter, value]): [string, Version<string>[]] => [
    meter,
    [{ validFromMs: 0, value }],
  ]);
  const { ends } = await writeHistoryTopic(broker, {
    topic: 'places',
    histories,
    keySerde: Serdes.string,
    valueSerde: Serdes.string,
  });
  await broker.close();
  return ends;
}

function write(
  cluster: MemoryCluster,
  readings: readonly (readonly [meter: string, reading: number, partition: number])[],
): void {
  for (const [key, value, partition] of readings)
    cluster.write('readings', partition, [{ key, value: Serdes.int64.serialize(value), timestamp: 10 }]);
}

async function applied(
  cluster: MemoryCluster,
  ends: readonly number[],
  timeoutMs = 10_000,
  signal?: AbortSignal,
): Promise<void> {
  const { admin } = cluster.connect();
  const options = { applicationId: app, topology, topic: 'places', ends, timeoutMs, intervalMs: 2 };
  await untilTableApplied(admin, signal ? { ...options, signal } : options);
}

test('a load is applied when the results of all tasks show it', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  await load(cluster, { m: 'Lyon', n: 'Lyon' });
  write(cluster, [
    ['m', 5, 0],
    ['n', 7, 1],
  ]);
  const clients = [
    await startClient(cluster, topology(['readings'])),
    await startClient(cluster, topology(['readings'])),
  ];
  await drained(cluster, clients[0]!.streams.topology);
  t.deepEqual(await changelogRows(cluster, clients[0]!.streams.topology, 'per-place'), ['Lyon 12']);
  for (let i = 0; i < 5; i++) {
    const place = `Nice${i}`;
    await applied(cluster, await load(cluster, { m: place, n: place }));
    const placed = await changelogRows(cluster, clients[0]!.streams.topology, 'placed');
    t.deepEqual(placed, [`m ${place}:5`, `n ${place}:7`], 'what is joined shows it as soon as the wait is over');
  }
  await stop(...clients);
});

test('a load that changed nothing was applied before', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  await load(cluster, { m: 'Lyon' });
  write(cluster, [['m', 5, 0]]);
  const client = await startClient(cluster, topology(['readings']));
  await drained(cluster, client.streams.topology);
  await t.notThrowsAsync(async () => applied(cluster, await load(cluster, { m: 'Lyon' })));
  await stop(client);
});

test('tasks that never had a record are not waited for', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  const ends = await load(cluster, { m: 'Lyon' });
  const client = await startClient(cluster, topology(['readings']));
  await t.notThrowsAsync(applied(cluster, ends));
  await stop(client);
});

test('an instance that is stopped is waited for, and named when the time is over', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 1);
  await load(cluster, { m: 'Lyon' });
  write(cluster, [['m', 5, 0]]);
  const client = await startClient(cluster, topology(['readings']), { sessionTimeoutMs: 60_000 });
  await drained(cluster, client.streams.topology);
  cluster.pause(client.broker);
  const ends = await load(cluster, { m: 'Nice' });
  const error = await t.throwsAsync(applied(cluster, ends, 100), { code: 'STREAMS_TIMEOUT' });
  t.regex(error.message, /task 0_0 is at \d+ of \d+/);
  const waiting = applied(cluster, ends);
  cluster.resume(client.broker);
  await t.notThrowsAsync(waiting);
  await stop(client);
});

test('without an instance the wait ends in time, and says so', async (t) => {
  const cluster = new MemoryCluster();
  const ends = await load(cluster, { m: 'Lyon' });
  const error = await t.throwsAsync(applied(cluster, ends, 20), { code: 'STREAMS_TIMEOUT' });
  t.true(error.message.includes('no instance of it runs'), error.message);
  const aborting = new AbortController();
  const waiting = applied(cluster, ends, 60_000, aborting.signal);
  aborting.abort();
  await t.throwsAsync(waiting, { name: 'AbortError' });
});
