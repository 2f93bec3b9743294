import test from 'ava';
import { MemoryCluster, type MemoryClusterOptions } from '../../../src/clients/memory/memory-broker.ts';
import {
  type ProcessorContext,
  Record,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
  untilWindowCloses,
} from '../../../src/index.ts';
import type { Processor } from '../../../src/processor/processor.ts';
import { Disk } from './disk.ts';
import {
  app,
  drained,
  kill,
  messages,
  newClient,
  rowsOf,
  running,
  sameAsChangelogs,
  sleep,
  startClient,
  stop,
  type TestClient,
  until,
} from './kit.ts';
import { copies, counts, texts, windowedCounts } from './topologies.ts';

function clusterOf(partitions = 1, options: MemoryClusterOptions = {}): MemoryCluster {
  const cluster = new MemoryCluster(options);
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

/** Numbers the records of each key in a store, and tells the number; `pause` decides how long a record takes. */
function numbered(pause: (value: string) => Promise<void> | undefined): Topology {
  const builder = new StreamsBuilder();
  builder.addStateStore({ name: 'numbers', kind: 'key-value', keySerde: Serdes.string, valueSerde: Serdes.int64 });
  builder
    .stream('in', texts)
    .process<string, string>(
      (): Processor<string, string, string, string> => {
        let context: ProcessorContext<string, string>;
        return {
          init(given) {
            context = given;
          },
          process({ key, value, timestamp }) {
            const store = context.keyValueStore<string, number>('numbers');
            const number = (store.get(key) ?? 0) + 1;
            store.put(key, number);
            context.forward(new Record(key, `${value}#${number}`, timestamp));
            return pause(value);
          },
        };
      },
      { name: 'numbering', stores: ['numbers'] },
    )
    .to('out', texts);
  return builder.build();
}

test('positions, clocks, rows and outputs are committed together or not at all', async (t) => {
  const cluster = clusterOf();
  const topology = numbered(() => undefined);
  const changelog = `${app}-numbers-changelog`;
  const { admin } = cluster.connect();
  await startClient(t, cluster, topology, { commitIntervalMs: 1 });
  for (let i = 0; i < 40; i++) cluster.write('in', 0, [{ key: 'a', value: String(i), timestamp: i }]);
  // At any moment what a reader of committed records sees is what the committed position stands for.
  for (let seen = 0; seen < 40; ) {
    const before = (await admin.committed(app, [{ topic: 'in', partition: 0 }]))[0]?.offset ?? 0;
    const outputs = cluster.read('out', 0);
    const rows = cluster.read(changelog, 0);
    const after = (await admin.committed(app, [{ topic: 'in', partition: 0 }]))[0]?.offset ?? 0;
    t.true(outputs.length >= before && rows.length <= outputs.length);
    if (before === after) {
      t.is(outputs.length, before);
      const last = rows.at(-1)?.value;
      t.is(last === undefined ? 0 : Serdes.int64.deserialize(last), before);
    }
    seen = after;
    await sleep(1);
  }
});

for (const when of ['before', 'in', 'after'] as const)
  for (const request of ['EndTxn', 'Produce', 'AddOffsetsToTxn', 'InitProducerId', 'OffsetFetch'] as const)
    test(`a connection that is cut ${when} ${request} loses and doubles nothing`, async (t) => {
      const cluster = clusterOf(2);
      const topology = numbered(() => undefined);
      const client = await startClient(t, cluster, topology, { commitIntervalMs: 1 });
      for (let round = 0; round < 4; round++) {
        cluster.cut(client.broker, when, request);
        for (const partition of [0, 1])
          cluster.write('in', partition, [{ key: `k${partition}`, value: String(round) }]);
        if (request === 'InitProducerId' || request === 'OffsetFetch') cluster.cut(client.broker, 'before', 'EndTxn');
        await sleep(5);
      }
      await drained(cluster, topology);
      for (const partition of [0, 1])
        t.deepEqual(
          cluster.read('out', partition === 0 ? 0 : 1).length + cluster.read('out', partition === 0 ? 1 : 0).length,
          8,
        );
      t.deepEqual(
        messages(cluster, 'out', 2).sort(),
        [0, 1].flatMap((k) => [0, 1, 2, 3].map((n) => `k${k}=${n}#${n + 1}`)),
      );
      await until(() => client.streams.state === 'RUNNING', 'all tasks are back');
      await sameAsChangelogs(t, cluster, [client]);
      await stop(client);
    });

test('a first commit that dies once pages are written ahead of it is done again', async (t) => {
  const keys = 20_000;
  const cluster = clusterOf();
  const topology = windowedCounts();
  // Rows of some 100 bytes: 2 MB of pages, of which a table writes ahead from 1 MB on.
  for (let i = 0; i < keys; i++) cluster.write('in', 0, [{ key: `${i}`.padEnd(80, '.'), value: 'x', timestamp: 1 }]);
  const options = { disk: new Disk(), statestoreCacheMaxBytes: 64e6 };
  const first = await startClient(t, cluster, topology, { ...options, commitIntervalMs: 600_000 });
  await until(() => first.streams.stats().tasks[0]?.processed === keys, 'all is taken');
  cluster.pause(first.broker);
  // Who pauses commits what was taken.
  first.streams.pause();
  const isAhead = async (): Promise<boolean> =>
    [...(await options.disk.image()).values()].some(({ length }) => length > 100);
  await until(isAhead, 'pages are written ahead');
  kill(cluster, first);
  const second = await startClient(t, cluster, topology, options);
  await drained(cluster, topology);
  const rows = await rowsOf([second], 'counts');
  t.is(rows.length, keys);
  t.true(rows.every((row) => row.endsWith('@0 1')));
  t.deepEqual(second.uncaught, []);
});

test('a record that fails while its task ends leaves no trace', async (t) => {
  const cluster = clusterOf();
  let fail: ((error: Error) => void) | undefined;
  let broken = true;
  const topology = numbered((value) =>
    value === 'slow' && broken ? new Promise<void>((_resolve, reject) => (fail = reject)) : undefined,
  );
  const first = await startClient(t, cluster, topology, { commitIntervalMs: 60_000 });
  cluster.write('in', 0, [{ key: 'a', value: 'quick' }]);
  await until(() => first.streams.stats().tasks[0]?.processed === 1, 'the first record is taken');
  cluster.write('in', 0, [{ key: 'a', value: 'slow' }]);
  await until(() => fail !== undefined, 'the second record is in process');
  const closed = first.streams.close();
  await sleep(20);
  broken = false;
  fail!(new Error('the service is gone'));
  await closed;
  const second = await startClient(t, cluster, topology);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out'), ['a=quick#1', 'a=slow#2']);
  t.deepEqual(await rowsOf([second], 'numbers'), ['a 2']);
});

test('a record that is in process while its task moves is processed once', async (t) => {
  const cluster = clusterOf(2);
  const waiting: (() => void)[] = [];
  const topology = numbered((value) =>
    value === 'slow' ? new Promise<void>((resolve) => waiting.push(resolve)) : undefined,
  );
  await startClient(t, cluster, topology);
  for (const partition of [0, 1]) cluster.write('in', partition, [{ key: `k${partition}`, value: 'slow' }]);
  await until(() => waiting.length === 2, 'both records are in process');
  const second = newClient(t, cluster, topology);
  await second.streams.start();
  await until(() => second.streams.kafkaStats().tasks.length === 1, 'the second is given a task');
  await sleep(20);
  for (let i = 0; i < 200 && messages(cluster, 'out', 2).length < 2; i++) {
    for (const go of waiting.splice(0)) go();
    await sleep(5);
  }
  const free = setInterval(() => {
    for (const go of waiting.splice(0)) go();
  }, 1);
  await drained(cluster, topology);
  clearInterval(free);
  t.deepEqual(messages(cluster, 'out', 2).sort(), ['k0=slow#1', 'k1=slow#1']);
});

test('an owner that was stopped for too long commits nothing any more, and takes what it is given then', async (t) => {
  const cluster = clusterOf(2);
  const topology = numbered(() => undefined);
  const first = await startClient(t, cluster, topology, { commitIntervalMs: 1 });
  const second = await startClient(t, cluster, topology, { commitIntervalMs: 1 });
  await running(first);
  const write = (value: string): void => {
    for (const partition of [0, 1]) cluster.write('in', partition, [{ key: `k${partition}`, value }]);
  };
  write('one');
  await drained(cluster, topology);
  // It has taken the next records, and its transaction is under way.
  write('two');
  cluster.pause(first.broker);
  cluster.endSessions(first.broker);
  await until(
    () => second.streams.kafkaStats().tasks.filter(({ status }) => status === 'running').length === 2,
    'the second has taken over',
  );
  write('three');
  await drained(cluster, topology);
  cluster.resume(first.broker);
  await until(
    () => first.streams.kafkaStats().tasks.some(({ status }) => status === 'running'),
    'the first has a task again',
  );
  await running(first);
  await running(second);
  write('four');
  await drained(cluster, topology);
  t.deepEqual(
    messages(cluster, 'out', 2).sort(),
    [0, 1].flatMap((k) => ['one#1', 'two#2', 'three#3', 'four#4'].map((value) => `k${k}=${value}`)).sort(),
  );
  await until(
    async () => (await rowsOf([first, second], 'numbers').catch(() => [])).length === 2,
    'both tasks have owners',
  );
  await sameAsChangelogs(t, cluster, [first, second]);
});

test('brokers that go away and come back lose nothing', async (t) => {
  const cluster = clusterOf(2);
  const topology = numbered(() => undefined);
  const client = await startClient(t, cluster, topology, { commitIntervalMs: 1 });
  for (let round = 0; round < 5; round++) {
    for (const partition of [0, 1]) cluster.write('in', partition, [{ key: `k${partition}`, value: String(round) }]);
    await sleep(round);
    cluster.down();
    await sleep(20);
    cluster.up();
  }
  await drained(cluster, topology);
  t.deepEqual(
    messages(cluster, 'out', 2).sort(),
    [0, 1].flatMap((k) => [0, 1, 2, 3, 4].map((n) => `k${k}=${n}#${n + 1}`)),
  );
  t.deepEqual(client.uncaught, []);
});

test('brokers that are away when an instance starts are waited for', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [{ key: 'a', value: '1' }]);
  cluster.down();
  const client = newClient(t, cluster, counts());
  const started = client.streams.start();
  await sleep(30);
  cluster.up();
  await started;
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([client], 'counts'), ['a 1']);
});

