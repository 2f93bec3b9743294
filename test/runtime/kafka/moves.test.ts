import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsBuilder, type StreamsError, type Topology } from '../../../src/index.ts';
import type { Database } from '../../../state/database.ts';
import { Disk } from './disk.ts';
import {
  app,
  drained,
  messages,
  newClient,
  rowsOf,
  running,
  startClient,
  stop,
  type TestClient,
  until,
} from './kit.ts';
import { copies, counts, texts } from './topologies.ts';

function clusterOf(partitions = 1, markerDelayMs = 0): MemoryCluster {
  const cluster = new MemoryCluster({ markerDelayMs });
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

/** One record of each key. */
function write(cluster: MemoryCluster, keys: string, partition = 0): void {
  cluster.write(
    'in',
    partition,
    [...keys].map((key) => ({ key, value: 'x', timestamp: 1 })),
  );
}

/** Waits until a client has one of two tasks at work and follows the other. */
const hasOneOfEach = ({ streams }: TestClient): Promise<void> =>
  until(() => {
    const { tasks } = streams.kafkaStats();
    const kinds = tasks.map(({ kind }) => kind).sort();
    return kinds.join() === 'active,standby' && tasks.every(({ status }) => status === 'running');
  }, 'one task is at work and one is followed');

test('a task that becomes a standby keeps its copy while the markers of its last commit are still to come', async (t) => {
  const cluster = clusterOf(2, 100);
  const times = { numStandbyReplicas: 1 };
  // What was taken is committed when the task moves, and not before.
  const first = await startClient(t, cluster, counts(), { ...times, commitIntervalMs: 60_000 });
  write(cluster, 'ab', 0);
  write(cluster, 'cd', 1);
  await until(() => first.streams.stats().tasks.every(({ processed }) => processed === 2), 'all is taken');
  const opened = first.disk.opened.length;
  await startClient(t, cluster, counts(), times);
  await hasOneOfEach(first);
  t.is(first.disk.opened.length, opened);
});

test('a store that is kept tells nothing of a task that has moved on, and all of it when it is back', async (t) => {
  const cluster = clusterOf(2);
  const options = { numStandbyReplicas: 1 };
  const first = await startClient(t, cluster, counts(), options);
  const keys = [...'abcdefgh'];
  const partitionOf = (key: string): number => first.streams.queryMetadataForKey('counts', key).partition;
  for (const key of keys) write(cluster, key, partitionOf(key));
  await drained(cluster, counts());
  const store = first.streams.store('counts');
  if (store.kind !== 'key-value') return t.fail();
  const second = await startClient(t, cluster, counts(), options);
  await hasOneOfEach(first);
  await hasOneOfEach(second);
  const all = async (): Promise<number> => {
    let rows = 0;
    for await (const _ of store.all()) rows++;
    return rows;
  };
  const moved = keys.filter((key) => first.streams.queryMetadataForKey('counts', key).owner !== 'local');
  t.true(moved.length > 0 && moved.length < keys.length);
  for (const key of moved)
    t.is(((await t.throwsAsync(async () => store.get(key))) as StreamsError).code, 'STREAMS_TASK_MIGRATED');
  t.is(((await t.throwsAsync(all)) as StreamsError).code, 'STREAMS_TASK_MIGRATED');
  for (const key of keys.filter((each) => !moved.includes(each))) t.is((await store.get(key))?.value, 1);
  await stop(second);
  await until(() => first.streams.stats().tasks.length === 2 && first.streams.state === 'RUNNING', 'it has both again');
  t.is(await all(), keys.length);
});

/** A disk of which one write to a task's copy waits, and fails in the end. */
function failingDisk(): { disk: Disk; openDatabase: Disk['openDatabase']; arm(): void; held(): boolean; fail(): void } {
  const disk = new Disk();
  let armed = false;
  let fail: (() => void) | undefined;
  const openDatabase = async (location: string): Promise<Database> => {
    const inner = await disk.openDatabase(location);
    if (!location.includes('tasks')) return inner;
    const { batch } = inner;
    inner.batch = () => {
      const made = batch.call(inner);
      const { write: writeNow } = made;
      const held = (): Promise<void> =>
        new Promise((_, reject) => {
          armed = false;
          fail = () => reject(new Error('no space left on device'));
        });
      return Object.assign(made, { write: (options: { sync: boolean }) => (armed ? held() : writeNow(options)) });
    };
    return inner;
  };
  return {
    disk,
    openDatabase,
    arm: () => {
      armed = true;
    },
    held: () => fail !== undefined,
    fail: () => fail?.(),
  };
}

test('a write of a standby that fails while it becomes active loses nothing', async (t) => {
  const cluster = clusterOf();
  const { disk, openDatabase, arm, held, fail } = failingDisk();
  const first = await startClient(t, cluster, counts(), { numStandbyReplicas: 1 });
  const second = await startClient(t, cluster, counts(), { numStandbyReplicas: 1, disk, openDatabase });
  write(cluster, 'ab');
  await drained(cluster, counts());
  await until(() => second.streams.kafkaStats().tasks[0]?.standbyLag === 0, 'the standby has caught up');
  arm();
  write(cluster, 'a');
  await until(held, 'the write is under way');
  await drained(cluster, counts());
  await stop(first);
  await until(() => second.streams.kafkaStats().tasks[0]?.kind === 'active', 'it is to take over');
  fail();
  await running(second);
  t.deepEqual(await rowsOf([second], 'counts'), ['a 2', 'b 1']);
  write(cluster, 'a');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([second], 'counts'), ['a 3', 'b 1']);
});

