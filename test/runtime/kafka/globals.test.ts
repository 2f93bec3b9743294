import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import {
  rebuildStoresOnKafka,
  type Serde,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  TimeWindows,
  type Topology,
} from '../../../src/index.ts';
import type { Database, DatabaseFactory } from '../../../state/database.ts';
import { Disk, dyingAfter } from './disk.ts';
import { app, drained, kill, messages, newClient, rowsOf, running, sleep, startClient, stop, until } from './kit.ts';
import { texts } from './topologies.ts';

function clusterOf(partitions = 1, tablePartitions = 1): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  cluster.createTopic('names', tablePartitions, { 'cleanup.policy': 'compact' });
  return cluster;
}

/** How many records each key has, beside the name that the global table has for it. */
function named(): Topology {
  const builder = new StreamsBuilder();
  const names = builder.globalTable('names', { name: 'names', ...texts });
  builder
    .stream('in', texts)
    .groupByKey()
    .count({ name: 'counts' })
    .leftJoin(names, (count, name) => `${name ?? 'nobody'} ${count}`, { name: 'named', valueSerde: Serdes.string });
  return builder.build();
}

/** Copies records with the name of their key, as known when they come. */
function enriched(): Topology {
  const builder = new StreamsBuilder();
  const names = builder.globalTable('names', { name: 'names', ...texts });
  builder
    .stream('in', texts)
    .leftJoin(names, (value, name) => `${value} ${name ?? 'nobody'}`)
    .to('out', texts);
  return builder.build();
}

const name = (cluster: MemoryCluster, key: string, value: string | undefined): number =>
  cluster.write('names', 0, [{ key, value }]);
const event = (cluster: MemoryCluster, key: string, partition = 0): number =>
  cluster.write('in', partition, [{ key, value: 'x' }]);

/** Up to where the task of partition 0 has joined the table, as committed. */
async function joinedUpTo(cluster: MemoryCluster): Promise<number | undefined> {
  const broker = cluster.connect();
  const [one] = await broker.admin.committed(app, [{ topic: 'in', partition: 0 }]);
  await broker.close();
  if (one === undefined) return undefined;
  return (JSON.parse(one.metadata) as { g: { names?: number[] } }).g.names?.[0];
}

test('a global table is read to its end before the first record is taken', async (t) => {
  const cluster = clusterOf(2, 2);
  for (let i = 0; i < 500; i++) cluster.write('names', i % 2, [{ key: `k${i}`, value: `name ${i}` }]);
  event(cluster, 'k498', 0);
  event(cluster, 'k499', 1);
  await startClient(t, cluster, enriched());
  await drained(cluster, enriched());
  t.deepEqual(messages(cluster, 'out', 2).sort(), ['k498=x name 498', 'k499=x name 499']);
});

test('it is followed: later records meet the later row', async (t) => {
  const cluster = clusterOf();
  const client = await startClient(t, cluster, enriched());
  for (const value of ['Anna', 'Berta', undefined]) {
    name(cluster, 'k', value);
    await sleep(20);
    await until(() => client.streams.kafkaStats().globals[0]!.lag === 0, 'the change is read');
    event(cluster, 'k');
    await drained(cluster, enriched());
  }
  t.deepEqual(messages(cluster, 'out'), ['k=x Anna', 'k=x Berta', 'k=x nobody']);
});

test('a change joins the rows again that it concerns, in all instances', async (t) => {
  const cluster = clusterOf(2);
  const clients = [await startClient(t, cluster, named()), await startClient(t, cluster, named())];
  for (const client of clients) await running(client);
  for (const [key, partition] of [
    ['a', 0],
    ['b', 1],
    ['c', 1],
  ] as const)
    event(cluster, key, partition);
  await drained(cluster, named());
  const becomes = async (rows: string): Promise<void> =>
    until(async () => (await rowsOf(clients, 'named')).join() === rows, `the rows are ${rows}`);
  cluster.write('names', 0, [
    { key: 'a', value: 'Anna' },
    { key: 'b', value: 'Berta' },
  ]);
  await becomes('a Anna 1,b Berta 1,c nobody 1');
  name(cluster, 'a', undefined);
  await becomes('a nobody 1,b Berta 1,c nobody 1');
  t.pass();
});

for (const state of ['with', 'without'])
  test(`what has changed while no instance ran is joined again by the next one, ${state} local state`, async (t) => {
    const cluster = clusterOf();
    const disk = new Disk();
    event(cluster, 'a');
    const first = await startClient(t, cluster, named(), { disk });
    await drained(cluster, named());
    await stop(first);
    name(cluster, 'a', 'Anna');
    if (state === 'without') disk.erase();
    const second = await startClient(t, cluster, named(), { disk });
    await until(async () => (await rowsOf([second], 'named')).join() === 'a Anna 1', 'it is joined again');
    t.is(await joinedUpTo(cluster), 1);
    await stop(second);
  });

