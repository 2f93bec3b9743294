import { equalBytes } from '../src/common/bytes.ts';
import type { Database, Reader, WriteBatch } from './database.ts';
import { type LogReader, logReaderOf } from './log-reader.ts';
import { LoggedRows, type WindowLog } from './logged-rows.ts';
import { begun, bytesOf, withLogged } from './logged-scan.ts';
import { decodeDirectory, findPage, isOfPage, onePage } from './page-directory.ts';
import { PageCursor, PageWriter } from './page-rows.ts';
import { PagedWindow } from './paged-window.ts';
import { PendingRows } from './pending-rows.ts';
import { ReadPages } from './read-pages.ts';
import { directoryTag, pageTags, WindowKeys } from './window-keys.ts';
import { scanWindows } from './window-scan.ts';

/** A row of a window store: the value of a key in the window that starts at `startMs`. */
export interface WindowRow {
  /** Start of the window, inclusive, ms since the epoch. */
  readonly startMs: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const allTime = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Directories kept in memory between commits. */
const keptWindows = 256;

/** A window of fewer pages has no log: they are merged at once. */
const fewPages = 8;
/** Changes for a page that are merged into it at once; fewer, and rows that are no larger than this on average, go through the log. */
const manyChanges = 4;
const smallRow = 256;
/** Rows of the log for which one page is merged: as many as one page then gets at once, and a few more. */
const rowsPerPage = 16;

/**
 * A store of values per key and window, many rows to a database entry: the rows of a window stand sorted in pages of about 4 KiB, so that a million changed
 * rows are some thousands of reads and writes. Time comes first, so new windows append and old ones go as one range.
 *
 * ```
 * page        prefix | start: int64, big-endian, sign bit flipped | 01 or 02 | first key   ->  rows, see page-rows.ts
 * directory   prefix | start                                      | 00                     ->  first keys of the pages and their places, see page-directory.ts
 *             only where a window has several pages, or one in its second place (02)
 *             in hexadecimal: prefix 07, start 1490482800000, the first page: [07 | 80 00 01 5b 07 b2 a5 80 | 01]
 * ```
 *
 * Where a commit changes few rows of many pages it writes no pages but an entry of a log (row-log.ts), and merges some pages of those whose rows have been there for longest: 500 changed rows of a
 * million are an entry of 10 KiB and 32 pages, not 500 pages of 4 KiB.
 *
 * Keys are given as latin1 text of their bytes (latin1.ts). Changes are gathered by `put` and `del` and merged into their pages by `apply` (best in the order of keys). With `seal` each changed page goes into the
 * caller's batch once, however often it was merged. `get` sees applied changes at once, everything else what is written: so call `written` when the batch is. One batch at a time. Before it, where the changed
 * pages take much memory (`unwrittenBytes`), `writeAhead` writes them where nobody sees them until the batch is written (paged-window.ts).
 */
export class PagedWindowStore {
  readonly #database: Database;
  readonly #prefix: Uint8Array;
  readonly #windows = new Map<number, PagedWindow>();
  readonly #pending = new PendingRows();
  /** Of the log, on their way into a page. */
  readonly #logged = new PendingRows();
  readonly #read = new ReadPages();
  readonly #writer = new PageWriter();
  readonly #logReader: LogReader;
  readonly #keys: WindowKeys;
  #unwrittenBytes = 0;
  #log: LoggedRows | undefined;
  #sweep: { readonly window: WindowLog; readonly upTo: number; readonly pages: string[] } | undefined;

  /**
   * @param database - Where the rows are.
   * @param prefix - Bytes that start this store's rows and no other's. Copied.
   */
  constructor(database: Database, prefix: Uint8Array) {
    this.#database = database;
    this.#prefix = new Uint8Array(prefix);
    this.#keys = new WindowKeys(prefix);
    this.#logReader = logReaderOf(database, prefix);
  }

