import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsBuilder, StreamsError, TimeWindows, type Topology } from '../../../src/index.ts';
import type { RestoreProgress } from '../../../src/runtime/kafka/changelog-follower.ts';
import { Disk } from './disk.ts';
import {
  app,
  type Cleanup,
  type ClientOptions,
  drained,
  kill,
  newClient,
  rowsOf,
  running,
  sameAsChangelogs,
  startClient,
  stop,
  type TestClient,
  until,
} from './kit.ts';
import { counts, texts, windowedCounts } from './topologies.ts';

const changelog = `${app}-counts-changelog`;

function clusterOf(partitions = 1): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

/** Listens to restores: each as it ended. */
function listening(): { readonly ended: RestoreProgress[]; readonly options: ClientOptions } {
  const ended: RestoreProgress[] = [];
  return { ended, options: { restoreListener: { onRestoreEnd: (progress) => ended.push({ ...progress }) } } };
}

/** One record of each key. */
function write(cluster: MemoryCluster, keys: string, partition = 0): void {
  cluster.write(
    'in',
    partition,
    [...keys].map((key) => ({ key, value: 'x', timestamp: 1 })),
  );
}

/** Fetches take so long that the other steps of a test are done before. */
const slowFetches = { latencyMs: (request: string): number => (request === 'Fetch' ? 12_000 : 0) };

/** Runs an instance over what is there, and ends it. */
async function runOnce(
  t: Cleanup,
  cluster: MemoryCluster,
  topology: Topology,
  disk: Disk,
  options: ClientOptions = {},
): Promise<void> {
  const client = await startClient(t, cluster, topology, { disk, ...options });
  await drained(cluster, topology);
  await stop(client);
}

test('a restart goes on with the copy that is there, and reads nothing', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'aab');
  await runOnce(t, cluster, counts(), disk);
  const { ended, options } = listening();
  const client = await startClient(t, cluster, counts(), { disk, ...options });
  write(cluster, 'ac');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([client], 'counts'), ['a 3', 'b 1', 'c 1']);
  t.deepEqual(
    ended.map(({ restored }) => restored),
    [0],
  );
});

test('a copy that was deleted is read back whole', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'aab');
  await runOnce(t, cluster, counts(), disk);
  disk.erase();
  const { ended, options } = listening();
  const client = await startClient(t, cluster, counts(), { disk, ...options });
  t.deepEqual(await rowsOf([client], 'counts'), ['a 2', 'b 1']);
  t.deepEqual(
    ended.map(({ topic, fromOffset, position, endOffset, restored }) => [
      topic,
      fromOffset,
      position === endOffset,
      restored,
    ]),
    [[changelog, 0, true, 2]],
  );
});

test('an older copy is put right by the tail alone', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'abcdefgh');
  await runOnce(t, cluster, counts(), disk);
  const older = await disk.image();
  const end = cluster.read(changelog, 0).at(-1)!.offset;
  write(cluster, 'az');
  await runOnce(t, cluster, counts(), disk);
  await disk.restore(older);
  const { ended, options } = listening();
  const client = await startClient(t, cluster, counts(), { disk, ...options });
  t.deepEqual(await rowsOf([client], 'counts'), ['a 2', 'b 1', 'c 1', 'd 1', 'e 1', 'f 1', 'g 1', 'h 1', 'z 1']);
  t.is(ended.length, 1);
  t.true(ended[0]!.fromOffset > end);
  t.is(ended[0]!.restored, 2);
  await sameAsChangelogs(t, cluster, [client]);
});

test('an older copy is put right over a changelog that was compacted meanwhile', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'abc');
  await runOnce(t, cluster, counts(), disk);
  const older = await disk.image();
  for (const keys of ['a', 'ab', 'b']) {
    write(cluster, keys);
    await runOnce(t, cluster, counts(), disk);
  }
  cluster.compact(changelog);
  await disk.restore(older);
  const client = await startClient(t, cluster, counts(), { disk });
  t.deepEqual(await rowsOf([client], 'counts'), ['a 3', 'b 3', 'c 1']);
});

