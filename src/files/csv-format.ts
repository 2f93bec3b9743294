import { type ColumnSpec, cellReaders, type RowOf } from './csv-columns.ts';
import {
  checkedDialect,
  checkedSelection,
  dialectOptions,
  type FileDialect,
  type FileSelection,
  refuse,
  refuseUnknown,
  selectionOptions,
} from './file-dialect.ts';
import { BadRow, type DeadReason, type DecodedRow, type RowFile, type RowFormat, type RowView } from './row-format.ts';

/** Columns by the names that they have in the program; or their names alone, for texts under the header's own names. */
export type ColumnSpecs = readonly string[] | { readonly [name: string]: ColumnSpec };

/** How the rows of a user's CSV files become records: what {@link csvFormat} takes, beside the dialect of the files. */
export interface CsvFormatOptions<C extends ColumnSpecs, K, V> extends FileDialect, FileSelection {
  readonly columns: C;
  /** The key of a row. */
  readonly key: (row: RowOf<C>, file: RowFile) => K;
  /** The value. Undefined: the row is bad (`value`); for a reason of your own throw a {@link BadRow}. */
  readonly value: (row: RowOf<C>, file: RowFile) => V | undefined;
  /** Event time of a value, ms since the epoch. */
  readonly timestamp: (value: V) => number;
}

/** As {@link CsvFormatOptions}, for rows that are several records each, or none. */
export interface CsvRecordsOptions<C extends ColumnSpecs, K, V> extends FileDialect, FileSelection {
  readonly columns: C;
  /** The records of a row, in their order: the same ones each time. None: the row is skipped, and counted as such. A {@link BadRow} makes the whole row bad. */
  readonly records: (row: RowOf<C>, file: RowFile) => readonly DecodedRow<K, V>[];
  /** Event time of a value, ms since the epoch. */
  readonly timestamp: (value: V) => number;
}

/**
 * A row format for CSV files of any dialect, or (`form: 'ndjson'`) for files with a JSON object in each line: the easy way to read a folder. For the fastest one implement {@link RowFormat} on bytes.
 *
 * A field that is not what its column says makes the row bad: `value` for a number, `date` for a time; so does a value whose time is not a number. The
 * letter says which column it was, and what stood there.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` - the dialect or a column is wrong.
 * @example
 * ```ts
 * import { csvFormat } from 'weir-streams';
 *
 * const readings = csvFormat({
 *   separator: ';',
 *   encoding: 'latin1',
 *   skipLines: 2,
 *   columns: {
 *     meter: 'N° compteur',
 *     atMs: { column: 'Horodate', time: 'DD/MM/YYYY HH:mm', zone: 'Europe/Paris' },
 *     kwh: { column: 'Énergie (kWh)', decimal: ',', missing: ['', '?'] },
 *   },
 *   key: (row) => row.meter,
 *   value: ({ atMs, kwh }) => ({ atMs, kwh: kwh ?? null }),
 *   timestamp: (value) => value.atMs,
 * });
 * ```
 */
export function csvFormat<const C extends ColumnSpecs, K, V>(options: CsvFormatOptions<C, K, V>): RowFormat<K, V>;
export function csvFormat<const C extends ColumnSpecs, K, V>(options: CsvRecordsOptions<C, K, V>): RowFormat<K, V>;
export function csvFormat<C extends ColumnSpecs, K, V>(
  options: CsvFormatOptions<C, K, V> | CsvRecordsOptions<C, K, V>,
): RowFormat<K, V> {
  const { timestamp } = options;
  for (const name of Object.keys(options)) refuseUnknown(name, [...dialectOptions, ...selectionOptions, ...rowOptions]);
  const { columns, optional, read } = cellReaders(options.columns as ColumnSpecs);
  const given = Object.entries(options).filter(([name]) => (dialectOptions as readonly string[]).includes(name));
  const dialect = checkedDialect(Object.fromEntries(given), columns);
  const rowOf = (view: RowView): RowOf<C> => read(view) as RowOf<C>;
  const files = checkedSelection(options);
  const format = { columns, optional, timestampOf: timestamp, ...(dialect && { dialect }), ...(files && { files }) };
  if ('records' in options) return recordsFormat(format, (view) => options.records(rowOf(view), view.file ?? noFile));
  const { key, value } = options;
  if (typeof key !== 'function' || typeof value !== 'function')
    refuse('key and value', undefined, 'functions of a row');
  return {
    ...format,
    decode(view, out): DeadReason | undefined {
      const row = rowOf(view);
      const { file = noFile } = view;
      const made = value(row, file);
      if (made === undefined) return 'value';
      checkTime(timestamp(made));
      out.key = key(row, file);
      out.value = made;
      return undefined;
    },
  };
}

const rowOptions: readonly string[] = ['columns', 'key', 'value', 'records', 'timestamp'];

const noFile: RowFile = { name: '', preamble: [] };

/** A format whose rows are several records each. */
export function recordsFormat<K, V>(
  format: Pick<RowFormat<K, V>, 'columns' | 'optional' | 'dialect' | 'files' | 'timestampOf'>,
  recordsOf: (view: RowView) => readonly DecodedRow<K, V>[],
): RowFormat<K, V> {
  let records: readonly DecodedRow<K, V>[] = [];
  return {
    ...format,
    records: () => records,
    decode(view): undefined {
      const found = recordsOf(view);
      for (const { value } of found) checkTime(format.timestampOf(value));
      records = found;
    },
  };
}

function checkTime(ms: number): void {
  if (!Number.isFinite(ms)) throw new BadRow('date', 'the time of its value is not a number');
}
