import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Database } from '../../state/database.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { PagedWindowStore, type WindowRow } from '../../state/paged-window-store.ts';
import { Random } from '../parity/random-input.ts';

type Rows = Map<string, number>;

/** Rows as lines of `start key`, with the first byte of their value, in the order in which they were given. As one text: AVA takes long to compare thousands of things. */
async function rowsIn(pages: AsyncIterable<readonly WindowRow[]>): Promise<string> {
  const rows: string[] = [];
  for await (const page of pages)
    for (const { startMs, key, value } of page)
      rows.push(`${startMs} ${Buffer.from(key).toString('latin1')}: ${value[0]!}`);
  return rows.join('\n');
}

const inOrder = (rows: Rows): readonly string[] =>
  [...rows.keys()]
    .map((row) => [Number.parseInt(row, 10), row] as const)
    .sort(([a, one], [b, other]) => a - b || (one < other ? -1 : 1))
    .map(([, row]) => `${row}: ${rows.get(row)!}`);

/** Windows of some pages, and of so many that commits go through the log too. */
for (const [how, open, many] of [
  ['memory', () => openMemoryDatabase(), 400],
  ['memory, many rows', () => openMemoryDatabase(), 4000],
  ['LevelDB', openLevelIn, 2000],
] as const) {
  test(`what is written ahead is seen by nobody else until its batch is written, or never, in ${how}`, async (t) => {
    const seed = process.env.SEED ?? String(Date.now());
    t.log(`SEED=${seed}`);
    const random = new Random(seed);
    const database = await open(t);
    let store = new PagedWindowStore(database, Uint8Array.of(7));
    let [committed, applied]: [Rows, Rows] = [new Map(), new Map()];
    let firstStart = 0;
    let lines: readonly string[] = [];
    const check = async (): Promise<void> => {
      const before = database.snapshot();
      t.is(await rowsIn(store.rows(database)), lines.join('\n'));
      t.is(await rowsIn(store.rows(before, firstStart + 1)), fromStart(lines, firstStart + 1).join('\n'));
      await before.close();
      for (let i = 0; i < 20; i++) {
        const [startMs, key] = [firstStart + random.below(3), `key ${random.below(many)}`];
        t.is(store.read(database, startMs, key)?.[0], committed.get(`${startMs} ${key}`));
        t.is(store.get(startMs, key)?.[0], applied.get(`${startMs} ${key}`));
      }
    };
    const change = (share: number, keys: number): void => {
      for (let i = random.below(random.chance(50) ? 30 : many); i >= 0; i--) {
        const [startMs, key, value] = [firstStart + random.below(3), `key ${random.below(keys)}`, random.below(256)];
        if (random.chance(share)) {
          store.del(startMs, key);
          applied.delete(`${startMs} ${key}`);
        } else {
          store.put(startMs, key, new Uint8Array(60).fill(value));
          applied.set(`${startMs} ${key}`, value);
        }
      }
      store.apply();
    };
    for (let commit = 0; commit < (many > 400 ? 20 : 50); commit++) {
      // Now and then windows are emptied, wholly or so far that a page is left.
      const share = random.chance(15) ? 95 : 20;
      for (let part = random.below(5); part >= 0; part--) {
        change(share, random.chance(20) ? 20 : many);
        if (random.chance(60)) {
          const ahead = database.batch();
          const written = store.writeAhead(ahead);
          t.is(store.unwrittenBytes, 0);
          const writing = ahead.write({ sync: false });
          await check();
          await writing;
          // What is written may be changed again before that is told.
          if (random.chance(30)) change(share, many);
          written();
        }
        await check();
      }
      if (random.chance(15)) {
        // Killed: what was written ahead stays where it is.
        store = new PagedWindowStore(database, Uint8Array.of(7));
        applied = new Map(committed);
        await check();
        continue;
      }
      const batch = database.batch();
      if (random.chance(10)) {
        firstStart++;
        await store.expireBefore(batch, firstStart);
        applied = from(applied, firstStart);
      }
      store.seal(batch);
      await check();
      await batch.write({ sync: false });
      store.written();
      committed = new Map(applied);
      lines = inOrder(committed);
      await check();
    }
  });
}

const fromStart = (lines: readonly string[], startMs: number): readonly string[] =>
  lines.filter((line) => Number.parseInt(line, 10) >= startMs);

const from = (rows: Rows, startMs: number): Rows =>
  new Map([...rows].filter(([row]) => Number.parseInt(row, 10) >= startMs));

async function openLevelIn(t: ExecutionContext): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-pages-'));
  const database = await openLevelDatabase(folder);
  t.teardown(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  return database;
}

test('a page stands in one of its two places, whatever was written ahead', async (t) => {
  const seed = process.env.SEED ?? String(Date.now());
  t.log(`SEED=${seed}`);
  const random = new Random(seed);
  const database = await openMemoryDatabase();
  const store = new PagedWindowStore(database, Uint8Array.of(7));
  for (let commit = 0; commit < 100; commit++) {
    const gone = random.chance(30);
    for (let part = 0; part < 4; part++) {
      for (let i = 0; i < 200; i++) {
        const key = `key ${random.below(600)}`;
        if (gone) store.del(0, key);
        else store.put(0, key, new Uint8Array(60));
      }
      if (random.chance(50)) continue;
      const ahead = database.batch();
      const written = store.writeAhead(ahead);
      await ahead.write({ sync: false });
      written();
    }
    if (commit % 10 === 9) for (let i = 0; i < 600; i++) store.del(0, `key ${i}`);
    const batch = database.batch();
    store.seal(batch);
    await batch.write({ sync: false });
    store.written();
    const keys: string[] = [];
    for await (const page of database.pages({}))
      for (const [key] of page)
        if (key[1] !== 0xff && key[9] !== 0) keys.push(Buffer.from(key.subarray(10)).toString('latin1'));
    t.deepEqual(keys, [...new Set(keys)]);
    if (commit % 10 === 9) t.deepEqual(await store.starts(database), []);
  }
});
