import type { WriteBatch } from './database.ts';
import { decodeDirectory, encodeDirectory, findPage, onePage } from './page-directory.ts';
import { type NewPage, PageCursor } from './page-rows.ts';
import { directoryTag, pageTags, type WindowKeys } from './window-keys.ts';

/**
 * What is known of a window: where its pages begin and stand, and pages that the database does not have yet.
 *
 * A page has two places, of which the directory names one. A large commit writes pages ahead, into the place that the committed directory does not name, where nobody looks for them; the
 * directory that goes with the commit's batch names them all at once. So a commit needs no memory for all that it changes. Pages that are not written ahead are overwritten where they stand, by the
 * batch itself.
 */
export class PagedWindow {
  readonly startMs: number;
  /** Where each page begins: keys as latin1 text, ascending, the first ''. */
  readonly separators: string[];
  readonly cursor: PageCursor = new PageCursor();
  cursorPage = -1;
  readonly #keys: WindowKeys;
  /** In which place each page stands. */
  readonly #places: number[];
  /** Pages that were made since the last batch was written, by separator; undefined: removed. */
  readonly #unwritten = new Map<string, Uint8Array | undefined>();
  /** The database has a directory row. */
  #stored: boolean;
  /** The directory changed since it was written. */
  #changed = false;
  /** Separators and places of the written directory, once those of now are others. */
  #before: Map<string, number> | undefined;
  /** Pages that were written ahead since, and where to. */
  readonly #ahead = new Map<string, number>();

  /** @param directory - The database's row of it, if it has one. */
  constructor(keys: WindowKeys, startMs: number, directory: Uint8Array | undefined) {
    const { separators, places } = directory === undefined ? onePage() : decodeDirectory(directory);
    this.startMs = startMs;
    this.separators = separators;
    this.#keys = keys;
    this.#places = places;
    this.#stored = directory !== undefined;
  }

  /** Database key of a page. */
  keyOf(page: number): Uint8Array {
    return this.#pageKey(this.separators[page]!, this.#places[page]!);
  }

  /** A page that was made and not written, undefined where it is empty; `written`: the database has it. */
  unwritten(page: number): Uint8Array | undefined | 'written' {
    const separator = this.separators[page]!;
    const bytes = this.#unwritten.get(separator);
    return bytes === undefined && !this.#unwritten.has(separator) ? 'written' : bytes;
  }

  /** A page is made anew: it becomes these. Returns by how many bytes what is unwritten has grown. */
  replace(page: number, by: readonly NewPage[]): number {
    this.cursorPage = -1;
    const added = by.slice(1);
    let grown = this.#keep(this.separators[page]!, by[0]?.bytes);
    // An emptied page goes, but the first separator stays: keys before all others need a page to go to.
    if (by.length === 0 && page > 0) {
      this.#remember();
      this.separators.splice(page, 1);
      this.#places.splice(page, 1);
    } else if (by.length === 0 && this.#places[0] !== 0) {
      // A window without rows needs no directory.
      this.#remember();
      this.#places[0] = 0;
    } else if (added.length > 0) {
      const before = this.#remember();
      this.separators.splice(page + 1, 0, ...added.map(({ first }) => first));
      this.#places.splice(page + 1, 0, ...added.map(({ first }) => before.get(first) ?? 0));
    }
    for (const { first, bytes } of added) grown += this.#keep(first, bytes);
    return grown;
  }

  /** Puts the pages of a window of several into their other places. Returns what to call when that is written. */
  writeAhead(batch: WriteBatch): () => void {
    if (this.separators.length === 1 || this.#unwritten.size === 0) return () => {};
    const before = this.#remember();
    const put = [...this.#unwritten].filter(([, bytes]) => bytes !== undefined);
    for (const [separator, bytes] of put) {
      const committed = before.get(separator);
      const place = committed === undefined ? 0 : 1 - committed;
      this.#places[findPage(this.separators, separator)] = place;
      this.#ahead.set(separator, place);
      batch.put(this.#pageKey(separator, place), bytes!);
    }
    return () => {
      for (const [separator, bytes] of put)
        if (this.#unwritten.get(separator) === bytes) this.#unwritten.delete(separator);
    };
  }

  /** Puts the pages that are left, and the directory if it is another; copies that it does not name go. */
  seal(batch: WriteBatch): void {
    for (const [separator, bytes] of this.#unwritten) {
      const page = findPage(this.separators, separator);
      if (this.separators[page] !== separator) continue;
      if (bytes === undefined) batch.del(this.keyOf(page));
      else batch.put(this.keyOf(page), bytes);
    }
    if (!this.#changed) return;
    this.#changed = false;
    this.#removeCopies(batch);
    const key = this.#keys.key(this.startMs, directoryTag);
    const needed = this.separators.length > 1 || this.#places[0] !== 0;
    if (needed) batch.put(key, encodeDirectory({ separators: this.separators, places: this.#places }));
    else if (this.#stored) batch.del(key);
    this.#stored = needed;
  }

  /** The batch is written. */
  written(): void {
    // Most have none, and clearing an empty map allocates.
    if (this.#unwritten.size > 0) this.#unwritten.clear();
    this.#before = undefined;
    if (this.#ahead.size > 0) this.#ahead.clear();
  }

  #removeCopies(batch: WriteBatch): void {
    const now = new Map(this.separators.map((separator, page) => [separator, this.#places[page]!]));
    for (const copies of [this.#before ?? [], this.#ahead])
      for (const [separator, place] of copies)
        if (now.get(separator) !== place) batch.del(this.#pageKey(separator, place));
  }

  /** The directory is about to be another; returns what was written of it. */
  #remember(): ReadonlyMap<string, number> {
    this.#changed = true;
    this.#before ??= new Map(this.separators.map((separator, page) => [separator, this.#places[page]!]));
    return this.#before;
  }

  #keep(separator: string, bytes: Uint8Array | undefined): number {
    const before = this.#unwritten.get(separator)?.length ?? 0;
    this.#unwritten.set(separator, bytes);
    return (bytes?.length ?? 0) - before;
  }

  #pageKey(separator: string, place: number): Uint8Array {
    return this.#keys.key(this.startMs, pageTags[place]!, separator);
  }
}
