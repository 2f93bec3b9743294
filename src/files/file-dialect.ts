import { StreamsError } from '../common/errors.ts';
import { didYouMean } from '../config/nearest.ts';
import { shown, shownNames } from './header-text.ts';
import type { RowFormat } from './row-format.ts';
import { isTextEncoding, type TextCode, type TextEncoding, textEncodings } from './text-encoding.ts';

/** How files are written, where it is not as comma-separated UTF-8 with a header. */
export interface FileDialect {
  /** `ndjson`: a JSON object in each line, whose members are the columns; `a.b` is the member `b` of the object `a`. @defaultValue 'csv' */
  readonly form?: 'csv' | 'ndjson';
  /** One ASCII character between fields. @defaultValue ',' */
  readonly separator?: string;
  /**
   * One ASCII character around fields that hold separators or line ends, doubled inside them; `''`: there is none, and a `"` is a character as any other.
   *
   * @defaultValue '"'
   */
  readonly quote?: string;
  /**
   * `utf-16` is little-endian; a byte order mark goes before what is said here. `latin1` is windows-1252, which has all of it.
   *
   * @defaultValue 'utf-8'
   */
  readonly encoding?: TextEncoding;
  /** What ends a line; `lf` takes CRLF too. @defaultValue 'lf' */
  readonly lineEnd?: 'lf' | 'cr';
  /** Lines before the header (or before the first row, with `names`), such as a preamble or `sep=;`. Empty ones count. @defaultValue 0 */
  readonly skipLines?: number;
  /** Names of all columns in their order, for files without a header. @defaultValue the first line that is not empty has them */
  readonly names?: readonly string[];
}

/** Which files of a folder are read. */
export interface FileSelection {
  /** Ends of their names, in any case; each may be followed by `.gz` or `.zst`. @defaultValue ['.csv'], or ['.ndjson', '.jsonl'] */
  readonly suffixes?: readonly string[];
  /** Whether those of all folders in it are read too, in the order of their paths, but for folders whose names begin with `.` or `_`. @defaultValue false: those of dated folders alone */
  readonly nested?: boolean;
}

/** What a format says of files. */
export type FileFormat = Pick<RowFormat<unknown, unknown>, 'columns' | 'optional' | 'dialect' | 'files'>;

/** The bytes that separate and enclose fields. */
export interface Marks {
  readonly separator: number;
  /** -1: there is none. */
  readonly quote: number;
}

/** Comma and double quote. */
export const plainMarks: Marks = { separator: 44, quote: 34 };

/** The marks of a dialect. */
export function marksOf({ separator = ',', quote = '"' }: FileDialect = {}): Marks {
  return { separator: separator.charCodeAt(0), quote: quote === '' ? -1 : quote.charCodeAt(0) };
}

/** How the text of a dialect's files is written; undefined: as it is read. */
export function textCodeOf({ encoding = 'utf-8', lineEnd = 'lf' }: FileDialect = {}): TextCode | undefined {
  return encoding === 'utf-8' && lineEnd === 'lf' ? undefined : { encoding, lineEnd };
}

/** How files are written, in words: `separated by ";", latin1, header in line 3`. */
export function dialectText(dialect: FileDialect = {}): string {
  const { separator = ',', quote = '"', encoding = 'utf-8', lineEnd = 'lf', skipLines = 0, names } = dialect;
  const lines = lineEnd === 'lf' ? [] : ['lines end with CR'];
  if (isNdjson(dialect)) return ['a JSON object in each line', encoding, ...lines].join(', ');
  return [
    `separated by ${shown(separator)}`,
    ...(quote === '"' ? [] : [quote === '' ? 'no quotes' : `quoted by ${shown(quote)}`]),
    encoding,
    ...lines,
    names === undefined ? `header in line ${skipLines + 1}` : `no header, rows from line ${skipLines + 1}`,
  ].join(', ');
}

/** Lines of a file before its rows, empty ones behind the preamble aside. */
export function headerLinesOf(dialect: FileDialect = {}): number {
  const { skipLines = 0, names } = dialect;
  return skipLines + (names === undefined && !isNdjson(dialect) ? 1 : 0);
}

