import test, { type ExecutionContext } from 'ava';
import type { Broker, CommittedOffset } from '../../../src/clients/broker.ts';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder, TimeWindows, type Topology, untilWindowCloses } from '../../../src/index.ts';
import { changelogParts } from '../../../src/runtime/kafka/changelog-parts.ts';
import { filledOptions, type KafkaStreamsOptions } from '../../../src/runtime/kafka/kafka-options.ts';
import { checkApplication } from '../../../src/runtime/kafka/prepare-application.ts';
import { rebuildStoresOnKafka } from '../../../src/runtime/kafka/rebuild-stores-on-kafka.ts';
import { dyingAt } from '../dying-database.ts';
import { Disk } from './disk.ts';
import { dyingBroker } from './dying-broker.ts';
import {
  app,
  byItself,
  changelogRows,
  drained,
  kill,
  messages,
  newClient,
  sameAsChangelogs,
  shownRows,
  startClient,
  stop,
  until,
} from './kit.ts';
import { texts } from './topologies.ts';

const text = Serdes.string;

interface Reading {
  readonly id: number;
  readonly text: string;
}

/** What a test changes in the program. */
interface Change {
  readonly sizeMs?: number;
  readonly retentionMs?: number;
  readonly float?: boolean;
  readonly grouping?: string;
  readonly numbers?: boolean;
  readonly odd?: boolean;
  readonly more?: boolean;
  readonly moreBehind?: boolean;
}

/**
 * Readings by id in windows (grace 5), with the name of the id in a global table, their sums by name, and what left when windows closed; readings by text over a repartition topic, counted twice; the last
 * reading of each id, in the sub-topology of the windows and not fed by them.
 */
function program({
  sizeMs = 10,
  float,
  grouping = 'by-text',
  numbers,
  odd,
  more,
  moreBehind,
  retentionMs,
}: Change = {}) {
  const builder = new StreamsBuilder();
  const names = builder.globalTable('names', { name: 'names', ...texts });
  const readings = builder.stream('in', { keySerde: text, valueSerde: Serdes.json<Reading>(), name: 'readings' });
  const windows = readings
    .filter((_key, { id }) => odd !== true || id % 2 === 1, { name: 'some' })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, 5))
    .count({ name: 'windows', ...(retentionMs === undefined ? {} : { retentionMs }) });
  windows
    .leftJoin(names, (count, name): string => `${name ?? 'nobody'} ${count}`, { name: 'named', valueSerde: text })
    .groupBy((_key, named) => named.split(' ') as [string, string], { name: 'by-name', ...texts })
    .aggregate(
      () => 0,
      (_key, count, sum) => sum + Number(count),
      (_key, count, sum) => sum - Number(count),
      { name: 'sums', valueSerde: Serdes.int64 },
    );
  windows
    .suppress(untilWindowCloses({ name: 'closed' }))
    .toStream({ name: 'closings' })
    .groupBy(({ key }) => key, { name: 'by-closing', keySerde: text })
    .reduce((a, b) => a + b, { name: 'closed-counts' });
  if (numbers === true) {
    readings
      .mapValues(({ text: word }) => word.length, { name: 'lengths' })
      .groupBy((key) => key, { name: grouping, keySerde: text, valueSerde: Serdes.int64 })
      .count({ name: 'words' });
  } else {
    const words = readings.groupBy((_key, reading) => reading.text, { name: grouping, keySerde: text });
    if (float === true)
      words.aggregate(
        () => 0.5,
        (_key, _value, sum) => sum + 1,
        { name: 'words', valueSerde: Serdes.float64 },
      );
    else words.count({ name: 'words' });
  }
  const last = readings.groupByKey().reduce((_a, b) => b, { name: 'last' });
  last
    .toStream({ name: 'news' })
    .mapValues((value) => JSON.stringify(value), { name: 'as-text' })
    .to('out', texts);
  if (more === true) readings.groupByKey().count({ name: 'all' });
  if (moreBehind === true) readings.groupBy((key) => key, { name: 'by-key', keySerde: text }).count({ name: 'all' });
  return builder.build();
}

const partitions = 2;

/** A cluster with records, and what an application has made of them. */
class World {
  readonly t: ExecutionContext;
  readonly cluster: MemoryCluster;
  readonly disk = new Disk();
  readonly logged: string[] = [];
  #written = 0;

