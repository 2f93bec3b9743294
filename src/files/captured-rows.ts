import type { Database, WriteBatch } from '../../state/database.ts';

/** A batch that is written nowhere: its rows are kept, to be written elsewhere. */
export class CapturedRows implements WriteBatch {
  readonly #rows: [key: Uint8Array, value: Uint8Array | undefined][] = [];

  get length(): number {
    return this.#rows.length;
  }

  /** The changes, in the order in which they were made; without a value: deleted. */
  rows(): Iterable<readonly [key: Uint8Array, value: Uint8Array | undefined]> {
    return this.#rows;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#rows.push([new Uint8Array(key), new Uint8Array(value)]);
  }

  del(key: Uint8Array): void {
    this.#rows.push([new Uint8Array(key), undefined]);
  }

  /** There is nowhere to write to. @throws TypeError */
  async write(): Promise<void> {
    throw new TypeError('captured rows are written by whoever captured them');
  }

  async close(): Promise<void> {}

  /** Makes the same changes in a database. */
  async copyTo(database: Database): Promise<void> {
    const batch = database.batch();
    for (const [key, value] of this.#rows) {
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    await batch.write({ sync: false });
  }
}
