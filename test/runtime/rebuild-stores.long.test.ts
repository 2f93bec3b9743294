import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { silentLogger } from '../../src/common/logger.ts';
import { FolderFeed } from '../../src/files/folder-feed.ts';
import { Letters } from '../../src/files/letters.ts';
import {
  type Digest,
  EmbeddedStreams,
  type ProcessorContext,
  type ProcessorSupplier,
  rebuildStores,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
  untilWindowCloses,
} from '../../src/index.ts';
import type { DatabaseFactory } from '../../state/database.ts';
import { type Reading, readingFormat } from '../files/helpers/formats.ts';
import { dyingAt } from './dying-database.ts';
import { ListFeed } from './list-feed.ts';

const text = Serdes.string;

/** What a test changes in the program. */
interface Change {
  readonly sizeMs?: number;
  readonly float?: boolean;
  readonly grouping?: string;
  readonly odd?: boolean;
  readonly more?: boolean;
}

/**
 * Readings by id in windows (grace 5), with the name of the id in a global table, their sums by name, and what left when windows closed; readings by text over a repartition topic; the last reading
 * of each id, in the sub-topology of the windows and not fed by them.
 */
function program({
  sizeMs = 10,
  float = false,
  grouping = 'by-text',
  odd = false,
  more = false,
}: Change = {}): Topology {
  const builder = new StreamsBuilder();
  const names = builder.globalHistoryTable('names', { name: 'names', keySerde: text, valueSerde: text });
  const source = { keySerde: text, valueSerde: Serdes.json<Reading>(), name: 'readings' };
  const readings = builder.stream('in', source);
  const windows = readings
    .filter((_key, { id }) => !odd || id % 2 === 1, { name: 'some' })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, 5))
    .count({ name: 'windows' });
  windows
    .leftJoin(names, (count, name): string => `${name ?? 'nobody'} ${count}`, { name: 'named', valueSerde: text })
    .groupBy((_key, named) => named.split(' ') as [string, string], {
      name: 'by-name',
      keySerde: text,
      valueSerde: text,
    })
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
  const words = readings.groupBy((_key, reading) => reading.text, { name: grouping, keySerde: text });
  if (float)
    words.aggregate(
      () => 0.5,
      (_key, _value, sum) => sum + 1,
      { name: 'words', valueSerde: Serdes.float64 },
    );
  else words.count({ name: 'words' });
  readings.groupByKey().reduce((_a, b) => b, { name: 'last' });
  if (more) readings.groupByKey().count({ name: 'all' });
  return builder.build();
}

/** Rows of readings: times rise with some behind, some too late; each twentieth row is bad. */
function rows(from: number, to: number): string {
  let lines = '';
  for (let i = from; i < to; i++) {
    const at = i % 20 === 13 ? 'bad' : i % 11 === 5 ? Math.max(0, i - 40) : i + ((i * 7) % 5);
    lines += `${(i * 5) % 7},${at},${['ant', 'bee', 'cat'][(i * i) % 3]}\n`;
  }
  return lines;
}

const header = 'id,at,text\n';

/** Folders of input, and states that have read them. */
class World {
  readonly root: string;
  readonly events: string;
  readonly logged: string[] = [];
  partitions = 1;
  #fresh = 0;

  private constructor(root: string) {
    this.root = root;
    this.events = join(root, 'events');
  }

  /** One whose state has read three files, a packed one among them and one whose last line is cut, with the program as it was. */
  static async create(t: ExecutionContext, partitions = 1): Promise<World> {
    const root = await mkdtemp(join(tmpdir(), 'weir-rebuild-'));
    t.teardown(() => rm(root, { recursive: true, force: true }));
    const world = new World(root);
    world.partitions = partitions;
    await mkdir(world.events);
    await writeFile(join(world.events, 'a.csv'), header + rows(0, 60));
    await writeFile(join(world.events, 'b.csv.gz'), gzipSync(header + rows(60, 110)));
    await writeFile(join(world.events, 'c.csv'), `${header}${rows(110, 150)}3,15`);
    await world.run(program());
    return world;
  }

  /** More input: the cut line goes on, and a file is new. */
  async more(): Promise<void> {
    await appendFile(join(this.events, 'c.csv'), `0,ant\n${rows(151, 170)}`);
    await writeFile(join(this.events, 'd.csv'), header + rows(170, 200));
  }

  async feed(state: string): Promise<{ readonly feed: FolderFeed<string, Reading>; close(): Promise<void> }> {
    const dead = await Letters.open(join(state, 'dead.jsonl'), { state });
    const late = await Letters.open(join(state, 'late.jsonl'), { state });
    const feed = new FolderFeed({
      topic: 'in',
      directory: this.events,
      format: readingFormat,
      dead,
      late,
      logger: silentLogger,
    });
    return { feed, close: async () => void (await Promise.all([dead.close(), late.close()])) };
  }