test('a late record meets the same fate after a takeover without any local state', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, windowedCounts());
  cluster.write('in', 0, [
    { key: 'a', value: 'x', timestamp: 3 },
    { key: 'a', value: 'x', timestamp: 25 },
  ]);
  await drained(cluster, windowedCounts());
  kill(cluster, first);
  const second = await startClient(t, cluster, windowedCounts());
  // Window [0, 10) has been over since 15; of [10, 20) a record is taken until 25 is past.
  cluster.write('in', 0, [
    { key: 'late', value: 'x', timestamp: 4 },
    { key: 'also late', value: 'x', timestamp: 12 },
    { key: 'in time', value: 'x', timestamp: 20 },
  ]);
  await drained(cluster, windowedCounts());
  t.deepEqual(await rowsOf([second], 'counts'), ['a@0 1', 'a@20 1', 'in time@20 1']);
  t.deepEqual(messages(cluster, `${app}-late`), ['late=x', 'also late=x']);
});

test('the clock that a late record meets is that of the last commit, not of what was read and given up', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, windowedCounts(), { commitIntervalMs: 60_000 });
  cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp: 3 }]);
  await until(() => first.streams.stats().tasks[0]?.processed === 1, 'the record is taken');
  kill(cluster, first);
  const second = await startClient(t, cluster, windowedCounts());
  cluster.write('in', 0, [
    { key: 'b', value: 'x', timestamp: 30 },
    { key: 'c', value: 'x', timestamp: 5 },
  ]);
  await drained(cluster, windowedCounts());
  t.deepEqual(await rowsOf([second], 'counts'), ['a@0 1', 'b@30 1']);
});

