import type { ValueAndTimestamp, Version, WindowRow } from './rows.ts';

/** A key-value store as a processor sees it: its own task's rows, uncommitted ones included. */
export interface KeyValueStore<K, V> {
  readonly name: string;
  /** The row's value, or undefined. */
  get(key: K): V | undefined;
  /** Sets the row; undefined deletes it. */
  put(key: K, value: V | undefined, timestampMs?: number): void;
  /** Deletes the row; gives the value it had. */
  delete(key: K): V | undefined;
  /** Rows in the order of their serialized keys, `from` and `to` included. */
  range(from?: K, to?: K): AsyncIterable<readonly [key: K, value: V]>;
}

/** A window store as a processor sees it. */
export interface WindowStore<K, V> {
  readonly name: string;
  /** The value of a key in the window that starts at `startMs`, or undefined. */
  fetch(key: K, startMs: number): V | undefined;
  /**
   * Sets the row of a window; undefined deletes it. One whose retention has ended, since a window has begun so much later, is dropped, and counted as late.
   *
   * @throws RangeError for a start that none of the store's windows has
   */
  put(key: K, value: V | undefined, startMs: number, timestampMs?: number): void;
  /** Rows of a key whose windows start in `[fromMs, toMs)`, oldest first. */
  fetchRange(key: K, fromMs: number, toMs: number): AsyncIterable<WindowRow<K, V>>;
}

/** A store that keeps what was valid when. Kafka Streams: `state/VersionedKeyValueStore.java`. */
export interface VersionedKeyValueStore<K, V> {
  readonly name: string;
  /** The value valid at `asOfMs`, or the latest. */
  get(key: K, asOfMs?: number): V | undefined;
  /** From `validFromMs` on the value is `value`; undefined: nothing is valid. A version of the same time is replaced. */
  put(key: K, value: V | undefined, validFromMs: number): void;
  /** All versions of a key, oldest first. */
  history(key: K): readonly Version<V>[];
}

export type { ValueAndTimestamp, Version, WindowRow };
