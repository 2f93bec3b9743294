import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsBuilder, type StreamsError, type Topology } from '../../../src/index.ts';
import { ApplicationProgress } from '../../../src/runtime/kafka/application-progress.ts';
import { app, type Cleanup, drained, messages, newClient, rowsOf, sleep, startClient, stop, until } from './kit.ts';
import { copies, counts, texts, valueCounts } from './topologies.ts';

function clusterOf(...topics: readonly string[]): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of [...topics, 'out']) cluster.createTopic(topic);
  return cluster;
}

/** Copies `a` and `b`, read as one, to `out`. */
function merged(): Topology {
  const builder = new StreamsBuilder();
  builder.stream('a', texts).merge(builder.stream('b', texts)).to('out', texts);
  return builder.build();
}

function at(cluster: MemoryCluster, topic: string, ...times: readonly number[]): void {
  cluster.write(
    topic,
    0,
    times.map((timestamp) => ({ key: topic, value: String(timestamp), timestamp })),
  );
}

test('of the next records of all inputs the one with the least time comes first, then the first topic by name', async (t) => {
  const cluster = clusterOf('a', 'b');
  at(cluster, 'b', 1, 3, 9, 4, 20);
  at(cluster, 'a', 2, 3, 8, 30);
  await startClient(t, cluster, merged(), { maxTaskIdleMs: 30 });
  await drained(cluster, merged());
  // 4 stands behind 9 in its partition: order in a partition is never changed.
  t.deepEqual(messages(cluster, 'out'), ['b=1', 'a=2', 'a=3', 'b=3', 'a=8', 'b=9', 'b=4', 'b=20', 'a=30']);
});

test('the order is the same however the inputs are fetched', async (t) => {
  const orders = new Set<string>();
  for (const buffered of [1, 2, 1000]) {
    const cluster = clusterOf('a', 'b');
    for (let i = 0; i < 30; i++) {
      at(cluster, 'a', (i * 7) % 40);
      at(cluster, 'b', (i * 11) % 40);
    }
    const client = await startClient(t, cluster, merged(), {
      bufferedRecordsPerPartition: buffered,
      maxTaskIdleMs: 30,
    });
    await drained(cluster, merged());
    orders.add(messages(cluster, 'out').join());
    await stop(client);
  }
  t.is(orders.size, 1);
});

test('an input that is empty is waited for as long as max.task.idle.ms says', async (t) => {
  const cluster = clusterOf('a', 'b');
  const client = await startClient(t, cluster, merged(), { maxTaskIdleMs: 60_000 });
  at(cluster, 'a', 10);
  await until(() => client.streams.kafkaStats().tasks[0]!.inputs[0]!.buffered === 1, 'it is fetched');
  await sleep(150);
  t.deepEqual(messages(cluster, 'out'), []);
  at(cluster, 'b', 5, 20);
  await until(() => messages(cluster, 'out').length === 2, 'both are taken up to where one is empty again');
  t.deepEqual(messages(cluster, 'out'), ['b=5', 'a=10']);
});

test('what an open transaction has written to an input is not waited for', async (t) => {
  const cluster = clusterOf('a', 'b');
  at(cluster, 'a', 10);
  at(cluster, 'b', 5);
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const writer = broker.producer({ transactional: true, transactionalId: 'writer' });
  await writer.init();
  writer.append('b', 0, 7, Buffer.from('b'), Buffer.from('7'));
  await writer.flush();
  const client = await startClient(t, cluster, merged());
  await until(() => messages(cluster, 'out').length === 2, 'what is committed is taken');
  t.deepEqual(messages(cluster, 'out'), ['b=5', 'a=10']);
  await writer.commit();
  await drained(cluster, merged());
  t.deepEqual(messages(cluster, 'out'), ['b=5', 'a=10', 'b=7']);
  await stop(client);
});

test('with max.task.idle.ms -1 nothing is waited for', async (t) => {
  const cluster = clusterOf('a', 'b');
  await startClient(t, cluster, merged(), { maxTaskIdleMs: -1 });
  at(cluster, 'a', 10);
  await drained(cluster, merged());
  t.deepEqual(messages(cluster, 'out'), ['a=10']);
});

test('an application without positions begins at the first record, or at the end if it is told to', async (t) => {
  for (const autoOffsetReset of ['earliest', 'latest'] as const) {
    const cluster = clusterOf('in');
    cluster.write('in', 0, [{ key: 'k', value: 'before' }]);
    const client = await startClient(t, cluster, copies(), { autoOffsetReset });
    await until(() => client.streams.kafkaStats().tasks[0]!.inputs[0]!.stableEnd === 1, 'it reads');
    cluster.write('in', 0, [{ key: 'k', value: 'after' }]);
    await until(() => messages(cluster, 'out').includes('k=after'), 'the record is copied');
    t.deepEqual(messages(cluster, 'out'), autoOffsetReset === 'earliest' ? ['k=before', 'k=after'] : ['k=after']);
    await stop(client);
  }
});

test('an internal topic is read from its start, whatever the setting for the others', async (t) => {
  const cluster = clusterOf('in');
  await startClient(t, cluster, valueCounts(), { autoOffsetReset: 'latest' });
  cluster.write('in', 0, [{ key: 'a', value: 'red' }]);
  await drained(cluster, valueCounts());
  await until(() => cluster.read(`${app}-keys-by-value-changelog`, 0).length === 1, 'it is counted');
  t.pass();
});

