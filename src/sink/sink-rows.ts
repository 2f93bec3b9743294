import type { FetchedRecords } from '../clients/fetched-records.ts';

/** What a column of a file holds. `date`: a civil date as text, `2018-01-31`. `timestamp`: ms since the epoch. */
export type ColumnType = 'string' | 'date' | 'int64' | 'timestamp';

/** A column of the files that a sink writes. */
export interface SinkColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A value of a column: text for `string` and `date`, a whole number for the others, null where there is none. */
export type ColumnValue = string | number | null;

/** A row that is to be written: what its columns are, and its values. */
export interface RowValues {
  readonly columns: readonly SinkColumn[];
  /** Puts the row's values into `out`, in the order of the columns. */
  values(out: ColumnValue[]): void;
  /** A time as CSV shows it. @defaultValue ISO 8601 in UTC */
  timeText?(ms: number): string;
}

/** How the records of a topic become rows of files: the row is that of the record read last. One is made for each partition. */
export interface SinkRows extends RowValues {
  /**
   * Reads a record and says when what it tells happened, ms since the epoch: that decides its file.
   *
   * @throws Error for a record that is not a row: it goes to the dead-letter file, with the error's message.
   */
  read(records: FetchedRecords, i: number): number;
  /**
   * The record read last as a row of CSV, where its bytes are one already: in the columns' order, without a line end. `-1`: they are not.
   * @returns the position after the bytes, which begin at `records.valueStarts[i]`.
   */
  csvEnd?(records: FetchedRecords, i: number): number;
}

/** The rows of a topic of which nothing is known: key, value, timestamp and position, parted by the record's timestamp. */
export class PlainRows implements SinkRows {
  readonly columns: readonly SinkColumn[] = [
    { name: 'partition', type: 'int64' },
    { name: 'offset', type: 'int64' },
    { name: 'timestamp', type: 'timestamp' },
    { name: 'key', type: 'string' },
    { name: 'value', type: 'string' },
  ];
  readonly #row: ColumnValue[] = [];
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  read(records: FetchedRecords, i: number): number {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
    const timestamp = records.timestamps[i]!;
    this.#row[0] = records.partition;
    this.#row[1] = records.offsets[i]!;
    this.#row[2] = timestamp;
    this.#row[3] = this.#textOf(bytes, keyStarts[i]!, keyEnds[i]!, 'key');
    this.#row[4] = this.#textOf(bytes, valueStarts[i]!, valueEnds[i]!, 'value');
    return timestamp;
  }

  values(out: ColumnValue[]): void {
    for (let i = 0; i < this.#row.length; i++) out[i] = this.#row[i]!;
  }

  #textOf(bytes: Buffer, start: number, end: number, what: string): string | null {
    if (start < 0) return null;
    try {
      return this.#text.decode(bytes.subarray(start, end));
    } catch {
      throw new Error(`the ${what} is not text in UTF-8`);
    }
  }
}
