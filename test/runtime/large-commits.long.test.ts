import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  type DatabaseFactory,
  EmbeddedStreams,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  Windowed,
  WindowedSerde,
} from '../../src/index.ts';
import { StateFolder } from '../../src/runtime/state-folder.ts';
import { dyingAt } from './dying-database.ts';
import { ListFeed } from './list-feed.ts';

const dayMs = 86_400_000;
const keys = 20_000;
const days = 3;
const day = TimeWindows.ofSizeWithNoGrace(dayMs);
const week = TimeWindows.ofSizeWithNoGrace(7 * dayMs);
const count = (): number => 0;
const add = (_key: unknown, more: number, sum: number): number => sum + more;
const subtract = (_key: unknown, less: number, sum: number): number => sum - less;

/** Each key once a day, in an order of no meaning: 7919 is prime. */
const records = Array.from({ length: keys * days }, (_, i) => ({
  key: `m${(i * 7919) % keys}`,
  value: 1,
  timestamp: Math.floor(i / keys) * dayMs,
}));

/** Counts by day, by week, and by groups that are few, some thousand, and as many as keys. */
function topology() {
  const builder = new StreamsBuilder();
  const perDay = builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .groupByKey()
    .windowedBy(day)
    .aggregate(count, (_key, _value, sum) => sum + 1, { name: 'day', valueSerde: Serdes.int64 });
  perDay.rollUp(week, count, add, subtract, { name: 'week' });
  for (const groups of [7, 5000, keys])
    perDay
      .groupBy(
        ({ key, startMs, endMs }, value) => [new Windowed(`g${Number(key.slice(1)) % groups}`, startMs, endMs), value],
        { keySerde: new WindowedSerde(Serdes.string, day), valueSerde: Serdes.int64 },
      )
      .aggregate(count, add, subtract, { name: `day-${groups}`, valueSerde: Serdes.int64 })
      .rollUp(week, count, add, subtract, { name: `week-${groups}` });
  return builder.build();
}

for (const [title, commitIntervalRecords, cacheBytes] of [
  ['one commit', 1_000_000, 1e9],
  ['commits of 25,000 records', 25_000, 1e9],
  ['commits of what a small cache holds', 1_000_000, 4e6],
] as const)
  test(`of 20,000 keys all tables have all events with ${title}`, async (t) => {
    const stateDir = await mkdtemp(join(tmpdir(), 'weir-large-'));
    t.teardown(() => rm(stateDir, { recursive: true, force: true }));
    const options = { stateDir, commitIntervalRecords, statestoreCacheMaxBytes: cacheBytes, syncWrites: false };
    const streams = await EmbeddedStreams.open(topology(), { ...options, commitIntervalMs: 1e9 });
    t.teardown(() => streams.close());
    await streams.run([new ListFeed('in', records, 5000)]);
    const found = async (store: string): Promise<readonly [rows: number, least: number, most: number]> => {
      let [rows, least, most] = [0, Number.POSITIVE_INFINITY, 0];
      for (const part of streams.parts(store))
        for await (const page of part.rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
          for (const { value } of page) {
            const sum = Number(Buffer.from(value.subarray(8)).readBigInt64BE());
            rows++;
            least = Math.min(least, sum);
            most = Math.max(most, sum);
          }
      return [rows, least, most];
    };
    t.deepEqual(await found('day'), [keys * days, 1, 1]);
    t.deepEqual(await found('week'), [keys, days, days]);
    for (const groups of [5000, keys]) {
      t.deepEqual(await found(`day-${groups}`), [groups * days, keys / groups, keys / groups]);
      t.deepEqual(await found(`week-${groups}`), [groups, (days * keys) / groups, (days * keys) / groups]);
    }
    // 20,000 = 7 * 2857 + 1
    t.deepEqual(await found('day-7'), [7 * days, 2857, 2858]);
    t.deepEqual(await found('week-7'), [7, days * 2857, days * 2858]);
  });

test('a large commit that dies anywhere leaves the one before, and is done again from there', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-dying-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  // A cache of which a sixteenth is written ahead as soon as it is made.
  const options = { stateDir, commitIntervalRecords: keys, statestoreCacheMaxBytes: 24e6, commitIntervalMs: 1e9 };
  const open = (database?: DatabaseFactory): Promise<EmbeddedStreams> =>
    EmbeddedStreams.open(topology(), { ...options, syncWrites: false, ...(database && { openDatabase: database }) });
  const dayOf = (day: number): ListFeed => new ListFeed('in', records.slice(day * keys, (day + 1) * keys), 5000);
  const sums = async (streams: EmbeddedStreams): Promise<readonly (readonly [rows: number, sum: number])[]> => {
    const all: [number, number][] = [];
    for (const store of ['day', 'week', 'day-7', 'day-5000', `week-${keys}`]) {
      let [rows, sum] = [0, 0];
      for (const part of streams.parts(store))
        for await (const page of part.rows(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))
          for (const { value } of page) {
            rows++;
            sum += Number(Buffer.from(value.subarray(8)).readBigInt64BE());
          }
      all.push([rows, sum]);
    }
    return all;
  };
  const after = (done: number): [number, number][] => [
    [done * keys, done * keys],
    [done === 0 ? 0 : keys, done * keys],
    [done * 7, done * keys],
    [done * 5000, done * keys],
    [done === 0 ? 0 : keys, done * keys],
  ];
  let died = 0;
  for (let day = 0; day < 2; day++) {
    // The commit dies at its first write, its second, and so on, until it has as many as it takes.
    for (let failing = 0; ; failing++) {
      const streams = await open(dyingAt(failing));
      const failed = await streams.run([dayOf(day)]).then(
        () => false,
        () => true,
      );
      await streams.close().catch(() => {});
      if (!failed) break;
      died++;
      const reopened = await open();
      t.deepEqual(await sums(reopened), after(day));
      await reopened.close();
    }
    const reopened = await open();
    t.deepEqual(await sums(reopened), after(day + 1));
    await reopened.close();
  }
  // More writes than commits: parts are written ahead.
  t.true(died > 4, `${died} times`);
});

