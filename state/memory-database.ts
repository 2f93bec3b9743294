import { StreamsError } from '../src/common/errors.ts';
import type { Database, DatabaseStatus, Entry, KeyRange, Reader, Snapshot, WriteBatch } from './database.ts';
import { SortedTree } from './sorted-tree.ts';

/**
 * A database in memory, empty at first and gone once it is closed: for tests, and for state that may be lost.
 *
 * A batch is applied during the call of `write`, so a reader sees it before the promise is settled. Snapshots and ranges cost nothing: they
 * keep the tree of their moment.
 *
 * @param _location - Ignored: a parameter so that this function is a `DatabaseFactory`.
 */
export async function openMemoryDatabase(_location?: string): Promise<MemoryDatabase> {
  return new MemoryDatabase();
}

/** See {@link openMemoryDatabase}. Open from its construction. */
export class MemoryDatabase implements Database {
  #tree: SortedTree = SortedTree.empty;
  #status: DatabaseStatus = 'open';
  readonly #reader: TreeReader = new TreeReader(() => {
    this.#assertOpen();
    return this.#tree;
  });

  get status(): DatabaseStatus {
    return this.#status;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#reader.get(key);
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#reader.getMany(keys);
  }

  pages(range: KeyRange, pageSize?: number): AsyncIterable<readonly Entry[]> {
    return this.#reader.pages(range, pageSize);
  }

  /** An empty batch of changes. */
  batch(): WriteBatch {
    this.#assertOpen();
    return new MemoryWriteBatch(
      () => this.#assertOpen(),
      (changes) => {
        this.#tree = this.#tree.edit(changes);
      },
    );
  }

  /** Everything as it is now. */
  snapshot(): Snapshot {
    this.#assertOpen();
    const tree = this.#tree;
    let closed = false;
    const reader = new TreeReader(() => {
      this.#assertOpen();
      if (closed) throw notOpenError('its snapshot was closed');
      return tree;
    });
    return Object.assign(reader, {
      async close(): Promise<void> {
        closed = true;
      },
    });
  }

  async approximateSize(range: KeyRange): Promise<number> {
    this.#assertOpen();
    const { limit: _limit, reverse: _reverse, ...bounds } = range;
    let bytes = 0;
    for (const [key, value] of this.#tree.entries(bounds)) bytes += key.length + value.length;
    return bytes;
  }

  async close(): Promise<void> {
    this.#status = 'closed';
    this.#tree = SortedTree.empty;
  }

  #assertOpen(): void {
    if (this.#status !== 'open') throw notOpenError(`it is ${this.#status}`);
  }
}

/** Reads the tree that `tree` gives, or lets its error pass. */
class TreeReader implements Reader {
  readonly #tree: () => SortedTree;

  constructor(tree: () => SortedTree) {
    this.#tree = tree;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#tree().get(key)?.slice();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const tree = this.#tree();
    return keys.map((key) => tree.get(key)?.slice());
  }

  async *pages(range: KeyRange, pageSize = 1000): AsyncGenerator<readonly Entry[]> {
    if (!Number.isInteger(pageSize) || pageSize < 1)
      throw new RangeError(`pageSize is ${pageSize}, at least 1 is needed`);
    let page: Entry[] = [];
    for (const [key, value] of this.#tree().entries(range)) {
      page.push([key.slice(), value.slice()]);
      if (page.length < pageSize) continue;
      yield page;
      page = [];
      // A range ends with the database, or with the snapshot, that it reads.
      this.#tree();
    }
    if (page.length > 0) yield page;
  }
}

class MemoryWriteBatch implements WriteBatch {
  #changes: [key: Uint8Array, value: Uint8Array | null][] = [];
  #ended = false;
  readonly #assertOpen: () => void;
  readonly #apply: (changes: readonly [key: Uint8Array, value: Uint8Array | null][]) => void;

  constructor(
    assertOpen: () => void,
    apply: (changes: readonly [key: Uint8Array, value: Uint8Array | null][]) => void,
  ) {
    this.#assertOpen = assertOpen;
    this.#apply = apply;
  }

  get length(): number {
    return this.#changes.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#assertUsable();
    this.#changes.push([copy(key), copy(value)]);
  }

  del(key: Uint8Array): void {
    this.#assertUsable();
    this.#changes.push([copy(key), null]);
  }

  async write(_options: { readonly sync: boolean }): Promise<void> {
    this.#assertUsable();
    this.#ended = true;
    this.#apply(this.#changes);
  }

  async close(): Promise<void> {
    this.#ended = true;
  }

  #assertUsable(): void {
    this.#assertOpen();
    if (this.#ended) throw new TypeError('the batch was written or closed: take a new one');
  }
}

/** A copy that is a plain Uint8Array for a Buffer too, whose own `slice` would share its memory. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function notOpenError(reason: string): StreamsError {
  return new StreamsError(
    'STREAMS_STATE_STORE_NOT_OPEN',
    `state database in memory is not open: ${reason}. Read only between open and close.`,
  );
}
