import type { DropReason } from '../processor/drop-reason.ts';
import type { FeedProgress } from './feed.ts';

export type { DropReason };

/** Life of a streams client. Kafka Streams: `KafkaStreams.State`. */
export type StreamsState = 'CREATED' | 'REBALANCING' | 'RUNNING' | 'PENDING_SHUTDOWN' | 'NOT_RUNNING' | 'ERROR';

/** What one task has done. Counters run since the state began where `committed`, else since the process began. */
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

/** Cache and rows of one store, over its tasks. */
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
  readonly feeds: readonly FeedProgress[];
  readonly commits: number;
  /** Sum of commit durations, seconds, and rows written. */
  readonly commitSeconds: number;
  readonly committedRows: number;
  readonly lastCommitAtMs: number | undefined;
  readonly errors: Readonly<Record<string, number>>;
  /** True after `--final`. */
  readonly final: boolean;
}
