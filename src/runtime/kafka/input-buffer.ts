import type { PartitionOffset } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import type { StreamsError } from '../../common/errors.ts';
import type { Serde } from '../../serde/serde.ts';
import type { TaskSource } from '../task.ts';
import { rememberingKeys } from './key-memo.ts';

/** Reads a value out of the middle of bytes. */
export type RangeReader = (bytes: Buffer, start: number, end: number) => unknown;

/** A serde's reader of ranges: without a view for each value where the serde can do without. */
export function rangeReader(serde: Serde<unknown>): RangeReader {
  const { read } = serde;
  if (read !== undefined) return (bytes, start, end) => read.call(serde, bytes, start, end);
  return (bytes, start, end) => serde.deserialize(bytes.subarray(start, end));
}

/** Records of one input partition of a task, fetched and not yet processed. */
export class InputBuffer {
  readonly topic: string;
  readonly partition: number;
  readonly source: TaskSource;
  readonly readKey: RangeReader;
  readonly readValue: RangeReader;
  /** The next record is `records[at]` of the first chunk. */
  at = 0;
  /** Where fetching stands. */
  nextOffset: number;
  /** The partition's stable end as of the last fetch; -1 before the first. */
  stableEnd = -1;
  paused = false;
  /** Why there is nothing to read behind what is buffered. */
  failure: StreamsError | undefined;
  /** Records processed since the task was taken. */
  consumed = 0;
  /** When it was first seen empty, ms; undefined while it has records. */
  emptySinceMs: number | undefined;
  /** Event time of the next record where several inputs are merged; NaN: to be read. */
  headMs: number = Number.NaN;
  #chunks: FetchedRecords[] = [];
  #buffered = 0;

  /** @param from - Where its records are, and the first to read. */
  constructor(source: TaskSource, from: PartitionOffset, valueSerde: Serde<unknown>) {
    this.topic = from.topic;
    this.partition = from.partition;
    this.source = source;
    this.nextOffset = from.offset;
    this.readKey = rememberingKeys(rangeReader(source.spec.keySerde));
    this.readValue = rangeReader(valueSerde);
  }

  /** Takes what was fetched. */
  push(records: FetchedRecords): void {
    this.nextOffset = records.nextOffset;
    this.stableEnd = records.stableEnd;
    if (records.length === 0) return;
    this.#chunks.push(records);
    this.#buffered += records.length;
    this.emptySinceMs = undefined;
  }

  /** The chunk of the next record. */
  get head(): FetchedRecords | undefined {
    return this.#chunks[0];
  }

  /** Passes records up to index `at` of the first chunk. */
  advance(at: number): void {
    const passed = at - this.at;
    this.at = at;
    this.consumed += passed;
    this.#buffered -= passed;
    this.headMs = Number.NaN;
    if (at < this.#chunks[0]!.length) return;
    this.#chunks.shift();
    this.at = 0;
  }

  /** Records waiting. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Where to go on after a restart: the next record to process, or, with none waiting, where fetching stands. */
  get position(): number {
    const head = this.#chunks[0];
    return head === undefined ? this.nextOffset : head.offsets[this.at]!;
  }

  /** Records between the position and the stable end; -1 if that is not known yet. */
  get lag(): number {
    return this.stableEnd < 0 ? -1 : Math.max(0, this.stableEnd - this.position);
  }
}