test('a client can be closed while a takeover reads a global table and the brokers are gone', async (t) => {
  let armed = false;
  let takesOver = false;
  const cluster: MemoryCluster = new MemoryCluster({
    onRequest(request) {
      takesOver ||= armed && request === 'InitProducerId';
      if (takesOver && request === 'Fetch') cluster.down();
    },
  });
  for (const topic of ['in', 'out', 'names']) cluster.createTopic(topic);
  const enriched = (): Topology => {
    const builder = new StreamsBuilder();
    const names = builder.globalTable('names', { name: 'names', ...texts });
    builder
      .stream('in', texts)
      .leftJoin(names, (value, name) => `${value} ${name}`)
      .to('out', texts);
    return builder.build();
  };
  const first = await startClient(t, cluster, enriched());
  write(cluster, 'a');
  await drained(cluster, enriched());
  await stop(first);
  cluster.write('names', 0, [{ key: 'a', value: 'Anna' }]);
  armed = true;
  const second = newClient(t, cluster, enriched(), { connect: { requestTimeoutMs: 100 } });
  await second.streams.start();
  await until(() => takesOver, 'the task is taken over');
  let closed = false;
  const closing = second.streams.close().then(() => {
    closed = true;
  });
  await until(() => closed, 'the client is closed').finally(() => cluster.up());
  await closing;
  t.deepEqual(second.disk.openPlaces, []);
  await second.broker.close();
});

test('where a topic ended when the application began with latest is kept, also without a record', async (t) => {
  const cluster = clusterOf();
  write(cluster, 'a');
  const first = await startClient(t, cluster, copies(), { autoOffsetReset: 'latest' });
  await stop(first);
  write(cluster, 'b');
  await startClient(t, cluster, copies(), { autoOffsetReset: 'latest' });
  write(cluster, 'c');
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out'), ['b=x', 'c=x']);
});

test('the question where a topic begins now is no matter of a later task that has read on meanwhile', async (t) => {
  const cluster = clusterOf(2);
  const keys = (all: string): void => {
    for (const partition of [0, 1]) write(cluster, all, partition);
  };
  keys('ab');
  let asks = false;
  let questions = 0;
  let answered = 0;
  const latencyMs = (request: string): number => {
    if (request !== 'ListOffsets' || !asks || questions === 4) return 0;
    questions++;
    setTimeout(() => answered++, 1500);
    return 700;
  };
  const slow = await startClient(t, cluster, copies(), { acceptLoss: true, connect: { latencyMs } });
  await drained(cluster, copies());
  cluster.pause(slow.broker);
  keys('cdef');
  keys('gh');
  for (const partition of [0, 1]) cluster.deleteRecords('in', partition, 6);
  asks = true;
  cluster.resume(slow.broker);
  await until(() => questions === 4, 'it asks for both ends of both partitions');
  // One of the two moves there and back, and is read meanwhile.
  const other = await startClient(t, cluster, copies(), { acceptLoss: true });
  await drainedPartition(cluster);
  await stop(other);
  await until(() => answered === 4, 'the answers are there');
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out', 2).sort(), ['a=x', 'a=x', 'b=x', 'b=x', 'g=x', 'g=x', 'h=x', 'h=x']);
});

/** Waits until all of one of the two partitions is committed. */
async function drainedPartition(cluster: MemoryCluster): Promise<void> {
  const broker = cluster.connect();
  const inputs = [0, 1].map((partition) => ({ topic: 'in', partition }));
  await until(
    async () => (await broker.admin.committed(app, inputs)).some((found) => found?.offset === 8),
    'one partition is read',
  );
  await broker.close();
}
