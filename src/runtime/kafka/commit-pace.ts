/** A task with more records before it than this is far behind: what it commits shows a state that is long past. */
const farBehindRecords = 20_000;
/** Most that lies between two commits of such a task: so much is done again after a crash. */
const mostRecords = 50_000;
const mostMs = 1000;
/** By how much they are further apart. */
const stretch = 10;

/**
 * How far commits of a task are apart, ms.
 *
 * While a task is far behind nobody waits for what it commits, and one large commit costs much less than many small ones: each page of a store is written once, not ten times. So commits are
 * then ten times `commit.interval.ms` apart, but not more than a second or a tenth of the transaction's timeout. A `commit.interval.ms` of 100 becomes 1000, one of 5 becomes 50, one of
 * 30000 stays.
 *
 * @param lag - Records that the task has still to process.
 */
export function commitPaceMs(commitIntervalMs: number, transactionTimeoutMs: number, lag: number): number {
  if (lag <= farBehindRecords) return commitIntervalMs;
  return Math.max(commitIntervalMs, Math.min(stretch * commitIntervalMs, mostMs, transactionTimeoutMs / 10));
}

/** Whether so many records are enough for a commit, however far behind the task is. */
export function isLargeCommit(records: number): boolean {
  return records >= mostRecords;
}