  constructor(t: ExecutionContext) {
    this.t = t;
    this.cluster = clusterOf();
  }

  /** One whose application has counted, and has stopped. */
  static async create(t: ExecutionContext, count = 120): Promise<World> {
    const world = new World(t);
    write(world.cluster, 0, count);
    world.#written = count;
    await world.run(program());
    return world;
  }

  more(count = 40): void {
    write(this.cluster, this.#written, this.#written + count);
    this.#written += count;
  }

  /** Runs a program until all is counted; gives the rows of all its stores. */
  async run(topology: Topology, disk = this.disk): Promise<Readonly<Record<string, readonly string[]>>> {
    return run(this.t, this.cluster, topology, { disk, logger: this.#logger });
  }

  /** What a first run of a program gives of all that was written. */
  async fresh(topology: Topology): Promise<Readonly<Record<string, readonly string[]>>> {
    const cluster = clusterOf();
    write(cluster, 0, this.#written);
    return run(this.t, cluster, topology, { disk: new Disk() });
  }

  readonly #logger = {
    ...{ debug() {}, info() {}, error() {} },
    warn: (_: object, line: string) => void this.logged.push(line),
  };

  async rebuild(
    topology: Topology,
    stores: readonly string[],
    around = (broker: Broker) => broker,
    options: Partial<KafkaStreamsOptions> = {},
  ) {
    const broker = this.cluster.connect();
    const { stateDir, openDatabase } = this.disk;
    try {
      return await rebuildStoresOnKafka(
        topology,
        { broker: around(broker), applicationId: app, stateDir, openDatabase, logger: this.#logger, ...options },
        { stores },
      );
    } finally {
      await broker.close();
    }
  }

  /** The rows of all stores as the changelogs have them. */
  async changelogs(topology: Topology): Promise<Readonly<Record<string, readonly string[]>>> {
    return changelogsOf(this.cluster, topology);
  }

  /** What the group has committed. */
  async committed(): Promise<readonly (CommittedOffset | undefined)[]> {
    const broker = this.cluster.connect();
    try {
      const names = [...program().repartitions.keys()].map((name) => `${app}-${name}`);
      return await broker.admin.committed(
        app,
        ['in', ...names].flatMap((topic) => [0, 1].map((partition) => ({ topic, partition }))),
      );
    } finally {
      await broker.close();
    }
  }

  /** What came out of the application: results and letters. */
  written(): readonly (readonly string[])[] {
    return ['out', `${app}-dead-letters`, `${app}-late`].map((topic) =>
      messages(this.cluster, topic, partitions).sort(),
    );
  }
}

function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', partitions);
  cluster.createTopic('out', partitions);
  cluster.createTopic('names', 1, { 'cleanup.policy': 'compact' });
  cluster.write('names', 0, [
    { key: 'id 1', value: 'Ada', timestamp: 1 },
    { key: 'id 3', value: 'Bob', timestamp: 1 },
  ]);
  return cluster;
}

/** Readings: times rise with some behind, some too late; each twentieth is bad. */
function write(cluster: MemoryCluster, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const timestamp = i % 11 === 5 ? Math.max(0, i - 40) : i + ((i * 7) % 5);
    const id = (i * 5) % 7;
    const value = i % 20 === 13 ? '{bad' : JSON.stringify({ id, text: ['ant', 'bee', 'cat'][(i * i) % 3] });
    cluster.write('in', id % partitions, [{ key: `id ${id}`, value, timestamp }]);
  }
}

async function run(
  t: ExecutionContext,
  cluster: MemoryCluster,
  topology: Topology,
  options: Parameters<typeof startClient>[3],
): Promise<Readonly<Record<string, readonly string[]>>> {
  const client = await startClient(byItself, cluster, topology, options);
  try {
    await drained(cluster, client.streams.topology);
    await sameAsChangelogs(t, cluster, [client]);
    return await changelogsOf(cluster, topology);
  } finally {
    await stop(client);
  }
}

async function changelogsOf(cluster: MemoryCluster, topology: Topology) {
  const broker = cluster.connect();
  const rows: Record<string, readonly string[]> = {};
  for (const spec of topology.stores) rows[spec.name] = await shownRows(spec, await changelogParts(broker, app, spec));
  await broker.close();
  return rows;
}

async function refusal(world: World, topology: Topology, disk = world.disk): Promise<Error> {
  const { streams, uncaught } = newClient(world.t, world.cluster, topology, { disk });
  const failed = streams.start().then(async () => {
    await until(() => uncaught.length > 0 || streams.state === 'RUNNING', 'it fails');
    throw uncaught[0] ?? new Error('it runs');
  });
  const error = await world.t.throwsAsync(failed);
  await streams.close();
  return error!;
}

const behindWindows = ['windows', 'named', 'sums', 'closed', 'closed-counts'];
const changes: { readonly [title: string]: readonly [change: Change, named: string, rebuilt: readonly string[]] } = {
  'other windows': [{ sizeMs: 25 }, 'windows', behindWindows],
  'other windows, whose changelog has another policy': [{ sizeMs: 25, retentionMs: 1e9 }, 'windows', behindWindows],
  'another serde, behind a repartition topic': [{ float: true }, 'words', ['words']],
  'another grouping': [{ grouping: 'by-word' }, 'words', ['words']],
  'records of another serde in its repartition topic': [{ numbers: true }, 'words', ['words']],
  'another way to count, which no description tells': [{ odd: true }, 'windows', behindWindows],
  'a new name': [{ more: true }, 'all', ['all']],
  'a new name, behind a repartition topic that is new too': [{ moreBehind: true }, 'all', ['all']],
};

for (const [title, [change, named, rebuilt]] of Object.entries(changes))
  for (const place of ['the same folder', 'an empty one'])
    test(`a store with ${title} is made anew as a first run makes it, and goes on with the others in ${place}`, async (t) => {
      const world = await World.create(t);
      const before = world.written();
      const fresh = await world.fresh(program(change));
      world.more();
      const made = await world.rebuild(program(change), [named]);
      t.deepEqual(made?.stores, rebuilt);
      t.is(made?.rows, 120);
      t.deepEqual(world.written(), before, 'nothing is written a second time');
      world.logged.length = 0;
      const rows = await world.run(program(change), place === 'an empty one' ? new Disk() : world.disk);
      t.notDeepEqual(rows, fresh);
      // What came meanwhile counts once, in all stores.
      t.deepEqual(rows, await world.fresh(program(change)));
      t.deepEqual(
        world.logged.filter((line) => /starts empty|no store/.test(line)),
        [],
      );
    });

test('before what came meanwhile is counted, a store that is made anew holds what a first run gives of what the others hold', async (t) => {
  const world = await World.create(t);
  const change = { sizeMs: 25, float: true, more: true };
  const fresh = await world.fresh(program(change));
  await world.rebuild(program(change), ['windows', 'words', 'all']);
  t.deepEqual(await world.run(program(change)), fresh);
});

test('whatever ends a rebuild, either the old program goes on or every program is refused until it is done anew', async (t) => {
  const world = await World.create(t, 60);
  const programs = [program({ more: true }), program({ sizeMs: 25, more: true })];
  const rows = [await world.fresh(programs[0]!), await world.fresh(programs[1]!)];
  const named = ['windows', 'all'];
  await world.rebuild(programs[0]!, named);
  const ends = { dead: 0, asBefore: 0, refused: 0 };
  let at = 0;
  for (const when of ['before', 'after'] as const) {
    let ended = false;
    // To die after a write leaves what it leaves to die before the next one: each gap has its turn in one of the two ways.
    for (let failing = when === 'before' ? 0 : 1; !ended; failing += 2) {
      const [from, to] = [at % 2, (at + 1) % 2];
      const work = world.rebuild(programs[to]!, named, (broker) => dyingBroker(broker, failing, when));
      ended = await work.then(
        () => true,
        (error: unknown) => {
          t.regex(String(error), /dead/);
          return false;
        },
      );
      at++;
      if (ended) break;
      ends.dead++;
      const state = await lookAt(world, programs[from]!, programs[to]!);
      if (state === 'old') {
        ends.asBefore++;
        t.deepEqual(await world.changelogs(programs[from]!), rows[from]);
      }
      if (state === 'neither') ends.refused++;
      await world.rebuild(programs[to]!, named);
      t.deepEqual(await world.changelogs(programs[to]!), rows[to], `write ${failing} fails`);
    }
  }
  t.deepEqual(await world.run(programs[at % 2]!), rows[at % 2]);
  t.true(ends.dead > 20 && ends.asBefore > 5 && ends.refused > 10, JSON.stringify(ends));
});

/** Which of two programs an application can go on with. */
async function lookAt(world: World, old: Topology, next: Topology): Promise<'old' | 'new' | 'neither'> {
  const accepted: string[] = [];
  for (const [name, topology] of Object.entries({ old, new: next })) {
    const broker = world.cluster.connect();
    const options = filledOptions({ broker, applicationId: app, stateDir: new Disk().stateDir });
    try {
      await checkApplication(topology, options);
      accepted.push(name);
    } catch (error) {
      world.t.regex(String(error), /STREAMS_STATE_INCOMPATIBLE|store .* (was|half made)/);
      world.t.regex(String(error), /weir run --rebuild windows/);
    } finally {
      await broker.close();
    }
  }
  world.t.true(accepted.length <= 1, accepted.join());
  return accepted.length === 0 ? 'neither' : accepted[0] === 'old' ? 'old' : 'new';
}

test('a rebuild that ends at a write of its folder leaves the application as it was', async (t) => {
  const world = await World.create(t, 60);
  const before = await world.committed();
  let deaths = 0;
  for (let failing = 0; ; failing++) {
    const openDatabase = dyingAt(failing);
    const ended = await world.rebuild(program({ sizeMs: 25 }), ['windows'], undefined, { openDatabase }).then(
      () => true,
      (error: unknown) => {
        t.regex(String(error), /dead/);
        return false;
      },
    );
    if (ended) break;
    deaths++;
    t.deepEqual(await world.committed(), before);
  }
  t.true(deaths > 2, String(deaths));
  t.deepEqual(await world.run(program({ sizeMs: 25 })), await world.fresh(program({ sizeMs: 25 })));
});

test('what is on its way through repartition topics counts once, though the instance was killed while it came', async (t) => {
  let onTheWay = 0;
  for (const round of [0, 2, 4]) {
    const world = new World(t);
    const client = await startClient(byItself, world.cluster, program(), { disk: world.disk });
    world.more(200);
    const committed = async (): Promise<number> =>
      (await world.committed()).reduce((sum, each) => sum + (each?.offset ?? 0), 0);
    await until(async () => (await committed()) > 10 + 40 * round, 'some is counted');
    kill(world.cluster, client);
    const broker = world.cluster.connect();
    await until(async () => (await broker.admin.describeGroup(app)).members.length === 0, 'its session is over');
    onTheWay += await waiting(broker, program());
    await broker.close();
    const change = { sizeMs: 25, float: true, grouping: 'by-word' };
    const made = await world.rebuild(program(change), ['windows', 'words']);
    t.deepEqual(made?.stores, ['windows', 'named', 'sums', 'closed', 'closed-counts', 'words']);
    t.deepEqual(await world.run(program(change)), await world.fresh(program(change)), `round ${round}`);
  }
  t.true(onTheWay > 0, 'something was on its way');
});

test('what is on its way to a part of the program that has no store, and has committed nothing yet, counts once', async (t) => {
  const through = (look: () => void): Topology => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .repartition({ name: 'first', ...texts })
      .peek(look, { name: 'look' })
      .groupBy((_key, value) => value, { name: 'second', ...texts })
      .count({ name: 'counts' });
    return builder.build();
  };
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const { stateDir, openDatabase } = new Disk();
  const place = { stateDir, openDatabase };
  const failing = through(() => {
    throw new Error('not yet');
  });
  const client = newClient(t, cluster, failing, place);
  await client.streams.start();
  for (const value of ['x', 'y', 'x']) cluster.write('in', 0, [{ key: 'k', value }]);
  await until(() => client.uncaught.length > 0, 'it has failed');
  await stop(client);
  const topology = through(() => {});
  const broker = cluster.connect();
  const made = await rebuildStoresOnKafka(topology, { broker, applicationId: app, ...place }, { stores: ['counts'] });
  await broker.close();
  t.true(made!.rows > 0);
  await startClient(t, cluster, topology, place);
  await drained(cluster, topology);
  t.deepEqual(await changelogRows(cluster, topology, 'counts'), ['x 2', 'y 1']);
});

/** Records in repartition topics that nobody has read. */
async function waiting(broker: Broker, topology: Topology): Promise<number> {
  const places = [...topology.repartitions.keys()].flatMap((name) =>
    [0, 1].map((partition) => ({ topic: `${app}-${name}`, partition })),
  );
  const [ends, committed] = [await broker.admin.offsets(places, 'stable'), await broker.admin.committed(app, places)];
  return ends.reduce((sum, end, i) => sum + Math.max(0, end - (committed[i]?.offset ?? 0)), 0);
}

test('with auto.offset.reset latest a rebuild is refused: it would count what came before the application began', async (t) => {
  const world = await World.create(t, 40);
  const before = await world.committed();
  const change = program({ sizeMs: 25 });
  await t.throwsAsync(world.rebuild(change, ['windows'], undefined, { autoOffsetReset: 'latest' }), {
    code: 'STREAMS_CONFIG',
    message: /first records of their input, and auto\.offset\.reset is latest.*auto\.offset\.reset=earliest/,
  });
  t.deepEqual(await world.committed(), before);
  t.deepEqual(
    (await world.rebuild(change, ['windows'], undefined, { autoOffsetReset: 'earliest' }))?.stores[0],
    'windows',
  );
});

test('a store that has changed is refused with the option that makes it anew, and one that is not named stays refused', async (t) => {
  const world = await World.create(t, 40);
  const change = program({ sizeMs: 25, float: true });
  for (const disk of [world.disk, new Disk()])
    t.regex(
      (await refusal(world, change, disk)).message,
      /store windows was .*; store words was .*\. Make what changes anew with weir run --rebuild windows --rebuild words \(in a program: rebuildStoresOnKafka with stores: \['windows', 'words'\]\); or give/,
    );
  await t.throwsAsync(world.rebuild(change, ['windows']), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message:
      /: store words was [^;]*\. Make what changes anew with weir run --rebuild words \(in a program: rebuildStoresOnKafka with stores: \['words'\]\);/,
  });
  await t.throwsAsync(world.rebuild(change, ['nothing']), { code: 'STREAMS_STATE_STORE_UNKNOWN' });
  t.regex(
    (await refusal(world, program({ numbers: true }))).message,
    /repartition topic by-text-repartition carried .*, and carries string -> int64 now\. Make what changes anew with weir run --rebuild words \(in a program: rebuildStoresOnKafka with stores: \['words'\]\);/,
  );
  t.deepEqual(await world.run(program()), await world.fresh(program()));
});

