import { join } from 'node:path';
import type { Reader, WriteBatch } from '../../state/database.ts';
import { StreamsError } from '../common/errors.ts';
import { type Logger, silentLogger, stderrLogger } from '../common/logger.ts';
import type { Feed, FeedBatch, FeedProgress } from '../runtime/feed.ts';
import { refusedError } from '../runtime/feed-verdict.ts';
import { type LetterSample, LetterSamples } from '../runtime/letter-sample.ts';
import { CopiedFiles } from './copied-files.ts';
import { crProblem, hasLoneReturn } from './csv-header.ts';
import { CsvScanner } from './csv-scanner.ts';
import { badRowError, type PlaceInFile, truncatedError } from './feed-errors.ts';
import { FeedFigures } from './feed-figures.ts';
import { type FatalRow, FileBatch, type FilePosition, type WantedPartition } from './file-batch.ts';
import { checkedDialect, endsText, headerLinesOf, ledgerColumns, suffixesOf } from './file-dialect.ts';
import { FileLedger, feedPrefix } from './file-ledger.ts';
import { type Chunk, FileReader } from './file-reader.ts';
import { isCoded } from './folder.ts';
import { FolderLooks } from './folder-looks.ts';
import { FolderSurvey, type PendingFile } from './folder-survey.ts';
import { beginningOf, KnownContent } from './known-content.ts';
import { type LetterSink, noLetters } from './letters.ts';
import { OpenFile } from './open-file.ts';
import { OwnLetters } from './own-letters.ts';
import { ReadBefore } from './read-before.ts';
import type { RowFormat } from './row-format.ts';
import {
  type ScanOutcome,
  scannedEnd,
  scannedRefused,
  scannedTorn,
  scannedWindow,
  type WindowEnding,
} from './scan-outcome.ts';

/** How a folder of CSV files is read as a topic. */
export interface FolderFeedOptions<K, V> {
  readonly topic: string;
  readonly directory: string;
  readonly format: RowFormat<K, V>;
  /** Keep watching for new files and for files that grow. @defaultValue false */
  readonly follow?: boolean;
  /** Hash all that was read of every file at the start. @defaultValue false: the first and last 64 KiB of it */
  readonly verify?: boolean;
  /** Rows whose event time is before this are skipped, ms since the epoch. @defaultValue none are */
  readonly fromMs?: number;
  /** Rows whose event time is this or later are skipped, ms since the epoch. @defaultValue none are */
  readonly toMs?: number;
  /** Only the records of one partition, for a topic that is read by a feed for each. @defaultValue all records */
  readonly partition?: WantedPartition<K>;
  /** `fail` stops at the first bad row. @defaultValue `continue` */
  readonly onError?: 'continue' | 'fail';
  /** Where bad rows go. @defaultValue the file `<topic>-dead.jsonl` in the state folder (of a feed of one partition `<topic>-<partition>-dead.jsonl`) */
  readonly dead?: LetterSink;
  /** Where rows go that came too late. @defaultValue the file `<topic>-late.jsonl` there */
  readonly late?: LetterSink;
  /** Given: the folder is only looked at. */
  readonly inspection?: FolderInspection;
  /** Where its rows live in the database: all keys that begin with this are the feed's. @defaultValue made of topic and partition */
  readonly keyPrefix?: Uint8Array;
  /** Most records of a batch. @defaultValue 4096 */
  readonly batchRows?: number;
  /** Bytes read at once. With less than 64 KiB, copies of larger files are not known as such. @defaultValue 1 MiB */
  readonly chunkBytes?: number;
  /** @defaultValue one that writes warnings and errors to stderr */
  readonly logger?: Logger;
  /** Read these alone, up to where they were read before. @defaultValue all that is there */
  readonly readBefore?: ReadBefore;
}

