import { isUtf8 } from 'node:buffer';
import { messageOf } from '../common/errors.ts';
import type { HeaderLayout } from './csv-header.ts';
import { type FileDialect, isNdjson, type Marks, marksOf } from './file-dialect.ts';
import { HeaderFinder } from './header-finder.ts';
import { JsonLine } from './json-line.ts';
import { QuotedRecord } from './quoted-record.ts';
import { RowFields } from './row-fields.ts';
import { BadRow, type BadRowReason, type DecodedRow, type RowFormat } from './row-format.ts';
import { RowProbe } from './row-probe.ts';
import {
  maxRowBytes,
  pauseOf,
  type ScanOutcome,
  type ScanState,
  scannedDead,
  scannedEnd,
  scannedRefused,
  scannedRow,
  scannedTorn,
  type WindowEnding,
  windowTailBytes,
} from './scan-outcome.ts';

const lf = 10;
const cr = 13;
const quote = 34;
const comma = 44;

/**
 * Splits a file into rows, window by window, and judges them: first `too-long`, then `quote`, `utf8`, `columns`, then what the format's decoder says.
 *
 * - The first line that is not empty is the header. Columns stand in any order and among others. A file whose header lacks one, or has it twice, is
 *   refused: nothing of it is read.
 * - LF and CRLF end a line. Empty lines are no rows, but lines. A byte order mark before the header is passed over.
 * - A quoted field may hold commas, doubled quotes and line ends. It runs over a line end only if its record closes properly within 1 MiB, and none of its
 *   further lines is by itself a row of the format; otherwise its first physical line is bad, `quote`, and the next line is scanned
 *   for itself: a stray quote never swallows good rows.
 * - Where each line is a JSON object there is no header, lines of blanks are empty ones, and a line that is not such an object is bad, `json`.
 * - A row of more than 1 MiB is bad, `too-long`: its first 1 MiB + 1 bytes stand for it (so that they are again too long if replayed), and no more is held in memory.
 *
 * The window's bytes are scanned once, in place; the bytes behind it are overwritten by a line feed that ends the inner loop.
 */
export class CsvScanner<K, V> {
  /** The row that was found: `[rowStart, rowEnd)` of the window, without its line end. */
  rowStart = 0;
  rowEnd = 0;
  /** Its first physical line. */
  rowLine = 0;
  /** Why it is bad, after {@link scannedDead}. */
  reason: BadRowReason = 'columns';
  /** And what is to be said of it beyond the reason; after {@link scannedRefused}: of the file. */
  message: string | undefined;
  /** Index behind what was found. */
  at = 0;
  line = 1;
  openEnd = false;
  skipping = false;
  layout: HeaderLayout | undefined;
  /** Records of the next row that were taken before, where rows are several. */
  record = 0;

  /** Undefined: the plain dialect, which the fast loop reads. */
  readonly #dialect: FileDialect | undefined;
  readonly #marks: Marks;
  readonly #format: RowFormat<K, V>;
  #bytes: Buffer = Buffer.alloc(windowTailBytes);
  /** The same bytes, to read four at once. */
  #words: DataView = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  #end = 0;
  #ending: WindowEnding = 'more';
  /** Neither header, open end nor skipping are to be seen to. */
  #plain = false;
  readonly #head: HeaderFinder;
  #file = '';
  #fields: RowFields = new RowFields({ fields: 0, order: [] });
  #record: QuotedRecord = new QuotedRecord(0);
  /** Set where each line is a JSON object. */
  readonly #json: JsonLine | undefined;

  constructor(format: RowFormat<K, V>) {
    this.#format = format;
    this.#dialect = format.dialect;
    this.#marks = marksOf(format.dialect);
    this.#head = new HeaderFinder(format);
    if (isNdjson(format.dialect)) this.#json = new JsonLine(format.columns, format.optional);
  }

