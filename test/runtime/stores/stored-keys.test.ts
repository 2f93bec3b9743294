import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { TimeWindows } from '../../../src/dsl/time-windows.ts';
import type { StoreSpec } from '../../../src/processor/node.ts';
import { windowRows } from '../../../src/runtime/stores/byte-rows.ts';
import type { CacheMeter } from '../../../src/runtime/stores/cache-meter.ts';
import { CachedTable } from '../../../src/runtime/stores/cached-table.ts';
import { KeyFilter } from '../../../src/runtime/stores/key-filter.ts';
import { StoredKeys } from '../../../src/runtime/stores/stored-keys.ts';
import { int64Serde, stringSerde } from '../../../src/serde/serdes.ts';
import type { Database } from '../../../state/database.ts';
import { openMemoryDatabase } from '../../../state/memory-database.ts';

function meterOf(filterMaxBytes: number): CacheMeter {
  return { dirtyBytes: 0, cachedBytes: 0, filterBytes: 0, filterMaxBytes, flushedRows: 0 };
}

/** More keys than are kept as they are. */
function addMany(stored: StoredKeys, startMs: number): void {
  for (let i = 0; i < 65; i++) stored.add(startMs, `first ${i}`);
}

test('a window of few keys knows them, and takes no memory of a filter', (t) => {
  const meter = meterOf(600);
  const stored = new StoredKeys(meter);
  for (let i = 0; i < 64; i++) stored.add(0, `key ${i}`);
  t.true(stored.mayHave(0, 'key 0') && stored.mayHave(0, 'key 63'));
  t.false(stored.mayHave(0, 'key 64'));
  t.is(meter.filterBytes, 0);
  stored.add(0, 'key 64');
  t.true(stored.mayHave(0, 'key 0') && stored.mayHave(0, 'key 64'));
  t.is(meter.filterBytes, 512);
});

test('a filter has every key that was added, and few others', (t) => {
  const filter = new KeyFilter();
  const keys = Array.from({ length: 100_000 }, (_, i) => `C:${i}`);
  for (const key of keys) filter.add(key);
  t.true(keys.every((key) => filter.mayHave(key)));
  const others = keys.filter((_, i) => filter.mayHave(`C:${100_000 + i}`)).length;
  t.true(others < 2000, `${others} of 100,000 look as if they were there`);
  // Room for four times as many keys at most, and the smaller layers.
  t.true(filter.bytes < 100_000 * 2 * 6, `${filter.bytes} bytes`);
});

test('a filter takes keys of any bytes', (t) => {
  const keys = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 500 });
  fc.assert(
    fc.property(keys, (texts) => {
      const filter = new KeyFilter();
      for (const text of texts) filter.add(text);
      t.true(texts.every((text) => filter.mayHave(text)));
    }),
  );
});

test('of a window that had rows before nothing is known, of one begun since then what was written', (t) => {
  const stored = new StoredKeys(meterOf(1e6));
  stored.addWindow(0);
  stored.add(10, 'a');
  t.true(stored.mayHaveWindow(0));
  t.true(stored.mayHave(0, 'never'));
  t.true(stored.mayHave(10, 'a'));
  t.false(stored.mayHave(10, 'b'));
  t.false(stored.mayHaveWindow(20));
});

test('a filter that finds no more room goes: its window is one of which nothing is known', (t) => {
  const meter = meterOf(600);
  const stored = new StoredKeys(meter);
  addMany(stored, 0);
  t.is(meter.filterBytes, 512);
  t.false(stored.mayHave(0, 'absent'));
  addMany(stored, 10);
  t.true(stored.mayHave(10, 'absent'), 'no room for a second filter');
  for (let i = 0; i < 256; i++) stored.add(0, `key ${i}`);
  t.true(stored.mayHave(0, 'absent'), 'no room for a larger one');
  t.is(meter.filterBytes, 0);
});

test('windows that are gone, and old ones where many begin, give their memory back', (t) => {
  const meter = meterOf(1e6);
  const stored = new StoredKeys(meter);
  for (let start = 0; start < 100; start++) addMany(stored, start);
  t.is(meter.filterBytes, 4 * 512);
  t.false(stored.mayHave(99, 'absent'));
  t.true(stored.mayHave(95, 'absent'));
  for (let start = 0; start < 100; start++) stored.delete(start);
  t.is(meter.filterBytes, 0);
  t.false(stored.mayHaveWindow(99));
});

