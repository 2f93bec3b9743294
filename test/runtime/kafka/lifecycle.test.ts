import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import type { ReadOnlyKeyValueStore, StreamsError } from '../../../src/index.ts';
import { Disk } from './disk.ts';
import { app, drained, messages, newClient, rowsOf, running, sleep, startClient, stop, until } from './kit.ts';
import { copies, counts } from './topologies.ts';

function clusterOf(partitions = 1, options: ConstructorParameters<typeof MemoryCluster>[0] = {}): MemoryCluster {
  const cluster = new MemoryCluster(options);
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

async function membersOf(cluster: MemoryCluster): Promise<number> {
  const broker = cluster.connect();
  const { members } = await broker.admin.describeGroup(app);
  await broker.close();
  return members.length;
}

test('the listener is told of each state in order', async (t) => {
  const client = await startClient(t, clusterOf(), counts());
  await stop(client);
  t.deepEqual(client.states, ['CREATED', 'REBALANCING', 'RUNNING', 'PENDING_SHUTDOWN', 'NOT_RUNNING']);
});

test('a client starts once, closes as often as one likes, and tells when it has ended', async (t) => {
  const client = await startClient(t, clusterOf(), counts());
  await t.throwsAsync(client.streams.start(), { instanceOf: TypeError });
  const ended = client.streams.untilEnded();
  await Promise.all([client.streams.close(), client.streams.close()]);
  await ended;
  await client.streams.untilEnded();
  t.is(client.streams.state, 'NOT_RUNNING');
  await t.throwsAsync(client.streams.start(), { code: 'STREAMS_CLOSED' });
});

test('a client that was never started can be closed', async (t) => {
  const client = newClient(t, clusterOf(), counts());
  await client.streams.close();
  t.is(client.streams.state, 'NOT_RUNNING');
});

test('a store of a client that is not started is refused with its state and what to wait for', async (t) => {
  const { streams } = newClient(t, clusterOf(), counts());
  for (const ask of [() => streams.store('counts'), () => streams.queryMetadataForKey('counts', 'a')]) {
    const error = t.throws(ask, {
      code: 'STREAMS_TASK_MIGRATED',
      message: /^store counts .* CREATED.* start\(\) first/,
    });
    t.true((error as StreamsError).details.retriable);
    t.throws(() => streams.store('none'), { code: 'STREAMS_STATE_STORE_UNKNOWN' });
  }
  const started = streams.start();
  t.throws(() => streams.store('counts'), { code: 'STREAMS_TASK_MIGRATED', message: /is REBALANCING.*RUNNING/ });
  await started;
  if (streams.state !== 'RUNNING') t.throws(() => streams.store('counts'), { message: /is REBALANCING.*RUNNING/ });
  await until(() => streams.state === 'RUNNING', 'it runs');
  t.is(await (streams.store('counts') as ReadOnlyKeyValueStore<string, number>).get('a'), undefined);
  await streams.close();
  t.throws(() => streams.store('counts'), { code: 'STREAMS_TASK_MIGRATED', message: /is NOT_RUNNING.*has ended/ });
});

test('what was taken is committed by close, and the group is left at once', async (t) => {
  const cluster = clusterOf();
  const patient = { commitIntervalMs: 60_000 };
  const first = await startClient(t, cluster, counts(), patient);
  cluster.write('in', 0, [{ key: 'a', value: '1' }]);
  await until(() => first.streams.stats().tasks[0]?.processed === 1, 'the record is taken');
  await stop(first);
  t.is(await membersOf(cluster), 0);
  t.deepEqual(first.disk.openPlaces, []);
  const second = await startClient(t, cluster, counts(), patient);
  t.deepEqual(await rowsOf([second], 'counts'), ['a 1']);
});

test('tasks that a client is given while it closes stay closed', async (t) => {
  const cluster = clusterOf(2);
  const slow = { latencyMs: (request: string) => (request === 'EndTxn' ? 200 : 0) };
  const closing = await startClient(t, cluster, counts(), {
    connect: slow,
    heartbeatIntervalMs: 5,
    commitIntervalMs: 60_000,
  });
  cluster.write('in', 0, [{ key: 'a', value: '1' }]);
  await until(() => closing.streams.stats().tasks.some(({ processed }) => processed === 1), 'the record is taken');
  const closed = closing.streams.close();
  const other = await startClient(t, cluster, counts());
  await closed;
  await sleep(50);
  t.deepEqual(closing.disk.openPlaces, []);
  t.is(await membersOf(cluster), 1);
  await running(other);
  t.deepEqual(await rowsOf([other], 'counts'), ['a 1']);
});

test('a client that is closed while it starts gives everything back, and does not join', async (t) => {
  for (const stopAt of ['Metadata', 'DescribeConfigs', 'ListOffsets']) {
    const asked = new Set<string>();
    const cluster = clusterOf(1, { onRequest: (request) => asked.add(request) });
    const client = newClient(t, cluster, counts(), { connect: { latencyMs: 4 } });
    const started = client.streams.start();
    await until(() => asked.has(stopAt) || client.streams.state === 'RUNNING', `it asks for ${stopAt}`);
    await client.streams.close();
    await started.catch((error: unknown) => t.is((error as StreamsError).code, 'STREAMS_CLOSED', String(error)));
    await sleep(50);
    t.is(client.streams.state, 'NOT_RUNNING');
    t.is(client.states.at(-1), 'NOT_RUNNING');
    t.deepEqual(client.disk.openPlaces, []);
    t.is(await membersOf(cluster), 0);
  }
});

/** Fails on each record with the value `poison`. */
function poisoned(): ReturnType<typeof copies> {
  return copies((_key, value) => {
    if (value === 'poison') throw new Error('poisoned');
  });
}

test('an error that nobody handles ends the client with the place of the record, and nothing after it is taken', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [
    { key: 'a', value: '1' },
    { key: 'b', value: 'poison' },
    { key: 'c', value: '3' },
  ]);
  const client = newClient(t, cluster, poisoned());
  await client.streams.start();
  await client.streams.untilEnded();
  await client.streams.close();
  t.is(client.streams.state, 'ERROR');
  const failure = client.streams.failure as StreamsError;
  t.is(failure.code, 'STREAMS_PROCESSING');
  const { topic, partition, offset, nodeName, taskId } = failure.details;
  t.deepEqual(
    { topic, partition, offset, nodeName, taskId },
    { topic: 'in', partition: 0, offset: 1, nodeName: 'look', taskId: '0_0' },
  );
  t.deepEqual(messages(cluster, 'out'), []);
  t.is(client.uncaught.length, 1);
  t.deepEqual(client.disk.openPlaces, []);
  t.is(await membersOf(cluster), 0);
});

