import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { kafkaCollector } from '../../../src/observability/kafka-collector.ts';
import { createMetrics } from '../../../src/observability/registry.ts';
import { CounterWatch, isCounter } from '../../observability/scrapes.ts';
import { Disk } from './disk.ts';
import { drained, kill, startClient, stop, type TestClient, until } from './kit.ts';
import { counts } from './topologies.ts';

const perPartition = 30;

function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  return cluster;
}

/** As many records for each of the two partitions. */
function write(cluster: MemoryCluster, records = perPartition): void {
  for (const partition of [0, 1])
    cluster.write(
      'in',
      partition,
      Array.from({ length: records }, (_, i) => ({ key: `k${i % 7}`, value: 'x', timestamp: 1 + i })),
    );
}

function watched({ streams }: TestClient): CounterWatch {
  const collectors = [kafkaCollector(() => streams.kafkaStats())];
  return new CounterWatch(
    createMetrics({ stats: () => streams.stats(), version: '1', collectors, processMetrics: false }),
  );
}

/** What is named of a task, of one that is not a standby. */
const ofActive = (series: ReadonlyMap<string, number>, taskId: string): string[] =>
  [...series.keys()].filter((name) => name.includes(`task_id="${taskId}"`) && isCounter(name));

/** What counters say of records, commits and stores, summed up. */
function workIn(series: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, value] of series) if (/^streams_(task|consumer|store|restore)\w*_total/.test(name)) sum += value;
  return sum;
}

const sumOf = (series: ReadonlyMap<string, number>, metric: string): number =>
  [...series].reduce((sum, [name, value]) => (name.startsWith(`${metric}{`) ? sum + value : sum), 0);

const both = ({ streams }: TestClient): Promise<void> =>
  until(() => streams.stats().tasks.length === 2 && streams.state === 'RUNNING', 'it has both tasks');
const one = ({ streams }: TestClient): Promise<void> =>
  until(() => streams.stats().tasks.length === 1 && streams.state === 'RUNNING', 'it has one task');

test('while tasks go and come back no counter falls, and what has left has no series', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, counts());
  t.teardown(() => first.streams.close());
  const watch = watched(first);
  write(cluster);
  await drained(cluster, counts());
  await until(async () => (await watch.scrape()).get('streams_task_commits_total')! > 0, 'it has committed');
  const alone = await watch.scrape();
  t.is(sumOf(alone, 'streams_task_records_processed_total'), 2 * perPartition);
  t.is(sumOf(alone, 'streams_consumer_records_total'), 2 * perPartition);

  const second = await startClient(t, cluster, counts());
  t.teardown(() => second.streams.close());
  const secondWatch = watched(second);
  await one(first);
  await one(second);
  const [left] = second.streams.stats().tasks;
  const shared = await watch.scrape();
  t.deepEqual(ofActive(shared, left!.taskId), []);
  t.is(sumOf(shared, 'streams_task_records_processed_total'), perPartition);

  write(cluster);
  await drained(cluster, counts());
  t.is(sumOf(await watch.scrape(), 'streams_task_records_processed_total'), 2 * perPartition);
  t.is(
    sumOf(await secondWatch.scrape(), 'streams_task_records_processed_total'),
    perPartition,
    'what the first had done is not its work',
  );

  await stop(second);
  await both(first);
  const back = await watch.scrape();
  t.is(sumOf(back, 'streams_task_records_processed_total'), 3 * perPartition);
  t.is(sumOf(back, 'streams_consumer_records_total'), 3 * perPartition);
  await stop(first);
  await watch.scrape();
  t.deepEqual([...watch.fallen, ...secondWatch.fallen], []);
});

test('a task that is taken over begins at 0, and nothing jumps while nothing is read', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  const first = await startClient(t, cluster, counts(), { disk });
  write(cluster);
  await drained(cluster, counts());
  kill(cluster, first);
  // Again over its own folder, and over an empty one: with a restore.
  for (const options of [{ disk }, {}]) {
    const next = await startClient(t, cluster, counts(), options);
    t.teardown(() => next.streams.close());
    const watch = watched(next);
    await both(next);
    const before = await watch.scrape();
    t.is(sumOf(before, 'streams_task_records_processed_total'), 0);
    t.is(before.get('streams_task_commits_total'), 0);
    t.true(next.streams.stats().tasks.every(({ processed }) => processed === perPartition));
    await until(() => next.streams.kafkaStats().tasks.every(({ status }) => status === 'running'), 'both are at work');
    const restored = sumOf(before, 'streams_restore_records_total');
    t.is(workIn(await watch.scrape()) - restored, 0);
    t.deepEqual(watch.fallen, []);
    await stop(next);
  }
});
