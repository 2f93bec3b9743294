import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StreamsError } from '../../../src/common/errors.ts';
import type { CalendarWindows } from '../../../src/dsl/calendar-windows.ts';
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
  const { signal } = options;
  const exported: ExportedFile[] = [];
  await writing(outDir, () => mkdir(outDir, { recursive: true }));
  for (const period of options.periods ?? periods) {
    const windows = periodWindows(period, zone);
    for (const grouping of options.groupings ?? groupings) {
      const store = stores(storeName(period, grouping));
      const file = join(outDir, csvFileName(period, grouping));
      const rows = await writeWhole(file, (handle) => writeRows(handle, grouping, windows, store, signal));
      exported.push({ file, rows });
    }
  }
  return exported;
}

async function writeRows(
  handle: FileHandle,
  grouping: Grouping,
  windows: CalendarWindows,
  store: StatisticStore,
  signal: AbortSignal | undefined,
): Promise<number> {
  let chunk = csvHeader(grouping);
  let rows = 0;
  let startMs = Number.NaN;
  let start = '';
  for await (const { windowed, value } of store.fetchAll(allTime.fromMs, allTime.toMs)) {
    if (windowed.startMs !== startMs) {
      signal?.throwIfAborted();
      startMs = windowed.startMs;
      start = windows.formatStart(startMs);
    }
    const cells = csvGroupCells(grouping, windowed.key);
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
