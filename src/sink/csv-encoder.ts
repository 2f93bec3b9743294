import { ByteChunk } from './byte-chunk.ts';
import type { RowEncoder } from './row-encoder.ts';
import type { ColumnValue, RowValues, SinkColumn } from './sink-rows.ts';

const lf = 10;

/** What begins a formula in a spreadsheet, in its wide form too; a tab or a line end before it is passed over there. */
const formula = /^[=+\-@＝＋－＠\t\r\n]/;

/**
 * CSV with a header: commas, LF, fields with a comma, a quote or a line end in quotes, as RFC 4180 has it. A record that is a row of CSV already is copied as it is.
 *
 * With `safe` a text field that a spreadsheet would take for a formula gets an apostrophe before it: `=1+1` is `'=1+1`.
 */
export class CsvEncoder implements RowEncoder {
  readonly #chunk = new ByteChunk();
  readonly #safe: boolean;
  readonly #values: ColumnValue[] = [];
  readonly copy: RowEncoder['copy'];
  #taken = 0;

  constructor(columns: readonly SinkColumn[], safe: boolean) {
    this.#safe = safe;
    this.copy = safe ? undefined : (bytes, start, end) => this.#copy(bytes, start, end);
    this.#chunk.text(`${columns.map(({ name }) => csvField(name)).join(',')}\n`);
  }

  get bytes(): number {
    return this.#taken + this.#chunk.length;
  }

  add(row: RowValues): void {
    const values = this.#values;
    row.values(values);
    let line = '';
    for (let c = 0; c < row.columns.length; c++) {
      if (c > 0) line += ',';
      const value = values[c] ?? null;
      const isTime = typeof value === 'number' && row.columns[c]!.type === 'timestamp';
      line += isTime ? (row.timeText?.(value) ?? new Date(value).toISOString()) : this.#field(value);
    }
    this.#chunk.text(`${line}\n`);
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    const chunk = this.#chunk;
    chunk.room(end - start + 1);
    bytes.copy(chunk.buffer, chunk.length, start, end);
    chunk.length += end - start;
    chunk.buffer[chunk.length++] = lf;
  }

  take(): Uint8Array | undefined {
    const bytes = this.#chunk.takeFull();
    this.#taken += bytes?.length ?? 0;
    return bytes;
  }

  finish(): Uint8Array {
    return this.#chunk.takeAll();
  }

  #field(value: ColumnValue): string {
    if (value === null) return '';
    if (typeof value === 'number') return String(value);
    return csvField(this.#safe && formula.test(value) ? `'${value}` : value);
  }
}

/** A field as it stands in a row: in quotes where it needs them. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