/** Whether each line is a JSON object. */
export function isNdjson({ form }: FileDialect = {}): boolean {
  return form === 'ndjson';
}

/** Ends of the names of files. */
export function suffixesOf({ dialect, files }: Pick<FileFormat, 'dialect' | 'files'>): readonly string[] {
  return files?.suffixes ?? (isNdjson(dialect) ? ['.ndjson', '.jsonl'] : ['.csv']);
}

/** These, and those of packed files, in words: `.csv, .csv.gz or .csv.zst`. */
export function endsText(suffixes: readonly string[]): string {
  const ends = suffixes.flatMap((suffix) => [suffix, `${suffix}.gz`, `${suffix}.zst`]);
  return `${ends.slice(0, -1).join(', ')} or ${ends.at(-1)}`;
}

/** What a saved position depends on: the columns, and the dialect if it is not the plain one. */
export function ledgerColumns({ columns, dialect }: FileFormat): readonly string[] {
  if (dialect === undefined) return columns;
  const { separator, quote } = marksOf(dialect);
  const { encoding = 'utf-8', lineEnd = 'lf', skipLines = 0, names = null } = dialect;
  // Without `form` where it is CSV: so were states saved before there was another one.
  const form = isNdjson(dialect) ? { form: 'ndjson' } : undefined;
  return [...columns, JSON.stringify({ separator, quote, encoding, lineEnd, skipLines, names, ...form })];
}

/** What differs between two lists of {@link ledgerColumns}: `with separator ",", and now with ";"`. */
export function columnsDifference(saved: readonly string[], present: readonly string[]): string {
  const [was, is] = [saved, present].map((list) => {
    const last = list.at(-1);
    const dialect = last?.startsWith('{') ? (JSON.parse(last) as object) : undefined;
    const columns = dialect === undefined ? list : list.slice(0, -1);
    return {
      ...JSON.parse(ledgerColumns({ columns: [], dialect: {} })[0]!),
      form: 'csv',
      ...dialect,
      columns,
    } as Readonly<Record<string, unknown>>;
  }) as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const different = Object.keys(was).filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
  return different.map((name) => changeText(name, was[name], is[name])).join('; ');
}

/** Of two lists the names that are in one alone, if there are any. */
function changeText(option: string, was: unknown, is: unknown): string {
  if (!Array.isArray(was) || !Array.isArray(is))
    return `with ${option} ${valueText(option, was)}, and now with ${valueText(option, is)}`;
  const [gone, added] = [was.filter((one) => !is.includes(one)), is.filter((one) => !was.includes(one))];
  const some = (names: readonly string[]): string =>
    `the ${names.length === 1 ? option.slice(0, -1) : option} ${shownNames(names)}`;
  const they = (names: readonly string[]): string => (names.length === 1 ? 'it' : 'them');
  if (gone.length === 0 && added.length === 0) return `with ${some(was)}, and now with ${shownNames(is)}`;
  if (gone.length === 0) return `without ${some(added)}, and now with ${they(added)}`;
  if (added.length === 0) return `with ${some(gone)}, and now without ${they(gone)}`;
  return `with ${some(gone)}, and now with ${shownNames(added)}`;
}

function valueText(name: string, value: unknown): string {
  if (name === 'separator' || name === 'quote')
    return shown(Number(value) < 0 ? '' : String.fromCharCode(Number(value)));
  if (value === null) return 'those of a header';
  if (Array.isArray(value)) return shownNames(value);
  return typeof value === 'string' ? shown(value) : String(value);
}

/** Names of the options of a selection. */
export const selectionOptions: readonly (keyof FileSelection)[] = ['suffixes', 'nested'];

