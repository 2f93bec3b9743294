import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
  EmbeddedStreams,
  type OutputRecord,
  type Record as Rec,
  type Serde,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import { ListFeed, type ListRecord } from './list-feed.ts';

/** A commit after each record, after each 7, after each 1,000, only at the end. */
const intervals = [1, 7, 1000, 1_000_000];

interface Outcome {
  readonly outputs: readonly string[];
  readonly rows: readonly string[];
  readonly dead: readonly number[];
  readonly error: unknown;
}

async function outcome(
  t: ExecutionContext,
  topology: Topology,
  records: readonly ListRecord[],
  interval: number,
  onError: 'continue' | 'fail',
): Promise<Outcome> {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-commits-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const outputs: string[] = [];
  const errors: StreamsError[] = [];
  const streams = await EmbeddedStreams.open(topology, {
    stateDir,
    commitIntervalRecords: interval,
    commitIntervalMs: 1_000_000_000,
    syncWrites: false,
    processingExceptionHandler: (error) => {
      errors.push(error);
      return onError;
    },
    output: ({ key, value, timestamp }: OutputRecord) =>
      outputs.push(
        `${key && Buffer.from(key).toString('hex')} ${value && Buffer.from(value).toString()} @${timestamp}`,
      ),
  });
  const feed = new ListFeed('in', records);
  let failed = false;
  try {
    await streams.run([feed]);
  } catch {
    failed = true;
  }
  const rows: string[] = [];
  if (!failed)
    for (const { name } of topology.stores)
      for (const part of streams.parts(name))
        for await (const page of part.rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
          for (const { startMs, key, value } of page)
            rows.push(`${name} ${Buffer.from(key).toString('hex')}@${startMs} ${Buffer.from(value).toString('hex')}`);
  await streams.close();
  const shownErrors = errors.map(({ code, message, details: { nodeName, store, key, line } }) => ({
    code,
    message,
    nodeName,
    store,
    key,
    line,
  }));
  return { outputs, rows, dead: feed.dead, error: shownErrors };
}

/** The same at each interval; gives what it is. */
async function sameAtEachInterval(
  t: ExecutionContext,
  build: () => Topology,
  records: readonly ListRecord[],
  onError: 'continue' | 'fail' = 'continue',
): Promise<Outcome> {
  const [first, ...others] = await Promise.all(
    intervals.map((interval) => outcome(t, build(), records, interval, onError)),
  );
  for (const other of others) t.deepEqual(other, first);
  return first!;
}

const given = (record: ListRecord): unknown => record.value;

interface Sum {
  n: unknown;
  seen: unknown[];
}

const kept = { n: 0, seen: [] } as Sum;

/** What programs do with their values, well behaved and not. `stash` outlives the record. */
const operations: Readonly<Record<string, (serde: Serde<unknown>) => Topology>> = {
  'an aggregate that is changed in place'(valueSerde) {
    const builder = new StreamsBuilder();
    stream(builder)
      .groupByKey()
      .aggregate(
        () => ({ n: 0, seen: [] }) as unknown,
        (_key, value, sum) => {
          (sum as Sum).n = given(value);
          (sum as Sum).seen.push(given(value));
          return sum;
        },
        { name: 'rows', valueSerde },
      );
    return builder.build();
  },
  'an aggregate whose initializer always gives the same object'(valueSerde) {
    const zero = structuredClone(kept);
    const builder = new StreamsBuilder();
    stream(builder)
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(20, 1_000_000))
      .aggregate(
        () => zero as unknown,
        (_key, value, sum) => {
          (sum as Sum).seen.push(given(value));
          return sum;
        },
        { name: 'rows', valueSerde },
      );
    return builder.build();
  },
  'an aggregator that changes its aggregate and fails, or gives another'(valueSerde) {
    const builder = new StreamsBuilder();
    stream(builder)
      .groupByKey()
      .aggregate(
        () => ({ n: 0, seen: [] }) as unknown,
        (_key, value, sum) => {
          const { seen } = sum as Sum;
          seen.push(given(value));
          if (seen.length % 5 === 0) throw new Error('the author fails');
          return seen.length % 3 === 0 ? { n: given(value), seen: [] } : sum;
        },
        { name: 'rows', valueSerde },
      );
    return builder.build();
  },
  'a reduce'(valueSerde) {
    const builder = new StreamsBuilder();
    stream(builder)
      .mapValues(given)
      .groupByKey({ keySerde: Serdes.string, valueSerde })
      .reduce((last, value) => (typeof last === 'number' && typeof value === 'number' ? last + value : value), {
        name: 'rows',
      });
    return builder.build();
  },
  'a processor that goes on with what it has put and read'(valueSerde) {
    const builder = new StreamsBuilder();
    const stash: { n?: unknown }[] = [];
    builder.addStateStore({ kind: 'key-value', name: 'rows', keySerde: Serdes.string, valueSerde });
    stream(builder)
      .process<string, unknown>(
        () => {
          let rows: { get(key: string): unknown; put(key: string, value: unknown): void };
          let forward: (record: Rec<string, unknown>) => void;
          return {
            init(context) {
              rows = context.keyValueStore<string, unknown>('rows');
              forward = (record) => context.forward(record);
            },
            process(record) {
              const value = { n: given(record.value) } as { n?: unknown; more?: unknown };
              rows.put(record.key, value);
              rows.put(`${record.key}2`, value);
              for (const old of stash) old.n = 'changed after it was put';
              const read = rows.get(record.key) as { n?: unknown };
              stash.push(value, read);
              forward(
                record.withValue(JSON.stringify([rows.get(record.key), rows.get('k1'), rows.get('k22')]) as unknown),
              );
              read.n = 'changed after it was read';
            },
          };
        },
        { name: 'mine', stores: ['rows'] },
      )
      .to('out', { keySerde: Serdes.string, valueSerde: Serdes.string as Serde<unknown> });
    return builder.build();
  },
  'values of another key behind a repartition topic'(valueSerde) {
    const builder = new StreamsBuilder();
    const stash: { v: unknown }[] = [];
    stream(builder)
      .map((key, value) => {
        const sent = { v: given(value) };
        for (const old of stash) old.v = 'changed after it was sent';
        stash.push(sent);
        return [key === 'k1' ? 'k2' : key, sent as unknown];
      })
      .groupByKey({ keySerde: Serdes.string, valueSerde })
      .aggregate(
        () => [] as unknown,
        (_key, value, all) => [...(all as unknown[]).slice(-3), (value as { v: unknown }).v],
        { name: 'rows', valueSerde },
      );
    return builder.build();
  },
  'a table joined with itself and put into a store'(valueSerde) {
    const builder = new StreamsBuilder();
    const table = stream(builder)
      .mapValues((value) => ({ v: given(value) }) as unknown)
      .toTable({ name: 'left', keySerde: Serdes.string, valueSerde });
    stream(builder)
      .join(table, (value, row) => {
        const joined = { own: given(value), row };
        (row as { v: unknown }).v = 'changed by a joiner';
        return joined as unknown;
      })
      .groupByKey({ keySerde: Serdes.string, valueSerde })
      .reduce((_last, value) => value, { name: 'rows' });
    return builder.build();
  },
};

