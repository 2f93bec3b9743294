import type { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
import type { RowEncoder } from '../../../src/sink/row-encoder.ts';
import type { ColumnValue, RowValues, SinkColumn } from '../../../src/sink/sink-rows.ts';
import { type NameLookup, namedLevel } from './name-lookup.ts';
import { type EventType, eventTypes, type Grouping } from './statistic.ts';
import { allTime, type StatisticStore } from './statistic-stores.ts';

/** One statistic to write. */
export interface StatisticSourceOptions {
  readonly grouping: Grouping;
  readonly windows: CalendarWindows;
  readonly store: StatisticStore;
  readonly names: NameLookup | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The columns of a statistic's file. Those by type have none for their one group; with names one such as `region_name` follows the id. */
export function statisticColumns(grouping: Grouping, names: boolean): readonly SinkColumn[] {
  const text = (name: string): SinkColumn => ({ name, type: 'string' });
  const group = grouping === 'equipment' ? ['type_equipement', 'id_equipement'] : grouping === 'type' ? [] : [grouping];
  const named = names && namedLevel(grouping) !== undefined ? [`${grouping}_name`] : [];
  const texts = [...group, ...named, 'type_evt'];
  return [{ name: 'window_start', type: 'date' }, ...texts.map(text), { name: 'n', type: 'int64' }];
}

/** A row under way: its cells are replaced from row to row. */
class StatisticRow implements RowValues {
  readonly columns: readonly SinkColumn[];
  readonly cells: ColumnValue[] = [];

  constructor(columns: readonly SinkColumn[]) {
    this.columns = columns;
  }

  values(out: ColumnValue[]): void {
    for (let i = 0; i < this.cells.length; i++) out[i] = this.cells[i]!;
  }
}

/**
 * Writes the rows of a statistic: open windows too, counts of 0 absent, sorted by the columns as text. The stores give rows by window, then by the bytes of their key, which is
 * that order; so rows are written as they are read, and memory does not depend on their number.
 *
 * @returns how many rows.
 */
export async function writeStatistic(
  encoder: RowEncoder,
  append: (bytes: Uint8Array) => Promise<unknown>,
  { grouping, windows, store, names, signal }: StatisticSourceOptions,
): Promise<number> {
  const row = new StatisticRow(statisticColumns(grouping, names !== undefined));
  const level = names === undefined ? undefined : namedLevel(grouping);
  let rows = 0;
  let startMs = Number.NaN;
  let start = '';
  for await (const { windowed, value } of store.fetchAll(allTime.fromMs, allTime.toMs)) {
    if (windowed.startMs !== startMs) {
      signal?.throwIfAborted();
      startMs = windowed.startMs;
      start = windows.formatStart(startMs);
    }
    const found = level === undefined ? undefined : names!.of(level, windowed.key);
    const at = setGroup(row.cells, grouping, windowed.key, typeof found === 'object' ? await found : found);
    row.cells[0] = start;
    rows += addRows(encoder, row, at, value);
    for (let bytes = encoder.take(); bytes !== undefined; bytes = encoder.take()) {
      signal?.throwIfAborted();
      await append(bytes);
    }
  }
  await append(encoder.finish());
  return rows;
}

/** Adds a row for each type of event that there were; its cells are `at` and the next one. A function of its own is compiled once, not with each loop around it. */
function addRows(
  encoder: RowEncoder,
  row: StatisticRow,
  at: number,
  counts: Readonly<Record<EventType, number>>,
): number {
  let rows = 0;
  for (const type of eventTypes) {
    const n = counts[type];
    if (n === 0) continue;
    row.cells[at] = type;
    row.cells[at + 1] = n;
    encoder.add(row);
    rows++;
  }
  return rows;
}

/** Sets the cells of a key and its name behind the first one: `C`, `8` for equipment `C:8`, `13` for a departement, nothing for type. Returns the position behind them. */
function setGroup(cells: ColumnValue[], grouping: Grouping, key: string, name: string | undefined): number {
  if (grouping === 'type') return 1;
  if (grouping === 'equipment') {
    const colon = key.indexOf(':');
    cells[1] = key.slice(0, colon);
    cells[2] = key.slice(colon + 1);
    return 3;
  }
  cells[1] = key;
  if (name === undefined) return 2;
  cells[2] = name;
  return 3;
}
