import { compareBytes, equalBytes } from '../../common/bytes.ts';
import type { TableEntry } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import type { ByteRow } from './byte-rows.ts';
import type { CachedRow } from './cached-row.ts';

/** A row that the database does not have, or not as it is. */
export interface UnstoredRow<K, V> {
  readonly row: CachedRow<K, V>;
  readonly startMs: number;
  readonly key: Uint8Array;
}

/** Such rows in the order of the database. */
export function unstoredRows<K, V>(rows: readonly CachedRow<K, V>[], keySerde: Serde<K>): readonly UnstoredRow<K, V>[] {
  return rows
    .map((row) => ({ row, startMs: row.startMs, key: keySerde.serialize(row.key) }))
    .sort((a, b) => a.startMs - b.startMs || compareBytes(a.key, b.key));
}

/**
 * Rows of a table for those who list them, with values of their own: those of the database and, each in its place, those that it does not have.
 *
 * @param rowOf - What a row of the database is now; undefined: it is gone.
 */
export async function* withUnstored<K, V>(
  pages: AsyncIterable<readonly ByteRow[]>,
  unstored: readonly UnstoredRow<K, V>[],
  rowOf: (stored: ByteRow) => CachedRow<K, V> | undefined,
): AsyncGenerator<readonly TableEntry<K, V>[]> {
  let next = 0;
  for await (const page of pages) {
    const rows: TableEntry<K, V>[] = [];
    for (const stored of page) {
      const row = rowOf(stored);
      if (row === undefined) continue;
      for (; next < unstored.length && isBefore(unstored[next]!, stored); next++) pushCopy(rows, unstored[next]!.row);
      if (next < unstored.length && isSame(unstored[next]!, stored)) next++;
      pushCopy(rows, row);
    }
    yield rows;
  }
  const rest: TableEntry<K, V>[] = [];
  for (const { row } of unstored.slice(next)) pushCopy(rest, row);
  yield rest;
}

function pushCopy<K, V>(rows: TableEntry<K, V>[], row: CachedRow<K, V>): void {
  const { key, startMs, kept, timestamp, window } = row;
  if (kept !== undefined) rows.push({ key, startMs, exists: true, value: window.values.give(key, kept), timestamp });
}

function isSame(row: UnstoredRow<unknown, unknown>, { startMs, key }: ByteRow): boolean {
  return row.startMs === startMs && equalBytes(row.key, key);
}

function isBefore(row: UnstoredRow<unknown, unknown>, { startMs, key }: ByteRow): boolean {
  return row.startMs < startMs || (row.startMs === startMs && compareBytes(row.key, key) < 0);
}