/** How a folder is looked at of which nothing is to be kept. A file that cannot be read, or is cut, is then refused, and what follows it is read. */
export interface FolderInspection {
  /** Of each file its first chunk alone is read. */
  readonly sample: boolean;
  /** Told of what has such a name as files have, and is not read. */
  leftOut(name: string, why: string): void;
  /** Told of a file of which more was there than its first chunk. */
  sampled(name: string): void;
}

/**
 * A folder of CSV files as a topic: its files in the order of their names, one after the other; (file, byte offset) is a record's offset.
 *
 * Per file the position and hashes of what was read are saved with the state (see FileLedger). A file that grew is read on; one that no longer
 * holds what was read is refused. A file of a new name that holds what was read under another one (see KnownContent) is told, and not read again.
 * A file that appears later and sorts earlier is read before any file that is not begun.
 *
 * The end of a file. A last line without line end may be a row or a cut one. With `follow` it waits for more. Without, it is a row if it is a good one, and
 * waits otherwise (it is no bad row: the next run looks at it again). If the file later goes on behind such a row with anything but a
 * line end, the line was cut, what was counted is wrong, and the file is refused as rewritten. A packed file that is cut waits for its rest with `follow`;
 * without, the feed fails there, so that what follows it is not read before its rest, which would then be late.
 */
export class FolderFeed<K, V> implements Feed {
  readonly topic: string;
  readonly partition?: number;
  readonly progress: FeedProgress;
  readonly #samples = new LetterSamples();
  readonly #dead: LetterSink;
  readonly #late: LetterSink;
  /** Letters that nobody gave: by their kind. */
  readonly #ownLetters = new Map<string, OwnLetters>();
  readonly #options: FolderFeedOptions<K, V>;
  readonly #follow: boolean;
  readonly #logger: Logger;
  readonly #ledger: FileLedger;
  readonly #survey: FolderSurvey;
  readonly #content: KnownContent;
  readonly #reader: FileReader;
  readonly #scanner: CsvScanner<K, V>;
  readonly #batch: FileBatch<K, V>;
  readonly #figures: FeedFigures;
  readonly #copies: CopiedFiles;
  readonly #looks: FolderLooks;
  /** Line of a file's first row, where no empty lines stand before it. */
  readonly #firstRow: number;
  #started = false;
  #file: OpenFile | undefined;
  /** The position moved since it was saved. */
  #moved = false;
  /** How the last scan of the window ended. */
  #found: ScanOutcome = scannedWindow;
  #failure: StreamsError | undefined;
  /** Why the file in hand is refused, where its header was good. */
  #problem: string | undefined;

