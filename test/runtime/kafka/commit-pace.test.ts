import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { commitPaceMs, isLargeCommit } from '../../../src/runtime/kafka/commit-pace.ts';
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

test('commits of a task that is far behind are ten times as far apart, at most a second and a tenth of the transaction timeout', (t) => {
  const paces = [
    // interval, transaction timeout, lag, pace
    [100, 10_000, 20_000, 100],
    [100, 10_000, 20_001, 1000],
    [5, 10_000, 1_000_000, 50],
    [0, 10_000, 1_000_000, 0],
    [500, 10_000, 1_000_000, 1000],
    [30_000, 10_000, 1_000_000, 30_000],
    [100, 3000, 1_000_000, 300],
    [100, 500, 1_000_000, 100],
  ] as const;
  for (const [interval, timeout, lag, pace] of paces)
    t.is(commitPaceMs(interval, timeout, lag), pace, `${interval} ${timeout} ${lag}`);
  t.false(isLargeCommit(49_999));
  t.true(isLargeCommit(50_000));
});

test('a task that has caught up commits at commit.interval.ms again', async (t) => {
  const cluster = clusterFarBehind();
  const client = newClient(t, cluster, counts(), { commitIntervalMs });
  client.streams.pause();
  await client.streams.start();
  await until(() => paceOf(client) === 10 * commitIntervalMs, 'the task is seen to be far behind');
  t.is(processedBy(client), 0);
  client.streams.resume();
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
