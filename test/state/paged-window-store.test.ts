import test from 'ava';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { PagedWindowStore } from '../../state/paged-window-store.ts';
import { Random } from '../parity/random-input.ts';

test('a row is what was applied last, however reads, changes, commits and expiry follow each other', async (t) => {
  const seed = process.env.SEED ?? String(Date.now());
  t.log(`SEED=${seed}`);
  const random = new Random(seed);
  const database = await openMemoryDatabase();
  const store = new PagedWindowStore(database, Uint8Array.of(7));
  // A row's name is its window and its key.
  const applied = new Map<string, number>();
  const pending = new Map<string, number | undefined>();
  let firstStart = 0;
  const read = (reader: (startMs: number, key: string) => Uint8Array | undefined, rows: Map<string, number>): void => {
    for (let i = 0; i < 20; i++) {
      const [startMs, key] = [firstStart + random.below(3), `key ${random.below(300)}`];
      t.is(reader(startMs, key)?.[0], rows.get(`${startMs} ${key}`));
    }
  };
  const apply = (): void => {
    store.apply();
    for (const [row, value] of pending)
      if (value === undefined) applied.delete(row);
      else applied.set(row, value);
    pending.clear();
  };
  for (let commit = 0; commit < 60; commit++) {
    const deletes = commit % 7 === 6;
    const batch = database.batch();
    for (let slice = 0; slice < 3; slice++) {
      read((startMs, key) => store.get(startMs, key), applied);
      for (let i = random.below(200); i >= 0; i--) {
        const [startMs, key, value] = [firstStart + random.below(3), `key ${random.below(300)}`, random.below(256)];
        const gone = deletes || random.chance(20);
        // Rows of 60 bytes: a window has some pages.
        if (gone) store.del(startMs, key);
        else store.put(startMs, key, new Uint8Array(60).fill(value));
        pending.set(`${startMs} ${key}`, gone ? undefined : value);
      }
      apply();
      read((startMs, key) => store.get(startMs, key), applied);
    }
    if (commit % 10 === 9) {
      firstStart++;
      await store.expireBefore(batch, firstStart);
      for (const row of applied.keys()) if (Number(row.split(' ')[0]) < firstStart) applied.delete(row);
    }
    store.seal(batch);
    await batch.write({ sync: false });
    store.written();
    read((startMs, key) => store.read(database, startMs, key), applied);
    read((startMs, key) => store.get(startMs, key), applied);
  }
  const rows = new Map<string, number>();
  for await (const page of store.rows(database))
    for (const { startMs, key, value } of page) rows.set(`${startMs} ${Buffer.from(key)}`, value[0]!);
  t.deepEqual(rows, new Map([...rows.keys()].map((row) => [row, applied.get(row)!])));
  t.is(rows.size, applied.size);
});

test('a page that was read is not read again to be changed', async (t) => {
  const database = await openMemoryDatabase();
  const store = new PagedWindowStore(database, Uint8Array.of(7));
  let batch = database.batch();
  for (let i = 0; i < 1000; i++) store.put(0, String(i).padStart(4, '0'), new Uint8Array(30));
  store.seal(batch);
  await batch.write({ sync: false });
  store.written();
  let reads = 0;
  const counted = new Proxy(database, {
    get(target, name) {
      if (name === 'get') reads++;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const again = new PagedWindowStore(counted, Uint8Array.of(7));
  for (let i = 0; i < 1000; i++) again.get(0, String(i).padStart(4, '0'));
  const pages = reads;
  for (let i = 0; i < 1000; i++) again.put(0, String(i).padStart(4, '0'), Uint8Array.of(1));
  batch = database.batch();
  again.seal(batch);
  t.true(pages > 5);
  t.is(reads, pages);
});
