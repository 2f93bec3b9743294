import test from 'ava';
import { utf8 } from '../../../src/common/bytes.ts';
import { localPart } from '../../../src/runtime/parts/local-part.ts';
import { fixedReader, sharedSnapshots } from '../../../src/runtime/parts/snapshots.ts';
import { wholeTime } from '../../../src/runtime/parts/store-part.ts';
import { mergedRows } from '../../../src/runtime/stores/merged-rows.ts';
import { openMemoryDatabase } from '../../../state/memory-database.ts';
import { row, rowsIn, shown, textStore, writeRows } from './byte-parts.ts';

const prefix = Uint8Array.of(1, 7);
const { fromMs, toMs } = wholeTime;

test('a partition of a window store gives rows by key, by range and by key over time', async (t) => {
  const database = await openMemoryDatabase();
  const rows = [row(0, 'b', 'b0'), row(0, 'a', 'a0'), row(10, 'a', 'a1'), row(-10, 'c', 'c9'), row(20, 'a', 'a2')];
  await writeRows(database, 'window', prefix, rows);
  await writeRows(database, 'window', Uint8Array.of(1, 8), [row(0, 'a', 'of another partition')]);
  const part = localPart(textStore('window'), database, prefix, 3);
  t.is(part.partition, 3);
  t.deepEqual(shown(await rowsIn(part.rows(fromMs, toMs))), ['-10 c c9', '0 a a0', '0 b b0', '10 a a1', '20 a a2']);
  t.deepEqual(shown(await rowsIn(part.rows(0, 10))), ['0 a a0', '0 b b0']);
  t.deepEqual(shown(await rowsIn(part.rowsOfKey(utf8('a'), 0, 20))), ['0 a a0', '10 a a1']);
  t.deepEqual(shown(await rowsIn(part.rowsOfKey(utf8('z'), fromMs, toMs))), []);
  t.deepEqual(await part.get(10, utf8('a')), row(10, 'a', 'a1').value);
  t.is(await part.get(10, utf8('b')), undefined);
});

test('a partition of a key-value store has all its rows at start 0', async (t) => {
  const database = await openMemoryDatabase();
  await writeRows(database, 'key-value', prefix, [row(0, 'b', '2', 5), row(0, '', '0', 5), row(0, 'a', '1', 5)]);
  const part = localPart(textStore('key-value'), database, prefix, 0);
  t.deepEqual(shown(await rowsIn(part.rows(fromMs, toMs))), ['0  0', '0 a 1', '0 b 2']);
  t.deepEqual(shown(await rowsIn(part.rowsOfKey(utf8('a'), fromMs, toMs))), ['0 a 1']);
  t.deepEqual(await part.get(0, utf8('')), row(0, '', '0', 5).value);
  t.is(await part.get(1, utf8('a')), undefined);
  t.deepEqual(await rowsIn(part.rows(1, toMs)), []);
});

test('a key with many windows comes in pages, in order', async (t) => {
  const database = await openMemoryDatabase();
  const rows = Array.from({ length: 1234 }, (_, i) => row(10 * i, 'a', `v${i}`));
  await writeRows(database, 'window', prefix, rows);
  const part = localPart(textStore('window'), database, prefix, 0);
  const found = await rowsIn(part.rowsOfKey(utf8('a'), 50, 12_000));
  t.deepEqual(shown(found), shown(rows.slice(5, 1200)));
});

test('a range sees the state of its beginning, whatever is written meanwhile', async (t) => {
  const database = await openMemoryDatabase();
  const rows = Array.from({ length: 3000 }, (_, i) => row(0, `k${i}`, 'before'));
  await writeRows(database, 'key-value', prefix, rows);
  const part = localPart(textStore('key-value'), database, prefix, 0);
  const pages = part.rows(fromMs, toMs)[Symbol.asyncIterator]();
  const first = await pages.next();
  await writeRows(database, 'key-value', prefix, [row(0, 'k2999', 'after'), row(0, 'new', 'after')]);
  const rest = await rowsIn({ [Symbol.asyncIterator]: () => pages });
  const seen = [...(first.value as typeof rest), ...rest];
  t.is(seen.length, 3000);
  t.deepEqual(new Set(shown(seen).map((text) => text.split(' ')[2])), new Set(['before']));
  t.is(shown(await rowsIn(part.rowsOfKey(utf8('k2999'), fromMs, toMs)))[0], '0 k2999 after');
});

test('parts that share snapshots and are read together see one commit of all partitions', async (t) => {
  const database = await openMemoryDatabase();
  const opened: string[] = [];
  const watched = {
    ...database,
    snapshot() {
      const snapshot = database.snapshot();
      opened.push('open');
      return {
        get: snapshot.get.bind(snapshot),
        getMany: snapshot.getMany.bind(snapshot),
        pages: snapshot.pages.bind(snapshot),
        close() {
          opened.push('close');
          return snapshot.close();
        },
      };
    },
  } as unknown as typeof database;
  const prefixes = [0, 1, 2].map((partition) => Uint8Array.of(1, partition));
  for (const each of prefixes) await writeRows(database, 'key-value', each, [row(0, `k${each[1]}`, 'v')]);
  const shared = sharedSnapshots(watched);
  const parts = prefixes.map((each, partition) => localPart(textStore('key-value'), watched, each, partition, shared));
  const all = (): Promise<unknown> => rowsIn(mergedRows(parts.map((part) => part.rows(fromMs, toMs))));
  t.is(((await all()) as unknown[]).length, 3);
  t.deepEqual(opened, ['open', 'close']);
  await all();
  t.deepEqual(opened, ['open', 'close', 'open', 'close']);
});

test('parts over a given reader read it, and leave it open', async (t) => {
  const database = await openMemoryDatabase();
  await writeRows(database, 'key-value', prefix, [row(0, 'a', 'before')]);
  const snapshot = database.snapshot();
  t.teardown(() => snapshot.close());
  const part = localPart(textStore('key-value'), database, prefix, 0, fixedReader(snapshot));
  await writeRows(database, 'key-value', prefix, [row(0, 'a', 'after')]);
  for (let i = 0; i < 2; i++) t.deepEqual(shown(await rowsIn(part.rows(fromMs, toMs))), ['0 a before']);
});

test('a range over a database that is closed meanwhile is an error, not a short answer', async (t) => {
  const database = await openMemoryDatabase();
  await writeRows(
    database,
    'key-value',
    prefix,
    Array.from({ length: 5000 }, (_, i) => row(0, `k${i}`, 'v')),
  );
  const part = localPart(textStore('key-value'), database, prefix, 0);
  const pages = part.rows(fromMs, toMs)[Symbol.asyncIterator]();
  await pages.next();
  await database.close();
  await t.throwsAsync(rowsIn({ [Symbol.asyncIterator]: () => pages }), { code: 'STREAMS_STATE_STORE_NOT_OPEN' });
  await t.throwsAsync(part.get(0, utf8('k1')), { code: 'STREAMS_STATE_STORE_NOT_OPEN' });
});
