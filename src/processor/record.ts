/** Header of a message. */
export interface Header {
  readonly key: string;
  /** Null: a header without value, which is another than one of no bytes. */
  readonly value: Uint8Array | null;
}

/** The headers of a record without any. */
export const noHeaders: readonly Header[] = Object.freeze([]);

/** A keyed, timed value on its way through a topology. Immutable. Kafka Streams: `processor/api/Record.java`. */
export class Record<K, V> {
  readonly key: K;
  readonly value: V;
  /** Event time, ms since the epoch. */
  readonly timestamp: number;
  readonly headers: readonly Header[];

  constructor(key: K, value: V, timestamp: number, headers: readonly Header[] = noHeaders) {
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.headers = headers;
  }

  /** The record with another key. */
  withKey<K2>(key: K2): Record<K2, V> {
    return new Record(key, this.value, this.timestamp, this.headers);
  }

  /** The record with another value. */
  withValue<V2>(value: V2): Record<K, V2> {
    return new Record(this.key, value, this.timestamp, this.headers);
  }

  /** The record with another event time, ms. */
  withTimestamp(timestamp: number): Record<K, V> {
    return new Record(this.key, this.value, timestamp, this.headers);
  }
}

/**
 * The record a source has just read, before and while it is processed: what extractors see. One instance a task, filled again for each record.
 */
export interface ConsumedRecord<K, V> {
  readonly topic: string;
  readonly partition: number;
  /** The broker's offset; for files the position within the batch being read. */
  readonly offset: number;
  /** Undefined: the record has none. A source that is `complete` takes no such record. */
  readonly key: K | undefined;
  /** Undefined: the record has none, as a tombstone. */
  readonly value: V | undefined;
  /** The message's own timestamp, ms; for files what the row format says. */
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

/**
 * Gives a record its event time, a whole number of ms since the epoch; any other result drops the record (`invalid_timestamp`), as -1 does. What it throws is `STREAMS_PROCESSING` with the
 * record's place, and the processing handler decides.
 *
 * @param record - reused for the next record: keep nothing of it.
 * @param partitionTimeMs - highest timestamp seen in this partition so far, -1 before the first.
 */
export type TimestampExtractor<K, V> = (record: ConsumedRecord<K, V>, partitionTimeMs: number) => number;