test('a copy that reaches further than its changelog is thrown away', async (t) => {
  const disk = new Disk();
  const before = clusterOf();
  write(before, 'aaabbbccc');
  await runOnce(t, before, counts(), disk);
  // The brokers were set up anew.
  const cluster = clusterOf();
  write(cluster, 'a');
  await runOnce(t, cluster, counts(), new Disk());
  const client = await startClient(t, cluster, counts(), { disk });
  write(cluster, 'd');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([client], 'counts'), ['a 1', 'd 1']);
  await sameAsChangelogs(t, cluster, [client]);
});

test('a copy of a changelog that was recreated is thrown away, also if the new one reaches further', async (t) => {
  const disk = new Disk();
  const cluster = clusterOf();
  write(cluster, 'aaabbb');
  await runOnce(t, cluster, counts(), disk);
  // As `reset` does, but for the folder of a machine that nobody thought of.
  const broker = cluster.connect();
  await broker.admin.deleteTopics([changelog]);
  await broker.admin.deleteGroup(app);
  await broker.admin.deleteTopics(['in']);
  await broker.close();
  cluster.createTopic('in', 1);
  for (let i = 0; i < 30; i++) {
    write(cluster, 'c');
    if (i % 10 === 0) await runOnce(t, cluster, counts(), new Disk());
  }
  const { ended, options } = listening();
  const client = await startClient(t, cluster, counts(), { disk, ...options });
  write(cluster, 'd');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([client], 'counts'), ['c 30', 'd 1']);
  await sameAsChangelogs(t, cluster, [client]);
  t.is(ended[0]!.fromOffset, 0);
  await stop(client);
  // Once it is rebuilt it is a copy like any other.
  const again = listening();
  await startClient(t, cluster, counts(), { disk, ...again.options });
  t.true(again.ended[0]!.fromOffset > 0);
});

test('a copy that is behind and so old that it may have missed deletions is read back whole', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'ab');
  await runOnce(t, cluster, counts(), disk);
  const older = await disk.image();
  write(cluster, 'b');
  await runOnce(t, cluster, counts(), disk);
  await disk.restore(older);
  const { ended, options } = listening();
  const client = await startClient(t, cluster, counts(), { disk, ...options, deleteRetentionMs: 0 });
  t.deepEqual(await rowsOf([client], 'counts'), ['a 1', 'b 2']);
  t.is(ended.at(-1)!.fromOffset, 0);
});

test('a copy that is old and whole is kept, however old', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'ab');
  await runOnce(t, cluster, counts(), disk);
  // What the close has written after the last row is passed in the copy too.
  await runOnce(t, cluster, counts(), disk);
  const { ended, options } = listening();
  const client = await startClient(t, cluster, counts(), { disk, ...options, deleteRetentionMs: 0 });
  t.deepEqual(await rowsOf([client], 'counts'), ['a 1', 'b 1']);
  t.is(ended.at(-1)!.restored, 0);
  t.true(ended.at(-1)!.fromOffset > 0);
});

/** Deletes a changelog's first records, as a broker does by age. */
async function deleteBefore(cluster: MemoryCluster, topic: string, offset: number): Promise<void> {
  const broker = cluster.connect();
  await broker.admin.deleteRecords([{ topic, partition: 0, offset }]);
  await broker.close();
}

/** Counts in windows whose rows the broker deletes after a while. */
function expiring(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 0).retention(100))
    .count({ name: 'counts' });
  return builder.build();
}

test('a changelog whose first records are gone is read back from where it begins, with a copy or without', async (t) => {
  const cluster = clusterOf();
  const topology = expiring();
  const disk = new Disk();
  // The broker deletes by its own clock: rows of today are over for it no sooner than for the task.
  const now = 10 * Math.floor(Date.now() / 10);
  cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp: now - 500 }]);
  await runOnce(t, cluster, topology, disk);
  const older = await disk.image();
  cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp: now + 1 }]);
  await runOnce(t, cluster, topology, disk);
  const last = cluster.read(changelog, 0).at(-1)!.offset;
  await deleteBefore(cluster, changelog, last);
  for (const state of ['older', 'none']) {
    if (state === 'older') await disk.restore(older);
    else disk.erase();
    const client = await startClient(t, cluster, topology, { disk });
    t.deepEqual(await rowsOf([client], 'counts'), [`a@${now} 1`], state);
    await stop(client);
  }
});

