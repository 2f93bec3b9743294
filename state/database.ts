/** A key and its value. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/**
 * Which keys: from `gte` (or `gt`) to `lt` (or `lte`) in unsigned byte order; without a bound, all.
 *
 * Of keys `1`, `1 255`, `2`: `{gt: [1], lt: [2]}` gives `1 255`. Of two bounds on one side, `gte` and `lte` win.
 */
export interface KeyRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  /** From the greatest key down. @defaultValue false */
  readonly reverse?: boolean;
  /** Most entries to give. @defaultValue no limit */
  readonly limit?: number;
}

/**
 * Changes that are written together or not at all. A later change of a key wins over an earlier one.
 *
 * Not usable after `write` or `close`: `put`, `del` and a second `write` then throw a TypeError.
 */
export interface WriteBatch {
  /** Changes so far. */
  readonly length: number;
  /** Copies both: the caller may reuse its buffers at once. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Removes a key, if it is there. */
  del(key: Uint8Array): void;
  /**
   * Writes all of it atomically. With `sync` it survives a loss of power, without it only a killed process.
   *
   * Batches are applied in the order of the calls of `write`. A batch without changes writes nothing. After a failed write every later one of
   * the database fails too: whether the failed batch is there is known only once the database is closed and opened again.
   * @throws StreamsError STREAMS_STATE_STORE_WRITE
   */
  write(options: { readonly sync: boolean }): Promise<void>;
  /** Gives up an unwritten batch. Without effect on a written one. */
  close(): Promise<void>;
}

/** Read access; entries written after its creation may or may not be seen unless it is a snapshot. */
export interface Reader {
  /** The value, or undefined. The caller owns the bytes: a plain Uint8Array that nobody else refers to. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** The values of keys, in their order: one state of the database. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * Entries in key order, in non-empty pages of up to `pageSize` (default 1000). One that has reached `pageBytes` (default 256 KiB), keys and values together, may end there: so
   * much a reader holds.
   *
   * A range sees one state of the database, that of the moment its first page is asked for. The caller owns the bytes.
   */
  pages(range: KeyRange, pageSize?: number, pageBytes?: number): AsyncIterable<readonly Entry[]>;
}

/** A reader fixed at one moment. Close it: until then the database keeps what it overwrites. */
export interface Snapshot extends Reader {
  /** Lets the database go on without what it keeps for this snapshot. */
  close(): Promise<void>;
}

/** `opening` and `closing` are transient. */
export type DatabaseStatus = 'opening' | 'open' | 'closing' | 'closed';

/**
 * A sorted map of byte strings with atomic batches: what every store of a task stands on.
 *
 * Any number of concurrent readers; one batch is written at a time. `get` is synchronous: the hot path has no promise per record.
 * Using one that is not open throws StreamsError `STREAMS_STATE_STORE_NOT_OPEN`.
 */
export interface Database extends Reader {
  readonly status: DatabaseStatus;
  /**
   * An empty batch of changes.
   *
   * @param expectedBytes - What it will hold, roughly: of much the copies that the database makes are freed as soon as it is written. @defaultValue 0
   */
  batch(expectedBytes?: number): WriteBatch;
  /** Everything as it is now. */
  snapshot(): Snapshot;
  /** Rough bytes on disk (or in memory) of a range, its `limit` and `reverse` aside. Entries written a moment ago may not count yet. */
  approximateSize(range: KeyRange): Promise<number>;
  /** Waits for the writes under way, ends ranges and snapshots, and closes. A second call does nothing. */
  close(): Promise<void>;
}

/** Opens (creating it if absent) the database at a place. The memory adapter ignores the place. */
export type DatabaseFactory = (location: string) => Promise<Database>;
