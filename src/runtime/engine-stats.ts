import type { HistogramValue } from '../common/histogram.ts';
import type { DropReason } from '../processor/drop-reason.ts';
import type { FeedProgress } from './feed.ts';
import type { RecordTimes } from './record-times.ts';

export type { DropReason };

/** Life of a streams client. Kafka Streams: `KafkaStreams.State`. */
export type StreamsState = 'CREATED' | 'REBALANCING' | 'RUNNING' | 'PENDING_SHUTDOWN' | 'NOT_RUNNING' | 'ERROR';

/** What one task has done. `processed` and `dropped` run since the state began and are committed with it, so they fall to the last commit with it; `punctuations` since the process began. */
export interface TaskStats {
  readonly taskId: string;
  readonly topics: readonly string[];
  readonly partition: number;
  processed: number;
  dropped: Record<DropReason, number>;
  /** Highest event time seen by the task, ms; -1 before the first record. */
  streamTimeMs: number;
  /** Observed stream time of each windowed operator, ms. */
  operatorTimeMs: Record<string, number>;
  bufferedRecords: number;
  punctuations: number;
}

/**
 * What this process has done for one task. It begins at 0 with the process, goes on where it was when a task comes back, and counts what was done and is to be done
 * again too: it never falls, and never jumps to what others did. With 900 records committed by another instance and 100 taken here, `processed` is 100.
 */
export interface TaskWork {
  readonly processed: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly punctuations: number;
  /** How late and how old its records were. */
  readonly times: RecordTimes;
}

/** Cache and rows of one store, over its tasks: `hits`, `misses`, `puts` and `expired` since the process began. */
export interface StoreStats {
  readonly store: string;
  readonly kind: 'key-value' | 'window' | 'versioned';
  hits: number;
  misses: number;
  puts: number;
  cachedEntries: number;
  dirtyBytes: number;
  expired: number;
}

/** One look at a running (or only opened) engine. Plain numbers, cheap to take. */
export interface EngineStats {
  readonly applicationId: string;
  readonly state: StreamsState;
  readonly tasks: readonly TaskStats[];
  readonly stores: readonly StoreStats[];
  /** What was done with stores of which this thread has nothing any more: another thread of the process may have some. @defaultValue nothing */
  readonly formerStores?: readonly StoreStats[];
  readonly feeds: readonly FeedProgress[];
  /** What this process has done, by task: tasks that have left it too. Counters of metrics are made of it. */
  readonly work: Readonly<Record<string, TaskWork>>;
  /** As `feeds`, but the rows and bytes that this process has read. Empty until the feeds are open. */
  readonly feedWork: readonly FeedProgress[];
  /** Commits of this process. */
  readonly commits: number;
  /** How long they took, seconds; `sum` is all of it. */
  readonly commitDurations: HistogramValue;
  /** Rows written by them. */
  readonly committedRows: number;
  readonly lastCommitAtMs: number | undefined;
  readonly errors: Readonly<Record<string, number>>;
  /** True after `--final`. */
  readonly final: boolean;
}

/** Bounds of {@link EngineStats.commitDurations}, seconds: a commit of a small state takes ms, one of a large cache or a slow broker seconds. */
export const commitBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
