import { type Marks, plainMarks } from './file-dialect.ts';

const lf = 10;
const cr = 13;

/**
 * How a record that may hold quotes ended.
 *
 * `closed`: whole. `open`: the bytes end before the record does. `misplaced`: a quote where none may stand. `stray`: a quoted field runs over a
 * line that is a row by itself, so its opening quote is a stray one.
 */
export type RecordEnd = 'closed' | 'open' | 'misplaced' | 'stray';

/** Whether `[start, end)` is by itself a row of the format. */
export type IsRow = (bytes: Buffer, start: number, end: number) => boolean;

/**
 * Splits one record that may hold quoted fields: commas, line ends and doubled quotes stand inside them. The slow path of the scanner.
 *
 * A quote opens a field only as its first byte; behind the closing quote only a comma, a line end or the end of the file may follow.
 */
export class QuotedRecord {
  /** Where field `i` starts and ends, without its quotes; doubled quotes are still doubled. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Whether field `i` holds doubled quotes. */
  readonly doubled: Uint8Array;
  /** Fields of the record; those beyond the arrays are counted only. */
  count = 0;
  anyDoubled = false;
  /** Physical lines that the record covers. */
  lines = 1;
  /** End of the record without its line end. */
  stop = 0;
  /** First byte behind its line end. */
  next = 0;
  readonly #separator: number;
  readonly #quote: number;
  readonly #isRow: IsRow | undefined;
  #result: RecordEnd = 'closed';
  #start = 0;
  #lineStart = 0;

  constructor(capacity: number, { separator, quote }: Marks = plainMarks, isRow?: IsRow) {
    this.#separator = separator;
    this.#quote = quote;
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.doubled = new Uint8Array(capacity);
    this.#isRow = isRow;
  }

  /** Splits the record at `start`. With `final`, the file ends at `end`, and this closes the record as a line end would. */
  split(bytes: Buffer, start: number, end: number, final: boolean): RecordEnd {
    this.count = 0;
    this.anyDoubled = false;
    this.lines = 1;
    this.#start = start;
    this.#lineStart = start;
    let at = start;
    for (;;) {
      const quoted = at < end && bytes[at] === this.#quote;
      at = quoted ? this.#quotedField(bytes, at, end, final) : this.#plainField(bytes, at, end, final);
      if (at < 0) return this.#result;
      if (at < end && bytes[at] === this.#separator) at++;
      else return this.#close(bytes, at, end);
    }
  }

  /**
   * Makes doubled quotes single: copies the record's fields to a buffer of their own, where `starts` and `ends` point from then on. Without
   * doubled quotes the bytes stay where they are.
   */
  undouble(bytes: Buffer): Buffer {
    if (!this.anyDoubled) return bytes;
    const target = Buffer.allocUnsafe(this.stop - this.#start);
    let to = 0;
    for (let i = 0; i < Math.min(this.count, this.starts.length); i++) {
      const end = this.ends[i]!;
      const fieldStart = to;
      for (let from = this.starts[i]!; from < end; from++) {
        const byte = bytes[from]!;
        target[to++] = byte;
        if (byte === this.#quote && this.doubled[i] === 1) from++;
      }
      this.starts[i] = fieldStart;
      this.ends[i] = to;
    }
    return target;
  }

  /** Index of the comma, line feed or end behind the field; -1 with a result if there is none. */
  #plainField(bytes: Buffer, start: number, end: number, final: boolean): number {
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === this.#separator || byte === lf) break;
      if (byte === this.#quote) return this.#fail('misplaced');
    }
    if (at === end && !final) return this.#fail('open');
    const atLineEnd = at === end || bytes[at] === lf;
    this.#add(start, atLineEnd && at > start && bytes[at - 1] === cr ? at - 1 : at, false);
    return at;
  }

  #quotedField(bytes: Buffer, start: number, end: number, final: boolean): number {
    let doubled = false;
    for (let at = start + 1; at < end; at++) {
      const byte = bytes[at];
      if (byte === lf && !this.#crossLine(bytes, at)) return this.#fail('stray');
      if (byte !== this.#quote) continue;
      if (at + 1 < end && bytes[at + 1] === this.#quote) {
        doubled = true;
        at++;
        continue;
      }
      this.#add(start + 1, at, doubled);
      return this.#behindQuote(bytes, at + 1, end, final);
    }
    return this.#fail('open');
  }

  #behindQuote(bytes: Buffer, at: number, end: number, final: boolean): number {
    if (at === end) return final ? at : this.#fail('open');
    const byte = bytes[at];
    if (byte === this.#separator || byte === lf) return at;
    if (byte !== cr) return this.#fail('misplaced');
    if (at + 1 === end) return final ? end : this.#fail('open');
    return bytes[at + 1] === lf ? at + 1 : this.#fail('misplaced');
  }

  /**
   * A line end inside quotes. False if the line before it is a row by itself. The record's first line is not asked, nor is its last: with the quote that closes
   * the record it holds an odd number of them, so it is no row.
   */
  #crossLine(bytes: Buffer, at: number): boolean {
    if (this.#lineStart > this.#start && this.#isRow?.(bytes, this.#lineStart, at) === true) return false;
    this.lines++;
    this.#lineStart = at + 1;
    return true;
  }

  #close(bytes: Buffer, at: number, end: number): RecordEnd {
    this.stop = at > this.#start && bytes[at - 1] === cr ? at - 1 : at;
    this.next = at < end ? at + 1 : at;
    return 'closed';
  }

  #add(start: number, end: number, doubled: boolean): void {
    const i = this.count++;
    if (i >= this.starts.length) return;
    this.starts[i] = start;
    this.ends[i] = end;
    this.doubled[i] = doubled ? 1 : 0;
    if (doubled) this.anyDoubled = true;
  }

  #fail(result: RecordEnd): number {
    this.#result = result;
    return -1;
  }
}
