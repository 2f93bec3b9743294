import { damagedPage } from './paged-errors.ts';
import type { WindowRow } from './paged-window-store.ts';
import type { PendingRows } from './pending-rows.ts';
import { VarintReader, writeVarint } from './varint.ts';

/** A page is split when it is longer than this, into pages of about half of it. */
const longestPage = 8192;
const goodPage = 4096;
const longestCopy = 128;

/** Negative, 0 or positive as the key at `bytes[at .. at + length)` sorts before, with or after `text`. */
function compareKey(bytes: Uint8Array, at: number, length: number, text: string): number {
  const shared = Math.min(length, text.length);
  for (let i = 0; i < shared; i++) {
    const difference = bytes[at + i]! - text.charCodeAt(i);
    if (difference !== 0) return difference;
  }
  return length - text.length;
}

/**
 * Finds rows in one page. Keys asked for in ascending order are found in one pass.
 *
 * ```
 * page   rows in the order of their keys: | key length | key | value length | value |     lengths as in varint.ts
 *        'a' -> 01, 'b' -> 02 03 is  01 61 01 01  01 62 02 02 03
 * ```
 */
export class PageCursor {
  readonly #reader = new VarintReader();
  #bytes: Uint8Array | undefined;
  /** The row looked at: where it begins, its key and its value. */
  #rowAt = 0;
  #last = '';
  readonly #views: Uint8Array[] = [];

  open(bytes: Uint8Array | undefined): void {
    this.#bytes = bytes;
    this.#rowAt = 0;
    this.#last = '';
  }

  /** The value of a key, good until the next call; undefined if it is not there. */
  find(key: string): Uint8Array | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined) return undefined;
    if (key < this.#last) this.#rowAt = 0;
    this.#last = key;
    const reader = this.#reader;
    while (this.#rowAt < bytes.length) {
      reader.at = this.#rowAt;
      const keyLength = reader.next(bytes);
      const keyAt = reader.at;
      reader.at = keyAt + keyLength;
      const valueLength = reader.next(bytes);
      const end = reader.at + valueLength;
      if (!(end <= bytes.length)) throw damagedPage(`a page of ${bytes.length} bytes ends within a row`);
      const order = compareKey(bytes, keyAt, keyLength, key);
      if (order === 0) return this.#value(bytes, reader.at, end);
      if (order > 0) return undefined;
      this.#rowAt = end;
    }
    return undefined;
  }

  /** A short value is copied into a kept view: a new view would cost more. */
  #value(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > longestCopy) return bytes.subarray(from, to);
    let view = this.#views[length];
    if (view === undefined) {
      view = new Uint8Array(length);
      this.#views[length] = view;
    }
    for (let i = 0; i < length; i++) view[i] = bytes[from + i]!;
    return view;
  }
}

/** Appends the rows of a page. Keys and values are views of it. */
export function rowsOf(page: Uint8Array, startMs: number, rows: WindowRow[]): void {
  const reader = new VarintReader();
  while (reader.at < page.length) {
    const keyLength = reader.next(page);
    const keyAt = reader.at;
    reader.at = keyAt + keyLength;
    const valueLength = reader.next(page);
    const end = reader.at + valueLength;
    if (!(end <= page.length)) throw damagedPage(`a page of ${page.length} bytes ends within a row`);
    rows.push({ startMs, key: page.subarray(keyAt, keyAt + keyLength), value: page.subarray(reader.at, end) });
    reader.at = end;
  }
}

/** A page made by {@link PageWriter.split}. */
export interface NewPage {
  /** Its first key. */
  readonly first: string;
  readonly bytes: Uint8Array;
}

/** Merges changes into a page. */
export class PageWriter {
  readonly #reader = new VarintReader();
  #out: Buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  /** Where rows begin. */
  #rows: number[] = [];

  /** Makes the page anew from the old one and changes `[from, to)`, which ascend. */
  merge(old: Uint8Array | undefined, changes: PendingRows, from: number, to: number): void {
    this.#length = 0;
    this.#rows.length = 0;
    const bytes = old ?? new Uint8Array(0);
    const reader = this.#reader;
    let change = from;
    for (let at = 0; at < bytes.length; ) {
      reader.at = at;
      const keyLength = reader.next(bytes);
      const keyAt = reader.at;
      reader.at = keyAt + keyLength;
      const valueLength = reader.next(bytes);
      const end = reader.at + valueLength;
      if (!(end <= bytes.length)) throw damagedPage(`a page of ${bytes.length} bytes ends within a row`);
      let order = -1;
      while (change < to) {
        order = compareKey(bytes, keyAt, keyLength, changes.keyOf(change));
        if (order <= 0) break;
        this.#add(changes, change++);
      }
      if (change < to && order === 0) this.#add(changes, change++);
      else this.#copy(bytes, at, end);
      at = end;
    }
    while (change < to) this.#add(changes, change++);
  }

  /** What was merged, as pages of good length; none if no row is left. */
  split(): readonly NewPage[] {
    if (this.#rows.length === 0) return [];
    const count = this.#length <= longestPage ? 1 : Math.ceil(this.#length / goodPage);
    const aim = this.#length / count;
    const pages: NewPage[] = [];
    let begin = 0;
    for (let i = 1; i <= this.#rows.length; i++) {
      const end = i < this.#rows.length ? this.#rows[i]! : this.#length;
      if (i < this.#rows.length && (count === 1 || end - begin < aim)) continue;
      pages.push({ first: this.#keyAt(begin), bytes: Uint8Array.prototype.slice.call(this.#out, begin, end) });
      begin = end;
    }
    return pages;
  }

  #add(changes: PendingRows, i: number): void {
    const valueLength = changes.lengthOf(i);
    if (valueLength < 0) return;
    const key = changes.keyOf(i);
    this.#room(key.length + valueLength + 8);
    const out = this.#out;
    this.#rows.push(this.#length);
    let at = writeVarint(out, this.#length, key.length);
    for (let k = 0; k < key.length; k++) out[at + k] = key.charCodeAt(k);
    at = writeVarint(out, at + key.length, valueLength);
    changes.copyTo(i, out, at);
    this.#length = at + valueLength;
  }

  #copy(bytes: Uint8Array, from: number, to: number): void {
    this.#room(to - from);
    this.#rows.push(this.#length);
    const out = this.#out;
    const at = this.#length - from;
    if (to - from <= 64) for (let i = from; i < to; i++) out[at + i] = bytes[i]!;
    else out.set(bytes.subarray(from, to), this.#length);
    this.#length += to - from;
  }

  #room(length: number): void {
    if (this.#length + length <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#out.length, this.#length + length));
    larger.set(this.#out.subarray(0, this.#length));
    this.#out = larger;
  }

  #keyAt(row: number): string {
    this.#reader.at = row;
    const length = this.#reader.next(this.#out);
    return this.#out.toString('latin1', this.#reader.at, this.#reader.at + length);
  }
}