test('after the cause is gone a new client goes on where the failed one stood', async (t) => {
  const cluster = clusterOf();
  let broken = true;
  const topology = copies((_key, value) => {
    if (value === 'poison' && broken) throw new Error('poisoned');
  });
  cluster.write('in', 0, [{ key: 'a', value: '1' }]);
  const first = newClient(t, cluster, topology, { commitIntervalMs: 1 });
  await first.streams.start();
  await drained(cluster, topology);
  cluster.write('in', 0, [{ key: 'b', value: 'poison' }]);
  await first.streams.untilEnded();
  await first.streams.close();
  broken = false;
  await startClient(t, cluster, topology);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out'), ['a=1', 'b=poison']);
});

test('with replace-thread the tasks are taken again, from the last commit', async (t) => {
  const cluster = clusterOf();
  let left = 3;
  const topology = copies((_key, value) => {
    if (value === 'poison' && left-- > 0) throw new Error('poisoned');
  });
  const client = await startClient(t, cluster, topology, { uncaughtHandler: () => 'replace-thread' });
  cluster.write('in', 0, [
    { key: 'a', value: '1' },
    { key: 'b', value: 'poison' },
  ]);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out'), ['a=1', 'b=poison']);
  t.is(client.uncaught.length, 3);
  t.is(client.streams.state, 'RUNNING');
});

