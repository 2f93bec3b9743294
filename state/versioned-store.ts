import { concatBytes, readInt64, writeInt64 } from '../src/common/bytes.ts';
import { StreamsError } from '../src/common/errors.ts';
import type { Database, KeyRange, Reader, WriteBatch } from './database.ts';
import { prefixedRange } from './key-value-store.ts';
import { RowKeyBuffer } from './row-key.ts';

/** What is valid from a moment on, until the next version: a value, or null for nothing. */
export interface Version<V> {
  /** First moment at which it is valid, ms since the epoch. */
  readonly validFromMs: number;
  readonly value: V | null;
}

/** The versions of one key, strictly ascending by `validFromMs`. Before the first one nothing is valid. */
export type History<V> = readonly Version<V>[];

/** A value and the time in which it is valid: `[validFromMs, validToMs)`. */
export interface ValidValue<V> {
  readonly value: V;
  readonly validFromMs: number;
  /** Start of the next version; Infinity for the newest. */
  readonly validToMs: number;
}

/** A stretch of time `[fromMs, toMs)`. Bounds may be -Infinity and Infinity. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What is valid at a moment, or undefined for nothing.
 *
 * Of `[{100, A}, {200, null}, {300, B}]`: at 99 nothing, at 100 and 199 A (valid `[100, 200)`), at 200 nothing, at 300 and for ever after B.
 *
 * @param asOfMs - The moment. @defaultValue the latest
 */
