import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  type EmbeddedOptions,
  EmbeddedStreams,
  type KStream,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import { dyingAt } from './dying-database.ts';
import { ListFeed, type ListRecord } from './list-feed.ts';

const records = (text: string): ListRecord[] =>
  text.split(' ').map((word) => {
    const [, key, value, time] = /^(\w+)=(\w+)@(\d+)$/.exec(word)!;
    return { key, value, timestamp: Number(time) };
  });

type Words = KStream<string, string>;

/** Records by key and window of 10 ms; words in all, by word. With what a test changes. */
function program(change: { readonly [part: string]: (builder: StreamsBuilder, words: Words) => void } = {}): Topology {
  const builder = new StreamsBuilder();
  change['before']?.(builder, undefined as unknown as Words);
  const source = { keySerde: Serdes.string, valueSerde: Serdes.json<ListRecord>() };
  const words = builder.stream('in', source).mapValues(({ value }) => String(value), { name: 'words' });
  const byKey = change['windows'] ?? ((_b, all) => windowCounts(all, 10));
  const byWord = change['by-word'] ?? ((_b, all) => wordCounts(all, 'by-word'));
  byKey(builder, words);
  byWord(builder, words);
  change['after']?.(builder, words);
  return builder.build();
}

function windowCounts(words: Words, sizeMs: number): void {
  words
    .groupByKey({ keySerde: Serdes.string, valueSerde: Serdes.string })
    .windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, 0))
    .count({ name: 'windows', keySerde: Serdes.string });
}

function wordCounts(words: Words, grouping: string, name = 'words-count'): void {
  words
    .groupBy((_key, word) => word, { name: grouping, keySerde: Serdes.string, valueSerde: Serdes.string })
    .count({ name, keySerde: Serdes.string });
}

/** A state, on which one program after the other works. */
class World {
  readonly stateDir: string;
  readonly logged: string[] = [];

  private constructor(stateDir: string) {
    this.stateDir = stateDir;
  }

  static async create(t: ExecutionContext): Promise<World> {
    const stateDir = await mkdtemp(join(tmpdir(), 'weir-program-'));
    t.teardown(() => rm(stateDir, { recursive: true, force: true }));
    return new World(stateDir);
  }

  /** Runs a program over records, and gives the rows of its stores and how many records were late. */
  async run(topology: Topology, input: string, options: Partial<EmbeddedOptions> = {}) {
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => this.logged.push(text) };
    const streams = await EmbeddedStreams.open(topology, {
      stateDir: this.stateDir,
      syncWrites: false,
      logger,
      ...options,
    });
    try {
      if (options.create !== false) await streams.run([new ListFeed('in', input === '' ? [] : records(input))]);
      const rows: Record<string, number> = {};
      for (const { name, keySerde, valueSerde } of topology.stores)
        for (const part of streams.parts(name))
          for await (const page of part.rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
            for (const { key, startMs, value } of page)
              rows[`${name} ${keySerde.deserialize(key)}@${startMs}`] = Number(
                valueSerde.deserialize(value.subarray(8)),
              );
      const late = streams.stats().tasks.reduce((sum, { dropped }) => sum + dropped.late, 0);
      return { rows, late };
    } finally {
      await streams.close();
    }
  }
}

const first = 'a=x@1 a=y@2 b=x@3 b=x@14';
/** The first record is late: windows of 10 ms without grace, and 14 was seen. */
const second = 'a=x@4 a=y@15';
/** What both give together. */
const together = {
  'windows a@0': 2,
  'windows b@0': 1,
  'windows b@10': 1,
  'windows a@10': 1,
  'words-count x@0': 4,
  'words-count y@0': 2,
};

const stateless: { readonly [title: string]: Parameters<typeof program>[0] } = {
  'a peek is added': { after: (_b, words) => void words.peek(() => {}) },
  'a filter comes before a grouping': {
    'by-word': (_b, words) =>
      wordCounts(
        words.filter(() => true),
        'by-word',
      ),
  },
  'a source of its own comes first, so that all sub-topologies have another number': {
    before: (builder) =>
      void builder.stream('other', { keySerde: Serdes.string, valueSerde: Serdes.string }).peek(() => {}),
  },
  'the statistics come in another order': {
    windows: (_b, words) => wordCounts(words, 'by-word'),
    'by-word': (_b, words) => windowCounts(words, 10),
  },
};

for (const [title, change] of Object.entries(stateless))
  test(`a state goes on with its rows and clocks when ${title}`, async (t) => {
    const world = await World.create(t);
    t.is((await world.run(program(), first)).late, 0);
    const went = await world.run(program(change), second);
    t.deepEqual(went, { rows: together, late: 1 });
    t.deepEqual(world.logged, []);
    // And back.
    t.deepEqual(await world.run(program(), 'c=z@16'), {
      rows: { ...together, 'windows c@10': 1, 'words-count z@0': 1 },
      late: 1,
    });
  });

test('a store that is new starts empty, which is said, and then counts', async (t) => {
  const world = await World.create(t);
  await world.run(program(), first);
  const more = {
    after: (_b: StreamsBuilder, words: Words) =>
      void words
        .groupByKey({ keySerde: Serdes.string, valueSerde: Serdes.string })
        .count({ name: 'by-key', keySerde: Serdes.string }),
  };
  const { rows } = await world.run(program(more), second);
  t.deepEqual(rows, { ...together, 'by-key a@0': 2 });
  t.is(world.logged.length, 1);
  t.regex(world.logged[0]!, /^store by-key is new .* starts empty: what was read before does not count in it/);
  await world.run(program(more), 'a=x@16');
  t.is(world.logged.length, 1, 'it is said once');
});

