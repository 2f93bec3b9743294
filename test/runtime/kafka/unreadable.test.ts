import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, type StreamsError, type Topology } from '../../../src/index.ts';
import { changelogParts } from '../../../src/runtime/kafka/changelog-parts.ts';
import { KafkaStreams } from '../../../src/runtime/kafka/kafka-streams.ts';
import { type UnreadableAt, unreadableAt } from '../../helpers/unreadable-broker.ts';
import { Disk } from './disk.ts';
import { app, drained, newClient, rowsOf, startClient, stop, until } from './kit.ts';

const number = (value: number): Uint8Array => Serdes.int64.serialize(value);

function sums(table = false): Topology {
  const builder = new StreamsBuilder();
  const numbers = builder.stream('in', { keySerde: Serdes.string, valueSerde: Serdes.int64 });
  if (table) {
    const globals = builder.globalTable('table', { keySerde: Serdes.string, valueSerde: Serdes.int64, name: 'table' });
    numbers.join(globals, (value) => value).to('out', { valueSerde: Serdes.int64 });
  }
  numbers.groupByKey().reduce((sum, value) => sum + value, { name: 'sums' });
  return builder.build();
}

function clusterOf(...topics: readonly string[]): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of topics) cluster.createTopic(topic);
  return cluster;
}

/** An instance whose broker has a batch that cannot be read. */
async function failing(
  cluster: MemoryCluster,
  topology: Topology,
  place: UnreadableAt,
  disk = new Disk(),
): Promise<StreamsError> {
  const broker = cluster.connect();
  const streams = new KafkaStreams(topology, {
    broker: unreadableAt(broker, place),
    applicationId: app,
    stateDir: disk.stateDir,
    openDatabase: disk.openDatabase,
    commitIntervalMs: 60_000,
    sessionTimeoutMs: 30_000,
    heartbeatIntervalMs: 50,
    rebalanceTimeoutMs: 30_000,
    uncaughtHandler: () => 'shutdown-client',
  });
  let thrown: unknown;
  await streams.start().catch((error: unknown) => {
    thrown = error;
  });
  await until(() => thrown !== undefined || streams.state === 'ERROR', 'the client has failed');
  await streams.close();
  await broker.close();
  return (thrown ?? streams.failure) as StreamsError;
}

for (const kind of ['damaged', 'unsupported'] as const) {
  const code = kind === 'damaged' ? 'STREAMS_BATCH_CORRUPT' : 'STREAMS_BATCH_UNSUPPORTED';

  test(`an input with a batch that is ${kind} is read and committed up to it, with no letter and nothing behind it`, async (t) => {
    const cluster = clusterOf('in', 'other');
    cluster.write(
      'in',
      0,
      [1, 2, 4, 8, 16].map((value) => ({ key: 'a', value: number(value) })),
    );
    const place = { topic: 'in', partition: 0, offset: 3, kind };
    const disk = new Disk();
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await failing(cluster, sums(), place, disk);
      t.deepEqual([error.code, error.details.topic, error.details.partition, error.details.offset], [code, 'in', 0, 3]);
      const admin = cluster.connect().admin;
      t.is((await admin.committed(app, [{ topic: 'in', partition: 0 }]))[0]?.offset, 3);
      t.deepEqual(await admin.offsets([{ topic: `${app}-dead-letters`, partition: 0 }], 'latest'), [0]);
      t.deepEqual(
        cluster.read(`${app}-sums-changelog`, 0).map(({ value }) => Number(Buffer.from(value!).readBigInt64BE(0))),
        [7],
      );
    }
    // Whoever can read it goes on exactly there.
    const client = await startClient(t, cluster, sums(), { disk });
    await drained(cluster, sums());
    t.deepEqual(await rowsOf([client], 'sums'), ['a 31']);
    await stop(client);
  });

  test(`a changelog with a batch that is ${kind} is not restored in part`, async (t) => {
    const cluster = clusterOf('in');
    const client = await startClient(t, cluster, sums());
    for (const value of [1, 2, 4]) {
      cluster.write('in', 0, [{ key: `k${value}`, value: number(value) }]);
      await drained(cluster, sums());
    }
    await stop(client);
    const topic = `${app}-sums-changelog`;
    const error = await failing(cluster, sums(), { topic, partition: 0, offset: 2, kind });
    t.deepEqual([error.code, error.details.topic], [code, topic]);
    // Queries of a changelog neither.
    const broker = unreadableAt(cluster.connect(), { topic, partition: 0, offset: 2, kind });
    t.teardown(() => broker.close());
    const spec = sums().stores.find(({ name }) => name === 'sums')!;
    const read = await t.throwsAsync(changelogParts(broker, app, spec));
    t.is((read as StreamsError).code, code);
  });

  test(`a global table with a batch that is ${kind} ends the client before its tasks read anything`, async (t) => {
    const cluster = clusterOf('in', 'out', 'table');
    cluster.write(
      'table',
      0,
      [1, 2].map((value) => ({ key: `k${value}`, value: number(value) })),
    );
    cluster.write('in', 0, [{ key: 'a', value: number(1) }]);
    const error = await failing(cluster, sums(true), { topic: 'table', partition: 0, offset: 1, kind });
    t.deepEqual([error.code, error.details.offset], [code, 1]);
    const admin = cluster.connect().admin;
    t.is((await admin.committed(app, [{ topic: 'in', partition: 0 }]))[0], undefined);
  });
}

test('with several inputs what is left of the others is kept for whoever can read the batch', async (t) => {
  const builder = new StreamsBuilder();
  const options = { keySerde: Serdes.string, valueSerde: Serdes.int64 };
  builder
    .stream('in', options)
    .merge(builder.stream('other', options))
    .groupByKey()
    .reduce((sum, value) => sum + value, { name: 'sums' });
  const topology = builder.build();
  const cluster = clusterOf('in', 'other');
  cluster.write(
    'in',
    0,
    [1, 2, 4].map((value, i) => ({ key: 'a', value: number(value), timestamp: 10 * i })),
  );
  cluster.write(
    'other',
    0,
    [8, 16].map((value, i) => ({ key: 'a', value: number(value), timestamp: 5 + 100 * i })),
  );
  const disk = new Disk();
  const error = await failing(cluster, topology, { topic: 'in', partition: 0, offset: 2, kind: 'damaged' }, disk);
  t.is(error.code, 'STREAMS_BATCH_CORRUPT');
  const client = newClient(t, cluster, topology, { disk });
  await client.streams.start();
  await drained(cluster, topology);
  t.deepEqual(await rowsOf([client], 'sums'), ['a 31']);
});