/** One stream of `in`, however often it is asked for. */
const streams = new WeakMap<StreamsBuilder, ReturnType<typeof newStream>>();
function newStream(builder: StreamsBuilder) {
  return builder.stream<string, ListRecord>('in', {
    keySerde: Serdes.string,
    valueSerde: Serdes.json<ListRecord>(),
    timestampExtractor: ({ value }) => value?.timestamp ?? -1,
  });
}
function stream(builder: StreamsBuilder): ReturnType<typeof newStream> {
  const known = streams.get(builder);
  if (known !== undefined) return known;
  const made = newStream(builder);
  streams.set(builder, made);
  return made;
}

class Custom {
  readonly n = 1;
}

const hostile: readonly (() => unknown)[] = [
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => undefined,
  () => new Set([1]),
  () => new Map([[1, 2]]),
  () => new Date(0),
  () => 1n,
  () => () => 1,
  () => Symbol('s'),
  () => new Custom(),
  () => [1, undefined],
  () => ({ a: { b: Number.NaN } }),
  () => '\ud800',
  () => ({ '\udc00': 1 }),
  () => ({ toJSON: () => 7 }),
];

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -9, max: 9 }).map((n) => (): unknown => n) },
  { weight: 2, arbitrary: fc.constantFrom('a', 'é😀', '', 0.5, -0, null, true).map((v) => (): unknown => v) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((v) => (): unknown => structuredClone(v)) },
  { weight: 1, arbitrary: fc.constantFrom(...hostile) },
);
const keys = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('k1', 'k2', 'é') },
  { weight: 1, arbitrary: fc.constantFrom('\ud800', '\ud801', 'x\udc00') },
);
const inputs = fc.array(fc.tuple(keys, value, fc.integer({ min: 0, max: 60 })), { minLength: 1, maxLength: 40 });

