import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { TimeWindows } from '../../../src/dsl/time-windows.ts';
import type { StoreSpec } from '../../../src/processor/node.ts';
import { keyValueRows, windowRows } from '../../../src/runtime/stores/byte-rows.ts';
import type { CacheMeter } from '../../../src/runtime/stores/cache-meter.ts';
import { CachedTable } from '../../../src/runtime/stores/cached-table.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import { jsonSerde, stringSerde } from '../../../src/serde/serdes.ts';
import type { Database } from '../../../state/database.ts';
import { openMemoryDatabase } from '../../../state/memory-database.ts';

interface Box {
  n: number;
}

interface World {
  readonly database: Database;
  readonly table: CachedTable<string, Box>;
  readonly meter: CacheMeter;
  /** `key startMs old -> new @time`, told since the last look. */
  readonly told: () => string[];
  /** Writes the changed rows, `limit` a step. */
  readonly commit: (limit?: number) => Promise<void>;
}

async function world(
  kind: 'key-value' | 'window',
  cached = true,
  database?: Database,
  oldValues = true,
  valueSerde: Serde<never> | Serde<Box> | Serde<string> = jsonSerde<Box>(),
): Promise<World> {
  const db = database ?? (await openMemoryDatabase());
  const windows = TimeWindows.ofSizeWithNoGrace(10);
  const spec = {
    name: 'boxes',
    kind,
    keySerde: stringSerde,
    valueSerde,
    cached,
    result: true,
    ...(kind === 'window' ? { windows } : {}),
  } as unknown as StoreSpec;
  const meter: CacheMeter = { dirtyBytes: 0, cachedBytes: 0, filterBytes: 0, filterMaxBytes: 1e6, flushedRows: 0 };
  const rows = (kind === 'window' ? windowRows : keyValueRows)(db, Uint8Array.of(1));
  const table = new CachedTable<string, Box>(spec, rows, meter, cached);
  await table.open();
  const told: string[] = [];
  table.onChange(
    (key, startMs, newValue, oldValue, timestamp) =>
      told.push(`${key} ${startMs} ${oldValue?.n ?? '-'} -> ${newValue?.n ?? '-'} @${timestamp}`),
    oldValues,
  );
  const commit = async (limit = 1000): Promise<void> => {
    const batch = db.batch();
    while (table.hasDirty) table.flush(batch, limit);
    await table.flushExpired(batch);
    table.seal(batch);
    await batch.write({ sync: false });
    table.written();
  };
  return { database: db, table, meter, told: () => told.splice(0), commit };
}

/** Adds 1 to a row in place. */
function add(table: CachedTable<string, Box>, key: string, startMs: number, timestamp: number): void {
  const row = table.forUpdate(key, startMs);
  const box = row.value ?? { n: 0 };
  box.n++;
  table.update(row, box, timestamp);
}

const listed = async (table: CachedTable<string, Box>): Promise<string[]> => {
  const all: string[] = [];
  for await (const page of table.rows())
    for (const { key, startMs, value, timestamp } of page) all.push(`${key} ${startMs} ${value?.n} @${timestamp}`);
  return all;
};

test('changes of a row are told once a flush, from the value told last', async (t) => {
  const { table, told, commit } = await world('key-value');
  add(table, 'a', 0, 1);
  add(table, 'a', 0, 2);
  t.deepEqual(told(), []);
  await commit();
  t.deepEqual(told(), ['a 0 - -> 2 @2']);
  add(table, 'a', 0, 3);
  await commit();
  t.deepEqual(told(), ['a 0 2 -> 3 @3']);
});

test('without a cache each change is told at once', async (t) => {
  const { table, told } = await world('key-value', false);
  add(table, 'a', 0, 1);
  add(table, 'a', 0, 2);
  t.deepEqual(told(), ['a 0 - -> 1 @1', 'a 0 1 -> 2 @2']);
});

test('a row that came and went between two flushes is not told, one that only went is', async (t) => {
  const { table, told, commit } = await world('key-value');
  add(table, 'a', 0, 1);
  table.update(table.forUpdate('a', 0), undefined, 2);
  add(table, 'b', 0, 3);
  await commit();
  t.deepEqual(told(), ['b 0 - -> 1 @3']);
  table.update(table.forUpdate('b', 0), undefined, 4);
  await commit();
  t.deepEqual(told(), ['b 0 1 -> - @4']);
  t.deepEqual(await listed(table), []);
});

test('rows that were forgotten are read back, and their old value is the one committed', async (t) => {
  const { table, meter, told, commit } = await world('key-value');
  add(table, 'a', 0, 1);
  await commit();
  table.age();
  table.age();
  t.is(meter.cachedBytes, 0);
  t.deepEqual(table.read('a', 0), { value: { n: 1 }, timestamp: 1 });
  add(table, 'a', 0, 5);
  await commit();
  t.deepEqual(told(), ['a 0 - -> 1 @1', 'a 0 1 -> 2 @5']);
});