test('a rebuild is refused while an instance runs, and changes nothing where the application has not run yet', async (t) => {
  const world = new World(t);
  t.is(await world.rebuild(program(), ['windows']), undefined);
  write(world.cluster, 0, 20);
  const client = await startClient(t, world.cluster, program(), { disk: world.disk });
  await drained(world.cluster, program());
  const other = new Disk();
  await t.throwsAsync(
    world.rebuild(program(), ['windows'], undefined, {
      stateDir: other.stateDir,
      openDatabase: other.openDatabase,
    }),
    { code: 'STREAMS_INPUT_REFUSED', message: /application app runs: its group has 1 member/ },
  );
  await stop(client);
});

test('what an instance commits while stores are made anew makes them useless: nothing is changed, and a second try counts all', async (t) => {
  const world = await World.create(t, 60);
  let meanwhile: Promise<unknown> | undefined;
  const around = (broker: Broker): Broker =>
    new Proxy(broker, {
      get: (object, name) => {
        const value = Reflect.get(object, name, object) as unknown;
        if (name !== 'fetcher') return typeof value === 'function' ? value.bind(object) : value;
        return (options: Parameters<Broker['fetcher']>[0]) => {
          const fetcher = object.fetcher({
            ...options,
            // Held up until another instance has come and gone.
            receive: (records) =>
              records.topic === 'in' && meanwhile !== undefined
                ? void meanwhile.then(() => options.receive(records))
                : options.receive(records),
          });
          if (meanwhile === undefined) {
            world.more(20);
            meanwhile = world.run(program());
          }
          return fetcher;
        };
      },
    });
  await t.throwsAsync(world.rebuild(program({ sizeMs: 25 }), ['windows'], around), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /application app has run while its stores were made anew/,
  });
  t.deepEqual(await world.changelogs(program()), await world.fresh(program()));
  await world.rebuild(program({ sizeMs: 25 }), ['windows']);
  t.deepEqual(await world.run(program({ sizeMs: 25 })), await world.fresh(program({ sizeMs: 25 })));
});

