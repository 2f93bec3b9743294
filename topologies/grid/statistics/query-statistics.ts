import { Zone } from '../../../src/common/time/zone.ts';
import { type NameLookup, namedLevel } from './name-lookup.ts';
import { periodWindows } from './period-windows.ts';
import { allKey, type EventType, eventTypes, storeName } from './statistic.ts';
import type { StatisticQuery } from './statistic-query.ts';
import { allTime, type StatisticStores } from './statistic-stores.ts';

/** Where statistics are read from. */
export interface StatisticSource {
  readonly stores: StatisticStores;
  /** IANA zone of the windows. */
  readonly zone: string;
  /** Windows that end up to here take no more events, ms. Asked before rows are read: what is closed meanwhile may have had more. */
  finalUntilMs(): number;
  /** The names of places. @defaultValue there are none */
  names?(): NameLookup;
}

/** One count, with the names that the data and all outputs use. */
export interface StatisticRow {
  /** First day of the window. */
  readonly window_start: string;
  /** First day after the window. */
  readonly window_end: string;
  readonly key: string;
  /** Of the commune, departement or region, if names are asked for; empty where the park has none. */
  readonly name?: string;
  readonly type_evt: EventType;
  readonly n: number;
  /** Whether the window is closed. */
  readonly final: boolean;
}

/**
 * The counts that a query asks for, in the order of the exported files: by window, key, type. Counts of 0 are absent.
 *
 * Rows are handed on as they are read, so memory does not depend on their number. With a key only that key's rows are read.
 */
export async function* queryStatistics(source: StatisticSource, query: StatisticQuery): AsyncIterable<StatisticRow> {
  const windows = periodWindows(query.period, source.zone);
  const store = source.stores(storeName(query.period, query.grouping));
  const { fromMs, toMs } = rangeOf(query, source.zone);
  const finalUntilMs = source.finalUntilMs();
  const rows = query.key === undefined ? store.fetchAll(fromMs, toMs) : store.fetchKey(query.key, fromMs, toMs);
  const level = query.names === true ? namedLevel(query.grouping) : undefined;
  const names = level === undefined ? undefined : source.names?.();
  const types = query.type === undefined ? eventTypes : [query.type];
  let startMs = Number.NaN;
  let window = { window_start: '', window_end: '', final: false };
  for await (const { windowed, value } of rows) {
    if (windowed.startMs !== startMs) {
      startMs = windowed.startMs;
      const window_start = windows.formatStart(startMs);
      const { endMs } = windowed;
      window = { window_start, window_end: windows.formatStart(endMs), final: endMs <= finalUntilMs };
    }
    const { key } = windowed;
    const found = level === undefined ? undefined : (names?.of(level, key) ?? '');
    const named = found === undefined ? {} : { name: typeof found === 'string' ? found : await found };
    for (const type_evt of types) {
      const n = value[type_evt];
      const { window_start, window_end, final } = window;
      if (n !== 0) yield { window_start, window_end, key, ...named, type_evt, n, final };
    }
  }
}

/** Some keys of the newest window, in natural order: a choice to offer, not a list of all there ever were. */
export async function newestKeys(
  { stores }: Pick<StatisticSource, 'stores'>,
  { period, grouping }: Pick<StatisticQuery, 'period' | 'grouping'>,
  limit: number,
): Promise<string[]> {
  const keys: string[] = [];
  let newestMs: number | undefined;
  // The statistic by type has one row for each window, so it is the quickest way to the newest.
  for await (const { windowed } of stores(storeName(period, 'type')).fetchKey(allKey, allTime.fromMs, allTime.toMs)) {
    newestMs = windowed.startMs;
  }
  if (newestMs === undefined) return keys;
  for await (const { windowed } of stores(storeName(period, grouping)).fetchAll(newestMs, newestMs + 1)) {
    keys.push(windowed.key);
    if (keys.length >= limit) break;
  }
  return keys.sort(new Intl.Collator('en', { numeric: true }).compare);
}

/** A window starts in `[fromMs, toMs)` exactly if its first day is in `[fromDay, toDay)`. */
function rangeOf(query: StatisticQuery, zoneName: string): { fromMs: number; toMs: number } {
  const zone = Zone.of(zoneName);
  return {
    fromMs: query.fromDay === undefined ? allTime.fromMs : zone.startOfDay(query.fromDay),
    toMs: query.toDay === undefined ? allTime.toMs : zone.startOfDay(query.toDay),
  };
}
