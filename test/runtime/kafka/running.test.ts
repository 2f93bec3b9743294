import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { type Header, Record, Serdes, StreamsBuilder, TimeWindows, type Topology } from '../../../src/index.ts';
import { app, drained, messages, rowsOf, running, sameAsChangelogs, startClient, stop, text } from './kit.ts';
import { copies, texts, valueCounts, windowedCounts } from './topologies.ts';

function clusterOf(topics: Readonly<globalThis.Record<string, number>> = { in: 1, out: 1 }): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const [topic, partitions] of Object.entries(topics)) cluster.createTopic(topic, partitions);
  return cluster;
}

test('records are counted in windows, each partition with a clock of its own', async (t) => {
  const cluster = clusterOf({ in: 2 });
  cluster.write('in', 0, [
    { key: 'a', value: 'x', timestamp: 1 },
    { key: 'a', value: 'x', timestamp: 100 },
    { key: 'a', value: 'late', timestamp: 2 },
  ]);
  cluster.write('in', 1, [
    { key: 'b', value: 'x', timestamp: 1 },
    { key: 'b', value: 'in time', timestamp: 2 },
  ]);
  const client = await startClient(t, cluster, windowedCounts());
  await drained(cluster, windowedCounts());
  t.deepEqual(await rowsOf([client], 'counts'), ['a@0 1', 'a@100 1', 'b@0 2']);
  await sameAsChangelogs(t, cluster, [client]);
});

test('several instances share the tasks, and their stores together are the result', async (t) => {
  const cluster = clusterOf({ in: 3 });
  const clients = [];
  for (let i = 0; i < 3; i++) clients.push(await startClient(t, cluster, valueCounts()));
  for (const client of clients) await running(client);
  cluster.write('in', 0, [
    { key: 'a', value: 'red' },
    { key: 'b', value: 'blue' },
    { key: 'a', value: 'blue' },
  ]);
  cluster.write('in', 1, [{ key: 'c', value: 'blue' }]);
  cluster.write('in', 2, [
    { key: 'd', value: 'red' },
    { key: 'd', value: undefined },
    { key: 'e', value: 'red' },
  ]);
  await drained(cluster, valueCounts());
  t.deepEqual(
    (await rowsOf(clients, 'keys-by-value')).filter((row) => !row.endsWith(' 0')),
    ['blue 3', 'red 1'],
  );
  t.deepEqual(await rowsOf(clients, 'values'), ['a blue', 'b blue', 'c blue', 'e red']);
  for (const { streams } of clients) t.is(streams.kafkaStats().tasks.length, 2);
  await sameAsChangelogs(t, cluster, clients);
});

test('headers go with a record through forward, internal topics and sinks', async (t) => {
  const cluster = clusterOf({ in: 2, out: 2 });
  const seen: (readonly Header[])[] = [];
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .process<string, string>(() => {
      let forward = (_record: Record<string, string>): void => {};
      return {
        init(context) {
          forward = (record) => context.forward(record);
        },
        process({ key, value, timestamp, headers }) {
          forward(new Record(value, key, timestamp, [...headers, { key: 'step', value: Buffer.from('1') }]));
        },
      };
    })
    .repartition({ name: 'by-value', ...texts })
    .process<string, string>(() => {
      let forward = (_record: Record<string, string>): void => {};
      return {
        init(context) {
          forward = (record) => context.forward(record);
        },
        process(record) {
          seen.push(record.headers);
          forward(record);
        },
      };
    })
    .to('out', texts);
  const topology = builder.build();
  await startClient(t, cluster, topology);
  cluster.write('in', 0, [{ key: 'k', value: 'v', headers: [{ key: 'id', value: Buffer.from('7') }] }]);
  await drained(cluster, topology);
  const expected = [
    ['id', '7'],
    ['step', '1'],
  ];
  const shown = (headers: readonly Header[]): string[][] =>
    headers.map(({ key, value }) => [key, text(value ?? undefined)]);
  t.deepEqual(seen.map(shown), [expected]);
  const [record] = [...cluster.read('out', 0), ...cluster.read('out', 1)];
  t.deepEqual(shown(record!.headers), expected);
  t.deepEqual([text(record!.key), text(record!.value)], ['v', 'k']);
});

test('what a cache tells of has the headers of no record', async (t) => {
  const cluster = clusterOf({ in: 1, out: 1 });
  const builder = new StreamsBuilder();
  builder.stream('in', texts).groupByKey().count({ name: 'counts' }).toStream().mapValues(String).to('out', texts);
  const topology = builder.build();
  cluster.write('in', 0, [{ key: 'a', value: 'x', headers: [{ key: 'id', value: Buffer.from('7') }] }]);
  await startClient(t, cluster, topology);
  await drained(cluster, topology);
  t.deepEqual(
    cluster.read('out', 0).map(({ headers }) => headers),
    [[]],
  );
});

