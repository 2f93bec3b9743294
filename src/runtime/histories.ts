import type { Version } from '../processor/rows.ts';

/** What a global history table is to hold: every key once, under a number, with all its versions. A key that is not there has none. */
export interface Histories<K, V> {
  /** Keys have the numbers from 0 to here, this one left out. */
  readonly size: number;
  /** The number of a key, or -1. */
  find(key: K): number;
  key(index: number): K;
  /** The versions of a key, oldest first; there may be none. */
  versions(index: number): readonly Version<V>[];
}

/** A small table's histories, held in memory. Keys are compared as a Map compares them. */
export function historiesOf<K, V>(
  entries: Iterable<readonly [key: K, versions: readonly Version<V>[]]>,
): Histories<K, V> {
  const rows = [...entries];
  const numbers = new Map(rows.map(([key], index) => [key, index]));
  return {
    size: rows.length,
    find: (key) => numbers.get(key) ?? -1,
    key: (index) => rows[index]![0],
    versions: (index) => rows[index]![1],
  };
}