test('a store that the program has no more leaves the state: when it comes back it is new', async (t) => {
  const world = await World.create(t);
  await world.run(program(), first);
  const without = { 'by-word': () => {} };
  t.deepEqual((await world.run(program(without), second)).rows, {
    'windows a@0': 2,
    'windows b@0': 1,
    'windows b@10': 1,
    'windows a@10': 1,
  });
  t.regex(world.logged.join(), /^the program has no store words-count any more: its rows leave/);
  t.like((await world.run(program(), 'c=z@16')).rows, { 'words-count x@0': undefined, 'words-count z@0': 1 });
  t.regex(world.logged.at(-1)!, /^store words-count is new/);
});

test('another store never sees rows of one that has left', async (t) => {
  const world = await World.create(t);
  await world.run(program(), first);
  const other = {
    'by-word': (_b: StreamsBuilder, words: Words) =>
      void words
        .groupBy((_key, word) => `${word}!`, { name: 'loud', keySerde: Serdes.string, valueSerde: Serdes.string })
        .count({ name: 'loud-count', keySerde: Serdes.string }),
  };
  const { rows } = await world.run(program(other), second);
  t.deepEqual(
    Object.keys(rows)
      .filter((row) => row.startsWith('loud'))
      .sort(),
    ['loud-count x!@0', 'loud-count y!@0'],
  );
});

test('a program that has none of the stores is refused the folder of another, and the state stays as it is', async (t) => {
  const world = await World.create(t);
  await world.run(program(), first);
  const other = program({
    windows: () => {},
    'by-word': (_b, words) => wordCounts(words, 'by-letter', 'letters'),
  });
  await t.throwsAsync(world.run(other, second), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message: /made by another program: this one has none of its stores \(windows, words-count\)/,
  });
  t.deepEqual(await world.run(program(), second), { rows: together, late: 1 });
});

test('a store whose windows, serde or grouping have changed is refused by its name, and the state stays as it is', async (t) => {
  const world = await World.create(t);
  await world.run(program(), first);
  const refused: [change: Parameters<typeof program>[0], message: RegExp][] = [
    [{ windows: (_b, words) => windowCounts(words, 20) }, /store windows was window, .*10.* and is now window, .*20/],
    [
      {
        'by-word': (_b, words) =>
          void words
            .groupBy((_key, word) => word, { name: 'by-word', keySerde: Serdes.string, valueSerde: Serdes.string })
            .aggregate(
              () => 0.5,
              (_key, _word, sum) => sum,
              { name: 'words-count', keySerde: Serdes.string, valueSerde: Serdes.float64 },
            ),
      },
      /store words-count was key-value, string -> int64, and is now key-value, string -> float64/,
    ],
    [
      { 'by-word': (_b, words) => wordCounts(words, 'by-letter') },
      /store words-count was fed by by-word-repartition, and is now by by-letter-repartition/,
    ],
  ];
  for (const [change, message] of refused)
    await t.throwsAsync(world.run(program(change), second), { code: 'STREAMS_STATE_INCOMPATIBLE', message });
  t.deepEqual(await world.run(program(), second), { rows: together, late: 1 });
});

test('a repartition topic of another number of partitions is refused: keys would be looked for elsewhere', async (t) => {
  const world = await World.create(t);
  const spread = (partitions: number) =>
    program({
      'by-word': (_b, words) =>
        void words
          .repartition({ name: 'spread', partitions, keySerde: Serdes.string, valueSerde: Serdes.string })
          .groupByKey({ keySerde: Serdes.string, valueSerde: Serdes.string })
          .count({ name: 'spread-count', keySerde: Serdes.string }),
    });
  await world.run(spread(2), first);
  await t.throwsAsync(world.run(spread(3), second), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message: /made with 2 partitions in sub-topology 1, not with 3/,
  });
});

test('a process that dies while the program changes leaves the state of the one or of the other', async (t) => {
  const other = program({
    before: (builder) =>
      void builder.stream('other', { keySerde: Serdes.string, valueSerde: Serdes.string }).peek(() => {}),
    'by-word': () => {},
    after: (_b, words) =>
      wordCounts(
        words.filter(() => true),
        'by-word-again',
        'again',
      ),
  });
  let ended = 0;
  for (let failing = 0; ended < 2; failing++) {
    const world = await World.create(t);
    await world.run(program(), first);
    try {
      await world.run(other, '', { openDatabase: dyingAt(failing) });
      ended++;
    } catch (error) {
      t.regex(String(error), /dead/);
    }
    const went = await world.run(other, second);
    t.deepEqual(
      went.rows,
      {
        'windows a@0': 2,
        'windows b@0': 1,
        'windows b@10': 1,
        'windows a@10': 1,
        'again x@0': 1,
        'again y@0': 1,
      },
      `write ${failing} fails`,
    );
    t.is(went.late, 1);
  }
});

test('who only reads is refused a store that the state does not have, and changes nothing', async (t) => {
  const world = await World.create(t);
  await world.run(program({ 'by-word': () => {} }), first);
  await t.throwsAsync(world.run(program(), '', { create: false }), {
    code: 'STREAMS_STATE_INCOMPATIBLE',
    message: /made by a program without store words-count/,
  });
  const less = await world.run(program({ 'by-word': () => {}, after: (_b, words) => void words.peek(() => {}) }), '', {
    create: false,
  });
  t.deepEqual(less.rows, { 'windows a@0': 2, 'windows b@0': 1, 'windows b@10': 1 });
});
