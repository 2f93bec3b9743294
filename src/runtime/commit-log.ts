import type { WriteBatch } from '../../state/database.ts';

/** What a flush has put together. */
export interface FlushedTask {
  /** The changed rows; what else the commit says goes into it too. */
  readonly batch: WriteBatch;
  readonly rows: number;
  /** How long that took, ms. */
  readonly flushMs: number;
  /** Whether anything was taken or done since the last commit. */
  readonly changed: boolean;
  /** What the task's commits have taken so far in this process, seconds. */
  readonly commitSeconds: number;
}

/** A commit that is put together: what is taken from now on belongs to the next. */
export interface BegunCommit {
  /** Makes it durable: rows, positions, clocks and outputs, or nothing of them. False: it was given up. */
  write(): Promise<boolean>;
}

/** What makes the commits of a task durable. */
export interface CommitLog {
  /** What was written takes so much memory until it is committed that no more should come. */
  readonly isFull: boolean;
  /** Whether there is something to commit though no record was taken. */
  readonly hasNews: boolean;
  /** Whether the next commit is due; asked each `commit.interval.ms`. */
  isDue(nowMs: number): boolean;
  /** What it writes survives a loss of power. */
  readonly syncWrites: boolean;
  /** The batch of the next commit. What is written ahead of it may be written from now on. */
  batch(): WriteBatch | Promise<WriteBatch>;
  /** Adds to a flush what stands beside its rows; undefined: there is nothing to commit. The task takes nothing meanwhile. */
  take(flushed: FlushedTask): Promise<BegunCommit | undefined>;
  /** Gives up what is not committed. */
  close(): Promise<void>;
}
