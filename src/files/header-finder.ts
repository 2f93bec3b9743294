import {
  binaryProblem,
  crProblem,
  firstRowProblem,
  type HeaderLayout,
  layoutOf,
  readHeader,
  rowInstead,
  skipLinesOption,
  splitLine,
  utf16Problem,
} from './csv-header.ts';
import { type FileDialect, isNdjson, type Marks, marksOf } from './file-dialect.ts';
import { documentProblem } from './json-line.ts';
import type { RowFormat } from './row-format.ts';
import {
  maxRowBytes,
  pauseOf,
  type ScanOutcome,
  scannedRefused,
  scannedWindow,
  type WindowEnding,
} from './scan-outcome.ts';

const lf = 10;
const cr = 13;
/** So far behind a first line that is no header it is looked for. */
const preambleBytes = 16_384;

/** The bytes of a file that can be looked at: up to `end`, and what follows them. */
export interface HeaderWindow {
  readonly bytes: Buffer;
  readonly end: number;
  readonly ending: WindowEnding;
}

/** Finds the header of a file, window by window; where the format names the columns, the first row, with which the file may begin or not. */
export class HeaderFinder {
  /** Index of what comes next: behind the header, or before the first row. */
  at = 0;
  /** Its line. */
  line = 1;
  /** Where the columns stand; undefined until it is found. */
  layout: HeaderLayout | undefined;
  /** After {@link scannedRefused}: why. */
  problem: string | undefined;

  readonly #columns: readonly string[];
  readonly #dialect: FileDialect | undefined;
  readonly #marks: Marks;
  readonly #isJson: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #ending: WindowEnding = 'more';
  #mayStartWithBom = false;
  /** Lines before the header that were passed. */
  #preamble: string[] = [];

  constructor({ columns, dialect }: Pick<RowFormat<never, never>, 'columns' | 'dialect'>) {
    this.#columns = columns;
    this.#dialect = dialect;
    this.#marks = marksOf(dialect);
    this.#isJson = isNdjson(dialect);
  }

  /** Starts a file. `fromStart`: the first window holds its first byte. */
  begin(fromStart: boolean): void {
    this.layout = undefined;
    this.#mayStartWithBom = fromStart;
  }

  /** Looks from `at` in the window on, which is line `line`. Undefined if the header is found and serves, else what to tell: then nothing of the file is passed, but for many empty lines. */
  find({ bytes, end, ending }: HeaderWindow, at: number, line: number): ScanOutcome | undefined {
    this.#bytes = bytes;
    this.#end = end;
    this.#ending = ending;
    this.at = at;
    this.line = line;
    const mayStartWithBom = this.#mayStartWithBom;
    const outcome = this.#find();
    // Empty lines of more than 1 MiB are not held until the header comes.
    if (outcome === undefined || (outcome === scannedWindow && this.at - at > maxRowBytes)) return outcome;
    this.at = at;
    this.line = line;
    this.#mayStartWithBom = mayStartWithBom;
    return outcome;
  }