/** A database whose writes wait for `gate`. */
function gated(database: Database, gate: () => Promise<void>): Database {
  return {
    get status() {
      return database.status;
    },
    get: (key) => database.get(key),
    getMany: (keys) => database.getMany(keys),
    pages: (range, pageSize) => database.pages(range, pageSize),
    snapshot: () => database.snapshot(),
    approximateSize: (range) => database.approximateSize(range),
    close: () => database.close(),
    batch() {
      const batch = database.batch();
      return {
        get length() {
          return batch.length;
        },
        put: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
        close: () => batch.close(),
        write: async (options) => {
          await gate();
          await batch.write(options);
        },
      };
    },
  };
}

test('a change that was read but not joined again before the end of its instance is joined by the next one', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  let hold = false;
  const held: (() => void)[] = [];
  // The write of the global table's change hangs: by then the table shows it, and no task has been told.
  const gate = async (): Promise<void> => {
    if (hold) await new Promise<void>((resolve) => held.push(resolve));
  };
  const openDatabase: DatabaseFactory = async (location) => {
    const database = await disk.openDatabase(location);
    return location.includes('global') ? gated(database, gate) : database;
  };
  event(cluster, 'a');
  const first = await startClient(t, cluster, named(), { disk, openDatabase });
  await drained(cluster, named());
  hold = true;
  name(cluster, 'a', 'Anna');
  await until(() => held.length > 0, 'the change is read');
  event(cluster, 'b');
  await drained(cluster, named());
  t.is(await joinedUpTo(cluster), 0);
  kill(cluster, first);
  for (const go of held) go();
  const second = await startClient(t, cluster, named());
  await until(
    async () => (await rowsOf([second], 'named')).join() === 'a Anna 1,b nobody 1',
    'the row is joined again',
  );
});

test('a change without effect is committed as seen too', async (t) => {
  const cluster = clusterOf();
  name(cluster, 'a', 'Anna');
  event(cluster, 'a');
  const client = await startClient(t, cluster, named());
  await drained(cluster, named());
  name(cluster, 'a', 'Anna');
  name(cluster, 'unknown', undefined);
  await until(async () => (await joinedUpTo(cluster)) === 3, 'all is seen');
  t.deepEqual(await rowsOf([client], 'named'), ['a Anna 1']);
});

test('a change that comes while the first commit of a task is under way is told by the next one', async (t) => {
  const cluster = clusterOf();
  let changed = false;
  await startClient(t, cluster, named(), {
    commitIntervalMs: 1,
    connect: {
      latencyMs: (request) => {
        if (request !== 'EndTxn') return 0;
        if (!changed) name(cluster, 'a', 'Anna');
        changed = true;
        return 60;
      },
    },
  });
  event(cluster, 'b');
  await until(async () => (await joinedUpTo(cluster)) === 1, 'it is told');
  t.pass();
});

test('a row is subtracted from where it was added, however often its key moves', async (t) => {
  const cluster = clusterOf(2);
  const builder = new StreamsBuilder();
  const places = builder.globalTable('names', { name: 'places', ...texts });
  builder
    .stream('in', texts)
    .groupByKey()
    .count({ name: 'counts' })
    .leftJoin(places, (count, place) => `${place ?? 'unknown'} ${count}`, { name: 'placed', valueSerde: Serdes.string })
    .groupBy((_key, value): readonly [string, number] => [value.split(' ')[0]!, Number(value.split(' ')[1])], {
      keySerde: Serdes.string,
      valueSerde: Serdes.int64,
    })
    .aggregate(
      () => 0,
      (_place, count, sum) => sum + count,
      (_place, count, sum) => (sum === count ? undefined : sum - count),
      { name: 'by-place', valueSerde: Serdes.int64 },
    );
  const topology = builder.build();
  const client = await startClient(t, cluster, topology, { commitIntervalMs: 1 });
  for (let round = 0; round < 20; round++) {
    event(cluster, 'a', 0);
    event(cluster, 'b', 1);
    name(cluster, round % 3 === 0 ? 'a' : 'b', ['Lyon', 'Nice', 'Brest'][round % 3]);
    if (round % 4 === 0) await sleep(4);
  }
  await drained(cluster, topology);
  await until(async () => (await rowsOf([client], 'by-place')).join() === 'Lyon 20,Nice 20', 'all is where it belongs');
  t.pass();
});

