import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import type { StreamsError } from '../../../src/index.ts';
import { drained, messages, newClient, startClient, stop, until } from './kit.ts';
import { copies, counts } from './topologies.ts';

const metadataMaxAgeMs = 100;

function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic);
  return cluster;
}

function write(cluster: MemoryCluster, partition: number, ...values: readonly string[]): void {
  cluster.write(
    'in',
    partition,
    values.map((value) => ({ key: 'k', value })),
  );
}

for (const autoOffsetReset of ['earliest', 'latest'] as const)
  test(`new partitions of a topic are read from their beginning by a stateless topology, with ${autoOffsetReset} too`, async (t) => {
    const cluster = clusterOf();
    const clients = [];
    for (let i = 0; i < 2; i++)
      clients.push(await startClient(t, cluster, copies(), { metadataMaxAgeMs, autoOffsetReset }));
    write(cluster, 0, 'a', 'b');
    await until(() => messages(cluster, 'out').length === 2, 'the first partition is read');
    cluster.growTopic('in', 3);
    write(cluster, 1, 'c');
    write(cluster, 2, 'd', 'e');
    await until(() => messages(cluster, 'out').length === 5, 'the new partitions are read');
    write(cluster, 0, 'f');
    await drained(cluster, copies());
    t.deepEqual(messages(cluster, 'out').sort(), ['k=a', 'k=b', 'k=c', 'k=d', 'k=e', 'k=f']);
    t.deepEqual(clients.flatMap(({ streams }) => streams.kafkaStats().tasks.map(({ taskId }) => taskId)).sort(), [
      '0_0',
      '0_1',
      '0_2',
    ]);
    await stop(...clients);
  });

test('a leader that has not seen a topic grow looks before it shares out, and so does a member that is given an unknown task', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, copies());
  cluster.growTopic('in', 2);
  write(cluster, 1, 'a');
  const second = await startClient(t, cluster, copies());
  await until(() => messages(cluster, 'out').length === 1, 'the new partition is read');
  t.deepEqual(first.uncaught, []);
  t.deepEqual(second.uncaught, []);
});

test('a topic that has grown while the application was stopped is read by a stateless topology, with its folder', async (t) => {
  const cluster = clusterOf();
  const before = await startClient(t, cluster, copies(), { settings: { partitions: 1 } });
  write(cluster, 0, 'a');
  await drained(cluster, copies());
  await stop(before);
  cluster.growTopic('in', 2);
  write(cluster, 1, 'b');
  const { disk } = before;
  await startClient(t, cluster, copies(), { disk, settings: { partitions: 2 } });
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out').sort(), ['k=a', 'k=b']);
});

test('a stateful topology ends when its topic has grown, and tells which partitions nobody reads', async (t) => {
  const cluster = clusterOf();
  const client = newClient(t, cluster, counts(), { metadataMaxAgeMs });
  await client.streams.start();
  write(cluster, 0, 'a');
  await drained(cluster, counts());
  cluster.growTopic('in', 2);
  write(cluster, 1, 'b', 'c', 'd');
  await until(() => client.streams.state === 'ERROR', 'it ends');
  const failure = client.streams.failure as StreamsError;
  t.is(failure.code, 'STREAMS_INTERNAL_TOPIC');
  t.regex(failure.message, /app-counts-changelog has 1 partitions, but the topology needs 2: .*weir reset/);
  await until(() => client.streams.kafkaStats().unread.length > 0, 'it tells of what nobody reads');
  t.deepEqual(client.streams.kafkaStats().unread, [{ topic: 'in', partition: 1, lag: 3 }]);
});