  /** The value of a key in a window, applied changes included; the view is good until the next call. */
  get(startMs: number, key: string): Uint8Array | undefined {
    const window = this.#window(startMs);
    const { cursor, cursorPage, separators } = window;
    // Keys that are asked for in their order mostly stay in the page.
    if (cursorPage < 0 || !isOfPage(separators, cursorPage, key)) {
      const at = findPage(separators, key);
      cursor.open(this.#page(window, at));
      window.cursorPage = at;
    }
    const logged = this.#opened.of(startMs)?.pages.get(separators[window.cursorPage]!);
    if (logged?.has(key)) return bytesOf(logged.get(key));
    return cursor.find(key);
  }

  /** The value of a key in a window as a reader has it: what is written. */
  read(reader: Reader, startMs: number, key: string): Uint8Array | undefined {
    // No window starts there, and its bytes would be those of another.
    if (!Number.isSafeInteger(startMs)) return undefined;
    const logged = this.#logReader.find(reader, startMs, key);
    if (logged !== undefined) return bytesOf(logged.value);
    const directoryKey = this.#keys.key(startMs, directoryTag);
    let directory = reader.get(directoryKey);
    for (;;) {
      const { separators, places } = directory === undefined ? onePage() : decodeDirectory(directory);
      const at = findPage(separators, key);
      const page = reader.get(this.#keys.key(startMs, pageTags[places[at]!]!, separators[at]!));
      const after = reader.get(directoryKey);
      if (same(directory, after)) {
        const cursor = new PageCursor();
        cursor.open(page);
        return cursor.find(key)?.slice();
      }
      // A batch was written between the two reads: the key may be in another page now.
      directory = after;
    }
  }

  /** Gathers a change. The value is copied. */
  put(startMs: number, key: string, value: Uint8Array): void {
    assertStart(startMs);
    this.#pending.add(startMs, key, value);
  }

  /** Gathers a removal. */
  del(startMs: number, key: string): void {
    assertStart(startMs);
    this.#pending.add(startMs, key, undefined);
  }

  /** Merges the gathered changes into their pages, which are kept until the batch is written, or takes them into the log. */
  apply(): void {
    const pending = this.#pending;
    pending.sort();
    for (let from = 0; from < pending.length; ) {
      const window = this.#window(pending.startOf(from));
      let to = from + 1;
      while (to < pending.length && pending.startOf(to) === window.startMs) to++;
      if (this.#isForLog(window, from, to)) this.#logRows(window, from, to);
      else this.#mergeRows(window, from, to);
      from = to;
    }
    pending.clear();
    this.#read.clear();
  }

  /** Whether the changes `[from, to)` of a window are small, and few for the pages that they are of. */
  #isForLog({ startMs, separators }: PagedWindow, from: number, to: number): boolean {
    if (separators.length <= fewPages || startMs < this.#opened.expired) return false;
    const many = this.#opened.of(startMs) === undefined ? manyChanges : 2 * manyChanges;
    const pending = this.#pending;
    let [pages, bytes] = [0, 0];
    let end: string | undefined = '';
    for (let i = from; i < to; i++) {
      const key = pending.keyOf(i);
      bytes += key.length + pending.lengthOf(i);
      if (end === undefined || key < end) continue;
      pages++;
      end = separators[findPage(separators, key) + 1];
    }
    return to - from < many * pages && bytes <= smallRow * (to - from);
  }

  #logRows({ separators }: PagedWindow, from: number, to: number): void {
    const log = this.#opened;
    for (let i = from; i < to; i++)
      log.add(separators[findPage(separators, this.#pending.keyOf(i))]!, this.#pending, i);
  }

  #mergeRows(window: PagedWindow, from: number, to: number): void {
    this.#settle(window);
    const pending = this.#pending;
    for (let first = from; first < to; ) {
      const page = findPage(window.separators, pending.keyOf(first));
      const end = window.separators[page + 1];
      let next = first + 1;
      while (next < to && (end === undefined || pending.keyOf(next) < end)) next++;
      this.#merge(window, page, pending, first, next);
      first = next;
    }
  }

  /** Merges all that the log has of a window: what is merged after that must not be hidden by it. */
  #settle(window: PagedWindow): void {
    const log = this.#opened;
    const logged = log.of(window.startMs);
    if (logged === undefined) return;
    for (const page of [...logged.pages.keys()]) this.#mergeLogged(window, logged, page);
    if (this.#sweep?.window === logged) this.#sweep = undefined;
    log.settled(window.startMs);
  }

  #mergeLogged(window: PagedWindow, { startMs, pages }: WindowLog, separator: string): void {
    const rows = pages.get(separator);
    if (rows === undefined) return;
    pages.delete(separator);
    const changes = this.#logged;
    changes.clear();
    for (const [key, value] of rows) changes.addText(startMs, key, value);
    changes.sort();
    this.#merge(window, findPage(window.separators, separator), changes, 0, changes.length);
  }

  /** Merges some pages of the window that has been in the log for longest: so many that the log stays as long as it is. */
  #sweepPages(): void {
    const log = this.#opened;
    for (let left = Math.ceil(log.freshRows / rowsPerPage); left > 0; ) {
      if (this.#sweep === undefined) {
        const window = log.oldest();
        // What this commit adds is in the log from now on.
        if (window === undefined || window.since > log.last) return;
        this.#sweep = { window, upTo: log.last, pages: [...window.pages.keys()] };
      }
      const { window, upTo, pages } = this.#sweep;
      const page = pages.pop();
      if (page === undefined) {
        log.swept(window, upTo);
        this.#sweep = undefined;
      } else if (window.pages.has(page)) {
        this.#mergeLogged(this.#window(window.startMs), window, page);
        left--;
      }
    }
  }

  /** The log, once it is read. */
  get #opened(): LoggedRows {
    if (this.#log !== undefined) return this.#log;
    const log = new LoggedRows(this.#prefix);
    log.open(this.#database, (startMs, key) => {
      const { separators } = this.#window(startMs);
      return separators[findPage(separators, key)]!;
    });
    // Not before: of a damaged one nobody may go on with what was read.
    this.#log = log;
    return log;
  }

  /** Memory of pages that were made since the last batch was written, and not written ahead. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  /**
   * Applies what is gathered and puts pages, ahead of the batch that will name them, into another one, which must be written before that, and before the next call. Returns what to call when it is written.
   */
  writeAhead(batch: WriteBatch): () => void {
    this.apply();
    const written = [...this.#windows.values()].map((window) => window.writeAhead(batch));
    this.#unwrittenBytes = 0;
    return () => {
      this.#read.clear();
      for (const each of written) each();
    };
  }

  /** Applies what is gathered and puts all that changed into the batch: pages, and the directories of windows whose pages begin elsewhere now. */
  seal(batch: WriteBatch): void {
    this.apply();
    const log = this.#opened;
    this.#sweepPages();
    log.seal(batch);
    log.trim(batch);
    for (const window of this.#windows.values()) window.seal(batch);
  }

  /** The batch is written: pages need not be kept any more. */
  written(): void {
    this.#read.clear();
    this.#unwrittenBytes = 0;
    for (const window of this.#windows.values()) window.written();
    if (this.#windows.size <= keptWindows) return;
    let extra = this.#windows.size - keptWindows;
    for (const startMs of this.#windows.keys()) {
      if (extra-- <= 0) break;
      this.#windows.delete(startMs);
    }
  }

  /** The starts of the windows in `[fromMs, toMs)` that have rows, and maybe of some that have none any more, ascending. One seek a start. */
  async starts(reader: Reader, fromMs: number = allTime.from, toMs: number = allTime.to): Promise<number[]> {
    const starts = new Set(this.#logReader.starts(reader, fromMs, toMs));
    const end = this.#keys.bound(toMs);
    for (let from = this.#keys.bound(fromMs); ; ) {
      const first = await firstKey(reader, from, end);
      if (first === undefined) return [...starts].sort((a, b) => a - b);
      const startMs = this.#keys.startOf(first);
      starts.add(startMs);
      from = this.#keys.bound(startMs + 1);
    }
  }

  /** All written rows of the windows that start in `[fromMs, toMs)`, by start and then by key. */
  async *rows(
    reader: Reader,
    fromMs: number = allTime.from,
    toMs: number = allTime.to,
  ): AsyncGenerator<readonly WindowRow[]> {
    for (;;) {
      const before = this.#logReader.headBytes(reader);
      const pages = scanWindows(this.#keys, reader, fromMs, toMs);
      const first = pages.next();
      const logged = this.#logReader.rows(reader, fromMs, toMs);
      // Pages and log are of one state, unless a commit came in between.
      if (same(before, this.#logReader.headBytes(reader))) {
        yield* logged.length === 0 ? begun(first, pages) : withLogged(begun(first, pages), logged);
        return;
      }
      await first;
      await pages.return(undefined);
    }
  }

  /** Adds the removal of all windows that start before `startMs`; returns how many there were. */
  async expireBefore(batch: WriteBatch, startMs: number): Promise<number> {
    const gone = new Set<number>();
    this.#read.clear();
    this.#opened.expireBefore(batch, startMs);
    if (this.#sweep !== undefined && this.#sweep.window.startMs < startMs) this.#sweep = undefined;
    for await (const entries of this.#database.pages({ gte: this.#prefix, lt: this.#keys.bound(startMs) }, 1000))
      for (const [key] of entries) {
        batch.del(key);
        gone.add(this.#keys.startOf(key));
      }
    for (const window of this.#windows.values()) {
      if (window.startMs >= startMs) continue;
      batch.del(this.#keys.key(window.startMs, directoryTag));
      this.#windows.delete(window.startMs);
      gone.add(window.startMs);
    }
    return gone.size;
  }

  #merge(window: PagedWindow, page: number, changes: PendingRows, from: number, to: number): void {
    const writer = this.#writer;
    writer.merge(this.#page(window, page), changes, from, to);
    this.#unwrittenBytes += window.replace(page, writer.split());
  }

  #page(window: PagedWindow, page: number): Uint8Array | undefined {
    const unwritten = window.unwritten(page);
    if (unwritten !== 'written') return unwritten;
    return this.#read.get(window.startMs, window.separators[page]!, () => this.#database.get(window.keyOf(page)));
  }

  #window(startMs: number): PagedWindow {
    let window = this.#windows.get(startMs);
    if (window === undefined) {
      window = new PagedWindow(this.#keys, startMs, this.#database.get(this.#keys.key(startMs, directoryTag)));
      this.#windows.set(startMs, window);
    }
    return window;
  }
}

async function firstKey(reader: Reader, gte: Uint8Array, lt: Uint8Array): Promise<Uint8Array | undefined> {
  for await (const entries of reader.pages({ gte, lt, limit: 1 }, 1)) return entries[0]?.[0];
  return undefined;
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function assertStart(startMs: number): void {
  if (!Number.isSafeInteger(startMs)) throw new RangeError(`a window starts at an integer of ms, not at ${startMs}`);
}
