import type { ByteRow } from '../stores/byte-rows.ts';

/**
 * The committed rows of one partition of one store, as bytes, wherever they are: in a database of this process, at another instance, read from a changelog.
 *
 * ```
 * key-value   startMs 0                   value: | event time int64 | serialized value |     as in row-value.ts
 * window      startMs the window's start  value: the same
 * versioned   startMs 0                   value: the key's whole history                     as in state/versioned-store.ts
 * ```
 *
 * A part never tells less than there is: what it cannot read is an error, in the midst of a range too.
 * @throws StreamsError from every method: `STREAMS_TASK_MIGRATED` while the partition has no owner, `STREAMS_TIMEOUT` where its owner does not answer;
 * both are retriable.
 */
export interface StorePart {
  readonly partition: number;
  /** The row of a key, or undefined. The caller owns the bytes. */
  get(startMs: number, key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Rows whose start is in `[fromMs, toMs)`, by start, then key in unsigned byte order: one state of the partition, in pages that are not empty. */
  rows(fromMs: number, toMs: number): AsyncIterable<readonly ByteRow[]>;
  /** The rows of one key whose start is in `[fromMs, toMs)`, by start. */
  rowsOfKey(key: Uint8Array, fromMs: number, toMs: number): AsyncIterable<readonly ByteRow[]>;
}

/** `[fromMs, toMs)` with every row in it. */
export const wholeTime: { readonly fromMs: number; readonly toMs: number } = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
};
