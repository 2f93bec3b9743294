import type { RowEncoder } from '../../../src/sink/row-encoder.ts';
import type { ColumnValue, SinkColumn } from '../../../src/sink/sink-rows.ts';
import type { ImportRow } from './import-source.ts';
import type { ImportTable } from './import-tables.ts';

/** Formats that tables are kept in. */
export const copyFormats = ['csv', 'parquet'] as const;
/** One of {@link copyFormats}. */
export type CopyFormat = (typeof copyFormats)[number];

/** Takes rows of a table, in the order of its columns. */
export type AppendRows = (rows: readonly ImportRow[]) => Promise<void>;

/** Where the tables are kept as they were read: a local folder, or a target such as HDFS or S3. */
export interface TableCopies {
  /** Keeps the rows of a table that `fill` appends, one table after the other. @returns what `fill` returns. */
  write<T>(table: ImportTable, fill: (append: AppendRows) => Promise<T>): Promise<T>;
  /** Lets all tables appear. Without it nothing is ever seen. @returns where they are. */
  commit(): Promise<string>;
  /** Gives up what is not committed. */
  abort(): Promise<void>;
}

/** The columns of a kept table: all of them text, as they were read. */
export function copiedColumns(table: ImportTable): readonly SinkColumn[] {
  return table.columns.map(({ name }) => ({ name, type: 'string' }));
}

/** Fills a file of a table through its encoder. */
export async function writeRows<T>(
  columns: readonly SinkColumn[],
  encoder: RowEncoder,
  write: (bytes: Uint8Array) => Promise<void>,
  fill: (append: AppendRows) => Promise<T>,
): Promise<T> {
  let row: ImportRow = [];
  const values = (out: ColumnValue[]): void => {
    for (let i = 0; i < row.length; i++) out[i] = row[i]!;
  };
  const result = await fill(async (rows) => {
    for (row of rows) encoder.add({ columns, values });
    const bytes = encoder.take();
    if (bytes !== undefined) await write(bytes);
  });
  await write(encoder.finish());
  return result;
}

/** A name for a day's tables that is not taken: `20180131`, then `20180131_2`. */
export function freeName(day: string, taken: ReadonlySet<string>): string {
  let name = day;
  for (let n = 2; taken.has(name); n++) name = `${day}_${n}`;
  return name;
}
