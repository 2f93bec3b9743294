import { Histogram, type HistogramValue, together } from '../../common/histogram.ts';
import { dropReasons } from '../../processor/drop-reason.ts';
import { commitBounds, type StoreStats, type TaskWork } from '../engine-stats.ts';
import { addedTimes, noTimes } from '../record-times.ts';
import type { KafkaTask } from './transaction-log.ts';

/** What this process has done for one task, over all the times it was here. */
export interface SlotWork extends TaskWork {
  /** Records that were read back by restores. */
  readonly restored: number;
  /** Records taken, by topic; all of the task's partition. */
  readonly consumed: Readonly<Record<string, number>>;
  readonly commits: number;
  readonly commitDurations: HistogramValue;
  readonly committedRows: number;
  /** Reads, writes and expired rows of its stores, which hold no rows any more. */
  readonly stores: readonly StoreStats[];
}

/** Nothing was done yet. */
export const noWork: SlotWork = {
  processed: 0,
  dropped: Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as TaskWork['dropped'],
  punctuations: 0,
  times: noTimes,
  restored: 0,
  consumed: {},
  commits: 0,
  commitDurations: new Histogram(commitBounds).value,
  committedRows: 0,
  stores: [],
};

/** What was done before, and by the task that is at work now, or ends. */
export function withTask(before: SlotWork, running: KafkaTask): SlotWork {
  const { engine, source, commits, commitDurations, committedRows } = running;
  const task = engine.tasks[0]!;
  const { processed, dropped, punctuations, times } = task.work();
  return {
    processed: before.processed + processed,
    dropped: addedTo(before.dropped, dropped) as TaskWork['dropped'],
    punctuations: before.punctuations + punctuations,
    times: addedTimes(before.times, times),
    restored: before.restored,
    consumed: addedTo(
      before.consumed,
      Object.fromEntries(source.queues.map(({ topic, consumed }) => [topic, consumed])),
    ),
    commits: before.commits + commits,
    commitDurations: together(before.commitDurations, commitDurations),
    committedRows: before.committedRows + committedRows,
    stores: addedStores([
      ...before.stores,
      ...engine.tables.map((table) => ({ ...table.snapshotStats(), cachedEntries: 0, dirtyBytes: 0 })),
    ]),
  };
}

/** Numbers by name, added. */
export function addedTo(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [name, value] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}

/** One entry for each store, of all that is given of it. */
export function addedStores(all: Iterable<StoreStats>): StoreStats[] {
  const stores = new Map<string, StoreStats>();
  for (const stats of all) {
    const sum = stores.get(stats.store);
    if (sum === undefined) stores.set(stats.store, { ...stats });
    else
      for (const field of ['hits', 'misses', 'puts', 'cachedEntries', 'dirtyBytes', 'expired'] as const)
        sum[field] += stats[field];
  }
  return [...stores.values()];
}