test('a standby too begins where the changelog begins', async (t) => {
  const cluster = clusterOf();
  const topology = expiring();
  for (const key of 'ab') {
    cluster.write('in', 0, [{ key, value: 'x', timestamp: Date.now() }]);
    await runOnce(t, cluster, topology, new Disk());
  }
  await deleteBefore(cluster, changelog, cluster.read(changelog, 0).at(-1)!.offset);
  const first = await startClient(t, cluster, topology, { numStandbyReplicas: 1 });
  const second = await startClient(t, cluster, topology, { numStandbyReplicas: 1 });
  const standby = (): TestClient | undefined =>
    [first, second].find(({ streams }) =>
      streams.kafkaStats().tasks.some(({ kind, standbyLag }) => kind === 'standby' && standbyLag === 0),
    );
  await until(() => standby() !== undefined, 'the standby has caught up');
  t.deepEqual(first.uncaught, []);
  t.deepEqual(second.uncaught, []);
  t.true(first.streams.kafkaStats().rebalances + second.streams.kafkaStats().rebalances < 8);
});

test('a copy whose database is damaged is thrown away and read back', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  write(cluster, 'aab');
  await runOnce(t, cluster, counts(), disk);
  const damaged = async (location: string): ReturnType<Disk['openDatabase']> => {
    const database = await disk.openDatabase(location);
    if (!location.includes('0_0') || !disk.wasThere(location)) return database;
    await database.close();
    throw new StreamsError('STREAMS_STATE_STORE_CORRUPT', 'a file of the database is damaged.');
  };
  const client = newClient(t, cluster, counts(), { disk, openDatabase: damaged });
  await client.streams.start();
  await running(client);
  t.deepEqual(await rowsOf([client], 'counts'), ['a 2', 'b 1']);
});

test('a standby takes over with only the tail to read', async (t) => {
  const cluster = clusterOf();
  const { ended, options } = listening();
  const first = await startClient(t, cluster, counts(), { numStandbyReplicas: 1 });
  const second = await startClient(t, cluster, counts(), { numStandbyReplicas: 1, ...options });
  t.deepEqual(
    second.streams.kafkaStats().tasks.map(({ taskId, kind }) => [taskId, kind]),
    [['0_0', 'standby']],
  );
  write(cluster, 'abcdefghij');
  await drained(cluster, counts());
  await until(
    () => second.streams.localRows('counts', 0) !== undefined && second.streams.kafkaStats().tasks[0]!.standbyLag === 0,
    'the standby has caught up',
  );
  await until(async () => (await rowsOfStandby(second)) === 10, 'the standby has the rows');
  kill(cluster, first);
  await until(() => ended.length === 1, 'the standby has taken over');
  await running(second);
  t.deepEqual(
    await rowsOf([second], 'counts'),
    [...'abcdefghij'].map((key) => `${key} 1`),
  );
  t.true(ended[0]!.fromOffset > 0);
  t.is(ended[0]!.restored, 0);
  write(cluster, 'a');
  await drained(cluster, counts());
  t.is((await rowsOf([second], 'counts'))[0], 'a 2');
});

/** How many rows a copy has, whoever owns the task. */
async function rowsOfStandby({ streams }: TestClient): Promise<number> {
  const copy = streams.localRows('counts', 0);
  if (copy === undefined) return 0;
  let rows = 0;
  for await (const page of copy.database.pages({ gte: copy.prefix })) rows += page.length;
  return rows;
}

test('a task that goes back to a standby is no longer written to, and its copy goes on from where it was', async (t) => {
  const cluster = clusterOf(2);
  const options = { numStandbyReplicas: 1 };
  const first = await startClient(t, cluster, counts(), options);
  write(cluster, 'ab', 0);
  write(cluster, 'cd', 1);
  await drained(cluster, counts());
  // One of the two tasks moves to the newcomer; the first keeps it as a standby.
  const second = await startClient(t, cluster, counts(), options);
  await running(first);
  write(cluster, 'a', 0);
  write(cluster, 'c', 1);
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([first, second], 'counts'), ['a 2', 'b 1', 'c 2', 'd 1']);
  for (const { streams } of [first, second])
    t.deepEqual(
      streams
        .kafkaStats()
        .tasks.map(({ kind }) => kind)
        .sort(),
      ['active', 'standby'],
    );
  await stop(second);
  await until(
    () => first.streams.kafkaStats().tasks.every(({ kind, status }) => kind === 'active' && status === 'running'),
    'the first has both tasks again',
  );
  await running(first);
  t.deepEqual(await rowsOf([first], 'counts'), ['a 2', 'b 1', 'c 2', 'd 1']);
});

