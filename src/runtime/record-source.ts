import type { Drop } from '../processor/drop-reason.ts';

/**
 * Records that wait for their task: of one partition, or of a topic whose records are told apart by their keys. They are taken in the order of their offsets.
 *
 * Kafka Streams: `processor/internals/RecordQueue.java`.
 */
export interface RecordQueue {
  readonly topic: string;
  readonly partition: number;
  /** Index of the next record of the batch at hand; `end` where none is left of it. */
  at: number;
  readonly end: number;
  /** Event time of the next record, where several queues are merged; NaN: to be asked. */
  headMs: number;
  /** The event time of the record at `at`. @throws where it cannot be told */
  timeOfHead(): number;
  /** Takes the record at `at` through its task. */
  take(): void;
  /** Asks what becomes of the record at `at`, whose processing failed. @throws StreamsError that names the record, where it is to be the end */
  failed(error: unknown): void;
  /** The record at `at` is dropped. */
  dropped(drop: Drop): void;
  /** All before `at` is processed. */
  accept(): void;
}

/** Where the records of a task come from. What is pushed wakes the loop; what has to be asked for comes by `fill`. */
export interface RecordSource {
  readonly queues: readonly RecordQueue[];
  /** No record will come any more. */
  readonly ended: boolean;
  /** Why nothing comes behind what was taken: that is committed, and nothing more. */
  readonly failure: Error | undefined;
  /** Whether records may be taken: of several queues the next one is known. */
  isReady(nowMs: number): boolean;
  /** Asks for what is missing; true if anything came. Undefined: there is nothing to ask for now. */
  fill(): Promise<boolean> | undefined;
  /** Whether there has been nothing to read for so long. */
  isIdle(idleMs: number, nowMs: number): boolean;
}
