import { dayMs, firstCivilDay, lastCivilDay } from '../../../src/common/time/civil.ts';
import type { ReadOnlyWindowStore } from '../../../src/runtime/read-only-stores.ts';
import { allKey, type Counts, type Grouping, type Period, storeName } from './statistic.ts';
import { WindowRows } from './window-rows.ts';

/** The store of one statistic, to read. */
export type StatisticStore = ReadOnlyWindowStore<string, Counts>;

/** The statistics' stores by name. */
export type StatisticStores = (name: string) => StatisticStore;

/** Before and after every window, ms. */
export const allTime: { readonly fromMs: number; readonly toMs: number } = {
  fromMs: firstCivilDay * dayMs,
  toMs: (lastCivilDay + 1) * dayMs,
};

/** Rows that may be in memory at once while several small windows are read together. */
const rowsAtOnce = 50_000;

/**
 * Starts of the windows of a period that have events and start in `[fromMs, toMs)`, oldest first.
 *
 * They are those of the statistic by type, which has one row for each window: every event is in exactly one row of every grouping.
 */
export async function windowStarts(
  stores: StatisticStores,
  period: Period,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number } = allTime,
): Promise<number[]> {
  const starts: number[] = [];
  for await (const { windowed } of stores(storeName(period, 'type')).fetchKey(allKey, fromMs, toMs)) {
    starts.push(windowed.startMs);
  }
  return starts;
}

/**
 * The windows that start at `starts` (ascending), oldest first, each with all its rows.
 *
 * Small windows are read several at a time, because opening a range costs as much as some hundred rows; at most `rowsAtOnce` rows or one
 * window are in memory. The store may give rows task by task: within a range they are sorted into their windows.
 */
export async function* readWindows(
  store: StatisticStore,
  grouping: Grouping,
  starts: readonly number[],
): AsyncIterable<WindowRows> {
  let together = 1;
  for (let i = 0; i < starts.length; ) {
    const last = Math.min(starts.length, i + together) - 1;
    const windows = new Map<number, WindowRows>();
    let rows = 0;
    for await (const { windowed, value } of store.fetchAll(starts[i]!, starts[last]! + 1)) {
      const { startMs, endMs, key } = windowed;
      let window = windows.get(startMs);
      if (window === undefined) {
        window = new WindowRows(grouping, startMs, endMs);
        windows.set(startMs, window);
      }
      window.add(key, value);
      rows++;
    }
    yield* [...windows.values()].sort((a, b) => a.startMs - b.startMs);
    const perWindow = Math.max(1, rows / (last - i + 1));
    i = last + 1;
    // Doubling at most: windows may grow with the park.
    together = Math.max(1, Math.min(together * 2, Math.floor(rowsAtOnce / perWindow)));
  }
}