  #find(): ScanOutcome | undefined {
    const bytes = this.#bytes;
    if (this.#mayStartWithBom) {
      const [first, second] = [bytes[this.at], bytes[this.at + 1]];
      const bytesThere = this.#end - this.at;
      if (bytesThere === 0 || (bytesThere < 3 && first! >= 0xef)) return pauseOf(this.#ending);
      if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return this.#refuse(utf16Problem);
      if (first === 0xef && second === 0xbb && bytes[this.at + 2] === 0xbf) this.at += 3;
      this.#mayStartWithBom = false;
    }
    const { skipLines = 0, names = this.#isJson ? this.#columns : undefined } = this.#dialect ?? {};
    this.#preamble = [];
    for (;;) {
      const at = bytes.indexOf(lf, this.at);
      const isHeader = this.line > skipLines;
      if (at >= this.#end) return this.#cutHeader(isHeader ? names : undefined);
      const stop = at > this.at && bytes[at - 1] === cr ? at - 1 : at;
      if (stop > this.at && isHeader)
        return names === undefined ? this.#readHeader(stop, at + 1) : this.#takeNames(names, stop);
      if (!isHeader) this.#preamble.push(bytes.toString('utf8', this.at, stop));
      this.at = at + 1;
      this.line++;
    }
  }

  /** No line feed ends it in this window. With `names` it is a row, to be judged as such. */
  #cutHeader(names: readonly string[] | undefined): ScanOutcome | undefined {
    const firstCr = this.#bytes.indexOf(cr, this.at);
    const tooLong = this.#end - this.at > maxRowBytes + 1;
    if (tooLong || this.#ending !== 'more') {
      const binary = binaryProblem(this.#bytes.subarray(this.at, Math.min(this.#end, this.at + 1024)));
      if (binary !== undefined) return this.#refuse(binary);
      const lone = firstCr >= 0 && firstCr < this.#end - 1;
      // In a row a return may stand inside quotes.
      const isRow = names !== undefined && this.at < this.#end;
      if (isRow && !(lone && this.#isFirstRow(firstCr, names))) return this.#cutFirstRow(names, tooLong);
      if (lone) return this.#refuse(crProblem);
      if (tooLong) return this.#refuse('its first line is longer than 1 MiB');
    }
    return pauseOf(this.#ending);
  }

  #readHeader(stop: number, next: number): ScanOutcome | undefined {
    const start = this.at;
    if (stop - start > maxRowBytes) return this.#refuse('its first line is longer than 1 MiB');
    const header = readHeader(this.#bytes, start, stop, this.#columns, this.#marks);
    if (typeof header === 'string') {
      if (this.#ending === 'more' && this.#end - start < preambleBytes) return pauseOf(this.#ending);
      return this.#refuse(this.#elsewhere(next, header) ?? header);
    }
    this.line++;
    this.at = next;
    return this.#take(header);
  }

  /**
   * What to say where lines that are no table stand above the header, or where too many lines are skipped.
   *
   * @param problem - What is wrong with the line that was taken for the header. Where it has none of the columns, a line that has some of them is the header.
   */
  #elsewhere(from: number, problem: string): string | undefined {
    const above = this.#preamble.findIndex((line) => typeof this.#headerIn(Buffer.from(line)) === 'object');
    if (above >= 0) return `its header is line ${above + 1}: give ${skipLinesOption(above)}`;
    const last = Math.min(this.#end, from + preambleBytes);
    let likely: string | undefined;
    for (let at = from, line = this.line + 1; ; line++) {
      const end = this.#bytes.indexOf(lf, at);
      if (end < 0 || end >= last) return problem.endsWith(rowInstead) ? likely : undefined;
      const stop = end > at && this.#bytes[end - 1] === cr ? end - 1 : end;
      const text = this.#bytes.subarray(at, stop);
      const found = this.#headerIn(text);
      const place = `its header is line ${line}, below ${line === 2 ? 'a line that is' : 'lines that are'} no table: give ${skipLinesOption(line - 1)}`;
      if (typeof found === 'object') return place;
      if (this.#hasColumn(text)) likely ??= `${place}. Then ${found}`;
      at = end + 1;
    }
  }

  #headerIn(line: Buffer): HeaderLayout | string {
    return readHeader(line, 0, line.length, this.#columns, this.#marks);
  }

  /** Whether a line has one of the columns, by whatever it is separated. */
  #hasColumn(line: Buffer): boolean {
    const marks = [this.#marks, ...[',', ';', '\t', '|'].map((separator) => marksOf({ separator }))];
    return marks.some((each) => splitLine(line, 0, line.length, each)?.some((name) => this.#columns.includes(name)));
  }

  /** No line end is there behind the first row of a file without header: whether the file can begin so, all of it tells. */
  #cutFirstRow(names: readonly string[], tooLong: boolean): ScanOutcome | undefined {
    if (tooLong) return this.#takeNames(names);
    if (this.#ending === 'waits') return pauseOf(this.#ending);
    const problem = this.#isJson && this.#firstRowProblem(this.#end, names);
    if (problem) return this.#refuse(problem);
    const isRow = this.#isJson
      ? /^\s*\{/.test(this.#bytes.toString('latin1', this.at, this.#end))
      : this.#isFirstRow(this.#end, names);
    return isRow ? this.#takeNames(names) : pauseOf(this.#ending);
  }

  /** A file without header begins with a row; `stop`: where that ends, if it is known. */
  #takeNames(names: readonly string[], stop?: number): ScanOutcome | undefined {
    const problem = stop && this.#firstRowProblem(stop, names);
    return problem ? this.#refuse(problem) : this.#take(layoutOf(names, this.#columns)!);
  }

  #firstRowProblem(stop: number, names: readonly string[]): string | undefined {
    if (!this.#isJson) return firstRowProblem(this.#bytes, this.at, stop, names, this.#marks);
    const line = this.#bytes.subarray(this.at, stop);
    return binaryProblem(line) ?? documentProblem(line.toString(), names);
  }

  #isFirstRow(stop: number, names: readonly string[]): boolean {
    return !this.#isJson && splitLine(this.#bytes, this.at, stop, this.#marks)?.length === names.length;
  }

  #refuse(problem: string): ScanOutcome {
    this.problem = problem;
    return scannedRefused;
  }

  #take(layout: HeaderLayout): undefined {
    const preamble = this.#preamble;
    this.layout = preamble.length === 0 ? layout : { ...layout, preamble };
  }
}