const serdes: readonly (readonly [name: string, serde: Serde<unknown>])[] = [
  ['JSON', Serdes.json()],
  ['text', Serdes.string as Serde<unknown>],
  ['int64', Serdes.int64 as Serde<unknown>],
  ['float64', Serdes.float64 as Serde<unknown>],
  [
    'a serde that loses what JSON loses',
    {
      name: 'lossy',
      serialize: (v) => Buffer.from(JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? String(x) : x)) ?? 'null'),
      deserialize: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
    },
  ],
];

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const numRuns = Number(process.env['COMMIT_RUNS'] ?? 3);

for (const [what, build] of Object.entries(operations))
  for (const [name, serde] of serdes) {
    const wants = what === 'a reduce' ? true : name === 'JSON' || name.startsWith('a serde');
    if (!wants) continue;
    test(`the moments of commits leave no trace: ${what}, ${name}`, async (t) => {
      t.log(`TEST_SEED=${seed}`);
      await fc.assert(
        fc.asyncProperty(inputs, async (list) => {
          const records = list.map(([key, make, timestamp]) => ({ key, value: make(), timestamp }));
          await sameAtEachInterval(t, () => build(serde), records);
        }),
        { seed, numRuns },
      );
    });
  }

const bad: readonly (readonly [name: string, serde: Serde<unknown>, good: unknown, bad: unknown])[] = [
  ['JSON', Serdes.json(), 1, Number.NaN],
  ['JSON', Serdes.json(), { a: 1 }, { a: new Set([1]) }],
  ['text', Serdes.string as Serde<unknown>, 'a', 'a\ud800'],
  ['int64', Serdes.int64 as Serde<unknown>, 1, 0.663],
  ['int64', Serdes.int64 as Serde<unknown>, 1, 2 ** 53],
  ['int32', Serdes.int32 as Serde<unknown>, 1, 2 ** 31],
  ['float64', Serdes.float64 as Serde<unknown>, 1.5, '1.5'],
  ['bytes', Serdes.bytes as Serde<unknown>, Buffer.from('a'), 'a'],
  ['bigint', Serdes.bigint as Serde<unknown>, 1n, 1],
];

