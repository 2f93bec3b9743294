import { join } from 'node:path';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Logger } from '../../../src/common/logger.ts';
import { tableBatches } from '../park/csv-table.ts';
import { databaseError } from './database-error.ts';
import { type ImportColumn, type ImportTable, importTables } from './import-tables.ts';
import { connectTo } from './open-source.ts';
import type { SourceAddress } from './source-url.ts';
import type { AnyDatabase } from './sql-source.ts';

/** Which park is written where. */
export interface WriteParkTablesOptions {
  /** Folder with the nine files. */
  readonly park: string;
  readonly address: SourceAddress;
  /** Type of the columns of dates: `varchar(8)` takes any text. @defaultValue 'date' */
  readonly dates?: 'date' | 'varchar(8)';
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Rows of one statement. */
const rowsAtOnce = 1000;

/**
 * Writes the nine tables of a park into a database, as an import reads them: each is made, and filled in one transaction. An empty cell is NULL.
 *
 * @throws StreamsError `STREAMS_DATABASE` - the database refuses: a table is there already, and is not touched. `STREAMS_FILE`
 */
export async function writeParkTables(options: WriteParkTablesOptions): Promise<void> {
  const { address, logger, signal } = options;
  const connection = await connectTo(address);
  const cut = (): void => connection.cut();
  signal.addEventListener('abort', cut, { once: true });
  try {
    for (const table of importTables) await create(connection.db, table, options);
    for (const table of importTables) {
      const rows = await connection.db.transaction().execute((transaction) => fill(transaction, table, options));
      logger.info({ table: table.name, rows, to: address.name }, 'wrote a table');
    }
  } catch (error) {
    signal.throwIfAborted();
    throw databaseError(address, error);
  } finally {
    signal.removeEventListener('abort', cut);
    await connection.db.destroy().catch(() => {});
  }
}

async function create(
  db: Kysely<AnyDatabase>,
  { name, columns }: ImportTable,
  { address, dates = 'date' }: WriteParkTablesOptions,
): Promise<void> {
  const defined = columns.map((column) => sql`${sql.id(column.name)} ${sql.raw(typeOf(column, dates))}`);
  const charset = address.kind === 'mysql' ? sql` character set utf8mb4` : sql``;
  await sql`create table ${tableOf(address, name)} (${sql.join(defined)})${charset}`.execute(db);
}

/** With its database where a connection of MySQL has none of its own. */
function tableOf({ kind, databases }: SourceAddress, name: string): RawBuilder<unknown> {
  return kind === 'mysql' ? sql`${sql.id(databases[0]!, name)}` : sql`${sql.id(name)}`;
}

function typeOf({ name, kind }: ImportColumn, dates: string): string {
  if (kind === 'date') return dates;
  // Ids of regions come out of a file of communes as they are.
  return kind === 'id' && name !== 'id_region' ? 'bigint' : 'varchar(100)';
}

/** @returns the number of rows */
async function fill(
  db: Kysely<AnyDatabase>,
  { name, columns }: ImportTable,
  { park, address, signal }: WriteParkTablesOptions,
): Promise<number> {
  const names = columns.map((column) => column.name);
  const into = sql`${tableOf(address, name)} (${sql.join(names.map((column) => sql.id(column)))})`;
  let count = 0;
  for await (const rows of tableBatches(join(park, `${name}.csv`), names, rowsAtOnce)) {
    signal.throwIfAborted();
    const values = rows.map((row) => sql`(${sql.join(row.map((cell) => (cell === '' ? null : cell)))})`);
    await sql`insert into ${into} values ${sql.join(values)}`.execute(db);
    count += rows.length;
  }
  return count;
}
