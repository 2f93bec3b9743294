/** A table or view of a database. */
export interface FoundTable {
  /** The database (MySQL) or schema (PostgreSQL) it is in. */
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly FoundColumn[];
}

/** A column of a table, and its type in the database's words, such as `varchar`. */
export interface FoundColumn {
  readonly name: string;
  readonly type: string;
}

/** Cells of a row as text; null is NULL. */
export type ImportRow = readonly (string | null)[];

/**
 * A database server that tables are read from: a port with one adapter for MySQL and MariaDB and one for PostgreSQL.
 *
 * Everything between `open` and `close` is seen as it was at one instant.
 */
export interface ImportSource {
  /** Address without secrets, for messages. */
  readonly name: string;
  /** Connects and takes the snapshot. @throws StreamsError `STREAMS_DATABASE` */
  open(): Promise<void>;
  /** Tables that the user may read, in the order of the databases that were given. */
  tables(): Promise<readonly FoundTable[]>;
  /** All rows of a table, in no order: the columns as text, dates as `YYYY-MM-DD`. A row that could not be read is an error, never an early end. */
  rows(table: FoundTable, columns: readonly string[]): AsyncIterable<readonly ImportRow[]>;
  close(): Promise<void>;
}
