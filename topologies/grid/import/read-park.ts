import { StreamsError } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { formatCivilDate } from '../../../src/common/time/civil.ts';
import { stillThere } from '../park/park.ts';
import type { Faults } from './faults.ts';
import { importDate } from './import-date.ts';
import type { ImportSource } from './import-source.ts';
import type { ColumnKind, TableName } from './import-tables.ts';
import { ImportedPark } from './imported-park.ts';
import { rowJudge } from './judge-rows.ts';
import { type ResolvedTable, resolveTables } from './resolve-tables.ts';
import type { AppendRows, TableCopies } from './table-copies.ts';
import type { TableMap } from './table-map.ts';

/** What a park is read from, and how. */
export interface ReadParkOptions {
  readonly sources: readonly ImportSource[];
  readonly map: TableMap;
  readonly faults: Faults;
  /** @defaultValue the tables are not kept */
  readonly copies?: TableCopies;
  readonly logger: Logger;
}

/** A park as it was read. */
export interface ReadPark {
  readonly park: ImportedPark;
  /** Rows of each table, faulty ones included. */
  readonly rows: Readonly<Record<TableName, number>>;
}

/**
 * Reads the nine tables out of one snapshot of each server, and judges their rows.
 *
 * @throws StreamsError `STREAMS_DATABASE`, `STREAMS_INPUT_REFUSED` for tables and columns that are missing.
 */
export async function readPark(options: ReadParkOptions): Promise<ReadPark> {
  const { sources, map, logger } = options;
  try {
    // All at the same time: the snapshots of several servers shall be as close as can be.
    const opened = await Promise.allSettled(sources.map((source) => source.open()));
    for (const outcome of opened) if (outcome.status === 'rejected') throw outcome.reason;
    const tables = await resolveTables(sources, map, logger);
    const park = new ImportedPark();
    const rows: Partial<Record<TableName, number>> = {};
    for (const table of tables) rows[table.table.name] = await readTable(table, park, options);
    return { park, rows: rows as Record<TableName, number> };
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

async function readTable(
  { table, source, found, columns, decimals }: ResolvedTable,
  park: ImportedPark,
  { faults, copies, logger }: ReadParkOptions,
): Promise<number> {
  const startedAt = performance.now();
  const judge = rowJudge(table, decimals, park, faults);
  const names = columns.filter((name) => name !== undefined);
  // A column that the database does not have is empty.
  const positions = columns.map((name) => (name === undefined ? -1 : names.indexOf(name)));
  const whole = names.length === columns.length;
  const read = async (append?: AppendRows): Promise<number> => {
    let count = 0;
    for await (const batch of source.rows(found, names)) {
      const rows = whole ? batch : batch.map((row) => positions.map((at) => (at < 0 ? null : row[at]!)));
      for (const row of rows) judge(row);
      count += rows.length;
      await append?.(rows.map((row) => row.map((cell, i) => asInFiles(cell, table.columns[i]!.kind))));
    }
    return count;
  };
  const count = await (copies === undefined ? read() : copies.write(table, read));
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  logger.info({ table: table.name, from: `${found.schema}.${found.table}`, rows: count, seconds }, 'read a table');
  return count;
}

/** A cell as the park's files have it: a day as YYYYMMDD, all else as it was read. */
function asInFiles(cell: string | null, kind: ColumnKind): string | null {
  const day = cell === null || kind !== 'date' ? undefined : importDate(cell);
  if (day === undefined) return cell;
  return day === stillThere ? '' : formatCivilDate(day).replaceAll('-', '');
}

/** The error of an import that the judgement refuses. */
export function refusedPark(faults: Faults, remedy: string): StreamsError {
  const { count, first, file } = faults;
  const shown = first
    .slice(0, shownFaults)
    .map(({ table, key, what }) => `${table}${key === '' ? '' : ` ${key}`}: ${what}`);
  const more = count > shown.length ? `; and ${count - shown.length} more` : '';
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `the park has ${count} ${count === 1 ? 'fault' : 'faults'}, and nothing has changed: ${shown.join('; ')}${more}. All are in ${file}. ${remedy}.`,
    { file },
  );
}

const shownFaults = 20;