/** The selection among the options of a format; undefined if there is none. @throws {@link StreamsError} `STREAMS_CONFIG` - it is wrong. */
export function checkedSelection({ suffixes, nested }: FileSelection): FileSelection | undefined {
  if (nested !== undefined && typeof nested !== 'boolean') refuse('nested', nested, 'true or false');
  const isSuffix = (one: unknown): boolean =>
    typeof one === 'string' && /^\.[^/\0]+$/.test(one) && !/\.(gz|zst)$/i.test(one);
  if (suffixes !== undefined && !(Array.isArray(suffixes) && suffixes.length > 0 && suffixes.every(isSuffix)))
    refuse(
      'suffixes',
      suffixes,
      'ends of names such as [".csv", ".txt"], without ".gz" and ".zst", which may follow each',
    );
  if (suffixes === undefined && nested === undefined) return undefined;
  return { ...(suffixes && { suffixes }), ...(nested !== undefined && { nested }) };
}

/** Names of the options of a dialect. */
export const dialectOptions: readonly (keyof FileDialect)[] = [
  'form',
  'separator',
  'quote',
  'encoding',
  'lineEnd',
  'skipLines',
  'names',
];

/**
 * Checks a dialect, which may come from JSON. Returns undefined if it is the plain one, which is read fastest.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` that says which option is wrong and what it may be.
 */
export function checkedDialect(dialect: FileDialect, columns: readonly string[]): FileDialect | undefined {
  for (const key of Object.keys(dialect)) refuseUnknown(key, dialectOptions);
  const { form = 'csv', separator = ',', quote = '"', encoding = 'utf-8', lineEnd = 'lf', skipLines = 0 } = dialect;
  const { names } = dialect;
  if (form !== 'csv' && form !== 'ndjson') refuse('form', form, '"csv" or "ndjson"');
  for (const option of ['separator', 'quote', 'skipLines', 'names'] as const)
    if (form === 'ndjson' && dialect[option] !== undefined)
      refuse(option, dialect[option], 'nothing: files of the form ndjson have none');
  if (!isMark(separator)) refuse('separator', separator, 'one ASCII character that ends no line, such as ";"');
  if (quote !== '' && !isMark(quote)) refuse('quote', quote, 'one ASCII character that ends no line, or "" for none');
  if (separator === quote) refuse('quote', quote, 'another character than the separator');
  if (!isTextEncoding(encoding)) refuse('encoding', encoding, `one of ${textEncodings.join(', ')}`);
  if (lineEnd !== 'lf' && lineEnd !== 'cr') refuse('lineEnd', lineEnd, '"lf", which takes CRLF too, or "cr"');
  if (!(Number.isInteger(skipLines) && skipLines >= 0)) refuse('skipLines', skipLines, 'a number of lines from 0');
  if (names !== undefined) checkNames(names, columns);
  const plain = form === 'csv' && separator === ',' && quote === '"' && skipLines === 0 && names === undefined;
  return plain && textCodeOf(dialect) === undefined ? undefined : dialect;
}

function checkNames(names: readonly string[], columns: readonly string[]): void {
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string'))
    refuse('names', names, 'the names of all columns in their order');
  for (const column of columns) {
    const count = names.filter((name) => name === column).length;
    if (count !== 1) refuse('names', names, `the column ${shown(column)} in it once, and it is there ${count} times`);
  }
}

/** Says that an option of a format is wrong. @throws {@link StreamsError} `STREAMS_CONFIG` */
export function refuse(option: string, value: unknown, expected: string): never {
  const given = value === undefined ? 'missing' : JSON.stringify(value);
  throw new StreamsError('STREAMS_CONFIG', `the option ${option} of a file format is ${given}: expected ${expected}.`);
}

/** @throws {@link StreamsError} `STREAMS_CONFIG` - the option is none of those that there are. */
export function refuseUnknown(
  option: string,
  options: readonly string[],
  lacking = 'a file format has no option',
): void {
  if (options.includes(option)) return;
  const known = `there are ${options.join(', ')}.${didYouMean(option, options)}`;
  throw new StreamsError('STREAMS_CONFIG', `${lacking} ${option}: ${known}`);
}

function isMark(text: unknown): boolean {
  return (
    typeof text === 'string' && text.length === 1 && text > '\0' && text < '\x80' && text !== '\n' && text !== '\r'
  );
}