test('where the first records of the input are gone a rebuild is refused with how many, unless that is accepted for all that they fed', async (t) => {
  const world = await World.create(t);
  const before = await world.committed();
  world.cluster.deleteRecords('in', 1, 7);
  const change = program({ sizeMs: 25, odd: true });
  for (const acceptLoss of [false, true])
    await t.throwsAsync(world.rebuild(program({ float: true }), ['sums', 'words'], undefined, { acceptLoss }), {
      code: 'STREAMS_INPUT_REFUSED',
      message:
        /in \(partition 1\) begins at 7 of the \d+ read\..*\(windows, named\).*--rebuild windows --rebuild named \(in a program: stores: \['windows', 'named'\]\) and --accept-loss \(in a program: acceptLoss: true\)/,
    });
  await t.throwsAsync(world.rebuild(change, ['windows']), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /in \(partition 1\) begins at 7 of the \d+ read\..*with --accept-loss/,
  });
  t.deepEqual(await world.committed(), before);
  const made = await world.rebuild(change, ['windows'], undefined, { acceptLoss: true });
  t.is(made?.rows, 120 - 7);
  t.regex(world.logged.join('\n'), /accepted: the input does not have its first records any more/);
  await world.run(change);
});

/** Two counts of one repartition topic. */
function twoCounts(second: 'count' | 'float'): Topology {
  const builder = new StreamsBuilder();
  const grouped = builder.stream('in', texts).groupBy((key) => key, { name: 'by-key', keySerde: text });
  grouped.count({ name: 'first' });
  if (second === 'count') grouped.count({ name: 'second' });
  else
    grouped.aggregate(
      () => 0,
      (_key, _value, sum) => sum + 1,
      { name: 'second', valueSerde: Serdes.float64 },
    );
  return builder.build();
}

