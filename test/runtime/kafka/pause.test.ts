import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { drained, newClient, rowsOf, running, startClient, stop, until } from './kit.ts';
import { counts } from './topologies.ts';

function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 1);
  return cluster;
}

const write = (cluster: MemoryCluster, keys: string): void => {
  cluster.write(
    'in',
    0,
    [...keys].map((key) => ({ key, value: 'x', timestamp: 1 })),
  );
};

test('a client that is paused commits what it has taken, takes nothing more, answers queries, and goes on when it is resumed', async (t) => {
  const cluster = clusterOf();
  // Commits come with the pause, or never.
  const client = await startClient(t, cluster, counts(), { commitIntervalMs: 50 });
  const lag = (): number => client.streams.kafkaStats().tasks[0]!.inputs[0]!.lag;
  write(cluster, 'ab');
  await until(() => client.streams.stats().tasks[0]!.processed === 2, 'two are taken');
  client.streams.pause();
  t.true(client.streams.isPaused);
  write(cluster, 'abc');
  await until(() => lag() === 3, 'three wait');
  await until(async () => (await rowsOf([client], 'counts')).join() === 'a 1,b 1', 'the two are committed');
  t.is(client.streams.state, 'RUNNING');
  t.is(client.streams.stats().tasks[0]!.processed, 2);
  client.streams.resume();
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([client], 'counts'), ['a 2', 'b 2', 'c 1']);
  await stop(client);
});

test('a client may be paused before it starts, and closed while it is', async (t) => {
  const cluster = clusterOf();
  write(cluster, 'a');
  const client = newClient(t, cluster, counts());
  client.streams.pause();
  await client.streams.start();
  await running(client);
  await until(() => client.streams.kafkaStats().tasks[0]!.inputs[0]!.lag === 1, 'one waits');
  t.is(client.streams.stats().tasks[0]!.processed, 0);
  await stop(client);
  t.is(client.streams.state, 'NOT_RUNNING');
});

test('the lag of a client that is paused grows with what is written, far beyond what it has fetched', async (t) => {
  const cluster = clusterOf();
  const client = await startClient(t, cluster, counts(), { bufferedRecordsPerPartition: 2 });
  const lag = (): number => client.streams.kafkaStats().tasks[0]!.inputs[0]!.lag;
  client.streams.pause();
  write(cluster, 'abc');
  await until(() => lag() === 3, 'three wait');
  write(cluster, 'abcdefg');
  await until(() => lag() === 10, 'ten wait', 5000);
  t.is(client.streams.stats().tasks[0]!.processed, 0);
  client.streams.resume();
  await until(() => lag() === 0, 'none waits');
  await stop(client);
});
