import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import type { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
import { periodWindows } from './period-windows.ts';
import { readWindows, type StatisticStores, windowStarts } from './read-windows.ts';
import { type Grouping, groupings, type Period, periods, storeName } from './statistic.ts';
import { csvFileName, csvGroupCells, csvHeader } from './statistic-csv.ts';
import type { WindowRows } from './window-rows.ts';

/** Characters that are written at once. */
const chunkLength = 256 * 1024;

/** How to export. */
export interface ExportOptions {
  /** @defaultValue all four */
  readonly periods?: readonly Period[];
  /** @defaultValue all six */
  readonly groupings?: readonly Grouping[];
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
 * A file appears under its name when it is whole: it replaces an older one in one step. Rows are read and sorted window by window, so
 * memory is bounded by the largest window (a million meters: some 100 MB), whatever the number of windows.
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
  const { signal } = options;
  const exported: ExportedFile[] = [];
  await writing(outDir, () => mkdir(outDir, { recursive: true }));
  for (const period of options.periods ?? periods) {
    const windows = periodWindows(period, zone);
    const starts = await windowStarts(stores, period);
    for (const grouping of options.groupings ?? groupings) {
      const found = readWindows(stores(storeName(period, grouping)), grouping, starts);
      const file = join(outDir, csvFileName(period, grouping));
      const rows = await writeWhole(file, (handle) => writeRows(handle, grouping, windows, found, signal));
      exported.push({ file, rows });
    }
  }
  return exported;
}

async function writeRows(
  handle: FileHandle,
  grouping: Grouping,
  windows: CalendarWindows,
  found: AsyncIterable<WindowRows>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let chunk = csvHeader(grouping);
  let rows = 0;
  for await (const window of found) {
    const start = windows.formatStart(window.startMs);
    for (const { key, type, n } of window.rows()) {
      chunk += `${start},${csvGroupCells(grouping, key)}${type},${n}\n`;
      rows++;
      if (chunk.length < chunkLength) continue;
      await handle.write(chunk);
      chunk = '';
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
  }
  await handle.write(chunk);
  return rows;
}

/** Writes a file under another name and gives it its own when it is whole and on the disk. */
function writeWhole<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const unfinished = `${file}.${process.pid}.tmp`;
  return writing(file, async () => {
    try {
      const result = await writeNew(unfinished, write);
      await rename(unfinished, file);
      return result;
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw error;
    }
  });
}

async function writeNew<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'w');
  try {
    const result = await write(handle);
    await handle.datasync();
    return result;
  } finally {
    await handle.close();
  }
}

/** Names the file in an error of the file system; other errors are not ours to explain. */
async function writing<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const message = `cannot write ${file}: ${messageOf(error)}. Give a folder that can be written, with room for the files.`;
    throw new StreamsError('STREAMS_FILE', message, { file, cause: error });
  }
}
