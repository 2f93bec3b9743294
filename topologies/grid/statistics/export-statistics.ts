import { join } from 'node:path';
import { writeWholeFile } from '../../../src/files/whole-file.ts';
import { encodersOf } from '../../../src/sink/encoders.ts';
import type { FileFormat } from '../../../src/sink/row-encoder.ts';
import type { SinkTarget } from '../../../src/sink/target.ts';
import { WholeSet } from '../../../src/sink/whole-set.ts';
import type { NameLookup } from './name-lookup.ts';
import { periodWindows } from './period-windows.ts';
import { type Grouping, groupings, type Period, periods, storeName } from './statistic.ts';
import { statisticColumns, writeStatistic } from './statistic-rows.ts';
import type { StatisticStores } from './statistic-stores.ts';

/** How to export. */
export interface ExportOptions {
  /** @defaultValue all four */
  readonly periods?: readonly Period[];
  /** @defaultValue all six */
  readonly groupings?: readonly Grouping[];
  /** Given: files by commune, departement and region have a column with the name after that of the id. @defaultValue they have none */
  readonly names?: NameLookup;
  /** @defaultValue csv */
  readonly format?: FileFormat;
  /** CSV alone: no text is a formula in a spreadsheet. @defaultValue false */
  readonly safeCsv?: boolean;
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
 * Writes the statistics as files of a folder, `day_type.csv` to `year_region.csv`: open windows too, sorted by their columns as text, counts of 0
 * absent.
 *
 * A file appears under its name when it is whole: it replaces an older one in one step.
 *
 * @param stores - The stores by name.
 * @param outDir - Is made if it is not there.
 * @param zone - IANA zone of the windows.
 * @throws {@link StreamsError} `STREAMS_FILE` - if a file cannot be written.
 */
export function exportStatistics(
  stores: StatisticStores,
  outDir: string,
  zone: string,
  options: ExportOptions = {},
): Promise<readonly ExportedFile[]> {
  return writeAll(stores, zone, options, async (name, write) => {
    const file = join(outDir, name);
    const rows = await writeWholeFile(file, (handle) => write((bytes) => handle.appendFile(bytes)));
    return { file, rows };
  });
}

/**
 * As {@link exportStatistics}, to a target that has none yet: all files appear together, `_SUCCESS` last.
 *
 * @throws {@link StreamsError} `STREAMS_SINK` - the target cannot be written. `STREAMS_INPUT_REFUSED` - an export is there.
 */
export async function exportStatisticsTo(
  stores: StatisticStores,
  target: SinkTarget,
  zone: string,
  options: ExportOptions = {},
): Promise<readonly ExportedFile[]> {
  const set = await WholeSet.begin(target, fileNames(options));
  try {
    const files = await writeAll(stores, zone, options, async (name, write) => ({
      file: name,
      rows: await set.write(name, write),
    }));
    await set.commit();
    return files;
  } catch (error) {
    await set.abort();
    throw error;
  }
}

/** The file of a statistic, such as `day_equipment.csv`. */
export function fileNameOf(period: Period, grouping: Grouping, format: FileFormat = 'csv'): string {
  return `${period}_${grouping}.${format}`;
}

function fileNames({ periods: some = periods, groupings: by = groupings, format }: ExportOptions): readonly string[] {
  return some.flatMap((period) => by.map((grouping) => fileNameOf(period, grouping, format)));
}

type Write = (append: (bytes: Uint8Array) => Promise<void>) => Promise<number>;

async function writeAll(
  stores: StatisticStores,
  zone: string,
  options: ExportOptions,
  place: (name: string, write: Write) => Promise<ExportedFile>,
): Promise<readonly ExportedFile[]> {
  const { signal, names, format = 'csv', safeCsv = false } = options;
  const exported: ExportedFile[] = [];
  for (const period of options.periods ?? periods) {
    const windows = periodWindows(period, zone);
    for (const grouping of options.groupings ?? groupings) {
      const store = stores(storeName(period, grouping));
      const encoders = await encodersOf(format, statisticColumns(grouping, names !== undefined), safeCsv);
      const rowsOf = { grouping, windows, store, names, signal };
      const write: Write = (append) => writeStatistic(encoders(), append, rowsOf);
      exported.push(await place(fileNameOf(period, grouping, format), write));
    }
  }
  return exported;
}
