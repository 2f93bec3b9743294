import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsError } from '../../../src/index.ts';
import { kafkaCollector } from '../../../src/observability/kafka-collector.ts';
import { createMetrics } from '../../../src/observability/registry.ts';
import { CounterWatch, isCounter } from '../../observability/scrapes.ts';
import { Disk } from './disk.ts';
import { drained, kill, startClient, stop, type TestClient, until } from './kit.ts';
import { threadedClient } from './threaded.ts';
import { copies, counts } from './topologies.ts';

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

function watched({ streams }: Pick<TestClient, 'streams'>): CounterWatch {
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

test('each record that is committed has a delay once, and each takeover is a restore, whoever had the task before', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  const first = await startClient(t, cluster, counts(), { disk });
  const watch = watched(first);
  write(cluster);
  await drained(cluster, counts());
  const delays = 'streams_record_delay_seconds_count';
  await until(async () => sumOf(await watch.scrape(), delays) === 2 * perPartition, 'all is committed');
  const alone = await watch.scrape();
  t.is(alone.get('streams_restore_duration_seconds_count'), 2);
  // All are of January 1970, and of each partition each is newer than the one before.
  t.is(alone.get('streams_record_delay_seconds_bucket{topology="0",le="86400"}'), 0);
  t.is(alone.get('streams_record_age_seconds_count{topology="0"}'), 2 * perPartition);
  t.is(alone.get('streams_record_lateness_seconds_bucket{topology="0",le="0"}'), 2 * perPartition);
  t.is(alone.get('streams_dropped_record_lateness_seconds_count{topology="0"}'), 0);
  await until(async () => sumOf(await watch.scrape(), 'streams_task_lag_records') === 0, 'each task is at its end');

  const second = await startClient(t, cluster, counts());
  t.teardown(() => second.streams.close());
  const secondWatch = watched(second);
  await one(first);
  await one(second);
  t.is(sumOf(await secondWatch.scrape(), delays), 0);
  await stop(second);
  await both(first);
  const back = await watch.scrape();
  t.is(back.get('streams_restore_duration_seconds_count'), 3);
  t.is(sumOf(back, delays), 2 * perPartition);
  await stop(first);
});

test('no counter of an instance falls when a thread of it ends, and what it had shown last is not shown on', async (t) => {
  const cluster = clusterOf();
  const client = threadedClient(t, cluster, counts, { numStreamThreads: 2 });
  const { streams } = client;
  await streams.start();
  const active = (): string =>
    streams
      .kafkaStats()
      .threads.map(({ active: each }) => each)
      .join();
  await until(() => active() === '1,1' && streams.state === 'RUNNING', 'each thread has a task');
  write(cluster);
  await drained(cluster, counts());
  const watch = watched(client);
  const done = async (): Promise<number> => sumOf(await watch.scrape(), 'streams_store_operations_total');
  // Seven keys of each partition: each record reads its key, and a commit writes it.
  await until(async () => (await done()) >= 2 * (perPartition + 7), 'all is told');
  const before = await done();
  await streams.removeStreamThread();
  t.is(await done(), before);
  await until(() => active() === '2' && streams.state === 'RUNNING', 'the first has both tasks');
  t.is(await done(), before);
  t.deepEqual(watch.fallen, []);
});

test('an error that ends a client is counted once', async (t) => {
  const cluster = clusterOf();
  cluster.createTopic('out', 2);
  const poisoned = copies(() => {
    throw new StreamsError('STREAMS_FILE', 'poisoned');
  });
  const { streams } = await startClient(t, cluster, poisoned);
  t.teardown(() => streams.close());
  cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp: 1 }]);
  await streams.untilEnded();
  t.deepEqual(streams.stats().errors, { STREAMS_FILE: 1 });
});