test('changes that fill the cache are committed in parts, and none is lost', async (t) => {
  const cluster = clusterOf();
  const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
  const client = await startClient(t, cluster, named(), { statestoreCacheMaxBytes: 5000, commitIntervalMs: 1 });
  for (const key of keys) event(cluster, key);
  await drained(cluster, named());
  for (let round = 0; round < 5; round++) {
    cluster.write(
      'names',
      0,
      keys.map((key) => ({ key, value: `name ${round}` })),
    );
    for (const key of keys.slice(0, 50)) event(cluster, key);
    await sleep(3);
  }
  await drained(cluster, named());
  const expected = keys.map((key, i) => `${key} name 4 ${i < 50 ? 6 : 1}`).sort();
  await until(async () => (await joinedUpTo(cluster)) === 1500, 'all is joined');
  await until(async () => (await rowsOf([client], 'named')).join() === expected.join(), 'all rows are right');
  t.pass();
});

test('a record of a global table that cannot be read is counted and passed over', async (t) => {
  const cluster = clusterOf();
  const builder = new StreamsBuilder();
  const numbers = builder.globalTable('names', { name: 'numbers', keySerde: Serdes.string, valueSerde: Serdes.int64 });
  builder
    .stream('in', texts)
    .leftJoin(numbers, (value, number) => `${value} ${number}`)
    .to('out', texts);
  const topology = builder.build();
  cluster.write('names', 0, [
    { key: 'a', value: 'seven b' },
    { key: 'b', value: Serdes.int64.serialize(7) },
  ]);
  event(cluster, 'a');
  event(cluster, 'b');
  const client = await startClient(t, cluster, topology);
  await drained(cluster, topology);
  t.deepEqual(messages(cluster, 'out'), ['a=x undefined', 'b=x 7']);
  t.is(client.streams.stats().errors.STREAMS_DESERIALIZATION, 1);
});

test('a restart reads of a global table what is new, from a compacted topic too', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  for (const value of ['Anna', 'Berta', 'Clara']) name(cluster, 'a', value);
  name(cluster, 'b', 'Bob');
  const first = await startClient(t, cluster, enriched(), { disk });
  await stop(first);
  name(cluster, 'a', 'Doris');
  cluster.compact('names');
  event(cluster, 'a');
  event(cluster, 'b');
  await startClient(t, cluster, enriched(), { disk });
  await drained(cluster, enriched());
  t.deepEqual(messages(cluster, 'out'), ['a=x Doris', 'b=x Bob']);
});

test('a global topic that was recreated, where that is accepted, is read whole, and nothing of the old one is left, nor joined', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  for (const key of ['a', 'b', 'c']) name(cluster, key, `old ${key}`);
  for (const key of ['a', 'b']) event(cluster, key);
  const first = await startClient(t, cluster, named(), { disk });
  await drained(cluster, named());
  t.deepEqual(await rowsOf([first], 'named'), ['a old a 1', 'b old b 1']);
  await stop(first);
  const broker = cluster.connect();
  await broker.admin.deleteTopics(['names']);
  await broker.close();
  cluster.createTopic('names', 1, { 'cleanup.policy': 'compact' });
  for (const key of ['a', 'x']) name(cluster, key, `new ${key}`);
  const second = await startClient(t, cluster, named(), { disk, acceptLoss: true });
  for (const key of ['c', 'x']) event(cluster, key);
  await drained(cluster, named());
  await until(async () => (await rowsOf([second], 'named')).length === 4, 'all are joined');
  // Nobody says any more that b was called anything.
  t.deepEqual(await rowsOf([second], 'named'), ['a new a 1', 'b old b 1', 'c nobody 1', 'x new x 1']);
});

test('a global topic whose first records are gone is read from where it begins', async (t) => {
  const cluster = clusterOf();
  for (const value of ['Anna', 'Berta', 'Clara']) name(cluster, 'a', value);
  const broker = cluster.connect();
  await broker.admin.deleteRecords([{ topic: 'names', partition: 0, offset: 2 }]);
  await broker.close();
  event(cluster, 'a');
  const client = await startClient(t, cluster, named());
  await drained(cluster, named());
  t.deepEqual(await rowsOf([client], 'named'), ['a Clara 1']);
});

test('an instance that cannot follow a global table any more ends, whatever the handler says', async (t) => {
  const cluster = clusterOf();
  const client = await startClient(t, cluster, named(), { uncaughtHandler: () => 'replace-thread' });
  const broker = cluster.connect();
  await broker.admin.deleteTopics(['names']);
  await client.streams.untilEnded();
  t.is((client.streams.failure as StreamsError).details.topic, 'names');
  await stop(client);
  await broker.close();
  t.deepEqual(client.disk.openPlaces, []);
});

