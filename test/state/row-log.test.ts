import test, { type ExecutionContext } from 'ava';
import type { Database } from '../../state/database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { PagedWindowStore } from '../../state/paged-window-store.ts';

const prefix = Uint8Array.of(7);
const rows = 20_000;
const keyOf = (i: number): string => `C:${100_000 + i}`;
const entryKey = (number: number): Buffer =>
  Buffer.from(`07ffffffffffffffff018${number.toString(16).padStart(15, '0')}`, 'hex');
const headKey = Buffer.from('07ffffffffffffffff00', 'hex');

async function commit(database: Database, store: PagedWindowStore, change: () => void): Promise<number> {
  const batch = database.batch();
  change();
  store.seal(batch);
  const { length } = batch;
  await batch.write({ sync: false });
  store.written();
  return length;
}

/** A window of 20,000 rows of 11 bytes each with a value of 4: some hundred pages. */
async function largeWindow(): Promise<{ database: Database; store: PagedWindowStore }> {
  const database = await openMemoryDatabase();
  const store = new PagedWindowStore(database, prefix);
  await commit(database, store, () => {
    for (let i = 0; i < rows; i++) store.put(0, keyOf(i), new Uint8Array(4));
  });
  return { database, store };
}

/** 100 rows here and there. */
function changeSome(store: PagedWindowStore, value: number): void {
  for (let i = 0; i < 100; i++) store.put(0, keyOf((i * 197 + value) % rows), new Uint8Array(4).fill(value));
}

async function pagesIn(database: Database): Promise<number> {
  let count = 0;
  for await (const page of database.pages({ gte: prefix, lt: entryKey(0).subarray(0, 9) })) count += page.length;
  return count;
}

test('few changes of many pages are an entry, a head and a page for 16 of them', async (t) => {
  const { database, store } = await largeWindow();
  t.true((await pagesIn(database)) > 60);
  // The first has nothing to merge that a commit before it wrote.
  t.is(await commit(database, store, () => changeSome(store, 1)), 2);
  t.true((await commit(database, store, () => changeSome(store, 2))) <= 2 + Math.ceil(100 / 16) + 1);
  const entry = Buffer.from(database.get(entryKey(1))!);
  // Window 0 (its sign bit flipped), 100 rows, the first in the order of keys: 8 bytes C:100001, 4 + 1, 01 01 01 01.
  t.is(entry.subarray(0, 23).toString('hex'), '80000000000000006408433a3130303030310501010101');
});

test('entries go once all of their rows are in pages, however long it goes on', async (t) => {
  const { database, store } = await largeWindow();
  let most = 0;
  for (let value = 0; value < 300; value++) {
    await commit(database, store, () => changeSome(store, value % 256));
    let entries = 0;
    for await (const page of database.pages({ gte: entryKey(0) })) entries += page.length;
    most = Math.max(most, entries);
  }
  // A sweep of 70 pages, 7 a commit, takes ten commits; while it runs the entries of the next gather.
  t.true(most < 40, String(most));
});

test('a change of most rows ends the log of a window, and wins over it', async (t) => {
  const { database, store } = await largeWindow();
  await commit(database, store, () => changeSome(store, 1));
  await commit(database, store, () => {
    for (let i = 0; i < rows; i++) store.put(0, keyOf(i), Uint8Array.of(9));
  });
  t.is(database.get(entryKey(1)), undefined);
  for (const read of [store, new PagedWindowStore(database, prefix)])
    for (let i = 0; i < rows; i += 97) t.deepEqual(read.read(database, 0, keyOf(i)), Uint8Array.of(9));
});

test('rows that are large, and rows of a window of few pages, go into their pages at once', async (t) => {
  const { database, store } = await largeWindow();
  await commit(database, store, () => {
    for (let i = 0; i < 20; i++) store.put(0, keyOf(i * 900), new Uint8Array(2000));
    for (let i = 0; i < 20; i++) store.put(1, keyOf(i * 900), new Uint8Array(4));
  });
  t.is(database.get(headKey), undefined);
});

async function damaged(
  t: ExecutionContext,
  damage: (database: Database) => void | Promise<void>,
  message: RegExp,
): Promise<void> {
  const { database, store } = await largeWindow();
  await commit(database, store, () => changeSome(store, 1));
  await damage(database);
  const again = new PagedWindowStore(database, prefix);
  for (const read of [
    async () => again.get(0, keyOf(1)),
    // Who goes on after that is told again.
    async () => again.get(0, keyOf(1)),
    async () => again.read(database, 0, keyOf(1)),
    () => again.starts(database),
  ])
    await t.throwsAsync(read as () => Promise<unknown>, { code: 'STREAMS_STATE_STORE_CORRUPT', message });
}

async function put(database: Database, key: Uint8Array, value: Uint8Array | undefined): Promise<void> {
  const batch = database.batch();
  if (value === undefined) batch.del(key);
  else batch.put(key, value);
  await batch.write({ sync: false });
}

test('an entry that is missing is told as damage', (t) =>
  damaged(t, (database) => put(database, entryKey(1), undefined), /missing of a log of rows/));

test('an entry that is cut is told as damage, wherever it is cut within a row', (t) =>
  damaged(
    t,
    (database) => put(database, entryKey(1), database.get(entryKey(1))!.subarray(0, 700)),
    /ends within a row/,
  ));

test('a head that is cut is told as damage', (t) =>
  damaged(t, (database) => put(database, headKey, database.get(headKey)!.subarray(0, 20)), /no head of a log/));

test('a log that is wiped and begun again is not taken for the one before', async (t) => {
  const { database, store } = await largeWindow();
  await commit(database, store, () => changeSome(store, 1));
  t.deepEqual(store.read(database, 0, keyOf(1)), new Uint8Array(4).fill(1));
  const batch = database.batch();
  for await (const page of database.pages({})) for (const [key] of page) batch.del(key);
  await batch.write({ sync: false });
  const again = new PagedWindowStore(database, prefix);
  await commit(database, again, () => {
    for (let i = 0; i < rows; i++) again.put(0, keyOf(i), new Uint8Array(4));
  });
  await commit(database, again, () => changeSome(again, 3));
  t.deepEqual(again.read(database, 0, keyOf(1)), new Uint8Array(4));
  t.deepEqual(again.read(database, 0, keyOf(3)), new Uint8Array(4).fill(3));
});
