import { isUtf8 } from 'node:buffer';
import { formatOption } from '../common/remedies.ts';
import { nearestName } from '../config/nearest.ts';
import { type Marks, plainMarks } from './file-dialect.ts';
import { shown, shownNames } from './header-text.ts';
import { QuotedRecord } from './quoted-record.ts';

/**
 * Where the columns of a format stand in the rows of one file: column `i` is field `order[i]` of a row of `fields` fields.
 */
export interface HeaderLayout {
  readonly fields: number;
  readonly order: readonly number[];
  /** The lines before the header, where the dialect skips some. */
  readonly preamble?: readonly string[];
}

/** The fields of one line, unquoted; undefined if its quotes are wrong. */
export function splitLine(bytes: Buffer, start: number, end: number, marks: Marks = plainMarks): string[] | undefined {
  let separators = 0;
  for (let at = start; at < end; at++) if (bytes[at] === marks.separator) separators++;
  const record = new QuotedRecord(separators + 1, marks);
  if (record.split(bytes, start, end, true) !== 'closed' || record.next !== end) return undefined;
  const fields: string[] = [];
  const unquoted = record.undouble(bytes);
  for (let i = 0; i < record.count; i++) fields.push(unquoted.toString('utf8', record.starts[i], record.ends[i]));
  return fields;
}

/**
 * The layout that a header gives to a format's columns, in any order and among others; undefined if one of them is missing or there twice.
 *
 * Columns `['a', 'b']` under the header `b,x,a` stand at `[2, 0]` of 3 fields.
 */
export function layoutOf(header: readonly string[], columns: readonly string[]): HeaderLayout | undefined {
  const order: number[] = [];
  for (const column of columns) {
    const at = header.indexOf(column);
    if (at < 0 || header.indexOf(column, at + 1) >= 0) return undefined;
    order.push(at);
  }
  return { fields: header.length, order };
}

/** What a file is told to be that begins with the mark of UTF-16, or has the zero bytes of it in its header. */
export const utf16Problem: string = `it is UTF-16, not UTF-8: give "encoding": "utf-16" in the format (${formatOption})`;
/** What is wrong with lines that nothing but a carriage return ends. */
export const crProblem: string = `its lines end with a carriage return alone (CR), instead of LF or CRLF: give "lineEnd": "cr" in the format (${formatOption})`;

/** Ends what is wrong with a first line that has none of the columns. */
export const rowInstead: string = `: is its first line a row instead of a header? Then give "names", those of all columns, in the format (${formatOption})`;

/** To pass lines above the header. */
export function skipLinesOption(count: number): string {
  return `"skipLines": ${count} in the format (${formatOption})`;
}

/** Whether lines behind a good header end with CR alone: to the scanner all of them are one line without an end. */
export function hasLoneReturn(lines: Uint8Array): boolean {
  const at = lines.indexOf(13);
  return at >= 0 && at < lines.length - 1 && lines[at + 1] !== 10;
}

/** Reads the header line `[start, stop)`: its layout, or why it does not serve, such as `it lacks the column "at"; it has "id", "At"`. */
export function readHeader(
  bytes: Buffer,
  start: number,
  stop: number,
  columns: readonly string[],
  marks: Marks = plainMarks,
): HeaderLayout | string {
  const line = bytes.subarray(start, stop);
  const binary = binaryProblem(line);
  if (binary !== undefined) return binary;
  if (/^\s*\{\s*"/.test(line.toString('latin1', 0, 64)))
    return `its first line is JSON: give "form": "ndjson" in the format (${formatOption})`;
  if (!isUtf8(line))
    return `its header is not UTF-8: give the encoding in the format (${formatOption}), such as "encoding": "windows-1252"`;
  const names = splitLine(bytes, start, stop, marks);
  if (names === undefined) return `the quotes of its header do not match: ${shown(line.toString())}`;
  return layoutOf(names, columns) ?? headerProblem(names, columns, marks);
}

/** Why a file whose columns have these names cannot begin with the row `[start, stop)`. */
export function firstRowProblem(
  bytes: Buffer,
  start: number,
  stop: number,
  names: readonly string[],
  marks: Marks,
): string | undefined {
  const line = bytes.subarray(start, stop);
  const binary = binaryProblem(line);
  if (binary !== undefined) return binary;
  const fields = splitLine(bytes, start, stop, marks);
  if (fields === undefined || fields.length === names.length) return undefined;
  const expected = `the format names ${names.length} column${plural(names)}`;
  return `its first row has ${fields.length} field${plural(fields)}, and ${expected}: ${shown(line.toString())}`;
}

/** What a file is that begins with these bytes, if it is not text. */
export function binaryProblem(bytes: Buffer): string | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'it is compressed with gzip: give it a name that ends with .gz';
  if (bytes.toString('latin1', 0, 4) === '\x28\xb5\x2f\xfd')
    return 'it is compressed with zstd: give it a name that ends with .zst';
  if (bytes.toString('latin1', 0, 4) === 'PK\x03\x04')
    return 'it is a ZIP archive or a workbook (.xlsx), not CSV: save it as CSV in UTF-8';
  const zeros = bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
  if (zeros === 0) return undefined;
  // Every second byte of a header in UTF-16 is zero.
  return zeros * 3 > bytes.length ? utf16Problem : 'it is not text: there are zero bytes in its first line';
}

/** What is wrong with a header of these names, which has no layout for these columns. */
export function headerProblem(names: readonly string[], columns: readonly string[], marks: Marks = plainMarks): string {
  if (names.some((name) => name.includes('\r'))) return crProblem;
  if (names[0]?.startsWith('sep='))
    return `its first line says which separator it has, and is no header: ${shown(names[0])}: give ${skipLinesOption(1)}`;
  if (names[0]?.startsWith('\u00ef\u00bb\u00bf'))
    return 'its byte order mark says that it is UTF-8, and the format something else';
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length === 0) {
    const twice = columns.filter((column) => names.indexOf(column) !== names.lastIndexOf(column));
    return `it has the column${plural(twice)} ${shownNames(twice)} twice`;
  }
  const own = String.fromCharCode(marks.separator);
  const separator = [',', ';', '\t', '|'].find((other) => other !== own && names.some((name) => name.includes(other)));
  const split = separator === undefined ? [] : names.join(own).split(separator);
  if (columns.some((column) => split.includes(column)))
    return `its columns are separated by ${shown(separator!)}, not by ${own === ',' ? 'a comma' : shown(own)}: ${shown(names.join(own))}`;
  const others = names.filter((name) => !columns.includes(name));
  const hint = missing.flatMap((column) => nearMiss(column, others));
  const none = missing.length === columns.length && hint.length === 0 ? rowInstead : '';
  const lacks = `it lacks the column${plural(missing)} ${shownNames(missing)}; it has ${shownNames(names)}${none}`;
  return hint.length === 0 ? lacks : `${lacks} (${hint.join(', ')})`;
}

/** A name that is the column's but for case, blanks and characters that nobody sees, or a letter or two. */
function nearMiss(column: string, names: readonly string[]): string[] {
  const near = nearestName(column, names);
  return near === undefined ? [] : [`${shown(near)} is not ${shown(column)}`];
}

function plural(names: readonly string[]): string {
  return names.length === 1 ? '' : 's';
}
