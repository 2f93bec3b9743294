import { CsvScanner } from '../../../src/files/csv-scanner.ts';
import type { DecodedRow, RowFormat } from '../../../src/files/row-format.ts';
import {
  scannedDead,
  scannedEnd,
  scannedRefused,
  scannedRow,
  scannedTorn,
  type WindowEnding,
  windowTailBytes,
} from '../../../src/files/scan-outcome.ts';

/** A row that was found, good (with its value) or bad (with its reason). */
export interface Found<V> {
  readonly line: number;
  readonly offset: number;
  readonly raw: string;
  readonly value?: V;
  readonly reason?: string;
}

/** All that a scan found. */
export interface Scan<V> {
  readonly rows: Found<V>[];
  /** Offset and line behind it. */
  readonly offset: number;
  readonly line: number;
  readonly torn: boolean;
  /** Why the file is refused. */
  readonly refused?: string;
  readonly openEnd: boolean;
  /** Most bytes that a window held. */
  readonly maxWindow: number;
}

/** Scans bytes in windows of `chunk` new bytes each, as a file reader would. */
export function scan<K, V>(
  format: RowFormat<K, V>,
  content: Buffer | string,
  { chunk = 1 << 20, ending = 'final' }: { chunk?: number; ending?: WindowEnding } = {},
): Scan<V> {
  const bytes = Buffer.from(content);
  const scanner = new CsvScanner(format);
  scanner.begin({ line: 1, openEnd: false, skipping: false, layout: undefined }, true);
  const out: DecodedRow<K, V> = { key: undefined as K, value: undefined as V };
  const rows: Found<V>[] = [];
  let position = 0;
  let maxWindow = 0;
  for (let read = 0; ; ) {
    const count = Math.min(chunk, bytes.length - read);
    read += count;
    // A buffer of its own for each window, filled with line feeds behind: nothing may be read beyond the end.
    const window = Buffer.alloc(read - position + windowTailBytes, 0x0a);
    bytes.copy(window, 0, position, read);
    maxWindow = Math.max(maxWindow, read - position);
    scanner.window(window, 0, read - position, read === bytes.length ? ending : 'more');
    const base = position;
    let outcome = scanner.next(out);
    for (; outcome === scannedRow || outcome === scannedDead; outcome = scanner.next(out)) {
      const { rowStart, rowEnd, rowLine, reason } = scanner;
      const raw = window.toString('latin1', rowStart, rowEnd);
      const place = { line: rowLine, offset: base + rowStart, raw };
      rows.push(outcome === scannedRow ? { ...place, value: out.value } : { ...place, reason });
    }
    position = base + scanner.at;
    const torn = outcome === scannedTorn;
    if (outcome === scannedRefused)
      return { rows, offset: position, line: scanner.line, torn, refused: scanner.message!, openEnd: false, maxWindow };
    if (outcome === scannedEnd || torn) {
      return { rows, offset: position, line: scanner.line, torn, openEnd: scanner.openEnd, maxWindow };
    }
  }
}

/** The bad rows as `line:reason:raw`. */
export function badRows<V>({ rows }: Scan<V>): string[] {
  return rows
    .filter(({ reason }) => reason !== undefined)
    .map(({ line, reason, raw }) => `${line}:${reason}:${Buffer.from(raw, 'latin1')}`);
}

/** The values of the good rows. */
export function goodRows<V>({ rows }: Scan<V>): V[] {
  return rows.flatMap(({ value }) => (value === undefined ? [] : [value]));
}
