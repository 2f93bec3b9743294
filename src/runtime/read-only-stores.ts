import type { ValueAndTimestamp, Version, WindowRow } from '../processor/rows.ts';

export type { ValueAndTimestamp, Version, WindowRow };

/** Committed rows of a key-value store, over all its tasks. Reads never see a value that is not committed. */
export interface ReadOnlyKeyValueStore<K, V> {
  readonly kind: 'key-value';
  readonly name: string;
  /** The row of a key, or undefined. */
  get(key: K): ValueAndTimestamp<V> | undefined;
  /** Rows in the order of their serialized keys, task by task. */
  all(): AsyncIterable<{ readonly key: K; readonly value: V; readonly timestamp: number }>;
  /** Reads a key as text, as HTTP and the command line give it. @throws Error if it is none. */
  parseKey(text: string): K;
}

/** Committed rows of a window store, over all its tasks. */
export interface ReadOnlyWindowStore<K, V> {
  readonly kind: 'window';
  readonly name: string;
  /** The row of one window. */
  fetch(key: K, startMs: number): ValueAndTimestamp<V> | undefined;
  /** Rows of one key whose window starts in `[fromMs, toMs)`, oldest first. */
  fetchKey(key: K, fromMs: number, toMs: number): AsyncIterable<WindowRow<K, V>>;
  /** Rows of all keys whose window starts in `[fromMs, toMs)`, by start, then serialized key. */
  fetchAll(fromMs: number, toMs: number): AsyncIterable<WindowRow<K, V>>;
  /** Reads a key as text. @throws Error if it is none. */
  parseKey(text: string): K;
}

/** Committed rows of a versioned store. */
export interface ReadOnlyVersionedStore<K, V> {
  readonly kind: 'versioned';
  readonly name: string;
  /** The version valid at `asOfMs` (default: the latest). */
  get(key: K, asOfMs?: number): V | undefined;
  /** All keys with their versions, in the order of their serialized keys. */
  all(): AsyncIterable<{ readonly key: K; readonly versions: readonly Version<V>[] }>;
  /** Reads a key as text. @throws Error if it is none. */
  parseKey(text: string): K;
}

/** Any readable store. */
export type ReadOnlyStore =
  | ReadOnlyKeyValueStore<unknown, unknown>
  | ReadOnlyWindowStore<unknown, unknown>
  | ReadOnlyVersionedStore<unknown, unknown>;