test('a row used since the last ageing stays in memory', async (t) => {
  const { table, commit } = await world('key-value');
  add(table, 'a', 0, 1);
  await commit();
  const { misses } = table.stats;
  for (let i = 0; i < 3; i++) {
    table.age();
    table.read('a', 0);
  }
  t.is(table.stats.misses, misses);
});

test('rows are listed by window and key, changed ones with their value of now, deleted ones not at all', async (t) => {
  const { table, commit } = await world('window');
  for (const [key, startMs] of [
    ['b', 0],
    ['a', 10],
    ['d', 0],
    ['c', 10],
  ] as const)
    add(table, key, startMs, 1);
  await commit();
  add(table, 'a', 0, 2);
  add(table, 'b', 0, 3);
  add(table, 'b', 10, 4);
  table.update(table.forUpdate('d', 0), undefined, 5);
  add(table, 'z', 20, 6);
  t.deepEqual(await listed(table), ['a 0 1 @2', 'b 0 2 @3', 'a 10 1 @1', 'b 10 1 @4', 'c 10 1 @1', 'z 20 1 @6']);
  await commit();
  t.deepEqual(await listed(table), ['a 0 1 @2', 'b 0 2 @3', 'a 10 1 @1', 'b 10 1 @4', 'c 10 1 @1', 'z 20 1 @6']);
});

test('rows that are flushed are listed before their batch is written, each once', async (t) => {
  const { database, table, commit } = await world('key-value');
  for (const key of ['b', 'd']) add(table, key, 0, 1);
  await commit();
  for (const key of ['a', 'b', 'c', 'e']) add(table, key, 0, 2);
  table.update(table.forUpdate('d', 0), undefined, 2);
  const batch = database.batch();
  // Of a, b, c, e and the deletion of d two are flushed, then all; then some change again, in the same commit and after it.
  table.flush(batch, 2);
  const all = ['a 0 1 @2', 'b 0 2 @2', 'c 0 1 @2', 'e 0 1 @2'];
  t.deepEqual(await listed(table), all);
  while (table.hasDirty) table.flush(batch, 2);
  t.deepEqual(await listed(table), all);
  add(table, 'a', 0, 3);
  table.update(table.forUpdate('c', 0), undefined, 3);
  const later = ['a 0 2 @3', 'b 0 2 @2', 'e 0 1 @2'];
  t.deepEqual(await listed(table), later);
  while (table.hasDirty) table.flush(batch, 2);
  t.deepEqual(await listed(table), later);
  table.seal(batch);
  await batch.write({ sync: false });
  t.deepEqual(await listed(table), later);
  table.written();
  add(table, 'f', 0, 4);
  t.deepEqual(await listed(table), [...later, 'f 0 1 @4']);
});

test('another table over the same database finds the committed rows and nothing else', async (t) => {
  const { database, table, commit } = await world('window');
  add(table, 'a', 10, 1);
  await commit();
  add(table, 'a', 20, 2);
  const reopened = await world('window', true, database);
  t.deepEqual(await listed(reopened.table), ['a 10 1 @1']);
  t.deepEqual(reopened.table.startsIn(0, 100), [10]);
});

test('expired windows are deleted with the next commit; what changed in them before is told all the same', async (t) => {
  const { table, told, commit } = await world('window');
  add(table, 'a', 0, 1);
  add(table, 'a', 10, 11);
  await commit();
  told();
  add(table, 'a', 0, 2);
  add(table, 'b', 0, 3);
  table.expireBefore(10);
  t.deepEqual(await listed(table), ['a 10 1 @11']);
  await commit();
  t.deepEqual(told(), ['a 0 1 -> 2 @2', 'b 0 - -> 1 @3']);
  t.deepEqual(await listed(table), ['a 10 1 @11']);
  t.deepEqual(table.startsIn(0, 100), [10]);
  t.is(table.stats.expired, 1);
});

