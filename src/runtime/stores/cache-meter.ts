/** Bytes held by all caches that share a budget: what decides when to commit early and when to forget. */
export interface CacheMeter {
  dirtyBytes: number;
  cachedBytes: number;
  /** Bytes of what is known of stored keys, and how many there may be. */
  filterBytes: number;
  filterMaxBytes: number;
  /** Rows flushed since the start. */
  flushedRows: number;
  /** The write of the last flush: until it is done the database does not have the rows that were flushed. */
  writing?: Promise<void>;
}
