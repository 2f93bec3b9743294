import type { ImportRow } from './import-source.ts';
import type { TableName } from './import-tables.ts';

/** One table under way to where tables are copied. */
export interface TableCopy {
  /** Takes rows in the order of the columns. */
  append(rows: readonly ImportRow[]): Promise<void>;
  /** All rows are there. */
  close(): Promise<void>;
}

/** Where the tables are kept as they were read: a port, so that they may go to other places than a local folder. */
export interface TableCopies {
  /** Begins a table. */
  open(table: TableName, columns: readonly string[]): Promise<TableCopy>;
  /** Lets all tables appear at once. Without it nothing is ever seen. @returns where they are. */
  commit(): Promise<string>;
  /** Gives up what is not committed. */
  abort(): Promise<void>;
}
