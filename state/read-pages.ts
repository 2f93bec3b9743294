/** Bytes of pages that are kept. */
const mostBytes = 256 * 1024;

/** Pages of one window that were just read: what is looked up in them is mostly changed next, and the page would be read again for it. */
export class ReadPages {
  readonly #pages = new Map<string, Uint8Array | undefined>();
  #startMs = Number.NaN;
  #bytes = 0;

  /** A page, read if it is not kept; undefined: the database has none. */
  get(startMs: number, separator: string, read: () => Uint8Array | undefined): Uint8Array | undefined {
    if (startMs !== this.#startMs) this.clear();
    const kept = this.#pages.get(separator);
    if (kept !== undefined || this.#pages.has(separator)) return kept;
    const page = read();
    if (this.#bytes > mostBytes) this.clear();
    this.#startMs = startMs;
    this.#pages.set(separator, page);
    this.#bytes += separator.length + (page?.length ?? 0);
    return page;
  }

  /** Before the database has other pages, or others are in their place. */
  clear(): void {
    if (this.#pages.size > 0) this.#pages.clear();
    this.#startMs = Number.NaN;
    this.#bytes = 0;
  }
}