test('a start that waits for a global table can be given up', async (t) => {
  const cluster = clusterOf();
  name(cluster, 'a', 'Anna');
  const client = newClient(t, cluster, named(), {
    connect: { latencyMs: (request) => (request === 'Fetch' ? 3000 : 0) },
  });
  const started = client.streams.start();
  await until(() => client.disk.openPlaces.length === 1, 'the folder of the global tables is open');
  await sleep(20);
  await client.streams.close();
  await t.throwsAsync(started, { code: 'STREAMS_CLOSED' });
  t.is(client.streams.state, 'NOT_RUNNING');
  t.deepEqual(client.disk.openPlaces, []);
  await client.broker.close();
});

test('a task that is given to an instance with an older copy of the table is put right when that has caught up', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, named());
  event(cluster, 'a');
  await drained(cluster, named());
  // The second knows the table as it was, and hears nothing of the change for a while.
  const slow = { latencyMs: (request: string): number => (request === 'Fetch' ? 150 : 0) };
  const second = newClient(t, cluster, named(), { connect: slow });
  await second.streams.start();
  name(cluster, 'a', 'Anna');
  await until(async () => (await joinedUpTo(cluster)) === 1, 'the first has joined again');
  kill(cluster, first);
  event(cluster, 'a');
  await drained(cluster, named());
  await until(async () => (await rowsOf([second], 'named')).join() === 'a Anna 2', 'it is put right');
  t.pass();
});

/** Counts, and copies with the name of their key, which comes from the global table if there is one. */
function countsAndNames({
  sizeMs = 10,
  names,
}: {
  readonly sizeMs?: number;
  readonly names?: Serde<unknown>;
}): Topology {
  const builder = new StreamsBuilder();
  const all = builder.stream('in', texts);
  all.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, 5)).count({ name: 'counts' });
  if (names === undefined) return builder.build();
  const table = builder.globalTable('names', { name: 'names', keySerde: Serdes.string, valueSerde: names });
  all.leftJoin(table, (value, name) => `${value} ${name ?? 'nobody'}`).to('out', texts);
  return builder.build();
}

const string = Serdes.string as Serde<unknown>;

test('a global table that comes back is read whole, whatever ends the start with it', async (t) => {
  const whole = countsAndNames({ names: string });
  let deaths = 0;
  for (let writes = 0, died = true; died; writes++) {
    const cluster = clusterOf();
    name(cluster, 'k', 'Anna');
    const disk = new Disk();
    const run = async (topology: Topology): Promise<void> => {
      const client = await startClient(t, cluster, topology, { disk });
      event(cluster, 'k');
      await drained(cluster, topology);
      await stop(client);
    };
    await run(whole);
    await run(countsAndNames({}));
    const killed = newClient(t, cluster, whole, { disk, openDatabase: dyingAfter(disk, 'global', writes) });
    died = await killed.streams.start().then(
      () => false,
      () => true,
    );
    if (died) deaths++;
    kill(cluster, killed);
    await run(whole);
    t.deepEqual(messages(cluster, 'out'), ['k=x Anna', 'k=x Anna'], String(writes));
  }
  t.true(deaths > 1, String(deaths));
});

test('a global table with another serde is read whole where a store has changed too and was made anew', async (t) => {
  const cluster = clusterOf();
  name(cluster, 'k', '7');
  const disk = new Disk();
  const { stateDir, openDatabase } = disk;
  const changed = countsAndNames({ sizeMs: 20, names: Serdes.json<number>() as Serde<unknown> });
  for (const topology of [countsAndNames({ names: string }), changed]) {
    if (topology === changed) {
      const broker = cluster.connect();
      const options = { broker, applicationId: app, stateDir, openDatabase };
      t.truthy(await rebuildStoresOnKafka(changed, options, { stores: ['counts'] }));
      await broker.close();
    }
    const client = await startClient(t, cluster, topology, { disk });
    event(cluster, 'k');
    await drained(cluster, topology);
    await stop(client);
  }
  t.deepEqual(messages(cluster, 'out'), ['k=x 7', 'k=x 7']);
});

test('a copy of a global table that is behind, and so old that it may have missed deletions, is read again', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  name(cluster, 'k', 'Anna');
  name(cluster, 'l', 'Berta');
  const run = async (key: string, deleteRetentionMs?: number): Promise<void> => {
    const more = deleteRetentionMs === undefined ? {} : { deleteRetentionMs };
    const client = await startClient(t, cluster, enriched(), { disk, ...more });
    event(cluster, key);
    await drained(cluster, enriched());
    await stop(client);
  };
  await run('k');
  // As if k was deleted, and the deletion forgotten, while the instance was away: of three records the last two are left.
  cluster.truncate('names', 0, 0);
  for (const value of ['', 'Berta', 'Beate']) name(cluster, 'l', value);
  await run('k', 86_400_000);
  name(cluster, 'm', 'Carla');
  await run('k', 0);
  await run('l', 0);
  t.deepEqual(messages(cluster, 'out'), ['k=x Anna', 'k=x Anna', 'k=x nobody', 'l=x Beate']);
});
