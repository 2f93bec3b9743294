import type { KeyText } from './byte-rows.ts';
import type { CacheMeter } from './cache-meter.ts';
import { KeyFilter } from './key-filter.ts';

/** A table keeps filters of so many windows, the youngest: events come for a few windows at a time. */
const mostFilters = 4;

/**
 * Which keys the database may have in a window. Of windows that began before this process nothing is known, and each may be there; of the others a filter of all that was written is
 * kept, as far as memory goes: a new key, the most frequent case in a new window, then costs no read of a page.
 */
export class StoredKeys {
  readonly #meter: CacheMeter;
  /** Windows that may have rows. */
  readonly #windows = new Set<number>();
  readonly #filters = new Map<number, KeyFilter>();
  #lastStart = Number.NaN;
  #last: KeyFilter | undefined;

  constructor(meter: CacheMeter) {
    this.#meter = meter;
  }

  /** A window has rows already. */
  addWindow(startMs: number): void {
    this.#windows.add(startMs);
  }

  /** A key of a window is written. */
  add(startMs: number, key: KeyText): void {
    if (!this.#windows.has(startMs)) this.#begin(startMs);
    const filter = this.#filterOf(startMs);
    if (filter === undefined || filter.mayHave(key)) return;
    const more = filter.growth;
    if (this.#meter.filterBytes + more > this.#meter.filterMaxBytes) {
      this.#drop(startMs);
      return;
    }
    this.#meter.filterBytes += more;
    filter.add(key);
  }

  /** Whether a window may have rows. */
  mayHaveWindow(startMs: number): boolean {
    return this.#windows.has(startMs);
  }

  /** Whether a window that may have rows may have this one. */
  mayHave(startMs: number, key: KeyText): boolean {
    return this.#filterOf(startMs)?.mayHave(key) ?? true;
  }

  /** A window is gone. */
  delete(startMs: number): void {
    this.#drop(startMs);
    this.#windows.delete(startMs);
  }

  #begin(startMs: number): void {
    this.#windows.add(startMs);
    if (this.#filters.size === mostFilters) this.#drop(Math.min(...this.#filters.keys()));
    this.#filters.set(startMs, new KeyFilter());
    this.#lastStart = Number.NaN;
  }

  #filterOf(startMs: number): KeyFilter | undefined {
    if (startMs !== this.#lastStart) {
      this.#last = this.#filters.get(startMs);
      this.#lastStart = startMs;
    }
    return this.#last;
  }

  #drop(startMs: number): void {
    this.#meter.filterBytes -= this.#filters.get(startMs)?.bytes ?? 0;
    this.#filters.delete(startMs);
    this.#lastStart = Number.NaN;
  }
}
