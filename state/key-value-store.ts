import { concatBytes, prefixEnd } from '../src/common/bytes.ts';
import type { Database, Entry, KeyRange, Reader, WriteBatch } from './database.ts';
import { RowKeyBuffer } from './row-key.ts';

/**
 * A store of keys and values: the rows of a database whose keys start with a prefix.
 *
 * ```
 * row key    prefix | key      prefix [7] and key [1 2] give [7 1 2]
 * row value  value
 * ```
 *
 * It never writes by itself: changes go into a batch of the caller, and reads see what was written (or what a given snapshot holds), not what a
 * batch holds. Keys and values may be empty. Kafka Streams: state/KeyValueStore.java.
 */
export class KeyValueBytesStore {
  readonly #database: Database;
  readonly #prefix: Uint8Array;
  readonly #rowKey: RowKeyBuffer;

  /**
   * @param database - Where the rows are.
   * @param prefix - Bytes that start this store's rows and no other's. Copied.
   */
  constructor(database: Database, prefix: Uint8Array) {
    this.#database = database;
    this.#prefix = new Uint8Array(prefix);
    this.#rowKey = new RowKeyBuffer(this.#prefix);
  }

  /** The value of a key, or undefined. */
  get(key: Uint8Array, reader: Reader = this.#database): Uint8Array | undefined {
    return reader.get(this.#rowKey.row(key));
  }

  /** The values of keys, in their order, from one state of the database. */
  getMany(keys: readonly Uint8Array[], reader: Reader = this.#database): Promise<(Uint8Array | undefined)[]> {
    return reader.getMany(keys.map((key) => concatBytes(this.#prefix, key)));
  }

  /** Adds the change to the batch. The caller may reuse both buffers at once. */
  put(batch: WriteBatch, key: Uint8Array, value: Uint8Array): void {
    batch.put(this.#rowKey.row(key), value);
  }

  /** Adds the removal to the batch. */
  del(batch: WriteBatch, key: Uint8Array): void {
    batch.del(this.#rowKey.row(key));
  }

  /**
   * Entries in key order, without the prefix, in pages as {@link Reader.pages} gives them.
   *
   * Of keys 1, 2 and 3: `range({ gte: [1], lt: [3] })` gives 1 and 2, `range({ reverse: true, limit: 1 })` gives 3.
   */
  async *range(
    range: KeyRange = {},
    reader: Reader = this.#database,
    pageSize?: number,
  ): AsyncGenerator<readonly Entry[]> {
    const prefixLength = this.#prefix.length;
    for await (const page of reader.pages(prefixedRange(this.#prefix, range), pageSize)) {
      yield page.map(([key, value]): Entry => [key.subarray(prefixLength), value]);
    }
  }

  /** Rough bytes on disk. Rows written a moment ago may not count yet. */
  approximateSize(): Promise<number> {
    return this.#database.approximateSize(prefixedRange(this.#prefix, {}));
  }
}

/**
 * A range of keys as one of the rows that start with `prefix`.
 *
 * Prefix `[7]`: `{}` gives `{ gte: [7], lt: [8] }`, `{ gt: [1], lte: [2] }` gives `{ gt: [7 1], lte: [7 2] }`.
 */
export function prefixedRange(prefix: Uint8Array, range: KeyRange): KeyRange {
  const { gte, gt, lt, lte, ...rest } = range;
  const end = prefixEnd(prefix);
  const above =
    gte === undefined && gt !== undefined
      ? { gt: concatBytes(prefix, gt) }
      : { gte: concatBytes(prefix, ...(gte ? [gte] : [])) };
  if (lte !== undefined) return { ...rest, ...above, lte: concatBytes(prefix, lte) };
  if (lt !== undefined) return { ...rest, ...above, lt: concatBytes(prefix, lt) };
  return { ...rest, ...above, ...(end && { lt: end }) };
}
