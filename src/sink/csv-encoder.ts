import type { FetchedRecords } from '../clients/fetched-records.ts';
import { ByteChunk } from './byte-chunk.ts';
import type { RowEncoder } from './row-encoder.ts';
import type { ColumnValue, SinkRows } from './sink-rows.ts';

const lf = 10;

/** What begins a formula in a spreadsheet; a tab or a carriage return before it is passed over there. */
const formula = /^[=+\-@\t\r]/;

/**
 * CSV with a header: commas, LF, fields with a comma, a quote or a line end in quotes, as RFC 4180 has it. A record that is a row of CSV already is copied as it is.
 *
 * With `safe` a text field that a spreadsheet would take for a formula gets an apostrophe before it: `=1+1` is `'=1+1`.
 */
export class CsvEncoder implements RowEncoder {
  readonly #chunk = new ByteChunk();
  readonly #safe: boolean;
  readonly #values: ColumnValue[] = [];
  #taken = 0;

  constructor(rows: SinkRows, safe: boolean) {
    this.#safe = safe;
    this.#chunk.text(`${rows.columns.map(({ name }) => csvField(name)).join(',')}\n`);
  }

  get bytes(): number {
    return this.#taken + this.#chunk.length;
  }

  add(rows: SinkRows, records: FetchedRecords, i: number): void {
    const end = this.#safe ? -1 : (rows.csvEnd?.(records, i) ?? -1);
    if (end < 0) this.#addValues(rows);
    else this.#addBytes(records.bytes, records.valueStarts[i]!, end);
  }

  #addBytes(bytes: Buffer, start: number, end: number): void {
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

  #addValues(rows: SinkRows): void {
    const values = this.#values;
    rows.values(values);
    let line = '';
    for (let c = 0; c < rows.columns.length; c++) {
      if (c > 0) line += ',';
      const value = values[c] ?? null;
      const isTime = typeof value === 'number' && rows.columns[c]!.type === 'timestamp';
      line += isTime ? (rows.timeText?.(value) ?? new Date(value).toISOString()) : this.#field(value);
    }
    this.#chunk.text(`${line}\n`);
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