test('records on their way to a store that stays are not taken from it: the rebuild is refused, and names what to make anew too', async (t) => {
  let refused = 0;
  for (let round = 0; round < 8; round++) {
    const cluster = clusterOf();
    const disk = new Disk();
    const client = await startClient(byItself, cluster, twoCounts('count'), { disk });
    write(cluster, 0, 200);
    const broker = cluster.connect();
    const places = [0, 1].map((partition) => ({ topic: 'in', partition }));
    await until(
      async () => (await broker.admin.committed(app, places)).some((each) => (each?.offset ?? 0) > 0),
      'some is counted',
    );
    kill(cluster, client);
    await until(async () => (await broker.admin.describeGroup(app)).members.length === 0, 'its session is over');
    const { stateDir, openDatabase } = disk;
    const options = { broker, applicationId: app, stateDir, openDatabase };
    const rebuild = (...stores: string[]) => rebuildStoresOnKafka(twoCounts('float'), options, { stores });
    try {
      await rebuild('second');
    } catch (error) {
      refused++;
      t.regex(
        String(error),
        /\d+ records? (is|are) on the way through .*app-by-key-repartition, and store first would miss/,
      );
      t.regex(String(error), /Name all that it feeds too, with --rebuild first \(in a program: stores: \['first'\]\)/);
      await rebuild('second', 'first');
    }
    await broker.close();
    const expected = await run(t, cluster, twoCounts('float'), { disk });
    const total = (rows: readonly string[]): number =>
      rows.reduce((sum, row) => sum + Number(row.split(' ').at(-1)), 0);
    t.is(total(expected['first']!), 200, `round ${round}`);
    t.is(total(expected['second']!), 200, `round ${round}`);
  }
  t.true(refused > 0, String(refused));
});

