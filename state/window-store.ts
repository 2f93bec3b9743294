import { concatBytes, prefixEnd, readOrderedInt64, writeOrderedInt64 } from '../src/common/bytes.ts';
import type { Database, KeyRange, Reader, WriteBatch } from './database.ts';
import { RowKeyBuffer } from './row-key.ts';

const startLength = 8;

/** A row of a window store: the value of a key in the window that starts at `startMs`. */
export interface WindowRow {
  /** Start of the window, inclusive, ms since the epoch. */
  readonly startMs: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** How {@link WindowBytesStore.fetchAll} reads. */
export interface FetchOptions {
  /** Latest window first, and within it the greatest key first. @defaultValue false */
  readonly reverse?: boolean;
  /** Most rows to give. @defaultValue no limit */
  readonly limit?: number;
  /** Most rows of a page. @defaultValue 1000 */
  readonly pageSize?: number;
}

/**
 * A store of values per key and window: the rows of a database whose keys start with a prefix. Time comes first in a row's key, so the rows of
 * a period lie together, new windows are appended, and old ones go as one range.
 *
 * ```
 * row key    prefix | start: int64, big-endian, sign bit flipped (8 bytes) | key
 *            in hexadecimal: prefix 07, start 1490482800000 and key 43 21 give [07 | 80 00 01 5b 07 b2 a5 80 | 43 21]
 * row value  value
 * ```
 *
 * A window is known by its start alone; its end is the windows' affair. It never writes by itself: changes go into a batch of the caller, and
 * reads see what was written (or what a given snapshot holds), not what a batch holds. Kafka Streams (state/WindowStore.java) puts the key first.
 */
export class WindowBytesStore {
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

