import type { FetchedRecords } from '../clients/fetched-records.ts';
import { messageOf } from '../common/errors.ts';
import { type CommitNote, encodeNote, noteBytes } from './commit-note.ts';
import type { FileNames, OffsetRange } from './file-names.ts';
import type { Periods } from './periods.ts';
import type { EncoderFactory, RowEncoder } from './row-encoder.ts';
import type { SinkRows } from './sink-rows.ts';
import type { PendingFile, SinkTarget } from './target.ts';

/** What the files of a partition are written with. */
export interface FilesSetup {
  readonly target: SinkTarget;
  readonly names: FileNames;
  readonly periods: Periods;
  readonly rows: () => SinkRows;
  readonly encoder: EncoderFactory;
  /** Named in the commit: see {@link CommitNote}. */
  readonly form: string;
}

/** Files of one range are open at the same time, each with a buffer: no more than this. */
const mostFiles = 200;

interface OpenFile {
  readonly file: PendingFile;
  readonly encoder: RowEncoder;
}

/**
 * The files of one partition for a range of its records that is still growing: one for each period in it, and one for what could not be read.
 *
 * They are sealed together, for one commit. The content of each follows from the range alone.
 */
export class PartitionFiles {
  readonly #setup: FilesSetup;
  readonly #owner: string;
  readonly #rows: SinkRows;
  readonly #files: Map<number, OpenFile> = new Map();
  readonly partition: number;
  /** Offset of the first record of the range. */
  readonly first: number;
  /** Position after the last record that was written: markers and aborted records are passed. */
  next: number;
  /** When the first record came, by the wall clock, ms; undefined before it. */
  beganMs: number | undefined;
  written = 0;
  dead = 0;
  #dead: PendingFile | undefined;
  #deadLines = '';
  #largest = 0;
  /** Bytes that were handed to files. */
  bytes = 0;
  #period = Number.NaN;
  #open: OpenFile | undefined;

  constructor(setup: FilesSetup, topic: string, partition: number, first: number) {
    this.#setup = setup;
    this.#owner = `${topic}-${partition}`;
    this.#rows = setup.rows();
    this.partition = partition;
    this.first = first;
    this.next = first;
  }

  /** Bytes of the largest file so far, about. */
  get largest(): number {
    return this.#largest;
  }

  /** Whether another period would be too many files, or too long a note. */
  get full(): boolean {
    return this.#files.size >= mostFiles;
  }

  /**
   * Writes records in order, from index `from` on, up to the offset `last` and until a file has `mostBytes` bytes; returns the index that it came to: short of the end where the
   * range is to be closed first.
   */
  async write(records: FetchedRecords, from: number, last: number, mostBytes: number): Promise<number> {
    const { offsets, length, bytes, valueStarts } = records;
    const rows = this.#rows;
    for (let i = from; i < length; i++) {
      if (offsets[i]! > last || this.#largest >= mostBytes) return i;
      const period = this.#periodOf(records, i);
      if (period !== undefined) {
        if (period !== this.#period && !(await this.#turnTo(period))) return i;
        const { encoder } = this.#open!;
        const end = encoder.copy === undefined ? -1 : (rows.csvEnd?.(records, i) ?? -1);
        if (end < 0) encoder.add(rows);
        else encoder.copy!(bytes, valueStarts[i]!, end);
        const chunk = encoder.take();
        if (chunk !== undefined) {
          await this.#append(this.#open!.file, chunk);
        }
        const { bytes: size } = encoder;
        if (size > this.#largest) this.#largest = size;
        this.written++;
      } else await this.#flushDead(chunkOfDead);
      this.beganMs ??= Date.now();
      this.next = offsets[i]! + 1;
    }
    return length;
  }

  /** Seals all files of the range; returns the note to commit with its first offset. Nothing may be written afterwards. */
  async seal(): Promise<CommitNote> {
    const range = this.#range();
    const { names, form } = this.#setup;
    for (const [period, { file, encoder }] of this.#files) {
      await this.#append(file, encoder.finish());
      await file.seal(names.ofPeriod(period, range));
    }
    await this.#flushDead(0);
    await this.#dead?.seal(names.ofDead(range));
    const periods = [...this.#files.keys()].sort((a, b) => a - b);
    return { last: range.last, periods, dead: this.#dead !== undefined, form };
  }

  /** Gives all of it up. */
  async abort(): Promise<void> {
    for (const { file } of this.#files.values()) await file.abort();
    await this.#dead?.abort();
  }

  async #append(file: PendingFile, bytes: Uint8Array): Promise<void> {
    await file.append(bytes);
    this.bytes += bytes.length;
  }

  #range(): OffsetRange {
    return { partition: this.partition, first: this.first, last: this.next - 1 };
  }

  #periodOf(records: FetchedRecords, i: number): number | undefined {
    try {
      return this.#setup.periods.of(this.#rows.read(records, i));
    } catch (error) {
      this.#addDead(records, i, messageOf(error));
      return undefined;
    }
  }

  async #turnTo(period: number): Promise<boolean> {
    let open = this.#files.get(period);
    if (open === undefined) {
      if (this.full || !this.#noteFits(period)) return false;
      open = { file: await this.#setup.target.open(this.#owner), encoder: this.#setup.encoder() };
      this.#files.set(period, open);
    }
    this.#period = period;
    this.#open = open;
    return true;
  }

  #noteFits(period: number): boolean {
    if (this.#files.size < 32) return true;
    const periods = [...this.#files.keys(), period].sort((a, b) => a - b);
    return (
      encodeNote({ last: Number.MAX_SAFE_INTEGER, periods, dead: true, form: this.#setup.form }).length <= noteBytes
    );
  }

  #addDead(records: FetchedRecords, i: number, message: string): void {
    const { bytes, topic, partition, offsets, timestamps, keyStarts, keyEnds, valueStarts, valueEnds } = records;
    const line = {
      topic,
      partition,
      offset: offsets[i],
      timestamp: timestamps[i],
      message,
      key: base64(bytes, keyStarts[i]!, keyEnds[i]!),
      value: base64(bytes, valueStarts[i]!, valueEnds[i]!),
    };
    this.#deadLines += `${JSON.stringify(line)}\n`;
    this.dead++;
  }

  async #flushDead(above: number): Promise<void> {
    if (this.#deadLines.length <= above) return;
    this.#dead ??= await this.#setup.target.open(this.#owner);
    await this.#append(this.#dead, Buffer.from(this.#deadLines));
    this.#deadLines = '';
  }
}

const chunkOfDead = 1 << 16;

function base64(bytes: Buffer, start: number, end: number): string | null {
  return start < 0 ? null : bytes.toString('base64', start, end);
}
