import type { Database, WriteBatch } from './database.ts';
import { latin1 } from './latin1.ts';
import { counts } from './log-reader.ts';
import { damagedPage } from './paged-errors.ts';
import { PendingRows } from './pending-rows.ts';
import { decodeEntry, decodeHead, emptyHead, encodeEntry, encodeHead, entryKey, headKey } from './row-log.ts';

/** Rows of one page that are not merged into it. Values as in {@link LoggedRowListener}. */
export type PageLog = Map<string, string | undefined>;

/** Rows of one window that are not merged into its pages, by the page's separator. */
export interface WindowLog {
  readonly startMs: number;
  readonly pages: Map<string, PageLog>;
  /** The earliest and the latest entry that counts for it. */
  since: number;
  until: number;
}

/** Numbers of entries that are drawn: any of these is as good. */
const ids = 2 ** 40;

/**
 * The log of one store as its writer has it: what is not merged, in memory and in the database. {@link LoggedRows.seal} adds an entry to a commit, and takes the entries
 * out that no window needs any more.
 */
export class LoggedRows {
  readonly #prefix: Uint8Array;
  readonly #windows = new Map<number, WindowLog>();
  readonly #merged = new Map<number, number>();
  #fresh = new PendingRows();
  #id = 0;
  #first = emptyHead.first;
  #last = emptyHead.last;
  #expired = emptyHead.expired;
  #changed = false;

  constructor(prefix: Uint8Array) {
    this.#prefix = new Uint8Array(prefix);
  }

  /** Reads what the database has. `add` puts a row where its page is. */
  open(database: Database, pageOf: (startMs: number, key: string) => string): void {
    const bytes = database.get(headKey(this.#prefix));
    if (bytes === undefined) return;
    const head = decodeHead(bytes);
    this.#id = head.id;
    this.#first = head.first;
    this.#last = head.last;
    this.#expired = head.expired;
    for (const [startMs, number] of head.merged) this.#merged.set(startMs, number);
    for (let number = head.first; number <= head.last; number++) {
      const entry = database.get(entryKey(this.#prefix, number));
      if (entry === undefined) throw damagedPage(`entry ${number} is missing of a log of rows`);
      decodeEntry(entry, (startMs, key, value) => {
        if (counts(head, startMs, number)) this.#put(startMs, pageOf(startMs, key), key, value, number);
      });
    }
  }

  /** Windows that start before this have expired: rows of them cannot be in the log. */
  get expired(): number {
    return this.#expired;
  }

  of(startMs: number): WindowLog | undefined {
    return this.#windows.get(startMs);
  }

  /** The window that has been in the log for longest. */
  oldest(): WindowLog | undefined {
    let oldest: WindowLog | undefined;
    for (const window of this.#windows.values())
      if (oldest === undefined || window.since < oldest.since) oldest = window;
    return oldest;
  }

  /** Rows that the next entry has. */
  get freshRows(): number {
    return this.#fresh.length;
  }

  /** The last entry that is sealed. */
  get last(): number {
    return this.#last;
  }

  /** Takes a change for the next entry. */
  add(page: string, changes: PendingRows, i: number): void {
    const [startMs, key] = [changes.startOf(i), changes.keyOf(i)];
    const value = changes.valueOf(i);
    this.#fresh.add(startMs, key, value);
    const text = value === undefined ? undefined : latin1(value, 0, value.length);
    this.#put(startMs, page, key, text, this.#last + 1);
  }

  /** All rows of a window are merged, those of the next entry too. */
  settled(startMs: number): void {
    if (!this.#windows.delete(startMs)) return;
    this.#mergedUpTo(startMs, this.#last);
    const others = new PendingRows();
    const fresh = this.#fresh;
    for (let i = 0; i < fresh.length; i++)
      if (fresh.startOf(i) !== startMs) others.add(fresh.startOf(i), fresh.keyOf(i), fresh.valueOf(i));
    this.#fresh = others;
  }

  /** The rows of a window are merged that entries up to this one have; `until` later ones. */
  swept(window: WindowLog, number: number): void {
    this.#mergedUpTo(window.startMs, number);
    window.since = number + 1;
    if (window.until <= number) this.#windows.delete(window.startMs);
  }

  expireBefore(batch: WriteBatch, startMs: number): void {
    for (const window of this.#windows.keys()) if (window < startMs) this.settled(window);
    if (startMs <= this.#expired || this.#id === 0) return;
    this.#expired = startMs;
    this.#putHead(batch);
  }

  /** Adds what was taken to a commit as an entry. */
  seal(batch: WriteBatch): void {
    if (this.#fresh.length > 0) {
      if (this.#id === 0) this.#id = 1 + Math.floor(Math.random() * ids);
      this.#last++;
      batch.put(entryKey(this.#prefix, this.#last), encodeEntry(this.#fresh));
      this.#fresh.clear();
      this.#changed = true;
    }
  }

  /** Takes out of the database what no window needs, and says which entries count. After {@link LoggedRows.seal}. */
  trim(batch: WriteBatch): void {
    if (!this.#changed) return;
    const needed = this.oldest()?.since ?? this.#last + 1;
    for (; this.#first < needed; this.#first++) batch.del(entryKey(this.#prefix, this.#first));
    for (const [startMs, number] of this.#merged)
      if (number < this.#first || startMs < this.#expired) this.#merged.delete(startMs);
    this.#putHead(batch);
  }

  #putHead(batch: WriteBatch): void {
    this.#changed = false;
    const [id, first, last, expired, merged] = [this.#id, this.#first, this.#last, this.#expired, this.#merged];
    batch.put(headKey(this.#prefix), encodeHead({ id, first, last, expired, merged }));
  }

  #mergedUpTo(startMs: number, number: number): void {
    this.#merged.set(startMs, number);
    this.#changed ||= this.#id !== 0;
  }

  #put(startMs: number, page: string, key: string, value: string | undefined, number: number): void {
    let window = this.#windows.get(startMs);
    if (window === undefined) {
      window = { startMs, pages: new Map(), since: number, until: number };
      this.#windows.set(startMs, window);
    }
    window.until = number;
    let rows = window.pages.get(page);
    if (rows === undefined) {
      rows = new Map();
      window.pages.set(page, rows);
    }
    rows.set(key, value);
  }
}