  /**
   * Writes the row key of a key in a window at the start of `target`, and returns its length.
   * @throws RangeError - `startMs` is no integer, or `target` is too small.
   */
  writeKey(target: Uint8Array, startMs: number, key: Uint8Array): number {
    assertStart(startMs);
    target.set(this.#prefix);
    target.set(key, this.#prefix.length + startLength);
    writeOrderedInt64(target, this.#prefix.length, startMs);
    return this.#prefix.length + startLength + key.length;
  }

  /** The value of a key in the window that starts at `startMs`, or undefined. */
  get(startMs: number, key: Uint8Array, reader: Reader = this.#database): Uint8Array | undefined {
    return reader.get(this.#row(startMs, key));
  }

  /** Adds the change to the batch. The caller may reuse both buffers at once. */
  put(batch: WriteBatch, startMs: number, key: Uint8Array, value: Uint8Array): void {
    batch.put(this.#row(startMs, key), value);
  }

  /** Adds the removal to the batch. */
  del(batch: WriteBatch, startMs: number, key: Uint8Array): void {
    batch.del(this.#row(startMs, key));
  }

  /**
   * The starts in `[fromMs, toMs)` of the windows that have rows, ascending. Costs one seek per start, whatever the number of rows.
   *
   * Rows at 0, 0, 86400000 and 172800000 give `[0, 86400000, 172800000]`, and from 1 to 172800000 `[86400000]`.
   */
  async starts(
    fromMs: number = Number.NEGATIVE_INFINITY,
    toMs: number = Number.POSITIVE_INFINITY,
    reader?: Reader,
  ): Promise<number[]> {
    return this.#inOneState(reader, async (state) => {
      const starts: number[] = [];
      let next = fromMs;
      for (;;) {
        const start = await this.#firstStart(next, toMs, state);
        if (start === undefined) return starts;
        starts.push(start);
        next = start + 1;
      }
    });
  }

  /**
   * The values of one key in the windows that start in `[fromMs, toMs)`, ascending: a point read in each window of that time that has rows of any key.
   */
  async fetchKey(
    key: Uint8Array,
    fromMs: number,
    toMs: number,
    reader?: Reader,
  ): Promise<{ readonly startMs: number; readonly value: Uint8Array }[]> {
    return this.#inOneState(reader, async (state) => {
      const starts = await this.starts(fromMs, toMs, state);
      const values = await state.getMany(starts.map((startMs) => concatBytes(this.#startKey(startMs), key)));
      return starts.flatMap((startMs, i) => {
        const value = values[i];
        return value === undefined ? [] : [{ startMs, value }];
      });
    });
  }

  /** All rows of the windows that start in `[fromMs, toMs)`, by start and then by key, in pages. */
  async *fetchAll(
    fromMs: number = Number.NEGATIVE_INFINITY,
    toMs: number = Number.POSITIVE_INFINITY,
    options: FetchOptions = {},
    reader: Reader = this.#database,
  ): AsyncGenerator<readonly WindowRow[]> {
    const { pageSize, ...order } = options;
    const keyAt = this.#prefix.length + startLength;
    for await (const page of reader.pages({ ...this.#range(fromMs, toMs), ...order }, pageSize)) {
      yield page.map(
        ([row, value]): WindowRow => ({
          startMs: readOrderedInt64(row, this.#prefix.length),
          key: row.subarray(keyAt),
          value,
        }),
      );
    }
  }

  /**
   * Adds to the batch the removal of every row whose window starts before `startMs`, and returns their number.
   *
   * Rows at 0, 86400000 and 172800000: `expireBefore(batch, 172800000)` removes the first two. Rows that only a batch holds are not seen.
   */
  async expireBefore(batch: WriteBatch, startMs: number, reader: Reader = this.#database): Promise<number> {
    let count = 0;
    for await (const page of reader.pages(this.#range(Number.NEGATIVE_INFINITY, startMs))) {
      for (const [row] of page) batch.del(row);
      count += page.length;
    }
    return count;
  }

  /** Rough bytes on disk. Rows written a moment ago may not count yet. */
  approximateSize(): Promise<number> {
    return this.#database.approximateSize(this.#range(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY));
  }

  #row(startMs: number, key: Uint8Array): Uint8Array {
    assertStart(startMs);
    const length = this.#prefix.length + startLength + key.length;
    const bytes = this.#rowKey.bytes(length);
    writeOrderedInt64(bytes, this.#prefix.length, startMs);
    bytes.set(key, this.#prefix.length + startLength);
    return this.#rowKey.view(length);
  }

  /** `prefix | start`, which sorts before every row of that window. */
  #startKey(startMs: number): Uint8Array {
    const key = new Uint8Array(this.#prefix.length + startLength);
    key.set(this.#prefix);
    writeOrderedInt64(key, this.#prefix.length, startMs);
    return key;
  }

  /** The rows of windows that start in `[fromMs, toMs)`. Bounds may be infinite, or lie between integers. */
  #range(fromMs: number, toMs: number): KeyRange {
    if (!(fromMs < toMs) || fromMs > Number.MAX_SAFE_INTEGER || toMs < Number.MIN_SAFE_INTEGER)
      return { gte: this.#prefix, lt: this.#prefix };
    const gte = fromMs > Number.MIN_SAFE_INTEGER ? this.#startKey(Math.ceil(fromMs)) : this.#prefix;
    const lt = toMs <= Number.MAX_SAFE_INTEGER ? this.#startKey(Math.ceil(toMs)) : prefixEnd(this.#prefix);
    return { gte, ...(lt && { lt }) };
  }

  async #firstStart(fromMs: number, toMs: number, reader: Reader): Promise<number | undefined> {
    if (!(fromMs < toMs)) return undefined;
    for await (const page of reader.pages({ ...this.#range(fromMs, toMs), limit: 1 }, 1)) {
      for (const [row] of page) return readOrderedInt64(row, this.#prefix.length);
    }
    return undefined;
  }

  /** Several reads that must see one state: the given reader's, or that of a snapshot for their time. */
  async #inOneState<T>(reader: Reader | undefined, read: (state: Reader) => Promise<T>): Promise<T> {
    if (reader !== undefined) return read(reader);
    const snapshot = this.#database.snapshot();
    try {
      return await read(snapshot);
    } finally {
      await snapshot.close();
    }
  }
}

function assertStart(startMs: number): void {
  if (!Number.isSafeInteger(startMs))
    throw new RangeError(`the window start ${startMs} is no integer of up to 53 bits`);
}