  /** Takes all that is there into a state, and gives its digest. */
  async run(topology: Topology, state = join(this.root, 'state')): Promise<Digest> {
    const { feed, close } = await this.feed(state);
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, line: string) => this.logged.push(line) };
    let streams: EmbeddedStreams | undefined;
    try {
      streams = await EmbeddedStreams.open(topology, {
        stateDir: state,
        partitions: this.partitions,
        syncWrites: false,
        logger,
      });
      if (streams.stats().feeds.length === 0 && streams.operatorTimeMs() < 0)
        await streams.loadGlobalTable('names', [
          ['id 1', [{ validFromMs: 0, value: 'Ada' }]],
          ['id 2', [{ validFromMs: 50, value: 'Bob' }]],
        ]);
      await streams.run([feed]);
      return await streams.digest();
    } finally {
      await streams?.close();
      await close();
    }
  }

  /** The digest of a first run of a program over all that is there. */
  async fresh(topology: Topology): Promise<Digest> {
    return this.run(topology, join(this.root, `fresh-${this.#fresh++}`));
  }

  async rebuild(topology: Topology, stores: readonly string[], openDatabase?: DatabaseFactory, feeds?: ListFeed[]) {
    const stateDir = join(this.root, 'state');
    const { feed, close } = await this.feed(stateDir);
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, line: string) => this.logged.push(line) };
    try {
      return await rebuildStores(
        topology,
        {
          stateDir,
          syncWrites: false,
          commitIntervalRecords: 40,
          logger,
          ...(openDatabase === undefined ? {} : { openDatabase }),
        },
        { stores, feeds: feeds ?? [feed] },
      );
    } finally {
      await close();
    }
  }

  letters(): Promise<readonly string[]> {
    return Promise.all(['dead', 'late'].map((name) => readFile(join(this.root, `state/${name}.jsonl`), 'utf8')));
  }
}

const changes: { readonly [title: string]: readonly [change: Change, named: string, rebuilt: readonly string[]] } = {
  'other windows': [{ sizeMs: 25 }, 'windows', ['windows', 'named', 'sums', 'closed', 'closed-counts']],
  'another serde, behind a repartition topic': [{ float: true }, 'words', ['words']],
  'another grouping': [{ grouping: 'by-word' }, 'words', ['words']],
  'another way to count, which no description tells': [
    { odd: true },
    'windows',
    ['windows', 'named', 'sums', 'closed', 'closed-counts'],
  ],
  'a new name': [{ more: true }, 'all', ['all']],
};

for (const [title, [change, named, rebuilt]] of Object.entries(changes))
  for (const partitions of [1, 3])
    test(`a store with ${title} is made anew over ${partitions} partitions, as a first run makes it, and goes on with the others`, async (t) => {
      const world = await World.create(t, partitions);
      const letters = await world.letters();
      const fresh = await world.fresh(program(change));
      if (change.grouping === undefined) t.not((await world.fresh(program())).all, fresh.all);
      await world.more();
      const made = await world.rebuild(program(change), [named]);
      t.deepEqual(made?.stores, rebuilt);
      t.is(made?.rows, 150);
      t.deepEqual(await world.letters(), letters, 'the letters stay');
      t.false(existsSync(join(world.root, 'state/rebuild')));
      world.logged.length = 0;
      // What came meanwhile counts once, in all stores.
      t.deepEqual(await world.run(program(change)), await world.fresh(program(change)));
      t.deepEqual(
        world.logged.filter((line) => /starts empty|no store/.test(line)),
        [],
      );
    });

test('a store that has changed is refused with the option that makes it anew', async (t) => {
  const world = await World.create(t);
  await t.throwsAsync(world.run(program({ sizeMs: 25, float: true })), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message:
      /store windows was .*; store words was .*\. --rebuild windows --rebuild words \(in a program: rebuildStores with stores: \['windows', 'words'\]\) makes them anew from the input/,
  });
  await t.throwsAsync(world.rebuild(program({ sizeMs: 25, float: true }), ['windows']), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message:
      /store words was [^;]*\. --rebuild words \(in a program: rebuildStores with stores: \['words'\]\) makes them anew/,
  });
  t.deepEqual(await world.run(program()), await world.fresh(program()));
});