interface Table {
  readonly table: CachedTable<string, number>;
  commit(): Promise<void>;
}

async function openTable(database: Database, filterMaxBytes: number, oldValues: boolean): Promise<Table> {
  const windows = TimeWindows.ofSizeWithNoGrace(10);
  const spec = { name: 'sums', kind: 'window', keySerde: stringSerde, valueSerde: int64Serde, cached: true, windows };
  const rows = windowRows(database, Uint8Array.of(1));
  const table = new CachedTable<string, number>(spec as unknown as StoreSpec, rows, meterOf(filterMaxBytes), true);
  await table.open();
  table.onChange(() => {}, oldValues);
  return {
    table,
    async commit() {
      const batch = database.batch();
      while (table.hasDirty) table.flush(batch, 1000);
      await table.flushExpired(batch);
      table.seal(batch);
      await batch.write({ sync: false });
      table.written();
      table.age();
      table.age();
    },
  };
}

test('a key that a new window has not had is not looked for in the database', async (t) => {
  const database = await openMemoryDatabase();
  let reads = 0;
  const counting = new Proxy(database, {
    get(target, name) {
      if (name === 'get') reads++;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const { table, commit } = await openTable(counting, 1e6, true);
  for (let i = 0; i < 1000; i++) table.update(table.forUpdate(`key ${i}`, 0), 1, 1);
  await commit();
  reads = 0;
  for (let i = 1000; i < 2000; i++) t.is(table.read(`key ${i}`, 0), undefined);
  t.true(reads < 100, `${reads} reads of the database`);
  t.is(table.read('key 7', 0)?.value, 1);
});

/** One step on a table: in window `at`, of key `key`. */
type Step = readonly ['add' | 'set' | 'delete' | 'commit' | 'reopen' | 'expire', at: number, key: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('add', 'add', 'add', 'set', 'delete', 'commit', 'reopen', 'expire'),
  fc.nat(11),
  fc.nat(15),
);

async function rowsAfter(
  t: ExecutionContext,
  steps: readonly Step[],
  filterMaxBytes: number,
  oldValues: boolean,
): Promise<void> {
  const database = await openMemoryDatabase();
  let { table, commit } = await openTable(database, filterMaxBytes, oldValues);
  const model = new Map<string, number>();
  let least = 0;
  for (const [what, at, key] of steps) {
    const startMs = 10 * Math.max(at, least);
    const row = `${startMs} ${key}`;
    const before = model.get(row);
    if (what === 'commit') await commit();
    else if (what === 'reopen') {
      await commit();
      ({ table, commit } = await openTable(database, filterMaxBytes, oldValues));
      table.expireBefore(10 * least);
    } else if (what === 'expire') {
      least = Math.max(least, Math.min(at, least + 1));
      table.expireBefore(10 * least);
      for (const name of model.keys()) if (Number(name.split(' ')[0]) < 10 * least) model.delete(name);
    } else if (what === 'set') {
      table.set(String(key), startMs, 7, 1);
      model.set(row, 7);
    } else {
      const entry = table.forUpdate(String(key), startMs);
      t.is(entry.value, before);
      const value = what === 'add' ? (before ?? 0) + 1 : undefined;
      table.update(entry, value, 1);
      if (value === undefined) model.delete(row);
      else model.set(row, value);
    }
  }
  await commit();
  const rows: string[] = [];
  for await (const page of table.rows())
    for (const { startMs, key, value } of page) rows.push(`${startMs} ${key} ${value}`);
  t.deepEqual(rows.sort(), [...model].map(([row, value]) => `${row} ${value}`).sort());
}

test('whatever is known of stored keys, rows are what was made of them', async (t) => {
  const cases = fc.tuple(fc.array(step, { maxLength: 120 }), fc.constantFrom(0, 600, 1e6), fc.boolean());
  await fc.assert(
    fc.asyncProperty(cases, async ([steps, filterMaxBytes, oldValues]) => {
      await rowsAfter(t, steps, filterMaxBytes, oldValues);
    }),
    { numRuns: 150 },
  );
});
