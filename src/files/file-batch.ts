import { messageOf } from '../common/errors.ts';
import { type Drop, worseFate } from '../processor/drop-reason.ts';
import type { FeedBatch, FeedProgress, RecordOrigin } from '../runtime/feed.ts';
import type { LetterSamples } from '../runtime/letter-sample.ts';
import type { CsvScanner } from './csv-scanner.ts';
import type { LetterSink } from './letters.ts';
import { type BadRowReason, type DeadReason, type DecodedRow, deadReasonTexts, type RowFormat } from './row-format.ts';
import { type ScanOutcome, type ScanState, scannedDead, scannedRow } from './scan-outcome.ts';

/** Reasons that are counted each for itself. */
const mostReasons = 40;

/** Event times that are wanted: from `fromMs` (included) to `toMs` (excluded). */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where the accepted rows of a file end. */
export interface FilePosition extends ScanState {
  readonly offset: number;
}

/** A row that ended a feed which is to stop at the first bad one. */
export interface FatalRow {
  readonly reason: BadRowReason;
  readonly message: string;
  readonly origin: RecordOrigin;
}

/** Which records of a topic are wanted: those of one of its partitions. The bad rows, which have no key, are told by the feed of partition 0. */
export interface WantedPartition<K> {
  readonly number: number;
  readonly placeOf: (key: K) => number;
}

/** Which rows a batch takes, and what bad ones mean. */
export interface BatchOptions<K> {
  /** Most records of a batch. */
  readonly capacity: number;
  readonly range?: TimeRange | undefined;
  readonly partition?: WantedPartition<K> | undefined;
  /** Stop at the first bad row. */
  readonly fail: boolean;
}

/** What a batch tells its feed, and what it writes to. */
export interface BatchSink {
  readonly progress: FeedProgress;
  readonly dead: LetterSink;
  readonly late: LetterSink;
  readonly samples: LetterSamples;
  /** Rows are accepted up to here. */
  moveTo(position: FilePosition): void;
  /** What a feed that stops at bad rows throws at one. */
  fatal(row: FatalRow): Error;
}

interface BadRow {
  readonly reason: BadRowReason;
  readonly message: string;
  /** Index of the record that follows it. */
  readonly before: number;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/** Why a row is bad, and what is to be said of it. */
type Fault = Pick<BadRow, 'reason' | 'message'>;

/** Whether a good row is a record of this feed; `skipped`: it is not of the times that are wanted. */
type Wanted = 'yes' | 'no' | 'skipped' | Fault;

/**
 * Records from one window of one file: good rows in columns, bad rows beside them. One instance is filled again and again.
 *
 * Letters are written when the records around them are accepted, in the order of the file.
 */
export class FileBatch<K, V> implements FeedBatch {
  length = 0;
  keys: K[] = [];
  values: V[] = [];
  readonly #format: RowFormat<K, V>;
  readonly #sink: BatchSink;
  readonly #options: BatchOptions<K>;
  /** Whether bad rows are this feed's to tell. */
  readonly #tellsBad: boolean;
  #out: DecodedRow<K, V> = { key: undefined as K, value: undefined as V };
  /** Window indexes and lines of the records' rows. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #lines: Int32Array;
  /** Rows out of range that stand before record `i`. */
  readonly #skips: Int32Array;
  /** Where rows are several records: which one of its row a record is. */
  readonly #records: Int32Array | undefined;
  #bad: BadRow[] = [];
  /** What the runtime said of records before they were accepted. */
  readonly #drops: Map<number, Drop> = new Map();
  #skipped = 0;
  #file = '';
  #bytes: Buffer = Buffer.alloc(0);
  #base = 0;
  #layout: ScanState['layout'];
  #end: FilePosition | undefined;
  #accepted = 0;
  #badTaken = 0;
  #skippedTaken = 0;

  constructor(format: RowFormat<K, V>, sink: BatchSink, options: BatchOptions<K>) {
    this.#format = format;
    this.#sink = sink;
    this.#options = options;
    this.#tellsBad = (options.partition?.number ?? 0) === 0;
    const { capacity } = options;
    this.#starts = new Int32Array(capacity);
    this.#ends = new Int32Array(capacity);
    this.#lines = new Int32Array(capacity);
    this.#skips = new Int32Array(capacity);
    this.#records = format.records === undefined ? undefined : new Int32Array(capacity);
  }

  /** Whether there is nothing to deliver. */
  get empty(): boolean {
    return this.length === 0 && this.#bad.length === 0;
  }

  /** Whether all of it is accepted, what stands after the last record included. */
  get settled(): boolean {
    return this.#end === undefined;
  }

