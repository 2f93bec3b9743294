import type { ValueAndTimestamp, Version, WindowRow } from '../processor/rows.ts';

export type { ValueAndTimestamp, Version, WindowRow };

/** How a store is read. */
export interface StoreReadOptions {
  /** True: while a partition moves, rows of a copy that may lag behind are good enough. @defaultValue false: then reading it is an error */
  readonly stale?: boolean;
}

/**
 * Committed rows of a key-value store, over all its partitions, wherever they are. Reads never see a value that is not committed.
 *
 * @throws StreamsError from the methods that read: `STREAMS_TASK_MIGRATED` while a partition moves between instances, `STREAMS_TIMEOUT` if its owner does
 * not answer. Both are retriable; in one process neither happens. The same holds for the other stores.
 */
export interface ReadOnlyKeyValueStore<K, V> {
  readonly kind: 'key-value';
  readonly name: string;
  /** The row of a key, or undefined. */
  get(key: K): Promise<ValueAndTimestamp<V> | undefined>;
  /** Rows in the order of their serialized keys. */
  all(): AsyncIterable<{ readonly key: K; readonly value: V; readonly timestamp: number }>;
  /** Reads a key as text, as HTTP and the command line give it. @throws Error if it is none. */
  parseKey(text: string): K;
}

/** Committed rows of a window store, over all its partitions. */
export interface ReadOnlyWindowStore<K, V> {
  readonly kind: 'window';
  readonly name: string;
  /** The row of one window, or undefined. */
  fetch(key: K, startMs: number): Promise<ValueAndTimestamp<V> | undefined>;
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
  /** The version valid at `asOfMs` (default: the latest), or undefined. */
  get(key: K, asOfMs?: number): Promise<V | undefined>;
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
