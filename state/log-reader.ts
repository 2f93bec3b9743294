import { equalBytes } from '../src/common/bytes.ts';
import type { Database, Reader } from './database.ts';
import { damagedPage } from './paged-errors.ts';
import { decodeEntry, decodeHead, emptyHead, entryKey, headKey, type LogHead } from './row-log.ts';

type WindowRows = Map<string, string | undefined>;

/** A row that stands in the log. */
export interface LoggedRow {
  readonly startMs: number;
  readonly key: string;
  /** Undefined: it is removed. */
  readonly value: string | undefined;
}

const tries = 100;

/**
 * The log of one store (row-log.ts) as readers see it. Entries never change, so those that rows were looked for in are kept, as long as the newest head seen counts them.
 */
export class LogReader {
  readonly #prefix: Uint8Array;
  readonly #headKey: Uint8Array;
  /** Rows by window, by the number of the entry. */
  readonly #entries = new Map<number, ReadonlyMap<number, WindowRows>>();
  #headBytes: Uint8Array | undefined;
  #head = emptyHead;

  constructor(prefix: Uint8Array) {
    this.#prefix = new Uint8Array(prefix);
    this.#headKey = headKey(prefix);
  }

  /** The log as bytes: what changes with each entry that comes or goes. */
  headBytes(reader: Reader): Uint8Array | undefined {
    return reader.get(this.#headKey);
  }

  /** The row as the log has it; undefined: it has none that counts, so the page is right. */
  find(reader: Reader, startMs: number, key: string): LoggedRow | undefined {
    return this.#consistent(reader, (head) => {
      if (startMs < head.expired) return undefined;
      const after = Math.max(head.first - 1, head.merged.get(startMs) ?? 0);
      for (let number = head.last; number > after; number--) {
        const rows = this.#entry(reader, head, number, true).get(startMs);
        if (rows?.has(key)) return { startMs, key, value: rows.get(key) };
      }
      return undefined;
    });
  }

  /** The windows that start in `[fromMs, toMs)` of which rows count, removed ones too. */
  starts(reader: Reader, fromMs: number, toMs: number): ReadonlySet<number> {
    return this.#consistent(reader, (head) => {
      const starts = new Set<number>();
      for (let number = head.first; number <= head.last; number++)
        for (const startMs of this.#entry(reader, head, number, false).keys())
          if (startMs >= fromMs && startMs < toMs && counts(head, startMs, number)) starts.add(startMs);
      return starts;
    });
  }

  /** The rows that count of the windows that start in `[fromMs, toMs)`, by start and key. */
  rows(reader: Reader, fromMs: number, toMs: number): readonly LoggedRow[] {
    return this.#consistent(reader, (head) => {
      const windows = new Map<number, WindowRows>();
      for (let number = head.first; number <= head.last; number++)
        for (const [startMs, rows] of this.#entry(reader, head, number, false)) {
          if (startMs < fromMs || startMs >= toMs || !counts(head, startMs, number)) continue;
          const all = windows.get(startMs) ?? new Map();
          windows.set(startMs, all);
          for (const [key, value] of rows) all.set(key, value);
        }
      const starts = [...windows.keys()].sort((a, b) => a - b);
      return starts.flatMap((startMs) => {
        const rows = windows.get(startMs)!;
        return [...rows.keys()].sort(byText).map((key) => ({ startMs, key, value: rows.get(key) }));
      });
    });
  }

  /** What `read` makes of one state of the log: an entry that is gone was merged meanwhile, and the head tells of it. */
  #consistent<T>(reader: Reader, read: (head: LogHead) => T): T {
    for (let i = 0; i < tries; i++) {
      try {
        return read(this.#readHead(reader));
      } catch (error) {
        if (error !== goneEntry) throw error;
      }
    }
    throw damagedPage('an entry is missing of a log of rows');
  }

  #readHead(reader: Reader): LogHead {
    const bytes = this.headBytes(reader);
    if (bytes === undefined) return emptyHead;
    if (this.#headBytes !== undefined && equalBytes(bytes, this.#headBytes)) return this.#head;
    const head = decodeHead(bytes);
    // A reader of an earlier state keeps nothing for the others.
    if (head.id === this.#head.id && head.last < this.#head.last) return head;
    for (const number of this.#entries.keys())
      if (number < head.first || head.id !== this.#head.id) this.#entries.delete(number);
    this.#headBytes = bytes;
    this.#head = head;
    return head;
  }

  #entry(reader: Reader, { id }: LogHead, number: number, keep: boolean): ReadonlyMap<number, WindowRows> {
    const kept = id === this.#head.id ? this.#entries.get(number) : undefined;
    if (kept !== undefined) return kept;
    const bytes = reader.get(entryKey(this.#prefix, number));
    if (bytes === undefined) throw goneEntry;
    const windows = new Map<number, WindowRows>();
    decodeEntry(bytes, (startMs, key, value) => {
      let rows = windows.get(startMs);
      if (rows === undefined) {
        rows = new Map();
        windows.set(startMs, rows);
      }
      rows.set(key, value);
    });
    if (keep && id === this.#head.id && number >= this.#head.first) this.#entries.set(number, windows);
    return windows;
  }
}

const goneEntry = new Error('the entry is gone');

/** Whether the rows of a window in an entry count. */
export function counts({ expired, merged }: LogHead, startMs: number, number: number): boolean {
  return startMs >= expired && number > (merged.get(startMs) ?? 0);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a === b ? 0 : 1;
}

const known = new WeakMap<Database, Map<string, LogReader>>();

/** The reader of a store's log: one for all that read the store in a database, so that an entry is read once. */
export function logReaderOf(database: Database, prefix: Uint8Array): LogReader {
  let readers = known.get(database);
  if (readers === undefined) {
    readers = new Map();
    known.set(database, readers);
  }
  const name = Buffer.from(prefix).toString('latin1');
  let reader = readers.get(name);
  if (reader === undefined) {
    reader = new LogReader(prefix);
    readers.set(name, reader);
  }
  return reader;
}
