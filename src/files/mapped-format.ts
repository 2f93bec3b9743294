import { CivilPattern } from '../common/time/civil-pattern.ts';
import type { NumberColumn, TextColumn, TimeColumn } from './csv-columns.ts';
import { type CellReader, type ColumnMap, ColumnNames, cellReader, checkTexts, TextsOf } from './csv-columns.ts';
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
import { shown } from './header-text.ts';
import { BadRow, type DeadReason, type DecodedRow, type RowFormat, type RowView } from './row-format.ts';
import { timeWriter } from './time-column.ts';

/** Where a field of a format's rows comes from; a text alone is the name of a column, taken as it stands. */
export type FieldSource =
  | string
  | { readonly constant: string }
  | (TextColumn & FieldText & { readonly values?: ColumnMap })
  | (NumberColumn & FieldText)
  | (TimeColumn & FieldText & { readonly as?: string });

interface FieldText {
  /** What the field is where its column has one of `missing`. @defaultValue '' */
  readonly default?: string;
}

/** Fields by the names of a format's columns. */
export type FieldSources = Readonly<Record<string, FieldSource>>;

/**
 * How files of other columns are read by a format: what `--format FILE` holds as JSON, beside the dialect of the files.
 *
 * A column of the format that is not named is a column of the same name.
 */
export interface FormatMapping extends FileDialect, FileSelection {
  readonly columns?: FieldSources;
  /** Where a row is several records: what each of them has beside, or instead of, `columns`. @defaultValue a row is one record */
  readonly records?: readonly FieldSources[];
}

/** Times are written so where `as` says nothing else. */
const timeText = 'YYYY-MM-DD HH:mm:ss';
const fieldOptions: readonly string[] = ['constant', 'values', 'as', 'default'];

/**
 * Reads files of other columns, dialects and times by a format: each row is written as one of the format's own, which judges it.
 *
 * Times become civil times of `zone` (see {@link timeWriter}); the second of two hours of the same name becomes the same text as the first.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` - the mapping is wrong.
 */
export function mappedFormat<K, V>(inner: RowFormat<K, V>, mapping: FormatMapping, zone: string): RowFormat<K, V> {
  const { columns: shared = {}, records, suffixes, nested, ...dialect } = mapping;
  const files = checkedSelection({ ...(suffixes && { suffixes }), ...(nested !== undefined && { nested }) });
  if (records !== undefined && (!Array.isArray(records) || records.length === 0))
    refuse('records', records, 'a list of what each record of a row has');
  const names = new ColumnNames();
  const rows = (records ?? [{}]).map((own) => new FieldWriter(inner.columns, { ...shared, ...own }, names, zone));
  if (names.list.length === 0) refuse('columns', shared, 'at least one column of the files');
  const checked = checkedDialect(dialect, names.list);
  const texts = new TextsOf();
  const format = {
    columns: names.list,
    optional: names.optional,
    timestampOf: (value: V) => inner.timestampOf(value),
    ...(checked && { dialect: checked }),
    ...(files && { files }),
  };
  const [only] = rows;
  if (records === undefined && inner.records === undefined)
    return { ...format, decode: (view, out) => inner.decode(only!.write(texts.of(view, names.list.length)), out) };
  let found: DecodedRow<K, V>[] = [];
  return {
    ...format,
    records: () => found,
    decode(view): DeadReason | undefined {
      const fields = texts.of(view, names.list.length);
      found = [];
      for (const row of rows) {
        const out: DecodedRow<K, V> = { key: undefined as K, value: undefined as V };
        const reason = inner.decode(row.write(fields), out);
        if (reason !== undefined) return reason;
        found.push(...(inner.records?.() ?? [out]));
      }
      return undefined;
    },
  };
}

/** Writes the fields of one record, one behind the other. */
class FieldWriter {
  readonly #fields: readonly ((texts: readonly string[]) => string)[];
  #bytes: Buffer = Buffer.alloc(1024);
  readonly #row: { bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array };

  constructor(columns: readonly string[], sources: FieldSources, names: ColumnNames, zone: string) {
    for (const name of Object.keys(sources)) refuseUnknown(name, columns, 'the rows to be made have no column');
    this.#fields = columns.map((name) => fieldOf(name, sources[name] ?? name, names, zone));
    const { length } = columns;
    this.#row = { bytes: this.#bytes, starts: new Int32Array(length), ends: new Int32Array(length) };
  }

  write(texts: readonly string[]): RowView {
    const fields = this.#fields.map((field) => field(texts));
    const most = fields.reduce((sum, field) => sum + 3 * field.length, 0);
    if (most > this.#bytes.length) this.#row.bytes = this.#bytes = Buffer.alloc(2 * most);
    let at = 0;
    fields.forEach((field, i) => {
      this.#row.starts[i] = at;
      at += this.#bytes.write(field, at);
      this.#row.ends[i] = at;
    });
    return this.#row;
  }
}

function fieldOf(
  name: string,
  source: FieldSource,
  names: ColumnNames,
  zone: string,
): (texts: readonly string[]) => string {
  if (typeof source === 'object' && source !== null && 'constant' in source) {
    for (const key of Object.keys(source))
      refuseUnknown(key, ['constant'], `the constant column ${name} has no option`);
    const { constant } = source;
    if (typeof constant !== 'string') refuse(`columns.${name}.constant`, constant, 'a text');
    return () => constant;
  }
  if (typeof source !== 'object' || source === null) return textField(cellReader(name, source, names), '');
  const own = Object.fromEntries(Object.entries(source).filter(([key]) => !fieldOptions.includes(key)));
  const { default: missing = '', values, as } = source as { default?: string; values?: ColumnMap; as?: string };
  checkTexts(`columns.${name}.default`, [missing]);
  const isTime = 'time' in source;
  if (values !== undefined && (isTime || 'decimal' in source))
    refuse(`columns.${name}.values`, values, 'a text column');
  if (as !== undefined && !isTime) refuse(`columns.${name}.as`, as, 'a time, which it is the written form of');
  if (isTime) {
    const written = new CivilPattern(as ?? timeText);
    return textField(
      cellReader(name, own, names, (form) => timeWriter(form, zone, written)),
      missing,
    );
  }
  const text = textField(cellReader(name, own, names), missing);
  return values === undefined ? text : valueField(own['column'] ?? name, text, values);
}

function textField(read: CellReader, missing: string): (texts: readonly string[]) => string {
  return (texts) => String(read(texts) ?? missing);
}

function valueField(
  column: unknown,
  text: (texts: readonly string[]) => string,
  values: ColumnMap,
): (texts: readonly string[]) => string {
  if (typeof values !== 'object' || values === null) refuse('values', values, 'what the texts of the column become');
  const known = new Map(Object.entries(values));
  checkTexts('values', [...known.values()]);
  return (texts) => {
    const found = text(texts);
    const value = known.get(found);
    if (value === undefined)
      throw new BadRow(
        'value',
        `the column ${shown(String(column))} has ${shown(found)}, which is none of ${[...known.keys()].map(shown).join(', ')}`,
      );
    return value;
  };
}

/** Options of a mapping beside the dialect. */
export const mappingOptions: readonly string[] = [...dialectOptions, ...selectionOptions, 'columns', 'records'];
