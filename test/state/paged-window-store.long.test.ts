import test from 'ava';
import type { Reader, Snapshot } from '../../state/database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { PagedWindowStore } from '../../state/paged-window-store.ts';
import { Random } from '../parity/random-input.ts';

/** Windows of a page, of some pages, and of so many that a commit goes through the log. */
for (const keys of [20, 300, 3000])
  test(`a row of ${keys} is what was applied last, however reads, changes, commits, expiry and restarts follow each other`, async (t) => {
    const seed = process.env.SEED ?? String(Date.now());
    t.log(`SEED=${seed}`);
    const random = new Random(`${seed} ${keys}`);
    const database = await openMemoryDatabase();
    let store = new PagedWindowStore(database, Uint8Array.of(7));
    // A row's name is its window and its key.
    const applied = new Map<string, number>();
    const pending = new Map<string, number | undefined>();
    const snapshots: { readonly rows: Map<string, number>; readonly reader: Snapshot }[] = [];
    let firstStart = 0;
    const read = (
      reader: (startMs: number, key: string) => Uint8Array | undefined,
      rows: ReadonlyMap<string, number>,
    ): void => {
      for (let i = 0; i < 20; i++) {
        const [startMs, key] = [firstStart + random.below(3), `key ${random.below(keys)}`];
        t.is(reader(startMs, key)?.[0], rows.get(`${startMs} ${key}`));
      }
    };
    const expectRows = async (reader: Reader, expected: ReadonlyMap<string, number>): Promise<void> => {
      const rows = new Map<string, number>();
      let last = '';
      for await (const page of store.rows(reader))
        for (const { startMs, key, value } of page) {
          const name = `${startMs} ${Buffer.from(key)}`;
          t.true(`${String(startMs).padStart(3, '0')} ${Buffer.from(key)}` > last);
          last = `${String(startMs).padStart(3, '0')} ${Buffer.from(key)}`;
          rows.set(name, value[0]!);
        }
      t.deepEqual(rows, new Map([...rows.keys()].map((row) => [row, expected.get(row)!])));
      t.is(rows.size, expected.size);
      const starts = new Set([...expected.keys()].map((row) => Number(row.split(' ')[0])));
      t.deepEqual(
        (await store.starts(reader)).filter((start) => starts.has(start)),
        [...starts].sort((a, b) => a - b),
      );
    };
    const apply = (): void => {
      store.apply();
      for (const [row, value] of pending)
        if (value === undefined) applied.delete(row);
        else applied.set(row, value);
      pending.clear();
    };
    for (let commit = 0; commit < 80; commit++) {
      const deletes = commit % 7 === 6;
      // Some commits change much, some a few rows.
      const most = random.chance(20) ? 3 * keys : random.chance(50) ? 200 : 10;
      const batch = database.batch();
      for (let slice = 0; slice < 3; slice++) {
        read((startMs, key) => store.get(startMs, key), applied);
        for (let i = random.below(most); i >= 0; i--) {
          const [startMs, key, value] = [firstStart + random.below(3), `key ${random.below(keys)}`, random.below(256)];
          const gone = deletes ? random.chance(60) : random.chance(20);
          // Rows of 60 bytes, with an empty one or a long one in between.
          const length = random.chance(2) ? 9000 : 60;
          if (gone) store.del(startMs, key);
          else store.put(startMs, key, new Uint8Array(length).fill(value));
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
      if (random.chance(10)) store = new PagedWindowStore(database, Uint8Array.of(7));
      read((startMs, key) => store.read(database, startMs, key), applied);
      read((startMs, key) => store.get(startMs, key), applied);
      if (random.chance(10)) await expectRows(database, applied);
      if (random.chance(5)) snapshots.push({ reader: database.snapshot(), rows: new Map(applied) });
    }
    await expectRows(database, applied);
    for (const { reader, rows } of snapshots) {
      await expectRows(reader, rows);
      for (const [row, value] of rows) {
        const [startMs, ...key] = row.split(' ');
        if (random.chance(5)) t.is(store.read(reader, Number(startMs), key.join(' '))?.[0], value);
      }
      await reader.close();
    }
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