export function versionAt<V>(
  history: History<V>,
  asOfMs: number = Number.POSITIVE_INFINITY,
): ValidValue<V> | undefined {
  const next = firstAfter(history, asOfMs);
  const version = history[next - 1];
  if (version === undefined || version.value === null) return undefined;
  return {
    value: version.value,
    validFromMs: version.validFromMs,
    validToMs: history[next]?.validFromMs ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * A history with one more version, or with another value at a moment that already begins a version. The given history does not change.
 *
 * Null means that nothing is valid from then on, until the next version. Putting B at 200 into `[{100, A}, {300, C}]` gives
 * `[{100, A}, {200, B}, {300, C}]`: A is now valid `[100, 200)`. Kafka Streams: state/VersionedKeyValueStore.java (KIP-889).
 */
export function putVersion<V>(history: History<V>, validFromMs: number, value: V | null): History<V> {
  const next = firstAfter(history, validFromMs);
  const replaced = history[next - 1]?.validFromMs === validFromMs ? 1 : 0;
  return [...history.slice(0, next - replaced), { validFromMs, value }, ...history.slice(next)];
}

/**
 * The stretches of time in which two histories say different things, ascending, none touching the next.
 *
 * From `[{100, A}]` to `[{100, A}, {200, B}, {300, A}]` it is `[200, 300)`; from no history to `[{100, A}]` it is `[100, Infinity)`.
 *
 * @param equal - Whether two values are the same. Called for values only: null equals null and nothing else.
 */
export function changedIntervals<V>(
  oldHistory: History<V>,
  newHistory: History<V>,
  equal: (a: V, b: V) => boolean,
): Interval[] {
  const intervals: Interval[] = [];
  let oldNext = 0;
  let newNext = 0;
  let openFromMs: number | undefined;
  while (oldNext < oldHistory.length || newNext < newHistory.length) {
    const atMs = Math.min(startOf(oldHistory, oldNext), startOf(newHistory, newNext));
    if (oldHistory[oldNext]?.validFromMs === atMs) oldNext++;
    if (newHistory[newNext]?.validFromMs === atMs) newNext++;
    const same = sameValue(oldHistory[oldNext - 1]?.value ?? null, newHistory[newNext - 1]?.value ?? null, equal);
    if (same && openFromMs !== undefined) {
      intervals.push({ fromMs: openFromMs, toMs: atMs });
      openFromMs = undefined;
    } else if (!same) {
      openFromMs ??= atMs;
    }
  }
  if (openFromMs !== undefined) intervals.push({ fromMs: openFromMs, toMs: Number.POSITIVE_INFINITY });
  return intervals;
}

function startOf(history: History<unknown>, at: number): number {
  return history[at]?.validFromMs ?? Number.POSITIVE_INFINITY;
}

function sameValue<V>(a: V | null, b: V | null, equal: (a: V, b: V) => boolean): boolean {
  return a === null || b === null ? a === b : equal(a, b);
}

/** Index of the first version that begins after a moment. */
function firstAfter(history: History<unknown>, momentMs: number): number {
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (history[middle]!.validFromMs <= momentMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

const countLength = 4;
const versionHeaderLength = 12;

/**
 * The bytes of a history.
 *
 * ```
 * count: int32 | count times: validFrom: int64 | length: int32, -1 for null | value
 * all big-endian, ascending by validFrom; in hexadecimal [{validFromMs: 100, value: [0a 0b]}, {validFromMs: 200, value: null}] is
 * 00 00 00 02 | 00 00 00 00 00 00 00 64 | 00 00 00 02 | 0a 0b | 00 00 00 00 00 00 00 c8 | ff ff ff ff
 * ```
 *
 * @throws RangeError - the versions do not ascend, or begin at no integer.
 */
export function encodeHistory(history: History<Uint8Array>): Uint8Array {
  let length = countLength;
  for (const { value } of history) length += versionHeaderLength + (value?.length ?? 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, history.length);
  let at = countLength;
  let before = Number.NEGATIVE_INFINITY;
  for (const { validFromMs, value } of history) {
    if (!Number.isSafeInteger(validFromMs))
      throw new RangeError(`validFromMs ${validFromMs} is not an integer of up to 53 bits`);
    if (validFromMs <= before) throw new RangeError(`versions must ascend: ${validFromMs} comes after ${before}`);
    before = validFromMs;
    writeInt64(bytes, at, validFromMs);
    view.setInt32(at + 8, value === null ? -1 : value.length);
    at += versionHeaderLength;
    if (value === null) continue;
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}

/**
 * The history of bytes that {@link encodeHistory} made. The values are views of `bytes`.
 * @throws {@link StreamsError} `STREAMS_STATE_STORE_CORRUPT` - the bytes end too early or too late, or the versions do not ascend.
 */
export function decodeHistory(bytes: Uint8Array): History<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const history: Version<Uint8Array>[] = [];
  let at = countLength;
  let before = Number.NEGATIVE_INFINITY;
  const count = bytes.length < countLength ? -1 : view.getInt32(0);
  while (history.length < count && at + versionHeaderLength <= bytes.length) {
    const validFromMs = readInt64(bytes, at);
    const length = view.getInt32(at + 8);
    at += versionHeaderLength;
    // Neither is what encodeHistory writes; who looks for a moment would find another version.
    const ascends = validFromMs > before && Number.isSafeInteger(validFromMs);
    if (length < -1 || !ascends) break;
    before = validFromMs;
    history.push({ validFromMs, value: length === -1 ? null : bytes.subarray(at, at + length) });
    at += Math.max(0, length);
  }
  if (history.length !== count || at !== bytes.length) {
    const message = `a row of ${bytes.length} bytes is not a history of versions. The store was written by other code or damaged: rebuild its state.`;
    throw new StreamsError('STREAMS_STATE_STORE_CORRUPT', message);
  }
  return history;
}

/** A key and all its versions. */
export interface HistoryEntry {
  readonly key: Uint8Array;
  readonly history: History<Uint8Array>;
}

/**
 * A store of values that are valid for a time: one row per key, which holds the key's whole history ({@link encodeHistory}).
 *
 * ```
 * row key    prefix | key
 * row value  see encodeHistory
 * ```
 *
 * It never writes by itself, and its reads do not see what a batch holds. So a change is made on a history, by {@link putVersion}, and the
 * history then replaces the row: whoever changes a key twice before writing goes on from the history, not from the store.
 * Kafka Streams: state/VersionedKeyValueStore.java (KIP-889); there, versions older than the store's retention are dropped.
 */
export class VersionedBytesStore {
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

  /** All versions of a key; none for an unknown key. */
  history(key: Uint8Array, reader: Reader = this.#database): History<Uint8Array> {
    const bytes = this.bytes(key, reader);
    return bytes === undefined ? [] : decodeHistory(bytes);
  }

  /** The bytes of a key's history; undefined for an unknown key. */
  bytes(key: Uint8Array, reader: Reader = this.#database): Uint8Array | undefined {
    return reader.get(this.#rowKey.row(key));
  }

  /** All versions of several keys, in their order, from one state of the database. */
  async histories(keys: readonly Uint8Array[], reader: Reader = this.#database): Promise<History<Uint8Array>[]> {
    const rows = await reader.getMany(keys.map((key) => concatBytes(this.#prefix, key)));
    return rows.map((bytes) => (bytes === undefined ? [] : decodeHistory(bytes)));
  }

  /** What is valid of a key at a moment (by default the latest), as {@link versionAt} says. */
  get(
    key: Uint8Array,
    asOfMs: number = Number.POSITIVE_INFINITY,
    reader: Reader = this.#database,
  ): ValidValue<Uint8Array> | undefined {
    return versionAt(this.history(key, reader), asOfMs);
  }

  /**
   * Adds to the batch a key's row with this history, or its removal where there is no version. The caller may reuse the buffers at once.
   * @throws RangeError - the versions do not ascend, or begin at no integer.
   */
  replaceHistory(batch: WriteBatch, key: Uint8Array, history: History<Uint8Array>): void {
    const row = this.#rowKey.row(key);
    if (history.length === 0) batch.del(row);
    else batch.put(row, encodeHistory(history));
  }

  /** Keys and their histories in key order, in pages. Bounds are those of keys, as in `KeyValueBytesStore.range`. */
  async *range(
    range: KeyRange = {},
    reader: Reader = this.#database,
    pageSize?: number,
  ): AsyncGenerator<readonly HistoryEntry[]> {
    const prefixLength = this.#prefix.length;
    for await (const page of reader.pages(prefixedRange(this.#prefix, range), pageSize)) {
      yield page.map(
        ([row, bytes]): HistoryEntry => ({ key: row.subarray(prefixLength), history: decodeHistory(bytes) }),
      );
    }
  }

  /** Rough bytes on disk. Rows written a moment ago may not count yet. */
  approximateSize(): Promise<number> {
    return this.#database.approximateSize(prefixedRange(this.#prefix, {}));
  }
}