/** Counts by key, and of how many keys each count is; or how often each key was counted before without them. */
function countsOfCounts(parts: 'readings' | 'counts' | 'counts of counts'): Topology {
  const builder = new StreamsBuilder();
  const all = builder.stream('in', texts);
  all.groupByKey().reduce((_a, b) => b, { name: 'readings' });
  if (parts === 'readings') return builder.build();
  const counts = all.groupByKey().count({ name: 'counts' });
  if (parts === 'counts of counts')
    counts
      .groupBy((key, count) => [String(count), key], { name: 'by-count', ...texts })
      .count({ name: 'counts-of-counts' });
  return builder.build();
}

test('a store is made anew behind one that stays where that holds what its input gives; one that began empty is named', async (t) => {
  for (const began of ['whole', 'empty']) {
    const cluster = clusterOf();
    const disk = new Disk();
    write(cluster, 0, 30);
    await run(t, cluster, countsOfCounts(began === 'whole' ? 'counts' : 'readings'), { disk });
    write(cluster, 30, 60);
    await run(t, cluster, countsOfCounts('counts'), { disk });
    const broker = cluster.connect();
    const { stateDir, openDatabase } = disk;
    const options = { broker, applicationId: app, stateDir, openDatabase };
    const all = countsOfCounts('counts of counts');
    const made = (...stores: string[]) => rebuildStoresOnKafka(all, options, { stores });
    if (began === 'whole') t.deepEqual((await made('counts-of-counts'))?.stores, ['counts-of-counts']);
    else {
      await t.throwsAsync(made('counts-of-counts'), {
        code: 'STREAMS_INPUT_REFUSED',
        message:
          /store counts feeds counts-of-counts, and does not hold what the input gives: .*: --rebuild counts \(in a program: stores: \['counts'\]\)\./,
      });
      t.deepEqual((await made('counts'))?.stores, ['counts', 'counts-of-counts']);
    }
    await broker.close();
    write(cluster, 60, 90);
    const rows = await run(t, cluster, all, { disk });
    const fresh = clusterOf();
    write(fresh, 0, 90);
    // Counts that a key once had stay with 0, as in Kafka Streams: which ones depends on commits.
    const shown = (found: typeof rows) =>
      Object.entries(found).map(([name, each]) => [name, each.filter((row) => !row.endsWith(' 0'))]);
    t.deepEqual(shown(rows), shown(await run(t, fresh, all, { disk: new Disk() })), began);
  }
});

