import { refuse, refuseUnknown } from './file-dialect.ts';
import { shown } from './header-text.ts';
import { BadRow, type RowView } from './row-format.ts';
import { type TimeForm, type TimeReader, timeOptions, timeReader } from './time-column.ts';

/** A column of texts, as they stand in the file. */
export interface TextColumn {
  /** Its name in the header, blanks included. @defaultValue the name that it has in the program */
  readonly column?: string;
  /** What stands there where there is nothing, such as `?` or `Null`, blanks around it aside: then the row has `undefined`. @defaultValue nothing: all is taken as it stands */
  readonly missing?: readonly string[];
}

/** A column of decimal numbers, with blanks around them or not: `-12.5`, `1e3`. */
export interface NumberColumn extends TextColumn {
  /** What stands before the fraction. */
  readonly decimal: '.' | ',';
  /** What may stand between groups of three digits, such as `' '` in `1 234,5`. @defaultValue nothing */
  readonly thousands?: string;
}

/** A column of times, read as ms since the epoch. */
export interface TimeColumn extends TimeForm {
  /** Its name in the header; several are read with a blank between them, as a date and a time are. @defaultValue the name that it has in the program */
  readonly column?: string | readonly string[];
  /** See {@link TextColumn.missing}. */
  readonly missing?: readonly string[];
}

/** What a column holds; a text alone is the name of a column of texts in the header. */
export type ColumnSpec = string | TextColumn | NumberColumn | TimeColumn;

type Held<S> = S extends { readonly time: string } | { readonly decimal: string } ? number : string;

/** What a row has of a column. */
export type CellOf<S> = Held<S> | (S extends { readonly missing: readonly string[] } ? undefined : never);

/** A row by the names of its columns. */
export type RowOf<C> = C extends readonly string[]
  ? { readonly [N in C[number]]: string }
  : { readonly [N in keyof C]: CellOf<C[N]> };

/** Reads a cell out of a row's texts. @throws {@link BadRow} */
export type CellReader = (texts: readonly string[]) => string | number | undefined;

/** The columns of files that are read, and what makes a row of them. */
export interface RowReader {
  /** Names in the header, each once. */
  readonly columns: readonly string[];
  /** Those that a line of JSON may lack. */
  readonly optional: readonly string[];
  read(view: RowView): Readonly<Record<string, string | number | undefined>>;
}

/**
 * Makes what reads rows.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` - a column is wrong.
 */
export function cellReaders(specs: readonly string[] | { readonly [name: string]: ColumnSpec }): RowReader {
  const names = new ColumnNames();
  const entries: [string, ColumnSpec][] = Array.isArray(specs)
    ? specs.map((name) => [name, name])
    : Object.entries(specs ?? {});
  if (entries.length === 0) refuse('columns', specs, 'at least one column');
  const cells = entries.map(([name, spec]) => [name, cellReader(name, spec, names)] as const);
  const text = new TextsOf();
  return {
    columns: names.list,
    optional: names.optional,
    read(view) {
      const texts = text.of(view, names.list.length);
      const row: Record<string, string | number | undefined> = {};
      for (const [name, read] of cells) row[name] = read(texts);
      return row;
    },
  };
}

/** Names of columns, each at its place. */
export class ColumnNames {
  readonly list: string[] = [];
  readonly #needed: Set<string> = new Set();

  /** Those without which there is a row all the same. */
  get optional(): readonly string[] {
    return this.list.filter((name) => !this.#needed.has(name));
  }

  /** @param needed - Whether a row has a text there in any case. */
  place(name: string, needed = true): number {
    if (needed) this.#needed.add(name);
    const at = this.list.indexOf(name);
    return at >= 0 ? at : this.list.push(name) - 1;
  }
}

/** The fields of rows as texts. */
export class TextsOf {
  #bytes: Uint8Array = new Uint8Array(0);
  #buffer: Buffer = Buffer.alloc(0);

