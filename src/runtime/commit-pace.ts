/** A task with more records before it than this is far behind: what it commits shows a state that is long past. */
const farBehindRecords = 20_000;
/** Most that lies between two commits of such a task: so much is done again after a crash. */
const mostRecords = 50_000;
const mostMs = 1000;
/** By how much they are further apart, at most. */
const stretch = 10;
/** So many times the cost of a commit lie between it and the next: commits take such a task a quarter of its time at most. */
const apartByCost = 4;

/** What a task's commits go by. */
export interface CommitPacing {
  readonly commitIntervalMs: number;
  readonly transactionTimeoutMs: number;
  /** Records that the task has still to process. */
  readonly lag: number;
  /** What its last commit took to collect the changed rows and to write them to the local copy, ms, without the broker's part; 0 before the first. */
  readonly costMs: number;
}

/**
 * How far commits of a task are apart, ms.
 *
 * While a task is far behind nobody but the tasks behind it waits for what it commits, and one large commit of many keys costs much less than ten small ones: each page of a store is written once, not
 * ten times. So commits that cost much are then further apart: four times what the last one cost, but not more than ten times `commit.interval.ms`, a second, or a tenth of the transaction's timeout.
 * With a `commit.interval.ms` of 100, a cost of 5 ms leaves it at 100 (the next task gets its records as soon as ever), one of 40 ms makes it 160, one of 300 ms makes it 1000.
 */
export function commitPaceMs({ commitIntervalMs, transactionTimeoutMs, lag, costMs }: CommitPacing): number {
  if (lag <= farBehindRecords) return commitIntervalMs;
  return byCost(commitIntervalMs, costMs, Math.min(mostMs, transactionTimeoutMs / 10));
}

/**
 * How far commits over files are apart, ms, while there is more to read at once: four times what the last one cost, but not more than ten times `commit.interval.ms`.
 *
 * With an interval of 1000, a cost of 200 ms leaves it at 1000, one of 2 s makes it 8000, one of 5 s makes it 10,000.
 */
export function filesCommitPaceMs(commitIntervalMs: number, costMs: number): number {
  return byCost(commitIntervalMs, costMs, Number.POSITIVE_INFINITY);
}

function byCost(commitIntervalMs: number, costMs: number, mostMs: number): number {
  return Math.max(commitIntervalMs, Math.min(apartByCost * costMs, stretch * commitIntervalMs, mostMs));
}

/** Whether so many records are enough for a commit, however far behind the task is. */
export function isLargeCommit(records: number): boolean {
  return records >= mostRecords;
}
