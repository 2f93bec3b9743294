import { Zone } from '../../../src/common/time/zone.ts';
import { periodWindows } from './period-windows.ts';
import { allTime, readWindows, type StatisticStores, windowStarts } from './read-windows.ts';
import { type EventType, storeName } from './statistic.ts';
import type { StatisticQuery } from './statistic-query.ts';
import { WindowRows } from './window-rows.ts';

/** Where statistics are read from. */
export interface StatisticSource {
  readonly stores: StatisticStores;
  /** IANA zone of the windows. */
  readonly zone: string;
  /** Whether a window that ends at `windowEndMs` takes no more events. */
  isFinal(windowEndMs: number): boolean;
}

/** One count, with the names that the data and all outputs use. */
export interface StatisticRow {
  /** First day of the window. */
  readonly window_start: string;
  /** First day after the window. */
  readonly window_end: string;
  readonly key: string;
  readonly type_evt: EventType;
  readonly n: number;
  /** Whether the window is closed. */
  readonly final: boolean;
}

/**
 * The counts that a query asks for, in the order of the exported files: by window, key, type. Counts of 0 are absent.
 *
 * Read window by window: one window, or some small ones, are in memory. With a key only that key's rows are read.
 */
export async function* queryStatistics(source: StatisticSource, query: StatisticQuery): AsyncIterable<StatisticRow> {
  const windows = periodWindows(query.period, source.zone);
  for await (const window of windowsOf(source, query)) {
    const window_start = windows.formatStart(window.startMs);
    const window_end = windows.formatStart(window.endMs);
    const final = source.isFinal(window.endMs);
    for (const { key, type, n } of window.rows()) {
      if (query.type !== undefined && type !== query.type) continue;
      yield { window_start, window_end, key, type_evt: type, n, final };
    }
  }
}

/** Some keys of the newest window, in natural order: a choice to offer, not a list of all there ever were. */
export async function newestKeys(
  { stores }: Pick<StatisticSource, 'stores'>,
  { period, grouping }: Pick<StatisticQuery, 'period' | 'grouping'>,
  limit: number,
): Promise<string[]> {
  const newest = (await windowStarts(stores, period)).at(-1);
  const keys: string[] = [];
  if (newest === undefined) return keys;
  for await (const { windowed } of stores(storeName(period, grouping)).fetchAll(newest, newest + 1)) {
    keys.push(windowed.key);
    if (keys.length >= limit) break;
  }
  return keys.sort(new Intl.Collator('en', { numeric: true }).compare);
}

async function* windowsOf(source: StatisticSource, query: StatisticQuery): AsyncIterable<WindowRows> {
  const { period, grouping, key } = query;
  const store = source.stores(storeName(period, grouping));
  const range = rangeOf(query, source.zone);
  if (key === undefined) {
    yield* readWindows(store, grouping, await windowStarts(source.stores, period, range));
    return;
  }
  for await (const { windowed, value } of store.fetchKey(key, range.fromMs, range.toMs)) {
    const window = new WindowRows(grouping, windowed.startMs, windowed.endMs);
    window.add(windowed.key, value);
    yield window;
  }
}

/** A window starts in `[fromMs, toMs)` exactly if its first day is in `[fromDay, toDay)`. */
function rangeOf(query: StatisticQuery, zoneName: string): { fromMs: number; toMs: number } {
  const zone = Zone.of(zoneName);
  return {
    fromMs: query.fromDay === undefined ? allTime.fromMs : zone.startOfDay(query.fromDay),
    toMs: query.toDay === undefined ? allTime.toMs : zone.startOfDay(query.toDay),
  };
}