test('stores are made anew by at_least_once too, and for standby copies in older folders', async (t) => {
  const world = new World(t);
  world.more(100);
  const disks = [world.disk, new Disk()];
  const start = (topology: Topology) =>
    Promise.all(
      disks.map((disk) =>
        startClient(byItself, world.cluster, topology, {
          disk,
          guarantee: 'at_least_once',
          numStandbyReplicas: 1,
          commitIntervalMs: 10,
        }),
      ),
    );
  const before = await start(program());
  await drained(world.cluster, program());
  await stop(...before);
  const change = program({ sizeMs: 25, grouping: 'by-word' });
  await world.rebuild(change, ['windows', 'words'], undefined, { guarantee: 'at_least_once' });
  const after = await start(change);
  world.more(30);
  await drained(world.cluster, change);
  t.deepEqual(await world.changelogs(change), await world.fresh(change));
  await sameAsChangelogs(t, world.cluster, after);
  t.deepEqual(
    after.flatMap(({ uncaught }) => uncaught),
    [],
  );
  await stop(...after);
});

/** Counts of a topic together with what comes through a repartition topic, and the last value of each key of that topic alone. */
function merged(float: boolean): Topology {
  const builder = new StreamsBuilder();
  const others = builder.stream('other', texts);
  const moved = builder
    .stream('in', texts)
    .selectKey((key) => key.slice(3))
    .repartition({ name: 'by-id', ...texts });
  const both = others.merge(moved).groupByKey();
  if (float)
    both.aggregate(
      () => 0,
      (_key, _value, sum) => sum + 1,
      { name: 'both', valueSerde: Serdes.float64 },
    );
  else both.count({ name: 'both' });
  others.groupByKey().reduce((_a, b) => b, { name: 'last' });
  return builder.build();
}

test('a store that is fed by a topic and through a repartition topic is made anew of both', async (t) => {
  const clusterWith = (to: number): MemoryCluster => {
    const cluster = clusterOf();
    cluster.createTopic('other', partitions);
    writeBoth(cluster, 0, to);
    return cluster;
  };
  const writeBoth = (cluster: MemoryCluster, from: number, to: number): void => {
    write(cluster, from, to);
    // One partition has nothing until the end.
    for (let i = from; i < to; i++)
      cluster.write('other', i < 60 ? 0 : 1, [{ key: String(i % 5), value: `${i}`, timestamp: i }]);
  };
  const cluster = clusterWith(40);
  const disk = new Disk();
  await run(t, cluster, merged(false), { disk });
  const broker = cluster.connect();
  const { stateDir, openDatabase } = disk;
  const options = { broker, applicationId: app, stateDir, openDatabase };
  const made = await rebuildStoresOnKafka(merged(true), options, { stores: ['both'] });
  t.deepEqual([made?.stores, made?.rows], [['both'], 80]);
  await broker.close();
  writeBoth(cluster, 40, 90);
  t.deepEqual(
    await run(t, cluster, merged(true), { disk }),
    await run(t, clusterWith(90), merged(true), { disk: new Disk() }),
  );
});
