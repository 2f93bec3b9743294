import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsBuilder } from '../../../src/index.ts';
import { app, drained, rowsOf, sleep, startClient, stop, until } from './kit.ts';
import { copies, counts, texts, valueCounts } from './topologies.ts';

/** A cluster that counts what is asked of it. */
function counting(topics: Readonly<Record<string, number>>): { cluster: MemoryCluster; asked: Map<string, number> } {
  const asked = new Map<string, number>();
  const cluster = new MemoryCluster({ onRequest: (request) => asked.set(request, (asked.get(request) ?? 0) + 1) });
  for (const [topic, partitions] of Object.entries(topics)) cluster.createTopic(topic, partitions);
  return { cluster, asked };
}

const transactions = ['Produce', 'AddOffsetsToTxn', 'EndTxn'];

function transactionsOf(asked: ReadonlyMap<string, number>): number {
  return transactions.reduce((sum, request) => sum + (asked.get(request) ?? 0), 0);
}

test('tasks without work start no transaction', async (t) => {
  const { cluster, asked } = counting({ in: 4, out: 4 });
  cluster.write('in', 0, [{ key: 'a', value: 'x' }]);
  await startClient(t, cluster, valueCounts(), { commitIntervalMs: 1 });
  await drained(cluster, valueCounts());
  await sleep(50);
  const before = transactionsOf(asked);
  await sleep(200);
  t.is(transactionsOf(asked), before);
  cluster.write('in', 1, [{ key: 'b', value: 'x' }]);
  await drained(cluster, valueCounts());
  // One for the row and one for the group, each followed at most by one for the marker behind what it has read.
  t.true((asked.get('EndTxn') ?? 0) <= 2 * 4, `${asked.get('EndTxn')} transactions`);
});

test('an application that has nothing to do comes to the end of its topics, markers and aborted records included', async (t) => {
  const { cluster } = counting({ in: 1 });
  const broker = cluster.connect();
  t.teardown(() => broker.close());
  const writer = broker.producer({ transactional: true, transactionalId: 'writer' });
  await writer.init();
  for (const end of ['commit', 'abort', 'abort'] as const) {
    writer.append('in', 0, 0, Buffer.from('a'), Buffer.from('x'));
    await writer.flush();
    await writer[end]();
  }
  const client = await startClient(t, cluster, valueCounts());
  await drained(cluster, valueCounts());
  const partitions = [
    { topic: 'in', partition: 0 },
    { topic: `${app}-keys-by-value-repartition`, partition: 0 },
  ];
  const ends = await broker.admin.offsets(partitions, 'stable');
  const committed = await broker.admin.committed(app, partitions);
  t.deepEqual(
    committed.map((one) => one?.offset),
    ends,
  );
  t.is(ends[0], 6);
  t.true(ends[1]! > 1);
  const inputs = client.streams.kafkaStats().tasks.flatMap((task) => task.inputs);
  t.deepEqual(
    inputs.map(({ position, stableEnd, lag }) => [position - stableEnd, lag]),
    [
      [0, 0],
      [0, 0],
    ],
  );
  await stop(client);
});

test('records of a repartition topic are deleted once they are consumed, and only then', async (t) => {
  const { cluster } = counting({ in: 1 });
  const topic = `${app}-keys-by-value-repartition`;
  const client = await startClient(t, cluster, valueCounts(), { repartitionPurgeIntervalMs: 5 });
  for (let i = 0; i < 20; i++) {
    cluster.write('in', 0, [{ key: `k${i}`, value: 'red' }]);
    await sleep(2);
  }
  await drained(cluster, valueCounts());
  await until(() => cluster.read(topic, 0).length === 0, 'all is purged');
  t.deepEqual(await rowsOf([client], 'keys-by-value'), ['red 20']);
  t.is(cluster.read('in', 0).length, 20);
  await stop(client);
  // A successor begins behind what is gone.
  const next = await startClient(t, cluster, valueCounts());
  cluster.write('in', 0, [{ key: 'k0', value: 'blue' }]);
  await drained(cluster, valueCounts());
  t.deepEqual(await rowsOf([next], 'keys-by-value'), ['blue 1', 'red 19']);
  t.is(next.streams.stats().errors.STREAMS_INPUT_REFUSED, undefined);
});

test('with a purge interval of an hour nothing is deleted meanwhile', async (t) => {
  const { cluster, asked } = counting({ in: 1 });
  await startClient(t, cluster, valueCounts(), { repartitionPurgeIntervalMs: 3_600_000 });
  cluster.write('in', 0, [{ key: 'k', value: 'red' }]);
  await drained(cluster, valueCounts());
  t.is(cluster.read(`${app}-keys-by-value-repartition`, 0).length, 1);
  t.is(asked.get('DeleteRecords'), undefined);
});

test('a stateless task commits its outputs and its position in one transaction', async (t) => {
  const { cluster, asked } = counting({ in: 1, out: 1 });
  const client = await startClient(t, cluster, copies(), { commitIntervalMs: 60_000 });
  cluster.write(
    'in',
    0,
    Array.from({ length: 100 }, (_, i) => ({ key: 'k', value: String(i) })),
  );
  await until(() => client.streams.stats().tasks[0]?.processed === 100, 'all is taken');
  t.is(transactionsOf(asked), 0);
  await stop(client);
  t.deepEqual(
    transactions.map((request) => asked.get(request)),
    [1, 1, 1],
  );
  t.is(cluster.read('out', 0).length, 100);
});

test('tasks commit in parallel: the last one does not wait for the first', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 8);
  let under = 0;
  let most = 0;
  const client = await startClient(t, cluster, counts(), {
    commitIntervalMs: 60_000,
    connect: {
      latencyMs: (request) => {
        if (request !== 'EndTxn') return 0;
        most = Math.max(most, ++under);
        setTimeout(() => under--, 20);
        return 20;
      },
    },
  });
  for (let partition = 0; partition < 8; partition++)
    cluster.write('in', partition, [{ key: `k${partition}`, value: 'x' }]);
  await until(() => client.streams.stats().tasks.every(({ processed }) => processed === 1), 'all are taken');
  await stop(client);
  t.true(most >= 8);
});

test('a change of a global table is no work for a task that never had a record', async (t) => {
  const { cluster, asked } = counting({ in: 4, table: 1, out: 1 });
  const builder = new StreamsBuilder();
  const table = builder.globalTable('table', { name: 'table', ...texts });
  builder
    .stream('in', texts)
    .groupByKey()
    .count({ name: 'counts' })
    .leftJoin(table, (count, name) => `${count} ${name ?? '?'}`, { name: 'named', valueSerde: texts.valueSerde });
  const topology = builder.build();
  const client = await startClient(t, cluster, topology);
  cluster.write('in', 0, [{ key: 'a', value: 'x' }]);
  await drained(cluster, topology);
  await sleep(30);
  asked.clear();
  cluster.write('table', 0, [{ key: 'a', value: 'Anna' }]);
  await until(async () => (await rowsOf([client], 'named')).includes('a 1 Anna'), 'it is joined again');
  await sleep(50);
  t.is(asked.get('EndTxn'), 1);
});
