import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
import { writeWholeFile } from '../../../src/files/whole-file.ts';
import { type NameLookup, namedLevel } from './name-lookup.ts';
import { periodWindows } from './period-windows.ts';
import { eventTypes, type Grouping, groupings, type Period, periods, storeName } from './statistic.ts';
import { csvFileName, csvGroupCells, csvHeader } from './statistic-csv.ts';
import { allTime, type StatisticStore, type StatisticStores } from './statistic-stores.ts';

/** Characters that are written at once. */
const chunkLength = 256 * 1024;

/** How to export. */
export interface ExportOptions {
  /** @defaultValue all four */
  readonly periods?: readonly Period[];
  /** @defaultValue all six */
  readonly groupings?: readonly Grouping[];
  /** Given: files by commune, departement and region have a column with the name after that of the id. @defaultValue they have none */
  readonly names?: NameLookup;
  /** Stops the export: the file under way is not left behind, those before it are whole. */
  readonly signal?: AbortSignal;
}

/** A file that was written. */
export interface ExportedFile {
  readonly file: string;
  /** Lines without the header. */
  readonly rows: number;
}

/**
 * Writes the statistics as CSV files, `day_type.csv` to `year_region.csv`: open windows too, sorted by their columns as text, counts of 0
 * absent, lines ended by LF.
 *
 * A file appears under its name when it is whole: it replaces an older one in one step. The stores give rows by window, then by the bytes of
 * their key, which is the order of the columns too; so rows are written as they are read, and memory does not depend on their number.
 *
 * @param stores - The stores by name.
 * @param outDir - Is made if it is not there.
 * @param zone - IANA zone of the windows.
 * @throws {@link StreamsError} `STREAMS_FILE` - if a file cannot be written.
 */
export async function exportStatistics(
  stores: StatisticStores,
  outDir: string,
  zone: string,
  options: ExportOptions = {},
): Promise<readonly ExportedFile[]> {
  const { signal, names } = options;
  const exported: ExportedFile[] = [];
  for (const period of options.periods ?? periods) {
    const windows = periodWindows(period, zone);
    for (const grouping of options.groupings ?? groupings) {
      const store = stores(storeName(period, grouping));
      const file = join(outDir, csvFileName(period, grouping));
      const rows = await writeWholeFile(file, (handle) =>
        writeRows(handle, { grouping, windows, store, names, signal }),
      );
      exported.push({ file, rows });
    }
  }
  return exported;
}

interface FileOptions {
  readonly grouping: Grouping;
  readonly windows: CalendarWindows;
  readonly store: StatisticStore;
  readonly names: NameLookup | undefined;
  readonly signal: AbortSignal | undefined;
}

async function writeRows(
  handle: FileHandle,
  { grouping, windows, store, names, signal }: FileOptions,
): Promise<number> {
  let chunk = csvHeader(grouping, names !== undefined);
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
    const cells = csvGroupCells(grouping, windowed.key, typeof found === 'object' ? await found : found);
    for (const type of eventTypes) {
      const n = value[type];
      if (n === 0) continue;
      chunk += `${start},${cells}${type},${n}\n`;
      rows++;
    }
    if (chunk.length < chunkLength) continue;
    signal?.throwIfAborted();
    await handle.write(chunk);
    chunk = '';
  }
  await handle.write(chunk);
  return rows;
}
