import { StreamsError } from '../../../src/common/errors.ts';
import { didYouMean } from '../../../src/config/nearest.ts';
import { readYamlFile } from '../../../src/config/read-config-file.ts';
import { importTables, type TableName } from './import-tables.ts';

/** What a table of the park and its columns are called in a database. */
export interface MappedTable {
  /** A table, or `database.table` where several databases have it. */
  readonly table?: string;
  /** Names in the database by those of the park's files. */
  readonly columns: ReadonlyMap<string, string>;
}

/** Tables and columns that have other names in the database than in the park's files. */
export type TableMap = ReadonlyMap<TableName, MappedTable>;

/**
 * Reads the names of tables and columns from a YAML file:
 *
 * ```yaml
 * compteurs:
 *   table: meters
 *   columns:
 *     id_compteur: serial_no
 * ```
 *
 * @throws StreamsError `STREAMS_CONFIG` for a file that cannot be read and a name that the park does not have.
 */
export function readTableMap(file: string): TableMap {
  const fault = (what: string): StreamsError => new StreamsError('STREAMS_CONFIG', `${file}: ${what}.`, { file });
  const names = importTables.map(({ name }) => name);
  return new Map(
    entriesOf(readYamlFile(file), 'the file', fault).map(([name, value]) => {
      const table = importTables.find((known) => known.name === name);
      if (table === undefined) throw fault(unknown('table', name, names));
      return [
        table.name,
        mappedTable(
          name,
          value,
          table.columns.map((column) => column.name),
          fault,
        ),
      ];
    }),
  );
}

type Fault = (what: string) => StreamsError;

function mappedTable(name: string, value: unknown, columns: readonly string[], fault: Fault): MappedTable {
  const mapped = new Map<string, string>();
  let table: string | undefined;
  for (const [key, inner] of entriesOf(value, name, fault)) {
    if (key === 'table') table = textOf(inner, `${name}.table`, fault);
    else if (key !== 'columns') throw fault(unknown('key', `${name}.${key}`, [`${name}.table`, `${name}.columns`]));
    else
      for (const [column, own] of entriesOf(inner, `${name}.columns`, fault)) {
        if (!columns.includes(column)) throw fault(unknown('column', `${name}.${column}`, columns));
        mapped.set(column, textOf(own, `${name}.columns.${column}`, fault));
      }
  }
  return { ...(table === undefined ? {} : { table }), columns: mapped };
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const hint = didYouMean(name, known);
  return `there is no ${what} ${name}; there are ${known.join(', ')}${hint === '' ? '' : `.${hint}`}`;
}

function entriesOf(value: unknown, where: string, fault: Fault): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault(`${where} must hold names, each with its value`);
  return Object.entries(value);
}

function textOf(value: unknown, where: string, fault: Fault): string {
  if (typeof value !== 'string' || value === '') throw fault(`${where} must be a name`);
  return value;
}
