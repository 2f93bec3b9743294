import type { Entry, Reader, Snapshot } from './database.ts';
import { decodeDirectory, onePage, type PageDirectory } from './page-directory.ts';
import { rowsOf } from './page-rows.ts';
import type { WindowRow } from './paged-window-store.ts';
import { directoryTag, pageTags, type WindowKeys } from './window-keys.ts';

/** What a range reads at once, in pages and in bytes: these become some 20 rows for a KiB, and each reader holds as many. */
const pagesAtOnce = 64;
const bytesAtOnce = 16 * 1024;

/**
 * All rows of the windows that start in `[fromMs, toMs)`, by start and then by key, of one state of the database. Only pages that their window's directory names are read: others may be there, of a
 * commit that is under way or never ended.
 */
export async function* scanWindows(
  keys: WindowKeys,
  reader: Reader,
  fromMs: number,
  toMs: number,
): AsyncGenerator<readonly WindowRow[]> {
  const snapshot = snapshotOf(reader);
  try {
    let from: number | undefined = fromMs;
    while (from !== undefined) from = yield* scanUntilMoved(keys, snapshot ?? reader, from, toMs);
  } finally {
    await snapshot?.close();
  }
}

/** A state of its own, where the reader is not fixed to one. */
function snapshotOf(reader: Reader & { snapshot?(): Snapshot }): Snapshot | undefined {
  return reader.snapshot?.();
}

/** Reads windows whose pages stand in their first places in one go, and then one whose do not. Returns where to go on. */
async function* scanUntilMoved(
  keys: WindowKeys,
  reader: Reader,
  fromMs: number,
  toMs: number,
): AsyncGenerator<readonly WindowRow[], number | undefined> {
  let startMs = Number.NaN;
  let named = new NamedPages(onePage());
  const range = { gte: keys.bound(fromMs), lt: keys.bound(toMs) };
  for await (const entries of reader.pages(range, pagesAtOnce, bytesAtOnce)) {
    const rows: WindowRow[] = [];
    for (const [key, value] of entries) {
      const start = keys.startOf(key);
      if (start !== startMs) {
        startMs = start;
        named = new NamedPages(onePage());
      }
      const tag = keys.tagOf(key);
      if (tag === pageTags[0] && named.has(keys.separatorOf(key))) rowsOf(value, startMs, rows);
      if (tag !== directoryTag) continue;
      const directory = decodeDirectory(value);
      if (directory.places.includes(1)) {
        if (rows.length > 0) yield rows;
        yield* scanMoved(keys, reader, startMs, directory);
        return startMs + 1;
      }
      named = new NamedPages(directory);
    }
    if (rows.length > 0) yield rows;
  }
  return undefined;
}

/** Whether a directory names pages; asked in their order. */
class NamedPages {
  readonly #separators: readonly string[];
  #at = 0;

  constructor({ separators }: PageDirectory) {
    this.#separators = separators;
  }

  has(separator: string): boolean {
    while (this.#at < this.#separators.length && this.#separators[this.#at]! < separator) this.#at++;
    return this.#separators[this.#at] === separator;
  }
}

/** The rows of a window of which some pages stand in their second places. */
async function* scanMoved(
  keys: WindowKeys,
  reader: Reader,
  startMs: number,
  { separators, places }: PageDirectory,
): AsyncGenerator<readonly WindowRow[]> {
  const streams = pageTags.map((tag) => new PageStream(keys, reader, startMs, tag));
  try {
    for (const [i, separator] of separators.entries()) {
      const page = await streams[places[i]!]!.find(separator);
      const rows: WindowRow[] = [];
      if (page !== undefined) rowsOf(page, startMs, rows);
      if (rows.length > 0) yield rows;
    }
  } finally {
    for (const stream of streams) await stream.close();
  }
}

/** Pages in one of their places; asked for in their order. */
class PageStream {
  readonly #keys: WindowKeys;
  readonly #pages: AsyncIterator<readonly Entry[]>;
  #entries: readonly Entry[] = [];
  #at = 0;
  #ended = false;

  constructor(keys: WindowKeys, reader: Reader, startMs: number, tag: number) {
    this.#keys = keys;
    const range = { gte: keys.key(startMs, tag), lt: keys.key(startMs, tag + 1) };
    this.#pages = reader.pages(range, pagesAtOnce, bytesAtOnce)[Symbol.asyncIterator]();
  }

  async find(separator: string): Promise<Uint8Array | undefined> {
    for (;;) {
      for (; this.#at < this.#entries.length; this.#at++) {
        const [key, page] = this.#entries[this.#at]!;
        const found = this.#keys.separatorOf(key);
        if (found === separator) return page;
        if (found > separator) return undefined;
      }
      if (this.#ended) return undefined;
      const next = await this.#pages.next();
      this.#ended = next.done === true;
      this.#entries = next.done === true ? [] : next.value;
      this.#at = 0;
    }
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}
