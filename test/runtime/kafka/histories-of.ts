import type { Version } from '../../../src/processor/rows.ts';
import type { Histories } from '../../../src/runtime/histories.ts';

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