test('the windows that are made anew hold what their records add up to', async (t) => {
  const world = await World.create(t);
  await writeFile(join(world.events, 'a.csv'), `${header}1,1,x\n1,12,x\n2,13,x\n1,24,x\n1,3,x\n`);
  await rm(join(world.events, 'b.csv.gz'));
  await rm(join(world.events, 'c.csv'));
  await rm(join(world.root, 'state'), { recursive: true });
  await world.run(program());
  await world.rebuild(program({ sizeMs: 20 }), ['windows']);
  const streams = await EmbeddedStreams.open(program({ sizeMs: 20 }), {
    stateDir: join(world.root, 'state'),
    logger: silentLogger,
  });
  t.teardown(() => streams.close());
  const found: string[] = [];
  for (const part of streams.parts('windows'))
    for await (const page of part.rows(0, Infinity))
      for (const { key, startMs, value } of page)
        found.push(`${text.deserialize(key)}@${startMs}: ${Serdes.int64.deserialize(value.subarray(8))}`);
  // Window [0, 20) takes records until 25 is seen, so that at 3 too; with [0, 10) it was late at 24.
  t.deepEqual(found.sort(), ['id 1@0: 3', 'id 1@20: 1', 'id 2@0: 1']);
});

/** How often each id was read, and, of how many ids that was how often. */
function countsOfCounts(parts: 'none' | 'counts' | 'counts of counts'): Topology {
  const builder = new StreamsBuilder();
  builder.globalHistoryTable('names', { name: 'names', keySerde: text, valueSerde: text });
  const source = { keySerde: text, valueSerde: Serdes.json<Reading>(), name: 'readings' };
  const readings = builder.stream('in', source);
  readings.groupByKey().reduce((_a, b) => b, { name: 'last' });
  if (parts === 'none') return builder.build();
  const counts = readings.groupByKey().count({ name: 'counts' });
  if (parts === 'counts of counts')
    counts
      .groupBy((key, count) => [String(count), key], { name: 'by-count', keySerde: text, valueSerde: text })
      .aggregate(
        () => 0,
        (_key, _value, sum) => sum + 1,
        (_key, _value, sum) => sum - 1,
        { name: 'counts-of-counts', valueSerde: Serdes.int64 },
      );
  return builder.build();
}

test('a store is made anew behind one that stays where that holds what its input gives; one that began empty, before or just now, is named', async (t) => {
  const all = countsOfCounts('counts of counts');
  for (const began of ['whole', 'empty', 'just now']) {
    const world = await World.create(t, 2);
    const state = join(world.root, 'state');
    if (began === 'whole') await rm(state, { recursive: true });
    else await world.run(countsOfCounts('none'));
    await world.more();
    if (began !== 'just now') await world.run(countsOfCounts('counts'));
    const made = world.rebuild(all, ['counts-of-counts']);
    if (began === 'whole') t.deepEqual((await made)?.stores, ['counts-of-counts']);
    else {
      await t.throwsAsync(made, {
        code: 'STREAMS_INPUT_REFUSED',
        message:
          /store counts feeds counts-of-counts, and does not hold what the input gives: .*: --rebuild counts \(in a program: stores: \['counts'\]\)\./,
      });
      t.deepEqual((await world.rebuild(all, ['counts']))?.stores, ['counts', 'counts-of-counts']);
    }
    await writeFile(join(world.events, 'e.csv'), header + rows(200, 230));
    await world.run(all);
    const streams = await EmbeddedStreams.open(all, { stateDir: state, logger: silentLogger });
    t.teardown(() => streams.close());
    const found = async (name: string): Promise<Map<string, number>> => {
      const counts = new Map<string, number>();
      for (const part of streams.parts(name))
        for await (const page of part.rows(0, Infinity))
          for (const { key, value } of page)
            counts.set(text.deserialize(key), Serdes.int64.deserialize(value.subarray(8)));
      return counts;
    };
    const expected = new Map<string, number>();
    for (const count of (await found('counts')).values())
      expected.set(String(count), (expected.get(String(count)) ?? 0) + 1);
    // Counts that an id once had stay with 0.
    const held = [...(await found('counts-of-counts'))].filter(([, ids]) => ids !== 0);
    t.deepEqual(new Map(held.sort()), new Map([...expected].sort()), began);
  }
});

test('whatever ends a rebuild, it is done anew or the old program goes on, and nothing is lost or counted twice', async (t) => {
  const world = await World.create(t, 2);
  const change = { sizeMs: 25, more: true };
  const [before, after] = [await world.fresh(program()), await world.fresh(program(change))];
  const state = join(world.root, 'state');
  await cp(state, join(world.root, 'kept'), { recursive: true });
  let ended = false;
  let deaths = 0;
  for (let failing = 0; !ended; failing++) {
    for (const then of ['rebuilt', 'old']) {
      await rm(state, { recursive: true });
      await cp(join(world.root, 'kept'), state, { recursive: true });
      const work = world.rebuild(program(change), ['windows', 'all'], dyingAt(failing));
      ended = await work.then(
        () => true,
        (error: unknown) => {
          t.regex(String(error), /dead/);
          return false;
        },
      );
      if (ended) break;
      deaths++;
      if (then === 'old') t.deepEqual(await world.run(program()), before, `write ${failing} fails`);
      await world.rebuild(program(change), ['windows', 'all']);
      t.deepEqual(await world.run(program(change)), after, `write ${failing} fails`);
    }
  }
  t.true(deaths > 20, String(deaths));
});