test('with shutdown-client the other instances take over', async (t) => {
  const cluster = clusterOf(2);
  const topology = copies();
  const one = await startClient(t, cluster, poisoned());
  const two = await startClient(t, cluster, topology);
  await running(one);
  cluster.write('in', 0, [{ key: 'a', value: 'poison' }]);
  cluster.write('in', 1, [{ key: 'b', value: 'poison' }]);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out', 2).sort(), ['a=poison', 'b=poison']);
  t.is(one.streams.state, 'ERROR');
  t.is(two.streams.state, 'RUNNING');
});

test('with shutdown-application all instances end', async (t) => {
  const cluster = clusterOf(2);
  const clients = [];
  for (let i = 0; i < 3; i++)
    clients.push(await startClient(t, cluster, poisoned(), { uncaughtHandler: () => 'shutdown-application' }));
  cluster.write('in', 0, [{ key: 'k', value: 'poison' }]);
  await Promise.all(clients.map(({ streams }) => streams.untilEnded()));
  const codes = clients.map(({ streams }) => (streams.failure as StreamsError).code);
  t.deepEqual(codes.sort(), ['STREAMS_CLOSED', 'STREAMS_CLOSED', 'STREAMS_PROCESSING']);
  t.deepEqual(
    clients.map(({ streams }) => streams.state),
    ['ERROR', 'ERROR', 'ERROR'],
  );
  await stop(...clients);
  t.is(await membersOf(cluster), 0);
});

test('a handler that throws ends the client', async (t) => {
  const cluster = clusterOf();
  const client = newClient(t, cluster, poisoned(), {
    uncaughtHandler: () => {
      throw new Error('the handler is broken');
    },
  });
  await client.streams.start();
  cluster.write('in', 0, [{ key: 'b', value: 'poison' }]);
  await client.streams.untilEnded();
  await client.streams.close();
  t.is(client.streams.state, 'ERROR');
  t.deepEqual(client.disk.openPlaces, []);
});

test('a listener that throws changes nothing', async (t) => {
  const cluster = clusterOf();
  const client = newClient(t, cluster, copies());
  client.streams.onStateChange(() => {
    throw new Error('the listener is broken');
  });
  await client.streams.start();
  await running(client);
  cluster.write('in', 0, [{ key: 'a', value: '1' }]);
  await drained(cluster, copies());
  await stop(client);
  t.deepEqual(client.states, ['CREATED', 'REBALANCING', 'RUNNING', 'PENDING_SHUTDOWN', 'NOT_RUNNING']);
});

test('one who listens no more is told no more', async (t) => {
  const client = newClient(t, clusterOf(), counts());
  const states: string[] = [];
  const stopListening = client.streams.onStateChange((state) => states.push(state));
  await client.streams.start();
  await running(client);
  stopListening();
  await stop(client);
  t.deepEqual(states, ['REBALANCING', 'RUNNING']);
});

test('a member of another program in the group ends the client, whatever the handler says', async (t) => {
  for (const response of ['shutdown-client', 'replace-thread', 'shutdown-application'] as const) {
    const cluster = clusterOf();
    const stranger = cluster.connect();
    const member = stranger.member({
      groupId: app,
      topics: ['in'],
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      heartbeatIntervalMs: 10,
      userData: () => Buffer.from('another program'),
      assign: async (members) =>
        new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: Buffer.from('nothing') }])),
      rebalancing() {},
      assigned: async () => {},
      lost() {},
      failed() {},
    });
    member.start();
    await until(() => member.generation >= 0, 'the stranger is in the group');
    const client = newClient(t, cluster, counts(), { uncaughtHandler: () => response });
    await client.streams.start();
    await client.streams.untilEnded();
    await client.streams.close();
    t.is(client.streams.state, 'ERROR', response);
    t.deepEqual(client.disk.openPlaces, []);
    await stranger.close();
  }
});

test('the folder of one client is refused to another until it is given back', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  const first = await startClient(t, cluster, counts(), { disk });
  const second = newClient(t, cluster, counts(), { disk });
  await t.throwsAsync(second.streams.start(), { code: 'STREAMS_STATE_STORE_LOCKED' });
  t.is(second.streams.state, 'ERROR');
  await stop(first);
  await stop(await startClient(t, cluster, counts(), { disk }));
});