  constructor(options: FolderFeedOptions<K, V>) {
    const { topic, directory, format, keyPrefix = feedPrefix(topic, options.partition?.number) } = options;
    this.topic = topic;
    const { dead = this.#own('dead'), late = this.#own('late') } = options;
    this.#dead = dead;
    this.#late = late;
    this.#options = options;
    this.#follow = options.follow ?? false;
    this.#logger = options.logger ?? stderrLogger;
    const ledger = new FileLedger(topic, ledgerColumns(format), keyPrefix);
    this.#ledger = ledger;
    // Feeds of other partitions see the same.
    const surveyLogger = (options.partition?.number ?? 0) === 0 ? this.#logger : silentLogger;
    const { dialect } = format;
    if (dialect !== undefined) checkedDialect(dialect, format.columns);
    this.#firstRow = headerLinesOf(dialect) + 1;
    const before = options.readBefore;
    const only = before === undefined ? undefined : (name: string): boolean => before.has(name);
    const leftOut = options.inspection?.leftOut;
    const survey = new FolderSurvey({ topic, directory, ledger, format, logger: surveyLogger, leftOut, only });
    this.#survey = survey;
    this.#looks = new FolderLooks(survey);
    const figures = new FeedFigures(topic, survey);
    this.#figures = figures;
    this.progress = figures.progress;
    this.#content = new KnownContent(topic, ledger, survey, format as RowFormat<unknown, unknown>);
    this.#copies = new CopiedFiles({ topic, ledger, survey, figures, logger: this.#logger });
    const endOf = before === undefined ? {} : { endOf: (name: string): number => before.endOf(name) };
    const queue = { take: () => this.#take(), gone: (file: PendingFile) => this.#gone(file), ...endOf };
    this.#reader = new FileReader(queue, options.chunkBytes);
    this.#scanner = new CsvScanner(format);
    const { fromMs = -Infinity, toMs = Infinity, batchRows = 4096, onError, partition } = options;
    if (partition !== undefined) this.partition = partition.number;
    const range = fromMs === -Infinity && toMs === Infinity ? undefined : { fromMs, toMs };
    const moveTo = (position: FilePosition): void => this.#moveTo(position);
    const fatal = (row: FatalRow): StreamsError => badRowError(topic, row);
    const sink = { progress: this.progress, dead, late, samples: this.#samples, moveTo, fatal };
    this.#batch = new FileBatch(format, sink, { capacity: batchRows, range, partition, fail: onError === 'fail' });
  }

  letters(): readonly LetterSample[] {
    return this.#samples.all();
  }

  letterFile(kind: LetterSample['kind']): string | undefined {
    return (kind === 'late' ? this.#late : this.#dead).path;
  }

  timestampOf(value: unknown): number {
    return this.#options.format.timestampOf(value as V);
  }

  async open(saved: Reader, stateDir?: string): Promise<void> {
    const { verify = false, directory, partition } = this.#options;
    const name = partition === undefined ? this.topic : `${this.topic}-${partition.number}`;
    if (stateDir !== undefined)
      for (const [kind, letters] of this.#ownLetters)
        await letters.open(join(stateDir, `${name}-${kind}.jsonl`), stateDir);
    const counters = await this.#ledger.load(saved);
    const { progress } = this;
    if (counters !== undefined) {
      const { deadBytes, lateBytes, deadByReason, ...counts } = counters;
      Object.assign(progress, counts);
      Object.assign(progress.deadByReason, deadByReason);
      await this.#dead.cutTo(deadBytes);
      await this.#late.cutTo(lateBytes);
    }
    await this.#survey.open(verify);
    if (this.#survey.isEmpty && (partition?.number ?? 0) === 0)
      this.#logger[this.#follow ? 'info' : 'warn'](
        { topic: this.topic, directory },
        `there are no ${endsText(suffixesOf(this.#options.format))} files`,
      );
    this.#options.readBefore?.checkThere((name) => this.#survey.has(name));
    for (const entry of this.#ledger.entries())
      if (this.#ledger.part(entry.name) === undefined) this.#figures.known(entry, 1);
    this.#looks.begin(this.#follow ? directory : undefined);
    this.#figures.seen();
  }

  async poll(): Promise<FeedBatch | 'idle' | undefined> {
    if (!this.#batch.settled) throw new TypeError('poll() before the last batch was wholly accepted');
    if (!this.#started) {
      await this.#dead.start();
      await this.#late.start();
      this.#started = true;
    }
    for (;;) {
      this.#finishFile();
      if (this.#found === scannedRefused) await this.#refuseFile();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#found === scannedWindow && !(await this.#next())) {
        if (!this.#follow) this.#options.readBefore?.checkRead(this.#ledger);
        return this.#follow ? 'idle' : undefined;
      }
      this.#scan();
      if (!this.#batch.empty) return this.#batch;
      this.#batch.accept(0);
    }
  }

  wait(timeoutMs: number): Promise<void> {
    return this.#looks.wait(timeoutMs);
  }

  async save(batch: WriteBatch): Promise<void> {
    if (this.#batch.settled) this.#finishFile();
    if (this.#moved && this.#file !== undefined) this.#ledger.put(this.#file.entry(false));
    this.#moved = false;
    await this.#dead.sync();
    await this.#late.sync();
    const { rows, dead: deadRows, late: lateRows, skipped, deadByReason } = this.progress;
    const counts = { rows, dead: deadRows, late: lateRows, skipped, deadByReason };
    this.#ledger.save(batch, { ...counts, deadBytes: this.#dead.length, lateBytes: this.#late.length });
  }

  /** Gives back files and watchers. */
  async close(): Promise<void> {
    this.#looks.close();
    await this.#reader.close();
    for (const letters of this.#ownLetters.values()) await letters.close();
  }

  #own(kind: string): LetterSink {
    const letters = new OwnLetters();
    this.#ownLetters.set(kind, letters);
    return letters;
  }

  /** The same rows once more, of the files that a state has read: in the order in which a first reading of all of them takes them. */
  async again(saved: Reader): Promise<FolderFeed<K, V>> {
    const { topic, directory, format, keyPrefix = feedPrefix(topic, this.partition) } = this.#options;
    const ledger = new FileLedger(topic, ledgerColumns(format), keyPrefix);
    await ledger.load(saved);
    const readBefore = new ReadBefore(topic, directory, ledger);
    const once = { follow: false, verify: false, dead: noLetters, late: noLetters, logger: silentLogger };
    return new FolderFeed({ ...this.#options, ...once, readBefore });
  }

  #moveTo(position: FilePosition): void {
    const file = this.#file!;
    if (!isCoded(file.file)) this.#figures.read(position.offset - file.position.offset);
    file.position = position;
    this.#moved = true;
  }

  #scan(): void {
    const { file, bytes, base } = this.#file!;
    const found = this.#batch.fill(this.#scanner, file.name, bytes, base);
    if (typeof found === 'object') this.#failure = badRowError(this.topic, found);
    else if (found === scannedTorn) this.#failure = this.#file!.torn(this.topic);
    else this.#found = found;
  }

  #next(): Promise<boolean> {
    const { inspection } = this.#options;
    return inspection === undefined ? this.#advance() : this.#inspect(inspection);
  }

  /** As {@link FolderFeed.#advance}, but passes over what an inspection does not want. */
  async #inspect({ sample, sampled }: FolderInspection): Promise<boolean> {
    if (sample && this.#file !== undefined) {
      const { file, diskBytes } = this.#file;
      await this.#leaveUnread(file);
      this.#survey.leave(file.name, diskBytes);
      sampled(file.name);
    }
    for (;;) {
      try {
        return await this.#advance();
      } catch (error) {
        const file = this.#reader.file;
        if (file === undefined || !StreamsError.is(error)) throw error;
        await this.#leaveUnread(file);
        this.#survey.refuse(file.name, error.message);
        this.#figures.seen();
      }
    }
  }

  async #leaveUnread(file: PendingFile): Promise<void> {
    await this.#reader.leave(file);
    if (this.#file !== undefined) this.#reader.recycle(this.#file.bytes);
    this.#file = undefined;
  }

  /** Sets the window on the next chunk of the file in hand, or the first one of the next file. False if there is none. */
  async #advance(): Promise<boolean> {
    const chunk = await this.#reader.next();
    if (chunk === undefined) return false;
    if (this.#file === undefined) {
      const beginning = beginningOf(chunk);
      if (await this.#isKnown(chunk, beginning)) return this.#advance();
      this.#open(chunk, beginning);
    } else {
      const diskBytes = this.#file.diskBytes;
      this.#reader.recycle(this.#file.append(chunk));
      if (isCoded(chunk.file)) this.#figures.read(chunk.diskBytes - diskBytes);
    }
    const { bytes, position, base, end, ending } = this.#file!;
    this.#scanner.window(bytes, position.offset - base, end, this.#windowEnding(ending));
    this.#reader.prefetch();
    return true;
  }

  #open(chunk: Chunk, beginning: string | undefined): void {
    const file = new OpenFile(this.topic, chunk, this.#ledger.nextSequence, beginning);
    this.#file = file;
    this.#scanner.begin(file.position, file.position.offset === 0, chunk.file.name);
    this.#figures.begun(file);
  }

  /** Whether a file of a new name, or what one has grown by, holds what was read under another: then it is noted as such, and left. */
  async #isKnown(chunk: Chunk, beginning: string | undefined): Promise<boolean> {
    const { file } = chunk;
    const known = await this.#content.find(chunk, beginning, this.#options.readBefore?.endOf(file.name));
    if (known === undefined) {
      this.#copies.goesOn(file);
      return false;
    }
    await this.#reader.leave(file);
    this.#reader.recycle(chunk.bytes);
    this.#copies.note(file, known);
    return true;
  }

  #windowEnding(ending: Chunk['ending']): WindowEnding {
    if (ending === 'end') return this.#follow ? 'waits' : 'final';
    return ending === 'cut' ? 'waits' : 'more';
  }

  /** If the file in hand is read to its end, and all of it accepted, it is noted and left. */
  #finishFile(): void {
    const file = this.#file;
    if (file === undefined || this.#found !== scannedEnd) return;
    const { offset, line, openEnd } = file.position;
    const waits = offset < file.base + file.end && !openEnd;
    if (waits && line === this.#firstRow && hasLoneReturn(file.bytes.subarray(offset - file.base, file.end))) {
      this.#problem = crProblem;
      this.#found = scannedRefused;
      return;
    }
    const done = !waits && file.ending !== 'cut';
    this.#ledger.put(file.entry(done));
    this.#survey.leave(file.file.name, file.diskBytes);
    this.#reader.recycle(file.bytes);
    this.#file = undefined;
    this.#found = scannedWindow;
    const where = { topic: this.topic, file: file.file.name, line, offset };
    if (done) {
      if (offset === 0) this.#tellEmpty(where);
      this.#figures.done(file);
    } else if (file.ending !== 'cut')
      this.#logger[this.#follow ? 'debug' : 'warn'](where, 'cut last line waits for its rest');
    else if (this.#follow) this.#logger.info(where, 'a packed file that is cut waits for its rest');
    else this.#cut(file.file, where);
  }

  /** Once: from now on the file is known. Who follows has seen it before its writer has begun. */
  #tellEmpty(where: PlaceInFile): void {
    if ((this.partition ?? 0) === 0)
      this.#logger[this.#follow ? 'info' : 'warn'](
        where,
        `${where.file} is empty: there is nothing in it, not even a header`,
      );
  }

  #cut(file: PendingFile, where: PlaceInFile): void {
    const error = truncatedError(file.path, where);
    if (this.#options.inspection === undefined) this.#failure = error;
    else this.#survey.refuse(file.name, error.message);
    this.#figures.seen();
  }

  /** The file in hand is left as if it had never been begun; what was to be read behind it is read. */
  async #refuseFile(): Promise<void> {
    const { file, bytes } = this.#file!;
    const problem = this.#problem ?? this.#scanner.message ?? 'its header does not serve';
    this.#problem = undefined;
    await this.#reader.leave(file);
    this.#figures.refused(this.#file!);
    this.#survey.refuse(file.name, problem);
    this.#reader.recycle(bytes);
    this.#file = undefined;
    this.#found = scannedWindow;
    this.#figures.seen();
    // Feeds of other partitions find the same.
    if ((this.partition ?? 0) !== 0) return;
    if (this.#options.onError === 'fail')
      this.#failure = refusedError({ ...this.progress, refused: { [file.name]: problem } });
    else
      this.#logger.error(
        { topic: this.topic, file: file.path },
        `a file is refused, nothing of it is read: ${problem}`,
      );
  }

  async #take(): Promise<PendingFile | undefined> {
    if (await this.#looks.look()) this.#figures.seen();
    return this.#survey.take();
  }

  #gone(file: PendingFile): void {
    this.#survey.leave(file.name, undefined);
    this.#logger.warn({ topic: this.topic, file: file.name }, 'a file was gone before it could be read');
  }
}
