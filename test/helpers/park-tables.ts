import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { DatabaseServer } from './databases.ts';

/** The tables of a park as rows of cells, null for an empty one, by table and column. */
export type ParkTables = Record<string, Record<string, string | null>[]>;

const idTypes = { mysql: 'bigint', postgres: 'bigint' };
const wholeNumbers = [
  'id_compteur',
  'id_consentrateur',
  'id_concentrateurs',
  'id_pdc',
  'id_pdk',
  'id_commune',
  'id_region',
  'constructeur_id',
];
/** Tables of the database `parc`; all others are in `reseaux`. */
export const parcTables: readonly string[] = ['compteurs', 'concentrateurs'];
export const reseauxTables: readonly string[] = [
  ...['pdc', 'pdk', 'installation_c', 'installation_k'],
  ...['communes', 'departements', 'region'],
];

/** Reads the files of a park. */
export function parkTables(folder: string): ParkTables {
  return Object.fromEntries(
    [...parcTables, ...reseauxTables].map((table) => {
      const rows = parse(readFileSync(join(folder, `${table}.csv`)), { columns: true, bom: true }) as Record<
        string,
        string
      >[];
      return [
        table,
        rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell === '' ? null : cell])),
        ),
      ];
    }),
  );
}

/** How tables are written into a database. */
export interface WriteTablesOptions {
  /** Type of date columns. @defaultValue 'date' */
  readonly dates?: string;
  /** Other names of tables and columns. @defaultValue their own */
  readonly rename?: (name: string) => string;
}

/** Makes tables in a database, in place of those of the same names, and fills them. */
export function writeTables(
  server: DatabaseServer,
  database: string,
  tables: ParkTables,
  names: readonly string[],
  { dates = 'date', rename = (name) => name }: WriteTablesOptions = {},
): void {
  const quote = (name: string): string => (server.kind === 'mysql' ? `\`${name}\`` : `"${name}"`);
  const literal = (cell: string | null): string => (cell === null ? 'null' : `'${cell.replaceAll("'", "''")}'`);
  const statements: string[] = [];
  for (const table of names) {
    const rows = tables[table]!;
    const columns = Object.keys(rows[0]!);
    const typeOf = (column: string): string => {
      if (column.startsWith('date_')) return dates;
      return wholeNumbers.includes(column) ? idTypes[server.kind] : 'varchar(100)';
    };
    const own = quote(rename(table));
    statements.push(`drop table if exists ${own};`);
    statements.push(
      `create table ${own} (${columns.map((column) => `${quote(rename(column))} ${typeOf(column)}`).join(', ')});`,
    );
    for (let from = 0; from < rows.length; from += 1000) {
      const values = rows
        .slice(from, from + 1000)
        .map((row) => `(${columns.map((column) => literal(row[column] ?? null)).join(', ')})`);
      statements.push(`insert into ${own} values ${values.join(',\n')};`);
    }
  }
  server.run(statements.join('\n'), database);
}
