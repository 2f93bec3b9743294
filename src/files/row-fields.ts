import { emptyBytes } from '../common/bytes.ts';
import type { HeaderLayout } from './csv-header.ts';
import type { QuotedRecord } from './quoted-record.ts';
import type { RowFile, RowView } from './row-format.ts';

/** The fields of one row after the other: filled in the file's order, seen in the order of the format's columns. */
export class RowFields {
  /** Fields that a row must have. */
  readonly count: number;
  /** Where field `i` of the file's order starts and ends. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #order: readonly number[];
  /** Whether the columns are the first fields, in order: then both orders share their arrays. */
  readonly #inOrder: boolean;
  readonly #row: {
    bytes: Uint8Array;
    readonly starts: Int32Array;
    readonly ends: Int32Array;
    readonly file: RowFile | undefined;
  };

  constructor({ fields, order, preamble = [] }: HeaderLayout, file?: string) {
    this.count = fields;
    this.starts = new Int32Array(fields);
    this.ends = new Int32Array(fields);
    this.#order = order;
    this.#inOrder = order.every((field, column) => field === column);
    const starts = this.#inOrder ? this.starts : new Int32Array(order.length);
    const ends = this.#inOrder ? this.ends : new Int32Array(order.length);
    this.#row = { bytes: emptyBytes, starts, ends, file: file === undefined ? undefined : { name: file, preamble } };
  }

  /** The row as the format reads it; the fields stand in `bytes`. The same object each time. */
  view(bytes: Uint8Array): RowView {
    const row = this.#row;
    row.bytes = bytes;
    if (!this.#inOrder) {
      const order = this.#order;
      for (let column = 0; column < order.length; column++) {
        const field = order[column]!;
        row.starts[column] = this.starts[field]!;
        row.ends[column] = this.ends[field]!;
      }
    }
    return row;
  }

  /** Takes the fields of a record. */
  take(record: QuotedRecord): void {
    this.starts.set(record.starts);
    this.ends.set(record.ends);
  }
}
