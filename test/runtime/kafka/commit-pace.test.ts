import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { commitPaceMs, filesCommitPaceMs, isLargeCommit } from '../../../src/runtime/commit-pace.ts';
import { drained, kill, newClient, rowsOf, sameAsChangelogs, startClient, type TestClient, until } from './kit.ts';
import { counts } from './topologies.ts';

const records = 60_000;
const keys = 7;
const commitIntervalMs = 20;

function clusterFarBehind(): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic, 1);
  const written = Array.from({ length: records }, (_, i) => ({ key: `key ${i % keys}`, value: '1' }));
  cluster.write('in', 0, written);
  return cluster;
}

const allCounted = Array.from(
  { length: keys },
  (_, i) => `key ${i} ${Math.floor(records / keys) + (i < records % keys ? 1 : 0)}`,
);

const paceOf = ({ streams }: TestClient): number | undefined => streams.kafkaStats().tasks[0]?.commitPaceMs;
const processedBy = ({ streams }: TestClient): number => streams.stats().tasks[0]?.processed ?? 0;

test('commits that cost much are further apart while a task is far behind: four times their cost, at most ten intervals, a second, a tenth of the transaction timeout', (t) => {
  const paces = [
    // interval, transaction timeout, lag, cost, pace
    [100, 10_000, 20_000, 500, 100],
    [100, 10_000, 20_001, 500, 1000],
    [100, 10_000, 20_001, 0, 100],
    [100, 10_000, 20_001, 25, 100],
    [100, 10_000, 20_001, 40, 160],
    [5, 10_000, 1_000_000, 500, 50],
    [0, 10_000, 1_000_000, 500, 0],
    [500, 10_000, 1_000_000, 500, 1000],
    [30_000, 10_000, 1_000_000, 500, 30_000],
    [100, 3000, 1_000_000, 500, 300],
    [100, 500, 1_000_000, 500, 100],
  ] as const;
  for (const [commitIntervalMs, transactionTimeoutMs, lag, costMs, pace] of paces) {
    const pacing = { commitIntervalMs, transactionTimeoutMs, lag, costMs };
    t.is(commitPaceMs(pacing), pace, JSON.stringify(pacing));
  }
  t.false(isLargeCommit(49_999));
  t.true(isLargeCommit(50_000));
});

test('a task that has caught up commits at commit.interval.ms again', async (t) => {
  const cluster = clusterFarBehind();
  const client = newClient(t, cluster, counts(), { commitIntervalMs });
  await client.streams.start();
  await drained(cluster, counts());
  t.is(paceOf(client), commitIntervalMs);
  t.deepEqual(await rowsOf([client], 'counts'), allCounted);
  await sameAsChangelogs(t, cluster, [client]);
});

test('a client that is killed while it is far behind has counted each record once in the end', async (t) => {
  const cluster = clusterFarBehind();
  const first = await startClient(t, cluster, counts(), { commitIntervalMs });
  await until(() => processedBy(first) > 0 && first.streams.stats().commits > 0, 'a part is committed');
  kill(cluster, first);
  const second = await startClient(t, cluster, counts(), { commitIntervalMs });
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([second], 'counts'), allCounted);
});

test('commits over files that cost much are further apart: four times their cost, at most ten intervals', (t) => {
  const paces = [
    [1000, 0, 1000],
    [1000, 250, 1000],
    [1000, 2000, 8000],
    [1000, 5000, 10_000],
    [0, 5000, 0],
    [60_000, 20_000, 80_000],
  ] as const;
  for (const [interval, cost, pace] of paces) t.is(filesCommitPaceMs(interval, cost), pace, `${interval} ${cost}`);
});