test('stores of all kinds are read back', async (t) => {
  const cluster = clusterOf();
  const builder = new StreamsBuilder();
  builder.addStateStore({ name: 'kv', kind: 'key-value', ...texts });
  builder.addStateStore({ name: 'versions', kind: 'versioned', ...texts });
  builder.addStateStore({ name: 'windows', kind: 'window', windows: TimeWindows.ofSizeWithNoGrace(10), ...texts });
  const seen: string[] = [];
  builder.stream('in', texts).process(
    () => {
      let look = (_key: string): void => {};
      let put = (_key: string, _value: string, _timestamp: number): void => {};
      return {
        init(context) {
          const kv = context.keyValueStore<string, string>('kv');
          const versions = context.versionedStore<string, string>('versions');
          const windows = context.windowStore<string, string>('windows');
          look = (key) =>
            seen.push([kv.get(key), versions.get(key, 5), versions.get(key), windows.fetch(key, 10)].join());
          put = (key, value, timestamp) => {
            kv.put(key, value);
            versions.put(key, value, timestamp);
            windows.put(key, value, timestamp - (timestamp % 10));
          };
        },
        process({ key, value, timestamp }) {
          if (value === 'look') look(key);
          else put(key, value, timestamp);
        },
      };
    },
    { name: 'p', stores: ['kv', 'versions', 'windows'] },
  );
  const topology = builder.build();
  cluster.write('in', 0, [
    { key: 'a', value: 'one', timestamp: 3 },
    { key: 'a', value: 'two', timestamp: 14 },
  ]);
  await runOnce(t, cluster, topology, new Disk());
  cluster.write('in', 0, [{ key: 'a', value: 'look', timestamp: 20 }]);
  await runOnce(t, cluster, topology, new Disk());
  t.deepEqual(seen, ['two,one,two,two']);
});

test('the listener is told of the start, of each batch and of the end, with totals that add up', async (t) => {
  const cluster = clusterOf();
  write(cluster, 'abcde');
  await runOnce(t, cluster, windowedCounts(), new Disk());
  const told: string[] = [];
  let sum = 0;
  const client = await startClient(t, cluster, windowedCounts(), {
    restoreListener: {
      onRestoreStart: ({ taskId, topic, fromOffset }) => told.push(`start ${taskId} ${topic} ${fromOffset}`),
      onBatchRestored: (_progress, records) => {
        sum += records;
      },
      onRestoreEnd: ({ taskId, topic, restored }) => told.push(`end ${taskId} ${topic} ${restored}`),
    },
  });
  t.deepEqual(told, [`start 0_0 ${changelog} 0`, `end 0_0 ${changelog} 5`]);
  t.is(sum, 5);
  const { restore } = client.streams.kafkaStats().tasks[0]!;
  t.is(restore!.restored, restore!.total);
});

test('a client can be closed in the midst of a restore', async (t) => {
  const cluster = clusterOf();
  write(cluster, 'abc');
  await runOnce(t, cluster, counts(), new Disk());
  const told: string[] = [];
  const client = newClient(t, cluster, counts(), {
    connect: slowFetches,
    restoreListener: { onRestoreStart: () => told.push('start'), onRestoreEnd: () => told.push('end') },
  });
  await client.streams.start();
  await until(() => told.length > 0, 'the restore has begun');
  await stop(client);
  t.deepEqual(told, ['start']);
  t.is(client.streams.state, 'NOT_RUNNING');
  t.deepEqual(client.disk.openPlaces, []);
});

test('a task that is taken away in the midst of its restore is given up at once', async (t) => {
  const cluster = clusterOf(2);
  write(cluster, 'abc', 0);
  write(cluster, 'def', 1);
  await runOnce(t, cluster, counts(), new Disk());
  const { ended, options } = listening();
  const slow = newClient(t, cluster, counts(), { connect: slowFetches, ...options });
  await slow.streams.start();
  await until(() => slow.streams.kafkaStats().tasks.length === 2, 'it has both tasks');
  const quick = await startClient(t, cluster, counts());
  await until(
    () => slow.disk.openPlaces.filter((place) => place.startsWith('tasks')).length === 1,
    'one is given back',
  );
  t.is(quick.streams.kafkaStats().tasks.length, 1);
  t.deepEqual(ended, []);
});