test('punctuations by stream time go on where they were after a takeover', async (t) => {
  const cluster = clusterOf();
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .process<string, string>(() => ({
      init(context) {
        context.schedule(10, 'stream-time', (now) => context.forward(new Record('tick', String(now), now)));
      },
      process() {},
    }))
    .to('out', texts);
  const topology = builder.build();
  const write = (timestamp: number): void => {
    cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp }]);
  };
  const first = await startClient(t, cluster, topology);
  write(3);
  write(12);
  await drained(cluster, topology);
  kill(cluster, first);
  await startClient(t, cluster, topology);
  write(13);
  write(20);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out'), ['tick=3', 'tick=12', 'tick=20']);
});

test('a full cache takes no more, also while a commit is under way that began before it was full', async (t) => {
  const limit = 100_000;
  const keys = Array.from({ length: 2000 }, (_, i) => ({ key: `k${i}`, value: 'x' }));
  let wave = 0;
  let most = 0;
  let client: TestClient | undefined;
  const cluster = clusterOf(1, {
    onRequest: (request) => {
      if (request === 'EndTxn' && wave++ === 0) cluster.write('in', 0, keys.slice(10));
    },
  });
  const builder = new StreamsBuilder();
  const look = (): void => {
    for (const { dirtyBytes } of client?.streams.stats().stores ?? []) most = Math.max(most, dirtyBytes);
  };
  builder.stream('in', texts).peek(look).groupByKey().count({ name: 'counts' });
  const topology = builder.build();
  client = await startClient(t, cluster, topology, {
    connect: { latencyMs: (request) => (request === 'EndTxn' && wave < 5 ? 100 : 0) },
    statestoreCacheMaxBytes: limit,
    commitIntervalMs: 1,
  });
  cluster.write('in', 0, keys.slice(0, 10));
  await drained(cluster, topology);
  const clients = [client];
  await until(async () => (await rowsOf(clients, 'counts')).length === keys.length, 'all rows are there');
  // A quarter of the cache is the mark; 256 rows of 240 bytes may come between two looks.
  t.true(most > 0 && most <= limit / 4 + 256 * 240, `${most} bytes were dirty`);
});

