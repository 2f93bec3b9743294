import type { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
import type { WindowRow } from '../../../src/runtime/read-only-stores.ts';
import type { RowEncoder } from '../../../src/sink/row-encoder.ts';
import type { ColumnValue, RowValues, SinkColumn } from '../../../src/sink/sink-rows.ts';
import { type NameLookup, namedLevel } from './name-lookup.ts';
import { type Counts, eventTypes, type Grouping } from './statistic.ts';
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

/** Rows that are read before they are written. */
const rowsAtOnce = 256;

/**
 * Writes the rows of a statistic: open windows too, counts of 0 absent, sorted by the columns as text. The stores give rows by window, then by the bytes of their key, which is
 * that order; so rows are written some at a time as they are read, and memory does not depend on their number.
 *
 * @returns how many rows.
 */
export async function writeStatistic(
  encoder: RowEncoder,
  append: (bytes: Uint8Array) => Promise<unknown>,
  options: StatisticSourceOptions,
): Promise<number> {
  const { store, signal } = options;
  const writer = new StatisticWriter(encoder, options);
  // The loop only collects: what it did itself would be compiled with it, anew for each statistic.
  let read: WindowRow<string, Counts>[] = [];
  const write = async (): Promise<void> => {
    signal?.throwIfAborted();
    await writer.write(read);
    read = [];
    for (let bytes = encoder.take(); bytes !== undefined; bytes = encoder.take()) {
      signal?.throwIfAborted();
      await append(bytes);
    }
  };
  for await (const row of store.fetchAll(allTime.fromMs, allTime.toMs))
    if (read.push(row) === rowsAtOnce) await write();
  await write();
  await append(encoder.finish());
  return writer.rows;
}

class StatisticWriter {
  rows = 0;
  readonly #encoder: RowEncoder;
  readonly #grouping: Grouping;
  readonly #windows: CalendarWindows;
  readonly #row: StatisticRow;
  readonly #names: NameLookup | undefined;
  #startMs = Number.NaN;
  #start = '';

  constructor(encoder: RowEncoder, { grouping, windows, names }: StatisticSourceOptions) {
    this.#encoder = encoder;
    this.#grouping = grouping;
    this.#windows = windows;
    this.#row = new StatisticRow(statisticColumns(grouping, names !== undefined));
    this.#names = namedLevel(grouping) === undefined ? undefined : names;
  }

  async write(rows: readonly WindowRow<string, Counts>[]): Promise<void> {
    const names = this.#names;
    if (names === undefined) for (const row of rows) this.#add(row, undefined);
    else {
      const level = namedLevel(this.#grouping)!;
      for (const row of rows) this.#add(row, await names.of(level, row.windowed.key));
    }
  }

  /** Adds a row for each type of event that there were. */
  #add({ windowed, value }: WindowRow<string, Counts>, name: string | undefined): void {
    if (windowed.startMs !== this.#startMs) {
      this.#startMs = windowed.startMs;
      this.#start = this.#windows.formatStart(windowed.startMs);
    }
    const { cells } = this.#row;
    const at = setGroup(cells, this.#grouping, windowed.key, name);
    cells[0] = this.#start;
    for (const type of eventTypes) {
      const n = value[type];
      if (n === 0) continue;
      cells[at] = type;
      cells[at + 1] = n;
      this.#encoder.add(this.#row);
      this.rows++;
    }
  }
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
