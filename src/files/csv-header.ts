import { isUtf8 } from 'node:buffer';
import { QuotedRecord } from './quoted-record.ts';
import type { DeadReason } from './row-format.ts';

/**
 * Where the columns of a format stand in the rows of one file.
 *
 * Column `i` is field `order[i]` of a row of `fields` fields. A header that does not serve has no fields and no order: every row of its file
 * is then a bad one.
 */
export interface HeaderLayout {
  readonly fields: number;
  readonly order: readonly number[];
}

/** The layout of a file whose header does not serve. */
export const unusableLayout: HeaderLayout = { fields: 0, order: [] };

/** The fields of one line, unquoted; undefined if its quotes are wrong. */
export function splitLine(bytes: Buffer, start: number, end: number): string[] | undefined {
  let commas = 0;
  for (let at = start; at < end; at++) if (bytes[at] === 0x2c) commas++;
  const record = new QuotedRecord(commas + 1);
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

/** Reads the header line `[start, stop)`: its layout, or why it does not serve. */
export function readHeader(
  bytes: Buffer,
  start: number,
  stop: number,
  columns: readonly string[],
): HeaderLayout | DeadReason {
  const names = splitLine(bytes, start, stop);
  if (names === undefined) return 'quote';
  if (!isUtf8(bytes.subarray(start, stop))) return 'utf8';
  return layoutOf(names, columns) ?? 'columns';
}