test('a batch of large outputs is sent before it fills the memory', async (t) => {
  const cluster = clusterOf();
  const topology = copies();
  const client = await startClient(t, cluster, topology, { commitIntervalMs: 60_000 });
  const value = 'x'.repeat(100_000);
  for (let i = 0; i < 300; i++) cluster.write('in', 0, [{ key: 'a', value }]);
  await until(() => cluster.read('out', 0).length >= 100, 'a commit has come long before its time');
  t.true(client.streams.stats().commits > 0);
});

test('hopping windows, suppressed results and joins survive a takeover', async (t) => {
  const cluster = clusterOf();
  cluster.createTopic('table');
  const builder = new StreamsBuilder();
  const table = builder.table('table', { name: 'names', ...texts });
  builder
    .stream('in', texts)
    .join(table, (value, name) => `${name}:${value}`)
    .groupByKey({ valueSerde: Serdes.string })
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 0).advanceBy(5))
    .count({ name: 'hops' })
    .suppress(untilWindowCloses({ name: 'final' }))
    .toStream()
    .map((window, count) => [`${window.key}@${window.startMs}`, String(count)])
    .to('out', texts);
  const topology = builder.build();
  cluster.write('table', 0, [{ key: 'a', value: 'Anna', timestamp: 0 }]);
  const first = await startClient(t, cluster, topology, { maxTaskIdleMs: 20 });
  cluster.write('in', 0, [
    { key: 'a', value: 'x', timestamp: 7 },
    { key: 'unknown', value: 'x', timestamp: 8 },
  ]);
  await drained(cluster, topology);
  kill(cluster, first);
  await startClient(t, cluster, topology, { maxTaskIdleMs: 20 });
  cluster.write('in', 0, [
    { key: 'a', value: 'y', timestamp: 9 },
    { key: 'a', value: 'z', timestamp: 100 },
  ]);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out').sort(), ['a@0=2', 'a@5=2']);
});