  /** Starts a file, or goes on in one. `fromStart`: the first window holds its first byte. `file`: its name, for the format. */
  begin(state: ScanState, fromStart: boolean, file = ''): void {
    this.#file = file;
    this.line = state.line;
    this.openEnd = state.openEnd;
    this.skipping = state.skipping;
    this.record = state.record ?? 0;
    this.layout = state.layout;
    if (state.layout !== undefined) this.#take(state.layout);
    this.#head.begin(fromStart);
    this.#plain = false;
  }

  /**
   * Sets the bytes to scan: `[at, end)`. What the last window left over from its `at` must stand first. `bytes` has {@link windowTailBytes} to
   * spare behind `end`.
   */
  window(bytes: Buffer, at: number, end: number, ending: WindowEnding): void {
    if (bytes.length < end + windowTailBytes) throw new RangeError('the window has no room behind its end');
    this.#bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
    this.#end = end;
    this.#ending = ending;
    bytes[end] = lf;
  }

  /** Finds the next row; a good one is decoded into `out`. */
  next(out: DecodedRow<K, V>): ScanOutcome {
    if (!this.#plain) {
      const outcome = this.#prepare();
      if (outcome !== undefined) return outcome;
      if (this.#dialect !== undefined) return this.#nextRecord(out);
    }
    const bytes = this.#bytes;
    const words = this.#words;
    const { starts, ends } = this.#fields;
    const capacity = starts.length;
    let start = this.at;
    let fieldStart = start;
    let field = 0;
    let wide = false;
    for (let at = start; ; at++) {
      // Four bytes at once are passed if all are '-' to DEL, as digits and letters are. Else the lowest bit set is that of the first that is not.
      const word = words.getInt32(at, true);
      const others = ((word - 0x2d2d2d2d) | word) & 0x80808080;
      if (others === 0) {
        at += 3;
        continue;
      }
      at += (31 - Math.clz32(others & -others)) >> 3;
      const byte = bytes[at]!;
      if (byte === comma) {
        if (field < capacity) {
          starts[field] = fieldStart;
          ends[field] = at;
        }
        field++;
        fieldStart = at + 1;
      } else if (byte === lf) {
        if (at >= this.#end) return this.#atEnd(start, out);
        const stop = at > start && bytes[at - 1] === cr ? at - 1 : at;
        if (stop > start) {
          if (field < capacity) {
            starts[field] = fieldStart;
            ends[field] = stop;
          }
          return this.#judge(start, stop, at + 1, field + 1, wide, out, bytes);
        }
        this.line++;
        start = this.at = fieldStart = at + 1;
      } else if (byte === quote) return this.#quoted(start, out);
      else if (byte > 127) wide = true;
    }
  }

  /** Goes back to the row found last, of which `record` records are taken. */
  again(record: number): void {
    this.at = this.rowStart;
    this.line = this.rowLine;
    this.openEnd = false;
    this.record = record;
  }

  /** The next row of another dialect: split record by record. */
  #nextRecord(out: DecodedRow<K, V>): ScanOutcome {
    const bytes = this.#bytes;
    let at = this.at;
    for (; at < this.#end; this.line++) {
      if (bytes[at] === lf) at++;
      else if (bytes[at] === cr && at + 1 < this.#end && bytes[at + 1] === lf) at += 2;
      else if (this.#json === undefined) return this.#quoted(at, out);
      else {
        const stop = bytes.indexOf(lf, at);
        if (stop >= this.#end) return this.#atEnd(at, out);
        if (!isBlank(bytes, at, stop)) return this.#judgeJson(at, lineStop(bytes, at, stop), stop + 1, out);
        at = stop + 1;
      }
    }
    return this.#atEnd(at, out);
  }

  /** Judges a row that is split into `fields` fields, which stand in `fieldBytes`. Small, so that it becomes a part of the loop that splits plain rows. */
  #judge(
    start: number,
    stop: number,
    next: number,
    fields: number,
    wide: boolean,
    out: DecodedRow<K, V>,
    fieldBytes: Buffer,
  ): ScanOutcome {
    this.rowStart = start;
    this.rowEnd = stop;
    this.rowLine = this.line;
    this.at = next;
    this.line++;
    if (stop - start > maxRowBytes) {
      this.rowEnd = start + maxRowBytes + 1;
      return this.#dead('too-long');
    }
    if (wide && !isUtf8(this.#bytes.subarray(start, stop))) return this.#dead('utf8');
    if (fields !== this.#fields.count)
      return this.#dead('columns', `the row has ${fields} fields, its header ${this.#fields.count}`);
    try {
      const reason = this.#format.decode(this.#fields.view(fieldBytes), out);
      return reason === undefined ? scannedRow : this.#dead(reason);
    } catch (error) {
      if (error instanceof BadRow) return this.#dead(error.reason, error.message);
      return this.#dead('deserialization', `the row format failed: ${messageOf(error)}`);
    }
  }

  /** Judges a row that is a JSON object: its members become the fields. */
  #judgeJson(start: number, stop: number, next: number, out: DecodedRow<K, V>): ScanOutcome {
    const json = this.#json!;
    const line = this.#bytes.subarray(start, stop);
    const isText = line.length <= maxRowBytes && isUtf8(line);
    const fault = isText ? json.read(line.toString(), this.#fields) : undefined;
    const fields = fault === undefined ? this.#fields.count : -1;
    const outcome = this.#judge(start, stop, next, fields, true, out, json.bytes);
    return fault === undefined ? outcome : this.#dead(fault.reason, fault.message);
  }

  #dead(reason: BadRowReason, message?: string): ScanOutcome {
    this.reason = reason;
    this.message = message;
    return scannedDead;
  }

  /** What is to be done before rows: passes the rest of a too long line, the line end of an open last row, and the header. */
  #prepare(): ScanOutcome | undefined {
    if (this.skipping && !this.#skipLine()) return pauseOf(this.#ending);
    if (this.openEnd) {
      const outcome = this.#closeOpenEnd();
      if (outcome !== undefined) return outcome;
    }
    if (this.layout === undefined) {
      const outcome = this.#header();
      if (outcome !== undefined) return outcome;
    }
    this.#plain = this.#dialect === undefined;
    return undefined;
  }

  #skipLine(): boolean {
    const at = this.#bytes.indexOf(lf, this.at);
    this.at = Math.min(at + 1, this.#end);
    if (at >= this.#end) return false;
    this.skipping = false;
    this.line++;
    return true;
  }

  #closeOpenEnd(): ScanOutcome | undefined {
    const at = this.at;
    if (at === this.#end) return pauseOf(this.#ending);
    const first = this.#bytes[at];
    if (first === cr && at + 1 === this.#end) return pauseOf(this.#ending);
    if (first !== lf && !(first === cr && this.#bytes[at + 1] === lf)) return scannedTorn;
    this.at = first === lf ? at + 1 : at + 2;
    this.openEnd = false;
    return undefined;
  }

  /** Reads the header. Undefined if it serves, else what to tell. */
  #header(): ScanOutcome | undefined {
    const head = this.#head;
    const window = { bytes: this.#bytes, end: this.#end, ending: this.#ending };
    const outcome = head.find(window, this.at, this.line);
    this.at = head.at;
    this.line = head.line;
    if (outcome === undefined) this.#take(head.layout!);
    else if (outcome === scannedRefused) this.message = head.problem;
    return outcome;
  }

  #take(layout: HeaderLayout): void {
    this.layout = layout;
    this.#fields = new RowFields(layout, this.#file);
    const probe = new RowProbe(this.#format, layout, this.#file);
    this.#record = new QuotedRecord(layout.fields, this.#marks, (bytes, start, end) => probe.isRow(bytes, start, end));
  }

  /** The window ends inside the row at `start`, or before it. */
  #atEnd(start: number, out: DecodedRow<K, V>): ScanOutcome {
    this.at = start;
    if (this.#end - start > maxRowBytes + 1) return this.#cutTooLong(start);
    if (this.#ending !== 'final' || start === this.#end) return pauseOf(this.#ending);
    return this.#lastRow(start, out);
  }

  /** A row at `start` that is too long already and whose line end is not in the window. */
  #cutTooLong(start: number): ScanOutcome {
    this.rowStart = start;
    this.rowEnd = start + maxRowBytes + 1;
    this.rowLine = this.line;
    this.at = this.#end;
    this.skipping = true;
    this.#plain = false;
    return this.#dead('too-long');
  }

  /** The file ends behind a line without line end: it is a row if it is a good one, and otherwise waits for its rest. */
  #lastRow(start: number, out: DecodedRow<K, V>): ScanOutcome {
    const record = this.#record;
    const line = this.line;
    if (this.#json !== undefined) {
      if (isBlank(this.#bytes, start, this.#end)) {
        this.at = this.#end;
        return scannedEnd;
      }
      return this.#ifGood(start, line, this.#judgeJson(start, this.#end, this.#end, out));
    }
    if (record.split(this.#bytes, start, this.#end, true) !== 'closed' || record.stop === start) return scannedEnd;
    return this.#ifGood(start, line, this.#judgeRecord(start, record.stop, out));
  }

  /** Takes the last row if it is good, and goes back before it otherwise. */
  #ifGood(start: number, line: number, outcome: ScanOutcome): ScanOutcome {
    if (outcome === scannedRow) {
      this.openEnd = true;
      this.#plain = false;
      return scannedRow;
    }
    this.at = start;
    this.line = line;
    return scannedEnd;
  }

  /** A row at `start` that holds a quote. */
  #quoted(start: number, out: DecodedRow<K, V>): ScanOutcome {
    const bytes = this.#bytes;
    const record = this.#record;
    this.at = start;
    const limit = start + maxRowBytes + 2;
    const end = Math.min(this.#end, limit);
    const result = record.split(bytes, start, end, false);
    if (result === 'closed' && record.stop - start <= maxRowBytes) return this.#judgeRecord(start, record.next, out);
    if (result === 'open' && end < limit) {
      if (this.#ending !== 'final') return pauseOf(this.#ending);
      if (record.split(bytes, start, end, true) === 'closed') return this.#lastRow(start, out);
    }
    return this.#deadLine(start, out);
  }

  /** The physical line at `start` has wrong quotes. */
  #deadLine(start: number, out: DecodedRow<K, V>): ScanOutcome {
    const at = this.#bytes.indexOf(lf, start);
    // A last line without line end waits, as any other: it may be mended by its rest.
    if (at >= this.#end) return this.#end - start > maxRowBytes + 1 ? this.#atEnd(start, out) : pauseOf(this.#ending);
    const stop = at > start && this.#bytes[at - 1] === cr ? at - 1 : at;
    this.rowStart = start;
    this.rowEnd = Math.min(stop, start + maxRowBytes + 1);
    this.rowLine = this.line++;
    this.at = at + 1;
    return this.#dead(stop - start > maxRowBytes ? 'too-long' : 'quote');
  }

  /** Judges the record that was split last. */
  #judgeRecord(start: number, next: number, out: DecodedRow<K, V>): ScanOutcome {
    const record = this.#record;
    const fieldBytes = record.undouble(this.#bytes);
    this.#fields.take(record);
    const outcome = this.#judge(start, record.stop, next, record.count, true, out, fieldBytes);
    this.line += record.lines - 1;
    return outcome;
  }
}

/** Whether a line has nothing but blanks. */
function isBlank(bytes: Buffer, start: number, stop: number): boolean {
  let at = start;
  while (at < stop && bytes[at]! <= 32) at++;
  return at === stop;
}

function lineStop(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === cr ? end - 1 : end;
}