  of({ bytes, starts, ends }: RowView, count: number): string[] {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const texts: string[] = [];
    for (let i = 0; i < count; i++) texts.push(this.#buffer.toString('utf8', starts[i], ends[i]));
    return texts;
  }
}

/** What texts of a column stand for. */
export type ColumnMap = Readonly<Record<string, string>>;

/**
 * Makes what reads a cell.
 *
 * @param timesOf - Makes what reads the times of a form. @defaultValue as ms since the epoch
 * @throws {@link StreamsError} `STREAMS_CONFIG` - the column is wrong.
 */
export function cellReader(
  name: string,
  spec: ColumnSpec,
  names: ColumnNames,
  timesOf: (form: TimeForm) => TimeReader<number | string> = timeReader,
): CellReader {
  if (typeof spec === 'string') {
    const at = names.place(spec);
    return (texts) => texts[at];
  }
  if (typeof spec !== 'object' || spec === null) refuse(`columns.${name}`, spec, 'the name of a column, or what it is');
  const { column = name, missing } = spec;
  const where = `the column ${name} of a file format`;
  const known = 'time' in spec ? timeOptions : 'decimal' in spec ? ['decimal', 'thousands'] : ['time', 'decimal'];
  for (const key of Object.keys(spec)) refuseUnknown(key, ['column', 'missing', ...known], `${where} has no option`);
  checkTexts(`columns.${name}.missing`, missing);
  const read = 'time' in spec ? timeCell(spec, column, names, timesOf(spec)) : plainCell(spec, column, names);
  if (missing === undefined) return read;
  const source = sourceOf(column, names, missing);
  return (texts) => (missing.includes(source(texts).trim()) ? undefined : read(texts));
}

function plainCell(
  spec: TextColumn | NumberColumn,
  column: string | readonly string[],
  names: ColumnNames,
): CellReader {
  if (typeof column !== 'string') refuse('column', column, 'the name of one column');
  const at = names.place(column, isNeeded(spec.missing));
  if (!('decimal' in spec)) return (texts) => texts[at];
  const numberOf = numberReader(spec);
  const hintFor = numberHint(spec);
  return (texts) => {
    const text = texts[at]!.trim();
    const number = numberOf(text);
    if (number === undefined)
      throw new BadRow(
        'value',
        `the column ${shown(column)} has ${shown(texts[at]!)}, which is not a number with "${spec.decimal}"${hintFor(text)}`,
      );
    return number;
  };
}

/** Marks between thousands: blanks, no-break blanks, apostrophes. */
const thousandsMarks = [' ', '\u00a0', '\u202f', "'", '\u2019'];

/** Says of a text what to give if it is a number that is written in another way; both ways where it may be either, as `1,234`. */
function numberHint({ decimal, thousands }: NumberColumn): (text: string) => string {
  const other = decimal === '.' ? ',' : '.';
  const marksFor = (mark: string): readonly string[] => [...thousandsMarks, mark];
  const ways: readonly NumberColumn[] = [
    ...(thousands === undefined ? marksFor(other).map((mark) => ({ decimal, thousands: mark })) : []),
    { decimal: other },
    ...marksFor(decimal).map((mark) => ({ decimal: other, thousands: mark }) as const),
  ];
  const readers = ways.map((way) => ({
    read: numberReader(way),
    options: [
      ...(way.decimal === decimal ? [] : [`"decimal": "${other}"`]),
      ...(way.thousands === undefined ? [] : [`"thousands": ${shown(way.thousands)}`]),
    ],
  }));
  return (text) => {
    const fitting = readers.filter(({ read }) => read(text) !== undefined);
    // Whoever needs one option need not hear of two.
    const least = Math.min(...fitting.map(({ options }) => options.length));
    const told = fitting.flatMap(({ options }) => (options.length === least ? [options.join(' and ')] : []));
    return told.length === 0 ? '' : `: it is one with ${told.join(', or with ')}`;
  };
}

function numberReader({ decimal, thousands }: NumberColumn): (text: string) => number | undefined {
  if (decimal !== '.' && decimal !== ',') refuse('decimal', decimal, '"." or ","');
  if (
    thousands !== undefined &&
    (typeof thousands !== 'string' || thousands.length !== 1 || thousands === decimal || /[\d+-]/.test(thousands))
  )
    refuse('thousands', thousands, 'one character that is neither digit, sign nor decimal mark');
  const point = decimal === '.' ? '\\.' : ',';
  const digits = thousands === undefined ? '\\d+' : `\\d+|\\d{1,3}(?:${thousands.replace(/\W/, '\\$&')}\\d{3})+`;
  const form = new RegExp(`^[+-]?(?:(?:${digits})(?:${point}\\d*)?|${point}\\d+)(?:[eE][+-]?\\d{1,3})?$`);
  return (text) => {
    if (!form.test(text)) return undefined;
    const plain = thousands === undefined ? text : text.replaceAll(thousands, '');
    const number = Number(decimal === ',' ? plain.replace(',', '.') : plain);
    return Number.isFinite(number) ? number : undefined;
  };
}

/** Reads times out of one column or several. */
function timeCell(
  { repeated, missing }: TimeColumn,
  column: string | readonly string[],
  names: ColumnNames,
  read: TimeReader<number | string>,
): CellReader {
  const source = sourceOf(column, names, missing);
  const second = typeof repeated === 'object' ? names.place(repeated.column, isNeeded(missing)) : -1;
  return (texts) => {
    const text = source(texts).trim();
    try {
      return read(text, second < 0 ? undefined : texts[second]!.trim());
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      const where =
        typeof column === 'string' ? `column ${shown(column)}` : `columns ${column.map(shown).join(' and ')}`;
      throw new BadRow(
        error.reason,
        `the ${where} ${typeof column === 'string' ? 'has' : 'have'} ${shown(text)}, which ${error.message}`,
      );
    }
  };
}

/** Whether nothing at all is more than what stands where there is nothing. */
function isNeeded(missing: readonly string[] | undefined): boolean {
  return missing?.includes('') !== true;
}

/** The text of a column, or of several with blanks between them. */
function sourceOf(
  column: string | readonly string[],
  names: ColumnNames,
  missing: readonly string[] | undefined,
): (texts: readonly string[]) => string {
  checkTexts('column', typeof column === 'string' ? [column] : column);
  const places = (typeof column === 'string' ? [column] : column).map((one) => names.place(one, isNeeded(missing)));
  const [at] = places;
  if (places.length === 1) return (texts) => texts[at!]!;
  return (texts) => places.map((place) => texts[place]!.trim()).join(' ');
}

/** @throws {@link StreamsError} `STREAMS_CONFIG` - an option is not a list of texts. */
export function checkTexts(option: string, texts: unknown): void {
  if (texts === undefined) return;
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string'))
    refuse(option, texts, 'texts');
}