test('a state of an earlier format is of this one before anything is written that an earlier version would misread', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-format-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const options = { stateDir, statestoreCacheMaxBytes: 24e6, commitIntervalMs: 1e9, syncWrites: false };
  const first = await EmbeddedStreams.open(topology(), options);
  await first.run([new ListFeed('in', records.slice(0, keys), 5000)]);
  await first.close();
  const format = async (change?: number): Promise<number> => {
    const folder = await StateFolder.open(stateDir, { create: false });
    const saved = folder.saved!;
    if (change !== undefined) {
      const batch = folder.database.batch();
      folder.save(batch, { ...saved, format: change });
      await batch.write({ sync: false });
    }
    await folder.close();
    return saved.format;
  };
  await format(1);
  // It dies at its first write; then at its second, which is one of pages that are written ahead.
  for (const failing of [0, 1]) {
    const streams = await EmbeddedStreams.open(topology(), { ...options, openDatabase: dyingAt(failing) });
    await t.throwsAsync(streams.run([new ListFeed('in', records.slice(keys, 2 * keys), 5000)]));
    await streams.close().catch(() => {});
    t.is(await format(), failing === 0 ? 1 : 2);
  }
});

test('what a first commit that died has left is no row of another program that begins in its folder', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-first-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const options = { stateDir, statestoreCacheMaxBytes: 24e6, commitIntervalMs: 1e9, syncWrites: false };
  // Its first write is one of pages of windows that are written ahead.
  const died = await EmbeddedStreams.open(topology(), { ...options, openDatabase: dyingAt(1) });
  await t.throwsAsync(died.run([new ListFeed('in', records.slice(0, keys), 5000)]));
  await died.close().catch(() => {});
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .groupByKey()
    .aggregate(count, (_key, _value, sum) => sum + 1, { name: 'all-time', valueSerde: Serdes.int64 });
  const streams = await EmbeddedStreams.open(builder.build(), options);
  t.teardown(() => streams.close());
  await streams.run([new ListFeed('in', [...records.slice(0, 3), ...records.slice(0, 1)])]);
  const store = streams.store('all-time');
  const found: (readonly [key: unknown, value: unknown])[] = [];
  if (store.kind === 'key-value') for await (const { key, value } of store.all()) found.push([key, value]);
  // 7919 is prime to 20,000: the keys are 0, 7919 and 15838.
  t.deepEqual(found, [
    ['m0', 2],
    ['m15838', 1],
    ['m7919', 1],
  ]);
});