test('a rebuild is refused by name where what was read is gone, has changed, or cannot be read again', async (t) => {
  const world = await World.create(t);
  const anew = (feeds?: ListFeed[]) => world.rebuild(program({ sizeMs: 25 }), ['windows'], undefined, feeds);
  const a = join(world.events, 'a.csv');
  await rename(a, join(world.root, 'a.csv'));
  await t.throwsAsync(anew(), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /topic in cannot be read again: the state has read a\.csv/,
  });
  const other = (header + rows(0, 60)).replace('ant', 'emu');
  await writeFile(a, other);
  await t.throwsAsync(anew(), { code: 'STREAMS_FILE_REWRITTEN', message: /a\.csv of topic in .*others were found/ });
  await writeFile(a, other.slice(0, 200));
  await t.throwsAsync(anew(), { code: 'STREAMS_FILE_REWRITTEN', message: /a\.csv of topic in .* and 200 were found/ });
  await rename(join(world.root, 'a.csv'), a);
  await t.throwsAsync(anew([]), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /has read topic in, and no feed of it is given/,
  });
  await t.throwsAsync(anew([new ListFeed('in', [])]), {
    code: 'STREAMS_INPUT_REFUSED',
    message: /the feed of topic in cannot be read again/,
  });
  await t.throwsAsync(world.rebuild(program(), ['wimdows']), {
    code: 'STREAMS_STATE_STORE_UNKNOWN',
    message: /no store wimdows .*windows/,
  });
  await t.throwsAsync(world.rebuild(program(), ['names']), {
    code: 'STREAMS_STATE_STORE_UNKNOWN',
    message: /names is a global table/,
  });
  t.deepEqual(await world.run(program()), await world.fresh(program()));
  await anew();
  t.deepEqual(await world.run(program({ sizeMs: 25 })), await world.fresh(program({ sizeMs: 25 })));
});

test('a last row without line end, which was taken, is read again, and what comes behind it later counts once', async (t) => {
  const world = await World.create(t);
  await writeFile(join(world.events, 'd.csv'), `${header}${rows(170, 180)}4,182,ant`);
  await world.run(program());
  await world.rebuild(program({ sizeMs: 25 }), ['windows']);
  await appendFile(join(world.events, 'd.csv'), `\n${rows(183, 190)}`);
  t.deepEqual(await world.run(program({ sizeMs: 25 })), await world.fresh(program({ sizeMs: 25 })));
});

test('a file that was renamed after it was read is read again under its new name', async (t) => {
  const world = await World.create(t);
  await rename(join(world.events, 'b.csv.gz'), join(world.events, 'bb.csv.gz'));
  await world.run(program());
  await world.rebuild(program({ sizeMs: 25 }), ['windows']);
  t.deepEqual(await world.run(program({ sizeMs: 25 })), await world.fresh(program({ sizeMs: 25 })));
});

test('a program that writes to topics, by the names of its sinks too, writes nothing while a store is made anew', async (t) => {
  const world = await World.create(t);
  await rm(join(world.root, 'state'), { recursive: true });
  const writing = (sizeMs: number): Topology => {
    const json = Serdes.json<Reading>();
    const each: ProcessorSupplier<string, Reading, string, Reading> = () => {
      let context!: ProcessorContext<string, Reading>;
      return {
        init: (given) => {
          context = given;
        },
        process: (record) => {
          context.forward(record, 'counting');
          context.forward(record, 'out');
        },
      };
    };
    const builder = new StreamsBuilder();
    const counted = builder.stream('in', { keySerde: text, valueSerde: json, name: 'readings' });
    counted.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, 5)).count({ name: 'windows' });
    return builder
      .build()
      .addProcessor('each', each, 'readings')
      .addProcessor('counting', () => ({ process() {} }), 'each')
      .addSink('out', 'out', 'each', { keySerde: text, valueSerde: json });
  };
  const stateDir = join(world.root, 'state');
  let sent = 0;
  const run = async (topology: Topology, anew: boolean): Promise<void> => {
    const { feed, close } = await world.feed(stateDir);
    const options = { stateDir, logger: silentLogger, output: () => void sent++ };
    try {
      if (anew) await rebuildStores(topology, options, { stores: ['windows'], feeds: [feed] });
      const streams = await EmbeddedStreams.open(topology, options);
      await streams.run([feed]);
      await streams.close();
    } finally {
      await close();
    }
  };
  await run(writing(10), false);
  t.true(sent > 100);
  sent = 0;
  await run(writing(25), true);
  t.is(sent, 0);
});
