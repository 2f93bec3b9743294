import { compareBytes, utf8, writeInt64 } from '../../../src/common/bytes.ts';
import { TimeWindows } from '../../../src/dsl/time-windows.ts';
import type { StoreSpec } from '../../../src/processor/node.ts';
import type { StorePart } from '../../../src/runtime/parts/store-part.ts';
import { type ByteRow, keyText, keyValueRows, windowRows } from '../../../src/runtime/stores/byte-rows.ts';
import { stringSerde } from '../../../src/serde/serdes.ts';
import type { Database } from '../../../state/database.ts';

/** A store of texts by texts; windows of 10 ms. */
export function textStore(kind: StoreSpec['kind'], name = 'texts'): StoreSpec {
  return {
    name,
    kind,
    keySerde: stringSerde,
    valueSerde: stringSerde,
    cached: true,
    result: true,
    ...(kind === 'window' && { windows: TimeWindows.ofSizeWithNoGrace(10) }),
  } as unknown as StoreSpec;
}

/** A row whose value is its time, then a text. */
export function row(startMs: number, key: string, value: string, timestamp: number = startMs): ByteRow {
  const text = utf8(value);
  const bytes = new Uint8Array(8 + text.length);
  writeInt64(bytes, 0, timestamp);
  bytes.set(text, 8);
  return { startMs, key: utf8(key), value: bytes };
}

/** Puts rows into a database as the runtime does. */
export async function writeRows(
  database: Database,
  kind: StoreSpec['kind'],
  prefix: Uint8Array,
  rows: readonly ByteRow[],
): Promise<void> {
  const store = (kind === 'window' ? windowRows : keyValueRows)(database, prefix);
  const batch = database.batch();
  for (const { startMs, key, value } of rows)
    store.put(batch, startMs, keyText(stringSerde, Buffer.from(key).toString()), value);
  store.apply();
  store.seal(batch);
  await batch.write({ sync: false });
  store.written();
}

/** All rows of pages. */
export async function rowsIn(pages: AsyncIterable<readonly ByteRow[]>): Promise<ByteRow[]> {
  const rows: ByteRow[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

/** Rows as text, `start key value`, to compare. */
export function shown(rows: readonly ByteRow[]): string[] {
  return rows.map(
    ({ startMs, key, value }) =>
      `${startMs} ${Buffer.from(key).toString()} ${Buffer.from(value.subarray(8)).toString()}`,
  );
}

/** A part over an array, in pages of a few rows. */
export function arrayPart(partition: number, given: readonly ByteRow[], pageRows = 2): StorePart {
  const rows = [...given].sort((a, b) => a.startMs - b.startMs || compareBytes(a.key, b.key));
  async function* pages(wanted: (row: ByteRow) => boolean): AsyncGenerator<readonly ByteRow[]> {
    const found = rows.filter(wanted);
    for (let at = 0; at < found.length; at += pageRows) yield found.slice(at, at + pageRows);
  }
  const isKey = (row: ByteRow, key: Uint8Array): boolean => compareBytes(row.key, key) === 0;
  const within = (row: ByteRow, fromMs: number, toMs: number): boolean => row.startMs >= fromMs && row.startMs < toMs;
  return {
    partition,
    get: async (startMs, key) => rows.find((row) => row.startMs === startMs && isKey(row, key))?.value,
    rows: (fromMs, toMs) => pages((row) => within(row, fromMs, toMs)),
    rowsOfKey: (key, fromMs, toMs) => pages((row) => isKey(row, key) && within(row, fromMs, toMs)),
  };
}
