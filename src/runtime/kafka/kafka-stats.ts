import type { HistogramValue } from '../../common/histogram.ts';
import type { LetterSample } from '../letter-sample.ts';

/** One partition that a task reads: where it is. */
export interface KafkaInputStats {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record to process; it passes over markers, aborted and compacted records. */
  position: number;
  /** End of what no open transaction can still change, as last seen. */
  stableEnd: number;
  /** Records before the stable end that are not processed yet: never below 0, and 0 where that end is not known (-1). */
  lag: number;
  /** Records fetched and not processed yet. */
  buffered: number;
}

/** How far a task's stores are read back from their changelogs. It stays as it is when the restore has ended. */
export interface RestoreStats {
  /** Records read so far. */
  restored: number;
  /** Records to read, as known at the start: 0 where the local copy was whole. */
  total: number;
  /** How long it has taken, or took. */
  seconds: number;
}

/** Kafka Streams: `Task.State`. An active task that is suspended waits for its partitions to be given to another member. */
export type KafkaTaskStatus = 'created' | 'restoring' | 'running' | 'suspended';

/** One task that this instance has. */
export interface KafkaTaskStats {
  /** `0_3`: sub-topology 0, partition 3. */
  readonly taskId: string;
  readonly kind: 'active' | 'standby';
  /** Name of the stream thread that has it. */
  readonly thread: string;
  status: KafkaTaskStatus;
  /** Source and repartition partitions; none for a standby. */
  readonly inputs: readonly KafkaInputStats[];
  /** How far the commits of a running task are apart now, ms: `commit.interval.ms`, or more while it is far behind. */
  readonly commitPaceMs?: number;
  /** The active task's latest restore. Absent: there was none. */
  readonly restore?: RestoreStats;
  /** Changelog records that a standby has not read yet. Absent until that is known. */
  readonly standbyLag?: number;
}

/** What this process has done for one task, beside `TaskWork`: it goes on when the task comes back, and never falls. */
export interface KafkaTaskWork {
  /** Records read back by restores. */
  readonly restored: number;
  /** How long each restore took that ended well, seconds; one that had nothing to read too. */
  readonly restores: HistogramValue;
}

/** Bounds of {@link KafkaTaskWork.restores}, seconds: a kept copy is opened in ms, a large store is read in minutes. */
export const restoreBounds: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

/** A stream thread of this instance. */
export interface KafkaThreadStats {
  /** `counts-5f0c…-StreamThread-2`. */
  readonly name: string;
  /** Its place among the threads of the instance, from 1 on: what a thread that is replaced has in common with the new one. */
  readonly number: number;
  /** How many tasks it runs. */
  readonly active: number;
  /** How many it keeps a copy of. */
  readonly standby: number;
}

/** One partition of a global table's topic: every instance reads all of them. */
export interface KafkaGlobalStats {
  readonly topic: string;
  readonly partition: number;
  /** All before this offset is applied, and seen by who reads the table. */
  position: number;
  /** Records before the stable end that are not applied yet. */
  lag: number;
}

/** A partition that came to a topic while the application ran, and that no task reads yet, or none can. */
export interface UnreadPartition {
  readonly topic: string;
  readonly partition: number;
  /** Records that it holds, as last looked. */
  readonly lag: number;
}

/** A member of the group, as the leader has told this one. */
export interface KafkaInstanceStats {
  /** Where it is asked over HTTP, 'host:port'; '' for nowhere. */
  readonly endpoint: string;
  /** Whether it is this one. */
  readonly own: boolean;
  /** The tasks that it runs. */
  readonly active: readonly string[];
  /** Those that it keeps a copy of. */
  readonly standby: readonly string[];
}

/** What was written to one topic since the process began, aborted transactions included. */
export interface KafkaOutputStats {
  readonly topic: string;
  records: number;
  /** Bytes of keys and values, before compression. */
  bytes: number;
}

/**
 * One look at this instance's part of an application on Kafka: plain numbers, cheap to take.
 *
 * It holds what only the runtime on Kafka knows. State, records processed and dropped, commits and their durations, caches and errors are in
 * `EngineStats`, as they are without a broker.
 */
export interface KafkaStats {
  readonly clientId: string;
  /** The cluster's own id; undefined until it is known. */
  readonly clusterId: string | undefined;
  readonly processingGuarantee: 'exactly_once' | 'at_least_once';
  /** Generation of the group in which this instance's assignment was made; -1 without one. */
  readonly generation: number;
  /** Assignments received since the process began. */
  readonly rebalances: number;
  /** All members of the group as of this instance's assignment, this one included; none without one. */
  readonly instances: readonly KafkaInstanceStats[];
  /** Stream threads of this instance that are alive. */
  readonly threads: readonly KafkaThreadStats[];
  readonly tasks: readonly KafkaTaskStats[];
  /** What this process has done, by task: tasks that have left it too. */
  readonly work: Readonly<Record<string, KafkaTaskWork>>;
  /** Records taken since the process began, by `topic-partition`: of partitions that have left it too. */
  readonly consumed: Readonly<Record<string, number>>;
  readonly globals: readonly KafkaGlobalStats[];
  /** New partitions of the inputs that nobody reads, as this instance has found them. */
  readonly unread: readonly UnreadPartition[];
  /** Commits that failed, or whose outcome was not known: their tasks went on from what the broker said. */
  readonly commitFailures: number;
  /** Transactions given up by this instance. */
  readonly transactionsAborted: number;
  /** Tasks dropped because another instance owned them already. */
  readonly tasksMigrated: number;
  readonly outputs: readonly KafkaOutputStats[];
  /** Records sent to the dead-letter topic, by reason. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Records sent to the topic of late ones. */
  readonly lateLetters: number;
  /** Some of these letters, of each kind. Absent: none. */
  readonly letters?: readonly LetterSample[];
  /** Highest event time among the records that this instance has committed, ms; undefined before the first commit. */
  readonly committedEventTimeMs: number | undefined;
  /** Bytes on disk of each store, over this instance's tasks. */
  readonly storeBytes: Readonly<Record<string, number>>;
}
