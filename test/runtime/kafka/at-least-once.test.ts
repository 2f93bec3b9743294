import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import {
  app,
  changelogRows,
  drained,
  kill,
  messages,
  rowsOf,
  running,
  sameAsChangelogs,
  sleep,
  startClient,
  stop,
  until,
} from './kit.ts';
import { copies, counts, valueCounts, windowedCounts } from './topologies.ts';

const guarantee = 'at_least_once';

function clusterOf(partitions = 1, onRequest?: (request: string) => void): MemoryCluster {
  const cluster = new MemoryCluster(onRequest === undefined ? {} : { onRequest });
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

const write = (cluster: MemoryCluster, keys: string, timestamp = 1): number =>
  cluster.write(
    'in',
    0,
    [...keys].map((key) => ({ key, value: 'x', timestamp })),
  );

test('without trouble the counts are exact, and no transaction is begun', async (t) => {
  const asked = new Set<string>();
  const cluster = clusterOf(1, (request) => asked.add(request));
  const client = await startClient(t, cluster, counts(), { guarantee });
  write(cluster, 'aab');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([client], 'counts'), ['a 2', 'b 1']);
  await sameAsChangelogs(t, cluster, [client]);
  await stop(client);
  t.false(asked.has('EndTxn') || asked.has('AddOffsetsToTxn'));
  const next = await startClient(t, cluster, counts(), { guarantee });
  write(cluster, 'b');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([next], 'counts'), ['a 2', 'b 2']);
});

test('after a kill between results and position records are processed again: counts may be too high, never too low', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, counts(), { guarantee });
  write(cluster, 'ab');
  await drained(cluster, counts());
  cluster.cut(first.broker, 'before', 'OffsetCommit', 1000);
  write(cluster, 'a');
  await until(async () => (await changelogRows(cluster, counts(), 'counts')).includes('a 2'), 'the result is written');
  kill(cluster, first);
  const second = await startClient(t, cluster, counts(), { guarantee });
  await drained(cluster, counts());
  const [a, b] = await rowsOf([second], 'counts');
  t.is(b, 'b 1');
  t.true(Number(a!.split(' ')[1]) >= 2);
});

test('an owner that was stopped in the midst of a commit and wakes up too late writes no older row over a newer one', async (t) => {
  let stopIt: (() => void) | undefined;
  const cluster = clusterOf(1, (request) => {
    if (request === 'Produce') stopIt?.();
  });
  const first = await startClient(t, cluster, counts(), { guarantee });
  write(cluster, 'aaa');
  await drained(cluster, counts());
  stopIt = () => {
    cluster.pause(first.broker);
    cluster.endSessions(first.broker);
    stopIt = undefined;
  };
  write(cluster, 'a');
  await until(() => stopIt === undefined, 'it is stopped before its row is written');
  const second = await startClient(t, cluster, counts(), { guarantee });
  write(cluster, 'aa');
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([second], 'counts'), ['a 6']);
  cluster.resume(first.broker);
  await until(() => first.streams.kafkaStats().rebalances > 1, 'it is back in the group');
  await sleep(50);
  t.deepEqual(await changelogRows(cluster, counts(), 'counts'), ['a 6']);
  write(cluster, 'a');
  await drained(cluster, counts());
  t.deepEqual(await changelogRows(cluster, counts(), 'counts'), ['a 7']);
});

test('a connection that is cut loses nothing', async (t) => {
  for (const request of ['Produce', 'OffsetCommit', 'InitProducerId', 'Heartbeat'] as const)
    for (const when of ['before', 'in', 'after'] as const) {
      const cluster = clusterOf();
      const client = await startClient(t, cluster, copies(), { guarantee, commitIntervalMs: 1 });
      for (let i = 0; i < 3; i++) {
        cluster.cut(client.broker, when, request);
        cluster.write('in', 0, [{ key: 'k', value: String(i) }]);
        await sleep(4);
      }
      await drained(cluster, copies());
      t.deepEqual([...new Set(messages(cluster, 'out'))], ['k=0', 'k=1', 'k=2'], `${request} ${when}`);
      await stop(client);
    }
});

test('a late record meets the same fate after a takeover', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, windowedCounts(), { guarantee });
  write(cluster, 'a', 100);
  await drained(cluster, windowedCounts());
  kill(cluster, first);
  const second = await startClient(t, cluster, windowedCounts(), { guarantee });
  write(cluster, 'b', 3);
  await drained(cluster, windowedCounts());
  t.deepEqual(await rowsOf([second], 'counts'), ['a@100 1']);
});

test('instances that come and go lose nothing', async (t) => {
  const cluster = clusterOf(4);
  const clients = [await startClient(t, cluster, counts(), { guarantee, commitIntervalMs: 1 })];
  let written = 0;
  const writing = setInterval(() => {
    cluster.write('in', written % 4, [{ key: `k${written % 4}`, value: 'x' }]);
    written++;
  }, 1);
  for (let i = 0; i < 3; i++) clients.push(await startClient(t, cluster, counts(), { guarantee, commitIntervalMs: 1 }));
  await stop(clients.shift()!, clients.shift()!);
  for (const client of clients) await running(client);
  clearInterval(writing);
  await drained(cluster, counts());
  const rows = await rowsOf(clients, 'counts');
  const total = rows.reduce((sum, row) => sum + Number(row.split(' ')[1]), 0);
  t.true(total >= written, `${total} of ${written}`);
  await sameAsChangelogs(t, cluster, clients);
});

test('tables that are grouped go on through their topics too', async (t) => {
  const cluster = clusterOf(2);
  const client = await startClient(t, cluster, valueCounts(), { guarantee });
  cluster.write('in', 0, [
    { key: 'a', value: 'red' },
    { key: 'b', value: 'red' },
  ]);
  cluster.write('in', 1, [{ key: 'c', value: 'blue' }]);
  await drained(cluster, valueCounts());
  t.deepEqual(await rowsOf([client], 'keys-by-value'), ['blue 1', 'red 2']);
  const topic = `${app}-keys-by-value-repartition`;
  t.is(cluster.read(topic, 0).length + cluster.read(topic, 1).length, 3);
});
