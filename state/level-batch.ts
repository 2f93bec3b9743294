import type { Level } from 'level';
import type { WriteBatch } from './database.ts';

type LevelBatch = ReturnType<Level<Uint8Array, Uint8Array>['batch']> & {
  // The types of `level` know only what browsers can do too, and browsers have no `sync`.
  write(options: { sync: boolean }): Promise<void>;
};

/** A change as LevelDB takes it in an array. */
type Operation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array };

/** LevelDB with what only Node can do. */
export interface LevelHandle extends Omit<Level<Uint8Array, Uint8Array>, 'batch'> {
  batch(): LevelBatch;
  batch(operations: readonly Operation[], options: { sync: boolean }): Promise<void>;
  approximateSize(start: Uint8Array, end: Uint8Array): Promise<number>;
}

/** What a batch has for LevelDB. */
export interface UnwrittenBatch {
  write(): Promise<void>;
  close(): Promise<void>;
}

/** The database of a batch. */
export interface BatchWriter {
  assertOpen(): void;
  /** Writes it after the ones before it. */
  write(batch: UnwrittenBatch): Promise<void>;
}

/** From so many bytes on a value is large: an array then takes no longer. Pages of short rows are not. */
const largeValue = 8192;
/** A batch that is expected to be so large is given as an array, whatever is in it. */
const largeBatch = 1024 * 1024;
/** A batch of large values may have so many small ones, and one more for so many large ones. */
const someSmall = 16;
const largeForSmall = 8;

/**
 * LevelDB copies what it is given into memory of its own. Of a chained batch that is freed when V8 collects the batch, and V8 does not know how large it is: so a batch of large values is kept
 * here, and given as an array at the end, and so is one that will be large. An array takes longer for each change (15 us of CPU with values of 4 KiB), so many small ones are chained.
 */
export class LevelWriteBatch implements WriteBatch {
  readonly #database: BatchWriter;
  readonly #level: LevelHandle;
  /** Changes while most are large. */
  #operations: Operation[];
  readonly #large: boolean;
  #small = 0;
  #chained: LevelBatch | undefined;
  #length = 0;
  #ended = false;

  /** @param identityKey - Its removal is the first change: the log of another database is known by it. */
  constructor(database: BatchWriter, level: LevelHandle, identityKey: Uint8Array, expectedBytes: number) {
    this.#database = database;
    this.#large = expectedBytes >= largeBatch;
    this.#level = level;
    this.#operations = [{ type: 'del', key: identityKey }];
  }

  get length(): number {
    return this.#length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#assertUsable();
    this.#length++;
    if (value.length < largeValue) this.#countSmall();
    if (this.#chained !== undefined) this.#chained.put(key, value);
    else this.#operations.push({ type: 'put', key: new Uint8Array(key), value: new Uint8Array(value) });
  }

  del(key: Uint8Array): void {
    this.#assertUsable();
    this.#length++;
    this.#countSmall();
    if (this.#chained !== undefined) this.#chained.del(key);
    else this.#operations.push({ type: 'del', key: new Uint8Array(key) });
  }

  async write({ sync }: { readonly sync: boolean }): Promise<void> {
    this.#assertUsable();
    this.#ended = true;
    if (this.#length === 0) return;
    const chained = this.#chained;
    const operations = this.#operations;
    this.#operations = [];
    await this.#database.write({
      write: () => chained?.write({ sync }) ?? this.#level.batch(operations, { sync }),
      close: async () => chained?.close(),
    });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#chained?.close();
  }

  #countSmall(): void {
    if (this.#large || this.#chained !== undefined) return;
    this.#small++;
    if (this.#small <= someSmall + this.#operations.length / largeForSmall) return;
    this.#chained = this.#level.batch();
    for (const operation of this.#operations)
      if (operation.type === 'put') this.#chained.put(operation.key, operation.value);
      else this.#chained.del(operation.key);
    this.#operations = [];
  }

  #assertUsable(): void {
    this.#database.assertOpen();
    if (this.#ended) throw new TypeError('the batch was written or closed: take a new one');
  }
}