  /**
   * Fills the batch from a window. Returns how the scan ended, or the bad row that a failing feed stops at: the batch ends before it.
   *
   * Only records are counted against the capacity: what else there is, the window bounds.
   */
  fill(scanner: CsvScanner<K, V>, file: string, bytes: Buffer, base: number): ScanOutcome | FatalRow {
    this.#reset(file, bytes, base);
    let found: ScanOutcome = scannedRow;
    const { capacity, fail } = this.#options;
    while (this.length < capacity) {
      found = scanner.next(this.#out);
      if (found !== scannedRow && found !== scannedDead) break;
      if (found === scannedRow && this.#records !== undefined) {
        const fatal = this.#addAll(scanner, this.#records);
        if (fatal !== undefined) return fatal;
        continue;
      }
      const { key, value } = this.#out;
      const fault =
        found === scannedRow ? this.#add(scanner, key, value) : this.#tellsBad ? faultOf(scanner) : undefined;
      if (fault === undefined) continue;
      if (fail) return this.#stopBefore(scanner, fault);
      this.#addBad(scanner, fault);
    }
    this.#end = endOf(scanner, base);
    this.#layout = scanner.layout;
    return found;
  }

  accept(n: number): void {
    if (!(n >= this.#accepted && n <= this.length)) {
      throw new RangeError(`accept(${n}) of a batch of ${this.length} records, ${this.#accepted} of them accepted`);
    }
    if (this.#end === undefined) return;
    this.#writeDrops(n);
    this.#writeBad(n);
    const skipped = n === this.length ? this.#skipped : this.#skips[n]!;
    const { progress } = this.#sink;
    progress.rows += n - this.#accepted + (skipped - this.#skippedTaken);
    progress.skipped += skipped - this.#skippedTaken;
    this.#skippedTaken = skipped;
    this.#accepted = n;
    this.#sink.moveTo(n === this.length ? this.#end : this.#startOf(n));
    if (n === this.length) this.#end = undefined;
  }

  drop(i: number, drop: Drop): void {
    const record = this.#open(i);
    const { reason, message } = drop;
    const refused = reason === 'future' || reason === 'invalid_timestamp';
    if (refused && this.#options.fail) throw this.#sink.fatal({ reason, message, origin: this.origin(record) });
    this.#drops.set(record, worseFate(this.#drops.get(record), drop));
  }

  origin(i: number): RecordOrigin {
    const origin = this.#originOf(this.#starts[i]!, this.#ends[i]!, this.#lines[i]!);
    return this.#records === undefined ? origin : { ...origin, record: this.#records[i]! };
  }

  #reset(file: string, bytes: Buffer, base: number): void {
    this.length = 0;
    // New ones for each batch: to write a new object into an old one costs a note for the garbage collector.
    this.keys = [];
    this.values = [];
    this.#out = { key: undefined as K, value: undefined as V };
    this.#bad = [];
    this.#drops.clear();
    this.#skipped = this.#skippedTaken = this.#accepted = this.#badTaken = 0;
    this.#file = file;
    this.#bytes = bytes;
    this.#base = base;
  }

  /** Adds a row's records, as many as there is room for: the next batch begins with the others. */
  #addAll(scanner: CsvScanner<K, V>, numbers: Int32Array): FatalRow | undefined {
    const records = this.#format.records!();
    const first = scanner.record;
    scanner.record = 0;
    if (records.length === 0 && this.#tellsBad) this.#skipped++;
    for (let i = first; i < records.length; i++) {
      if (this.length === this.#options.capacity) {
        scanner.again(i);
        return undefined;
      }
      numbers[this.length] = i;
      this.#skips[this.length] = this.#skipped;
      const fault = this.#add(scanner, records[i]!.key, records[i]!.value);
      if (fault === undefined) continue;
      if (this.#options.fail) return this.#stopBefore(scanner, fault, i);
      this.#addBad(scanner, fault);
    }
    return undefined;
  }

  /** Adds a good row, if it is wanted; says what is wrong with it if that cannot be told. */
  #add(scanner: CsvScanner<K, V>, key: K, value: V): Fault | undefined {
    const i = this.length;
    const { partition, range } = this.#options;
    if (partition !== undefined || range !== undefined) {
      const wanted = this.#wants(key, value);
      if (typeof wanted === 'object') return wanted;
      if (wanted === 'skipped') this.#skipped++;
      if (wanted !== 'yes') return undefined;
      this.#skips[i] = this.#skipped;
    }
    this.keys[i] = key;
    this.values[i] = value;
    this.#starts[i] = scanner.rowStart;
    this.#ends[i] = scanner.rowEnd;
    this.#lines[i] = scanner.rowLine;
    this.length = i + 1;
    return undefined;
  }

  #wants(key: K, value: V): Wanted {
    const { partition, range } = this.#options;
    try {
      if (partition !== undefined && partition.placeOf(key) !== partition.number) return 'no';
      if (range === undefined) return 'yes';
      const timestamp = this.#format.timestampOf(value);
      return timestamp < range.fromMs || timestamp >= range.toMs ? 'skipped' : 'yes';
    } catch (error) {
      // A row without a partition is told as one without a key is.
      if (!this.#tellsBad) return 'no';
      return {
        reason: 'deserialization',
        message: `neither its partition nor its time can be told: ${messageOf(error)}`,
      };
    }
  }

  #addBad(scanner: CsvScanner<K, V>, fault: Fault): void {
    const { rowStart: start, rowEnd: end, rowLine: line } = scanner;
    this.#bad.push({ ...fault, before: this.length, start, end, line });
  }

  /** Ends the batch before the bad row just found, so that it comes again in a run that goes on at bad rows. */
  #stopBefore(scanner: CsvScanner<K, V>, fault: Fault, record = 0): FatalRow {
    const { rowStart, rowEnd, rowLine } = scanner;
    this.#layout = scanner.layout;
    const state = {
      line: rowLine,
      openEnd: false,
      skipping: false,
      layout: this.#layout,
      ...(record > 0 && { record }),
    };
    this.#end = { offset: this.#base + rowStart, ...state };
    return { ...fault, origin: this.#originOf(rowStart, rowEnd, rowLine) };
  }

  #startOf(i: number): FilePosition {
    const offset = this.#base + this.#starts[i]!;
    const record = this.#records?.[i] ?? 0;
    const state = { line: this.#lines[i]!, openEnd: false, skipping: false, layout: this.#layout };
    return { offset, ...state, ...(record > 0 && { record }) };
  }

  #originOf(start: number, end: number, line: number): RecordOrigin {
    return { file: this.#file, line, offset: this.#base + start, raw: this.#bytes.subarray(start, end) };
  }

  /** Checks that record `i` can still be spoken of. */
  #open(i: number): number {
    if (i >= this.#accepted && i < this.length) return i;
    throw new RangeError(`record ${i} of a batch of ${this.length} records, ${this.#accepted} of them accepted`);
  }

  /** Letters for dropped records before `n`, each behind the bad rows that stand before it. */
  #writeDrops(n: number): void {
    if (this.#drops.size === 0) return;
    const due = [...this.#drops].filter(([record]) => record < n).sort(([a], [b]) => a - b);
    for (const [record, { reason, message }] of due) {
      this.#drops.delete(record);
      if (reason === 'late') {
        this.#sink.progress.late++;
        const origin = this.origin(record);
        this.#sink.late.append(origin, reason, message);
        this.#sample('late', origin, reason, message);
      } else {
        this.#writeBad(record);
        this.#writeDead(this.origin(record), reason, message);
      }
    }
  }

  /** Letters for the bad rows that stand before record `n`. */
  #writeBad(n: number): void {
    for (; this.#badTaken < this.#bad.length; this.#badTaken++) {
      const { reason, message, before, start, end, line } = this.#bad[this.#badTaken]!;
      if (before > n) return;
      this.#sink.progress.rows++;
      this.#writeDead(this.#originOf(start, end, line), reason, message);
    }
  }

  #writeDead(origin: RecordOrigin, reason: BadRowReason, message: string): void {
    const { progress } = this.#sink;
    progress.dead++;
    const { deadByReason } = progress;
    // Reasons are labels of metrics: a format that makes one of each row's content must not make a series of each.
    const label = reason in deadByReason || Object.keys(deadByReason).length < mostReasons ? reason : 'other';
    deadByReason[label] = (deadByReason[label] ?? 0) + 1;
    this.#sink.dead.append(origin, reason, message);
    this.#sample('dead', origin, reason, message);
  }

  #sample(kind: 'dead' | 'late', { file, line, offset, raw }: RecordOrigin, reason: string, message: string): void {
    const { progress, samples } = this.#sink;
    samples.add({ kind, reason, message, topic: progress.topic, file, line, offset }, raw);
  }
}

function faultOf({ reason, message }: CsvScanner<unknown, unknown>): Fault {
  return { reason, message: message ?? deadReasonTexts[reason as DeadReason] };
}

function endOf(scanner: ScanState & { readonly at: number }, base: number): FilePosition {
  const { line, openEnd, skipping, layout, record = 0 } = scanner;
  return { offset: base + scanner.at, line, openEnd, skipping, layout, ...(record > 0 && { record }) };
}
