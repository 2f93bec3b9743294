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
