import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { fromUtf8, readInt64 } from '../../../../src/common/bytes.ts';
import { StreamsBuilder, type Topology } from '../../../../src/index.ts';
import { InstanceFolders } from '../../../../src/runtime/kafka/folder-parts.ts';
import { globalDirectory } from '../../../../src/runtime/kafka/global-folder.ts';
import { taskDirectory } from '../../../../src/runtime/kafka/task-folder.ts';
import { metaKey } from '../../../../src/runtime/state-folder.ts';
import { openLevelDatabase } from '../../../../state/level-database.ts';
import { type ClientOptions, drained, newClient, running, startClient, stop, until } from '../kit.ts';
import { counts, texts } from '../topologies.ts';

async function foldersOf(t: ExecutionContext, ...names: readonly string[]): Promise<readonly string[]> {
  const root = await mkdtemp(join(tmpdir(), 'weir-copies-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  return names.map((name) => join(root, name));
}

const on = (stateDir: string, more: ClientOptions = {}): ClientOptions => ({
  stateDir,
  openDatabase: openLevelDatabase,
  ...more,
});

/** Each key so often in each partition. */
function write(cluster: MemoryCluster, keys: string, partitions = 1): void {
  for (let partition = 0; partition < partitions; partition++)
    cluster.write(
      'in',
      partition,
      [...keys].map((key) => ({ key: `${key}${partition}`, value: 'x', timestamp: 1 })),
    );
}

/** The counts as the folders say them: `a0 2`. */
async function countsIn(
  directories: readonly string[],
  partitions = 1,
  topology: Topology = counts(),
  name = 'counts',
): Promise<string[]> {
  const folders = await InstanceFolders.open(directories);
  try {
    const spec = [...topology.stores, ...topology.globalTables.map(({ store }) => store)].find(
      (store) => store.name === name,
    )!;
    const found: string[] = [];
    for (const part of folders.partsOf(topology, spec, partitions))
      for await (const page of part.rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
        for (const { key, value } of page)
          found.push(`${fromUtf8(key)} ${name === 'counts' ? readInt64(value, value.length - 8) : '?'}`);
    return found.sort();
  } finally {
    await folders.close();
  }
}

const notWhole = { code: 'STREAMS_STATE_MISSING', message: /is not whole: .* start run again .*--brokers/ } as const;

test('a folder whose restore was cut is refused, and another complete copy is taken', async (t) => {
  const [good, cut] = (await foldersOf(t, 'good', 'cut')) as [string, string];
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 1);
  write(cluster, 'aabccc');
  const first = await startClient(t, cluster, counts(), on(good));
  await drained(cluster, counts());
  await stop(first);
  const whole = ['a0 2', 'b0 1', 'c0 3'];
  t.deepEqual(await countsIn([good]), whole);
  for (const at of ['onRestoreStart', 'onBatchRestored'] as const) {
    await rm(cut, { recursive: true, force: true });
    let ended: Promise<void> | undefined;
    const end = (): void => {
      ended ??= stop(client);
    };
    const client = newClient(t, cluster, counts(), on(cut, { restoreListener: { [at]: end } }));
    await client.streams.start();
    await until(() => ended !== undefined, 'the restore has begun');
    await ended;
    if (at === 'onRestoreStart') await t.throwsAsync(countsIn([cut]), notWhole);
    for (const given of [
      [good, cut],
      [cut, good],
    ])
      t.deepEqual(await countsIn(given), whole, at);
  }
  const again = await startClient(t, cluster, counts(), on(cut));
  await stop(again);
  t.deepEqual(await countsIn([cut]), whole);
});

test('a copy whose task has gone to another instance is refused alone, and so is one that was kept warm', async (t) => {
  const [a, b] = (await foldersOf(t, 'a', 'b')) as [string, string];
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  write(cluster, 'ab', 2);
  const first = await startClient(t, cluster, counts(), on(a, { numStandbyReplicas: 1 }));
  await drained(cluster, counts());
  const second = await startClient(t, cluster, counts(), on(b, { numStandbyReplicas: 1 }));
  const active = (client: typeof first): number =>
    client.streams.kafkaStats().tasks.filter(({ kind }) => kind === 'active').length;
  await until(() => active(first) === 1 && active(second) === 1, 'each has one task');
  await running(first);
  await running(second);
  write(cluster, 'ab', 2);
  await drained(cluster, counts());
  await Promise.all([stop(first), stop(second)]);
  // Whoever ends last has got the other's task too, if there was time for it.
  const outcomes = await Promise.allSettled([countsIn([a], 2), countsIn([b], 2)]);
  const whole = ['a0 2', 'a1 2', 'b0 2', 'b1 2'];
  for (const outcome of outcomes)
    if (outcome.status === 'fulfilled') t.deepEqual(outcome.value, whole);
    else t.like(outcome.reason, { code: 'STREAMS_STATE_MISSING' });
  t.true(outcomes.some(({ status }) => status === 'rejected'));
  t.deepEqual(await countsIn([a, b], 2), whole);
  t.deepEqual(await countsIn([b, a], 2), whole);
});

test('what an instance has from an earlier run, and did not get again, is refused', async (t) => {
  const [a, old, b] = (await foldersOf(t, 'a', 'old', 'b')) as [string, string, string];
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  write(cluster, 'ab', 2);
  const first = await startClient(t, cluster, counts(), on(a));
  await drained(cluster, counts());
  await stop(first);
  await cp(a, old, { recursive: true });
  t.deepEqual(await countsIn([old], 2), ['a0 1', 'a1 1', 'b0 1', 'b1 1']);
  const second = await startClient(t, cluster, counts(), on(b));
  write(cluster, 'a', 2);
  await drained(cluster, counts());
  const back = await startClient(t, cluster, counts(), on(old));
  await until(
    () => back.streams.kafkaStats().tasks.length === 1 && second.streams.kafkaStats().tasks.length === 1,
    'each has one task',
  );
  await running(back);
  await stop(back);
  await t.throwsAsync(countsIn([old], 2), notWhole);
  await stop(second);
  t.deepEqual(await countsIn([old, b], 2), ['a0 2', 'a1 2', 'b0 1', 'b1 1']);
});

test('a global table that was read in part is refused', async (t) => {
  const [folder] = (await foldersOf(t, 'state')) as [string];
  const builder = new StreamsBuilder();
  const table = builder.globalTable('table', { name: 'names', ...texts });
  builder
    .stream('in', texts)
    .join(table, (value, name) => `${value} ${name}`)
    .groupByKey(texts)
    .count({ name: 'counts' });
  const topology = builder.build();
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 1);
  cluster.createTopic('table', 1);
  cluster.write('table', 0, [{ key: 'a0', value: 'A', timestamp: 1 }]);
  write(cluster, 'a');
  const client = await startClient(t, cluster, topology, on(folder));
  await drained(cluster, topology);
  await stop(client);
  t.deepEqual(await countsIn([folder], 1, topology, 'names'), ['a0 ?']);
  const database = await openLevelDatabase(join(globalDirectory(folder), 'db'));
  const key = metaKey('global-positions');
  const saved = JSON.parse(fromUtf8(database.get(key)!));
  t.is(saved.complete, true);
  const batch = database.batch();
  batch.put(key, Buffer.from(JSON.stringify({ ...saved, complete: false })));
  await batch.write({ sync: false });
  await database.close();
  await t.throwsAsync(countsIn([folder], 1, topology, 'names'), notWhole);
  t.deepEqual(await countsIn([folder], 1, topology), ['a0 1']);
});

test('a folder of a version that did not mark its copies is read, and marked once it is run', async (t) => {
  const [folder] = (await foldersOf(t, 'state')) as [string];
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 1);
  write(cluster, 'aab');
  const client = await startClient(t, cluster, counts(), on(folder));
  await drained(cluster, counts());
  await stop(client);
  await forgetMarks(folder);
  t.deepEqual(await countsIn([folder]), ['a0 2', 'b0 1']);
  await stop(await startClient(t, cluster, counts(), on(folder)));
  t.deepEqual(await countsIn([folder]), ['a0 2', 'b0 1']);
});

async function forgetMarks(folder: string): Promise<void> {
  const global = await openLevelDatabase(join(globalDirectory(folder), 'db'));
  const removal = global.batch();
  removal.del(metaKey('run'));
  await removal.write({ sync: false });
  await global.close();
  const task = await openLevelDatabase(join(taskDirectory(folder, '0_0'), 'db'));
  const key = metaKey('changelog-positions');
  const { completeIn, ...saved } = JSON.parse(fromUtf8(task.get(key)!));
  const batch = task.batch();
  batch.put(key, Buffer.from(JSON.stringify(saved)));
  await batch.write({ sync: false });
  await task.close();
  if (typeof completeIn !== 'string') throw new Error('the copy was not marked');
}

test('a folder of which one task is missing is refused', async (t) => {
  const [folder] = (await foldersOf(t, 'state')) as [string];
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  write(cluster, 'ab', 2);
  const client = await startClient(t, cluster, counts(), on(folder));
  await drained(cluster, counts());
  await stop(client);
  await rm(taskDirectory(folder, '0_1'), { recursive: true });
  await t.throwsAsync(countsIn([folder], 2), { code: 'STREAMS_STATE_MISSING', message: /task 0_1/ });
});