test('a record keeps its own time on its way, and rows get that of the newest record in them', async (t) => {
  const cluster = clusterOf({ in: 1, out: 1 });
  cluster.write('in', 0, [
    { key: 'a', value: '1', timestamp: 70 },
    { key: 'a', value: '2', timestamp: 30 },
  ]);
  const client = await startClient(t, cluster, copies());
  await drained(cluster, copies());
  t.deepEqual(
    cluster.read('out', 0).map(({ timestamp }) => timestamp),
    [70, 30],
  );
  await stop(client);
  const other = await startClient(t, cluster, windowedCounts(), { applicationId: 'other' });
  await running(other);
  const rows = (): number[] => cluster.read('other-counts-changelog', 0).map(({ timestamp }) => timestamp);
  while (rows().length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  t.deepEqual(rows(), [70]);
});

/** Streams and tables that meet in one task. */
function joined(): Topology {
  const builder = new StreamsBuilder();
  const names = builder.table('names', { name: 'names', ...texts });
  const colours = builder.table('colours', { name: 'colours', ...texts });
  builder
    .stream('in', texts)
    .leftJoin(names, (value, name) => `${value} ${name ?? 'nobody'}`)
    .to('out', texts);
  names
    .join(colours, (name, colour) => `${name} is ${colour}`, {
      name: 'both',
      materialize: true,
      valueSerde: Serdes.string,
    })
    .toStream()
    .to('tables', texts);
  return builder.build();
}

test('streams and tables of several topics meet in the order of their times', async (t) => {
  const cluster = clusterOf({ in: 1, names: 1, colours: 1, out: 1, tables: 1 });
  cluster.write('in', 0, [
    { key: 'a', value: 'early', timestamp: 5 },
    { key: 'a', value: 'late', timestamp: 15 },
  ]);
  cluster.write('names', 0, [{ key: 'a', value: 'Anna', timestamp: 10 }]);
  cluster.write('colours', 0, [{ key: 'a', value: 'red', timestamp: 20 }]);
  await startClient(t, cluster, joined());
  await drained(cluster, joined());
  t.deepEqual(messages(cluster, 'out'), ['a=early nobody', 'a=late Anna']);
  t.deepEqual(messages(cluster, 'tables'), ['a=Anna is red']);
});

test('an internal topic between partitions of any number keeps every record', async (t) => {
  const cluster = clusterOf({ in: 3, out: 1 });
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .selectKey((_key, value) => value)
    .repartition({ name: 'few', partitions: 2, ...texts })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 1000))
    .count({ name: 'counts' });
  const topology = builder.build();
  for (let partition = 0; partition < 3; partition++)
    cluster.write(
      'in',
      partition,
      Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: `v${i % 5}`, timestamp: 3 })),
    );
  const client = await startClient(t, cluster, topology);
  await drained(cluster, topology);
  t.deepEqual(
    await rowsOf([client], 'counts'),
    [0, 1, 2, 3, 4].map((v) => `v${v}@0 30`),
  );
  t.is(client.streams.partitionsOf('counts'), 2);
});

test('records without a key go to the partitions in turn', async (t) => {
  const cluster = clusterOf({ in: 1, out: 3 });
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .map((_key, value): readonly [string | undefined, string] => [undefined, value])
    .to('out', { keySerde: Serdes.string as never, valueSerde: Serdes.string });
  const topology = builder.build();
  cluster.write(
    'in',
    0,
    ['1', '2', '3'].map((value) => ({ key: 'a', value })),
  );
  await startClient(t, cluster, topology);
  await drained(cluster, topology);
  for (const partition of [0, 1, 2]) t.is(cluster.read('out', partition).length, 1);
});

test('a processor can ask for a commit, which comes at once', async (t) => {
  const cluster = clusterOf();
  const builder = new StreamsBuilder();
  builder.stream('in', texts).process(() => {
    let commit = (): void => {};
    return {
      init(context) {
        commit = () => context.commit();
      },
      process: ({ value }) => {
        if (value === 'commit') commit();
      },
    };
  });
  const topology = builder.build();
  const client = await startClient(t, cluster, topology, { commitIntervalMs: 60_000 });
  cluster.write('in', 0, [
    { key: 'a', value: 'x' },
    { key: 'a', value: 'commit' },
  ]);
  await drained(cluster, topology);
  t.is(client.streams.stats().commits, 1);
});

test('two applications over the same topics do not meet', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp: 1 }]);
  const one = await startClient(t, cluster, windowedCounts());
  const two = await startClient(t, cluster, windowedCounts(), { applicationId: 'other' });
  await drained(cluster, windowedCounts());
  t.is(one.streams.kafkaStats().tasks.length, 1);
  t.is(two.streams.kafkaStats().tasks.length, 1);
  t.is(cluster.read(`${app}-counts-changelog`, 0).length, 1);
});