for (const [name, serde, good, wrong] of bad)
  test(`a value that ${name} does not give back (${String(wrong)}) is refused with store, key and record at each commit interval`, async (t) => {
    const build = (): Topology => {
      const builder = new StreamsBuilder();
      stream(builder)
        .mapValues(given)
        .groupByKey({ keySerde: Serdes.string, valueSerde: serde })
        .reduce((_last, next) => next, { name: 'last' });
      return builder.build();
    };
    const records = [good, good, good, wrong, good].map((value, i) => ({ key: `k${i % 2}`, value, timestamp: i }));
    const failed = await sameAtEachInterval(t, build, records, 'fail');
    const [error, ...more] = failed.error as { code: string; message: string }[];
    t.deepEqual(more, []);
    t.like(error, { code: 'STREAMS_SERIALIZATION', nodeName: 'last', store: 'last', key: '"k1"', line: 3 });
    for (const part of [/record list:3/, /node last/, /store last/, /key "k1"/, new RegExp(serde.name)])
      t.regex(error!.message, part);
    const went = await sameAtEachInterval(t, build, records, 'continue');
    t.deepEqual(went.dead, [3]);
    t.is(went.rows.length, 2);
  });

/** Counts of the values of a table with a cache: what its change does downstream is done at a commit. */
function groups(valueSerde: Serde<unknown>): Topology {
  const builder = new StreamsBuilder();
  stream(builder)
    .mapValues((record) => String(given(record)))
    .toTable({ name: 'latest', keySerde: Serdes.string, valueSerde: Serdes.string })
    .groupBy((_key, value) => [value, value], { keySerde: Serdes.string, valueSerde: Serdes.string })
    .aggregate(
      () => 0 as unknown,
      (group, _value, count) => (group === 'bad' ? Number.NaN : (count as number) + 1),
      (_group, _value, count) => (count as number) - 1,
      { name: 'groups', valueSerde },
    )
    .toStream()
    .mapValues(String)
    .to('out', { keySerde: Serdes.string, valueSerde: Serdes.string });
  return builder.build();
}

for (const [name, serde] of [
  ['JSON', Serdes.json()],
  ['int64', Serdes.int64],
] as readonly (readonly [string, Serde<unknown>])[])
  for (const interval of intervals)
    test(`what a commit sets off that ${name} refuses is for the handler too: commits after ${interval}`, async (t) => {
      const records = ['x', 'bad', 'x', 'y'].map((value, i) => ({ key: `k${i}`, value, timestamp: i }));
      const failed = await outcome(t, groups(serde), records, interval, 'fail');
      const [error] = failed.error as StreamsError[];
      t.like(error, { code: 'STREAMS_SERIALIZATION', nodeName: 'groups', store: 'groups', key: '"bad"' });
      const went = await outcome(t, groups(serde), records, interval, 'continue');
      t.deepEqual(went.dead, []);
      const last = new Map(went.outputs.map((line) => line.split(' ') as [string, string]));
      const hex = (text: string): string => Buffer.from(text).toString('hex');
      t.deepEqual([...last].sort(), [
        [hex('x'), '2'],
        [hex('y'), '1'],
      ]);
      t.is(went.rows.filter((row) => row.startsWith('groups ')).length, 2);
    });

test('a global table whose keys are objects can be loaded again and keeps what was given', async (t) => {
  const builder = new StreamsBuilder();
  const keySerde = Serdes.json<{ id: number }>();
  builder.globalTable('names', { name: 'names', keySerde, valueSerde: Serdes.string });
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-global-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const embedded = await EmbeddedStreams.open(builder.build(), { stateDir, syncWrites: false });
  t.teardown(() => embedded.close());
  const rows = (ids: readonly number[]): [{ id: number }, { validFromMs: number; value: string }[]][] =>
    ids.map((id) => [{ id }, [{ validFromMs: 0, value: `name ${id}` }]]);
  await embedded.loadGlobalTable('names', rows([1, 2]));
  await embedded.loadGlobalTable('names', rows([2, 3]));
  const found: unknown[] = [];
  for (const part of embedded.parts('names'))
    for await (const page of part.rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
      for (const { key } of page) found.push(keySerde.deserialize(key).id);
  t.deepEqual(found.sort(), [2, 3]);
});