test('with none an application without positions ends, with what to do', async (t) => {
  const cluster = clusterOf('in');
  const client = newClient(t, cluster, copies(), { autoOffsetReset: 'none' });
  await client.streams.start();
  await client.streams.untilEnded();
  const failure = client.streams.failure as StreamsError;
  t.is(failure.code, 'STREAMS_INPUT_REFUSED');
  t.deepEqual([failure.details.topic, failure.details.partition], ['in', 0]);
  t.regex(failure.message, /auto\.offset\.reset/);
});

/** Runs until two records are copied, then lets the broker delete more than was read, and runs again, as it is told to. */
async function afterDeletion(
  t: Cleanup,
  autoOffsetReset: 'earliest' | 'latest' | 'none',
): Promise<{
  readonly cluster: MemoryCluster;
  readonly client: ReturnType<typeof newClient>;
}> {
  const cluster = clusterOf('in');
  cluster.write('in', 0, [
    { key: 'k', value: '0' },
    { key: 'k', value: '1' },
  ]);
  const first = await startClient(t, cluster, copies());
  await drained(cluster, copies());
  await stop(first);
  cluster.write(
    'in',
    0,
    ['2', '3', '4', '5'].map((value) => ({ key: 'k', value })),
  );
  cluster.deleteRecords('in', 0, 4);
  const client = newClient(t, cluster, copies(), { autoOffsetReset, acceptLoss: true });
  await client.streams.start();
  return { cluster, client };
}

test('records that were deleted before they were read are told, and where that is accepted reading goes on where the topic begins', async (t) => {
  const { cluster, client } = await afterDeletion(t, 'earliest');
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out'), ['k=0', 'k=1', 'k=4', 'k=5']);
  t.is(client.streams.stats().errors.STREAMS_INPUT_REFUSED, 1);
});

test('with latest reading goes on at the end of the topic', async (t) => {
  const { cluster, client } = await afterDeletion(t, 'latest');
  await until(() => client.streams.stats().errors.STREAMS_INPUT_REFUSED === 1, 'the deletion is noticed');
  await until(() => client.streams.kafkaStats().tasks[0]!.inputs[0]!.position === 6, 'it reads at the end');
  cluster.write('in', 0, [{ key: 'k', value: '6' }]);
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out'), ['k=0', 'k=1', 'k=6']);
});

test('with none the deletion ends the application all the same', async (t) => {
  const { client } = await afterDeletion(t, 'none');
  await client.streams.untilEnded();
  const failure = client.streams.failure as StreamsError;
  t.is(failure.code, 'STREAMS_INPUT_REFUSED');
  t.is(failure.details.offset, 2);
});

test('records of transactions that were aborted are never seen, and passed', async (t) => {
  const cluster = clusterOf('in');
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const writer = broker.producer({ transactional: true, transactionalId: 'writer' });
  await writer.init();
  for (const [value, end] of [
    ['one', 'commit'],
    ['two', 'abort'],
    ['three', 'commit'],
    ['four', 'abort'],
  ] as const) {
    writer.append('in', 0, 0, Buffer.from('k'), Buffer.from(value));
    await writer.flush();
    await writer[end]();
  }
  const client = await startClient(t, cluster, copies());
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out'), ['k=one', 'k=three']);
  await stop(client);
});

test('a slow asynchronous node does not stop the fetching for ever', async (t) => {
  const cluster = clusterOf('in');
  const builder = new StreamsBuilder();
  builder.stream('in', texts).process(() => ({
    process: ({ value }) => (value === 'slow' ? sleep(1) : undefined),
  }));
  const topology = builder.build();
  const client = await startClient(t, cluster, topology, { bufferedRecordsPerPartition: 3 });
  // The last record of each chunk is the slow one, taken after the look at what may be fetched.
  for (let round = 0; round < 10; round++)
    cluster.write(
      'in',
      0,
      ['quick', 'quick', 'quick', 'quick', 'slow'].map((value) => ({ key: 'k', value })),
    );
  await drained(cluster, topology);
  t.is(client.streams.stats().tasks[0]!.processed, 50);
});

test('a source topic that is deleted ends the application with its name', async (t) => {
  for (const read of [false, true]) {
    const cluster = clusterOf('in');
    if (read) cluster.write('in', 0, [{ key: 'k', value: 'v' }]);
    const client = await startClient(t, cluster, counts());
    await drained(cluster, counts());
    const broker = cluster.connect();
    await broker.admin.deleteTopics(['in']);
    await client.streams.untilEnded();
    const failure = client.streams.failure as StreamsError;
    t.is(failure.code, 'STREAMS_MISSING_SOURCE_TOPIC');
    t.is(failure.details.topic, 'in');
    await stop(client);
    await broker.close();
    t.deepEqual(client.disk.openPlaces, []);
  }
});

test('what is caught up with does not wait for a partition whose records were all deleted before anybody read them', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 2);
  for (const partition of [0, 1]) cluster.write('in', partition, [{ key: `k${partition}`, value: 'x' }]);
  cluster.deleteRecords('in', 1);
  const client = await startClient(t, cluster, counts());
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const committed = async (): Promise<boolean> =>
    (await broker.admin.committed(app, [{ topic: 'in', partition: 0 }]))[0] !== undefined;
  await until(committed, 'what is left is committed');
  const wait = async (): Promise<void> => {
    throw new Error('all that there is was read');
  };
  await new ApplicationProgress(broker.admin, counts(), app).untilCaughtUp(wait);
  t.deepEqual(await rowsOf([client], 'counts'), ['k0 1']);
});
