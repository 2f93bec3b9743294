/** A key and its value. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** Which keys: from `gte` (or `gt`) to `lt` (or `lte`) in unsigned byte order; without a bound, all. */
export interface KeyRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse?: boolean;
  /** Most entries to give. @defaultValue no limit */
  readonly limit?: number;
}

/** Changes that are written together or not at all. A later change of a key wins over an earlier one. Not usable after `write`. */
export interface WriteBatch {
  /** Changes so far. */
  readonly length: number;
  /** Copies both: the caller may reuse its buffers at once. */
  put(key: Uint8Array, value: Uint8Array): void;
  del(key: Uint8Array): void;
  /** Writes all of it atomically. With `sync` it survives a loss of power, without it only a killed process. @throws StreamsError STREAMS_STATE_STORE_WRITE */
  write(options: { readonly sync: boolean }): Promise<void>;
  /** Gives up an unwritten batch. */
  close(): Promise<void>;
}

/** Read access; entries written after its creation may or may not be seen unless it is a snapshot. */
export interface Reader {
  /** The value, or undefined. The caller owns the bytes. */
  get(key: Uint8Array): Uint8Array | undefined;
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** Entries in key order, in pages of up to `pageSize` (default 1000). A range sees one state of the database, that of its start. */
  pages(range: KeyRange, pageSize?: number): AsyncIterable<readonly Entry[]>;
}

/** A reader fixed at one moment. Close it. */
export interface Snapshot extends Reader {
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
  batch(): WriteBatch;
  snapshot(): Snapshot;
  /** Rough bytes on disk (or in memory) of a range. */
  approximateSize(range: KeyRange): Promise<number>;
  close(): Promise<void>;
}

/** Opens (creating it if absent) the database at a place. The memory adapter ignores the place. */
export type DatabaseFactory = (location: string) => Promise<Database>;
