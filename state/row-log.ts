import { readOrderedInt64, writeOrderedInt64 } from '../src/common/bytes.ts';
import { latin1 } from './latin1.ts';
import { damagedPage } from './paged-errors.ts';
import type { PendingRows } from './pending-rows.ts';
import { VarintReader, writeVarint } from './varint.ts';

/**
 * Rows of a window store that are not merged into their pages yet: an entry of the database for each commit, and a head that says which entries count.
 *
 * ```
 * head    prefix | ff ff ff ff ff ff ff ff | 00         ->  id | first | last | expired | (window start | merged)...      int64s as in bytes.ts, ordered
 * entry   prefix | ff ff ff ff ff ff ff ff | 01 | number -> | window start | row count | (key length | key | value length + 1, 0: removed | value)... | ...
 * ```
 *
 * No window starts there: starts have up to 53 bits. A later entry wins over an earlier one, and every entry that counts over the pages.
 */
export interface LogHead {
  /** Drawn when the log begins: what was read of one that was wiped is not taken for this one's. 0: there is no log. */
  readonly id: number;
  /** Entries `[first, last]` are there; none if `last < first`. */
  readonly first: number;
  readonly last: number;
  /** Rows of windows that start before this do not count. */
  readonly expired: number;
  /** By window start the last entry whose rows of it are in the pages: they and all before do not count. */
  readonly merged: ReadonlyMap<number, number>;
}

export const emptyHead: LogHead = {
  id: 0,
  first: 1,
  last: 0,
  expired: Number.MIN_SAFE_INTEGER,
  merged: new Map(),
};

/** Gets a row of an entry; undefined: it is removed. Values are latin1 text of their bytes: a third of the memory of a view. */
export type LoggedRowListener = (startMs: number, key: string, value: string | undefined) => void;

const headTag = 0;
const entryTag = 1;
const numberLength = 8;
const afterWindows = new Uint8Array(numberLength).fill(0xff);

/** After all windows of a store: where its log begins. */
export function windowsEnd(prefix: Uint8Array): Uint8Array {
  const key = new Uint8Array(prefix.length + numberLength);
  key.set(prefix);
  key.set(afterWindows, prefix.length);
  return key;
}

export function headKey(prefix: Uint8Array): Uint8Array {
  return Uint8Array.of(...windowsEnd(prefix), headTag);
}

export function entryKey(prefix: Uint8Array, number: number): Uint8Array {
  const at = prefix.length + numberLength + 1;
  const key = new Uint8Array(at + numberLength);
  key.set(windowsEnd(prefix));
  key[at - 1] = entryTag;
  writeOrderedInt64(key, at, number);
  return key;
}

export function encodeHead({ id, first, last, expired, merged }: LogHead): Uint8Array {
  const numbers = [id, first, last, expired, ...[...merged].flat()];
  const bytes = new Uint8Array(numbers.length * numberLength);
  for (const [i, number] of numbers.entries()) writeOrderedInt64(bytes, i * numberLength, number);
  return bytes;
}

/** @throws StreamsError `STREAMS_STATE_STORE_CORRUPT` */
export function decodeHead(bytes: Uint8Array): LogHead {
  const count = bytes.length / numberLength;
  if (count < 4 || count % 2 !== 0 || !Number.isInteger(count))
    throw damagedPage(`an entry of ${bytes.length} bytes is no head of a log`);
  const at = (i: number): number => readOrderedInt64(bytes, i * numberLength);
  const merged = new Map<number, number>();
  for (let i = 4; i < count; i += 2) merged.set(at(i), at(i + 1));
  return { id: at(0), first: at(1), last: at(2), expired: at(3), merged };
}

/** The rows of a commit, in the order in which they were put. */
export function encodeEntry(rows: PendingRows): Uint8Array {
  let length = 0;
  for (let i = 0; i < rows.length; i++) length += rows.keyOf(i).length + Math.max(0, rows.lengthOf(i)) + 20;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (let from = 0; from < rows.length; ) {
    const startMs = rows.startOf(from);
    let to = from + 1;
    while (to < rows.length && rows.startOf(to) === startMs) to++;
    writeOrderedInt64(bytes, at, startMs);
    at = writeVarint(bytes, at + numberLength, to - from);
    for (; from < to; from++) {
      const key = rows.keyOf(from);
      const valueLength = rows.lengthOf(from);
      at = writeVarint(bytes, at, key.length);
      at += bytes.write(key, at, 'latin1');
      at = writeVarint(bytes, at, valueLength + 1);
      if (valueLength <= 0) continue;
      rows.copyTo(from, bytes, at);
      at += valueLength;
    }
  }
  return bytes.subarray(0, at);
}

/** Gives the rows of an entry in their order. @throws StreamsError `STREAMS_STATE_STORE_CORRUPT` */
export function decodeEntry(bytes: Uint8Array, take: LoggedRowListener): void {
  const reader = new VarintReader();
  const text = (length: number): string => {
    const from = reader.at;
    reader.at += length;
    if (!(reader.at <= bytes.length)) throw damagedPage(`an entry of a log of ${bytes.length} bytes ends within a row`);
    return latin1(bytes, from, reader.at);
  };
  while (reader.at < bytes.length) {
    const startMs = readOrderedInt64(bytes, reader.at);
    reader.at += numberLength;
    for (let left = reader.next(bytes); left > 0; left--) {
      const key = text(reader.next(bytes));
      const length = reader.next(bytes);
      take(startMs, key, length === 0 ? undefined : text(length - 1));
    }
    if (!(reader.at <= bytes.length)) throw damagedPage(`an entry of a log of ${bytes.length} bytes ends within a row`);
  }
}