test('a flush in small steps tells of each row once, and leaves nothing dirty', async (t) => {
  const { table, meter, told, commit } = await world('key-value');
  const keys = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, '0')}`);
  for (const key of keys) add(table, key, 0, 1);
  t.true(meter.dirtyBytes > 0);
  await commit(4);
  t.deepEqual(
    told(),
    keys.map((key) => `${key} 0 - -> 1 @1`),
  );
  t.is(meter.dirtyBytes, 0);
  t.false(table.hasDirty);
});

test('a value told is never changed afterwards, nor is one that was given', async (t) => {
  const { table, commit } = await world('key-value');
  const given: Box = { n: 5 };
  table.update(table.forUpdate('a', 0), given, 1);
  add(table, 'a', 0, 2);
  t.deepEqual(given, { n: 5 });
  await commit();
  const before = table.read('a', 0)!.value;
  add(table, 'a', 0, 3);
  t.deepEqual(before, { n: 6 });
  t.deepEqual(table.read('a', 0), { value: { n: 7 }, timestamp: 3 });
});

test('a row that is set is written and told without its old value where nobody asks for it', async (t) => {
  const first = await world('key-value');
  first.table.set('a', 0, { n: 1 }, 1);
  first.table.set('b', 0, { n: 2 }, 1);
  await first.commit();
  const { table, told, commit } = await world('key-value', true, first.database, false);
  table.set('a', 0, { n: 3 }, 2);
  table.set('c', 0, { n: 4 }, 2);
  t.deepEqual(await listed(table), ['a 0 3 @2', 'b 0 2 @1', 'c 0 4 @2']);
  t.deepEqual(table.readTold('a', 0)?.value, { n: 1 });
  t.is(table.readTold('c', 0), undefined);
  await commit();
  t.deepEqual(
    told().map((line) => line.replace(/ \S+ ->/, ' ->')),
    ['a 0 -> 3 @2', 'c 0 -> 4 @2'],
  );
  t.deepEqual(await listed(table), ['a 0 3 @2', 'b 0 2 @1', 'c 0 4 @2']);
});

test('a row that is set and deleted before a flush is told as deleted exactly where it was there before', async (t) => {
  const first = await world('key-value');
  first.table.set('a', 0, { n: 1 }, 1);
  await first.commit();
  const { table, told, commit } = await world('key-value', true, first.database, false);
  for (const key of ['a', 'new']) {
    table.set(key, 0, { n: 5 }, 2);
    table.set(key, 0, undefined, 3);
  }
  await commit();
  t.deepEqual(told(), ['a 0 - -> - @3']);
  t.deepEqual(await listed(table), []);
});

/** JSON of so many bytes: `{"n":1,"x":"..."}`. */
const boxOf = (bytes: number): Box => ({ n: 1, x: 'x'.repeat(bytes - '{"n":1,"x":""}'.length) }) as Box;

/** Memory of a row beside what serdes write is some hundred bytes. */
const isAbout = (t: ExecutionContext, counted: number, rows: number, bytes: number): void => {
  t.true(counted >= bytes && counted <= bytes + rows * 700, `${counted} for ${bytes} bytes in ${rows} rows`);
};

for (const kind of ['key-value', 'window'] as const)
  test(`what a ${kind} table keeps counts as many bytes as serdes write of it`, async (t) => {
    const { table, meter, commit } = await world(kind);
    table.set('small', 0, boxOf(20), 1);
    isAbout(t, meter.dirtyBytes, 1, 25);
    const key = 'k'.repeat(3000);
    table.set(key, 0, boxOf(20_000), 1);
    isAbout(t, meter.dirtyBytes, 2, 23_025);
    isAbout(t, meter.cachedBytes, 2, 23_025);
    t.is(table.snapshotStats().dirtyBytes, meter.dirtyBytes);
    await commit();
    t.is(meter.dirtyBytes, 0);
    isAbout(t, meter.cachedBytes, 2, 23_025);
    // Until it is told, the value before is kept too.
    table.update(table.forUpdate(key, 0), boxOf(50_000), 2);
    isAbout(t, meter.cachedBytes, 2, 73_025);
    await commit();
    isAbout(t, meter.cachedBytes, 2, 53_025);
    table.age();
    t.is(table.read('small', 0)?.value.n, 1);
    table.age();
    isAbout(t, meter.cachedBytes, 1, 25);
    t.is(table.read(key, 0)?.timestamp, 2);
    isAbout(t, meter.cachedBytes, 2, 53_025);
    table.set(key, 0, undefined, 3);
    await commit();
    if (kind === 'window') {
      table.set('late', 0, boxOf(1000), 4);
      table.expireBefore(10);
      await commit();
      t.is(meter.dirtyBytes, 0);
    } else {
      table.age();
      table.age();
    }
    t.is(meter.cachedBytes, 0);
  });

test('texts and objects that are kept themselves count what serdes write of them', async (t) => {
  const texts = await world('key-value', true, undefined, true, stringSerde);
  (texts.table as unknown as CachedTable<string, string>).set('a', 0, 'x'.repeat(10_000), 1);
  isAbout(t, texts.meter.dirtyBytes, 1, 10_001);
  const kept: Serde<Box> = { ...jsonSerde<Box>(), clone: (box) => ({ ...box }) };
  const objects = await world('key-value', true, undefined, true, kept);
  objects.table.set('a', 0, boxOf(10_000), 1);
  await objects.commit();
  isAbout(t, objects.meter.cachedBytes, 1, 9_900);
  t.is(objects.meter.dirtyBytes, 0);
});

test('what is forgotten is free, also beside rows of its time that are used again', async (t) => {
  const weak: WeakRef<Box>[] = [];
  const kept: Serde<Box> = {
    ...jsonSerde<Box>(),
    clone: (box) => {
      const copy = { ...box };
      weak.push(new WeakRef(copy));
      return copy;
    },
  };
  const { table, commit } = await world('key-value', true, undefined, false, kept);
  table.set('b', 0, { n: 2 }, 1);
  table.set('a', 0, { n: 1 }, 1);
  await commit();
  table.age();
  table.forUpdate('a', 0);
  table.age();
  // What a turn of the event loop has looked at stays until its end.
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  t.is(weak[0]!.deref(), undefined);
  t.is(table.forUpdate('a', 0).value?.n, 1);
});
