import type { Header } from '../processor/record.ts';

/**
 * Records of one partition in offset order, in columns: record `i` lies at `offsets[i]`, its key is `bytes[keyStarts[i] .. keyEnds[i])`. No object is made for a
 * record.
 *
 * `bytes` is not changed by anybody while somebody holds these records.
 */
export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
  readonly offsets: Float64Array | readonly number[];
  /** ms. */
  readonly timestamps: Float64Array | readonly number[];
  /** True where the broker set the timestamps at arrival (LogAppendTime). */
  readonly appendTime: boolean;
  readonly bytes: Buffer;
  /** Start of each key in `bytes`; -1 for a record without key. */
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  /** Start of each value in `bytes`; -1 for a record without value. */
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** Headers of a record. Read when asked for. */
  headers(i: number): readonly Header[];
  /** Where to read on: control markers, aborted and compacted records are passed. */
  readonly nextOffset: number;
  /** The stable end (with read_uncommitted: the end) as of this fetch: `stableEnd - nextOffset` is the lag. */
  readonly stableEnd: number;
}
