import type { Database, WriteBatch } from '../../state/database.ts';

/** What has changes that may be written ahead of a commit. */
export interface WritesAhead {
  /** Memory that they take. */
  readonly unwrittenBytes: number;
  /** Puts them into a batch; returns what to call when it is written. */
  writeAhead(batch: WriteBatch): () => void;
}

/** Changes of all tables of so many bytes are more than is kept: a sixteenth of the memory for cached rows, from 1 to 16 MiB. */
export function aheadBytes(cacheMaxBytes: number): number {
  const mib = 1024 * 1024;
  return Math.min(16 * mib, Math.max(mib, cacheMaxBytes / 16));
}

/** A table with this share of it is written. */
const tableShare = 1 / 4;

/**
 * Writes what a large commit changes while it is being collected, so that it takes no more memory than a small one: one part is written while the next is collected.
 *
 * A part is of one table. Its rows are flushed in the order of their keys, so that LevelDB gets files that overlap with few others.
 */
export class AheadWrites {
  readonly #database: Database;
  readonly #tables: readonly WritesAhead[];
  readonly #mostBytes: number;
  readonly #sync: boolean;
  #writing: Promise<void> = Promise.resolve();

  constructor(database: Database, tables: readonly WritesAhead[], mostBytes: number, sync: boolean) {
    this.#database = database;
    this.#tables = tables;
    this.#mostBytes = mostBytes;
    this.#sync = sync;
  }

  /** Begins to write tables of which there is enough, one after the other. */
  async write(): Promise<void> {
    for (let table = this.#next(); table !== undefined; table = this.#next()) await this.#write(table);
  }

  /** All of it is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** The table with the most, if that is enough, or all have too much. */
  #next(): WritesAhead | undefined {
    let unwritten = 0;
    let most: WritesAhead | undefined;
    for (const table of this.#tables) {
      unwritten += table.unwrittenBytes;
      if (table.unwrittenBytes > (most?.unwrittenBytes ?? 0)) most = table;
    }
    const enough = unwritten >= this.#mostBytes || (most?.unwrittenBytes ?? 0) >= tableShare * this.#mostBytes;
    return enough ? most : undefined;
  }

  async #write(table: WritesAhead): Promise<void> {
    await this.#writing;
    const batch = this.#database.batch(table.unwrittenBytes);
    const written = table.writeAhead(batch);
    this.#writing = batch.write({ sync: this.#sync }).then(written);
    // Who waits for it next is told.
    this.#writing.catch(() => {});
  }
}
