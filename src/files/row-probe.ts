import { isUtf8 } from 'node:buffer';
import type { HeaderLayout } from './csv-header.ts';
import { marksOf } from './file-dialect.ts';
import { QuotedRecord } from './quoted-record.ts';
import { RowFields } from './row-fields.ts';
import type { DecodedRow, RowFormat } from './row-format.ts';

/** Tells whether a line inside a quoted field would be a row by itself: then the quote before it is a stray one. Not the hot path. */
export class RowProbe<K, V> {
  readonly #format: RowFormat<K, V>;
  readonly #fields: RowFields;
  readonly #record: QuotedRecord;
  readonly #out: DecodedRow<K, V> = { key: undefined as K, value: undefined as V };

  constructor(format: RowFormat<K, V>, layout: HeaderLayout, file: string) {
    this.#format = format;
    this.#fields = new RowFields(layout, file);
    this.#record = new QuotedRecord(layout.fields, marksOf(format.dialect));
  }

  /** Whether the line `[start, end)` is a good row of the format; a carriage return may still end it. */
  isRow(bytes: Buffer, start: number, end: number): boolean {
    const record = this.#record;
    if (record.split(bytes, start, end, true) !== 'closed' || record.count !== this.#fields.count) return false;
    if (!isUtf8(bytes.subarray(start, record.stop))) return false;
    const fieldBytes = record.undouble(bytes);
    this.#fields.take(record);
    try {
      return this.#format.decode(this.#fields.view(fieldBytes), this.#out) === undefined;
    } catch {
      // A line on which the format fails is none of its rows. If it is a row at all, the scanner comes to it and tells.
      return false;
    }
  }
}
