import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { StreamsError } from '../../../src/common/errors.ts';
import type {
  Database,
  DatabaseStatus,
  Entry,
  KeyRange,
  Reader,
  Snapshot,
  WriteBatch,
} from '../../../state/database.ts';
import { MemoryDatabase } from '../../../state/memory-database.ts';

/** Folders of this process: they go with it, since instances that a test has killed write until then. */
const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** What a disk held at some moment: by the database's place its entries. */
export type DiskImage = ReadonlyMap<string, readonly Entry[]>;

/**
 * A state folder whose databases live in memory and outlive their handles: what was written is there for whoever opens them next, as on a disk. Folders are real, so that what the code under
 * test deletes is gone.
 *
 * A batch is seen a turn of the event loop after the call of `write`, as from a database that writes in another thread.
 */
export class Disk {
  readonly stateDir: string;
  readonly #contents = new Map<string, MemoryDatabase>();
  readonly #open = new Map<string, DiskDatabase>();
  readonly #there = new Set<string>();
  /** Every handle opened so far, by place. */
  readonly opened: string[] = [];

  constructor() {
    this.stateDir = mkdtempSync(join(tmpdir(), 'weir-disk-'));
    folders.add(this.stateDir);
  }

  readonly openDatabase = async (location: string): Promise<Database> => {
    const place = relative(this.stateDir, location);
    if (this.#open.get(place)?.status === 'open')
      throw new StreamsError('STREAMS_STATE_STORE_LOCKED', `${place} is open already. Close it first.`);
    if (existsSync(location)) this.#there.add(place);
    else {
      this.#there.delete(place);
      mkdirSync(location, { recursive: true });
      this.#contents.set(place, new MemoryDatabase());
    }
    this.opened.push(place);
    const handle = new DiskDatabase(this.#contents.get(place)!);
    this.#open.set(place, handle);
    return handle;
  };

  /** Whether the database was there before it was opened the last time. */
  wasThere(location: string): boolean {
    return this.#there.has(relative(this.stateDir, location));
  }

  /** Places of the databases that are open now. */
  get openPlaces(): readonly string[] {
    return [...this.#open].filter(([, { status }]) => status === 'open').map(([place]) => place);
  }

  /** The process that has the databases open is gone: whatever it does from now on reaches nothing. */
  kill(): void {
    for (const handle of this.#open.values()) handle.kill();
  }

  /** What is written now. */
  async image(): Promise<DiskImage> {
    const image = new Map<string, readonly Entry[]>();
    for (const [place, database] of this.#contents) {
      if (!existsSync(join(this.stateDir, place))) continue;
      const entries: Entry[] = [];
      for await (const page of database.pages({})) entries.push(...page);
      image.set(place, entries);
    }
    return image;
  }

  /** Puts an image in the place of all that is there. Nobody may have it open. */
  async restore(image: DiskImage): Promise<void> {
    this.erase();
    for (const [place, entries] of image) {
      mkdirSync(join(this.stateDir, place), { recursive: true });
      const database = new MemoryDatabase();
      const batch = database.batch();
      for (const [key, value] of entries) batch.put(key, value);
      await batch.write({ sync: false });
      this.#contents.set(place, database);
    }
  }

  /** Deletes everything below a folder of it; by default all. */
  erase(below = ''): void {
    // Again where a folder is not empty any more: what a killed instance had begun to make.
    rmSync(join(this.stateDir, below), { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
    if (below === '') mkdirSync(this.stateDir, { recursive: true });
  }

  remove(): void {
    rmSync(this.stateDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
  }
}

/** Databases of a disk, of which those below a folder write so many batches, and no more: as after a kill. */
export function dyingAfter(disk: Disk, folder: 'tasks' | 'global', writes: number): Disk['openDatabase'] {
  let left = writes;
  return async (location) => {
    const database = await disk.openDatabase(location);
    if (!relative(disk.stateDir, location).startsWith(folder)) return database;
    const batch = database.batch.bind(database);
    database.batch = () => {
      const made = batch();
      const write = made.write.bind(made);
      made.write = async (options) => {
        if (left-- <= 0) throw new Error('dead');
        await write(options);
      };
      return made;
    };
    return database;
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class DiskDatabase implements Database {
  readonly #content: MemoryDatabase;
  #status: DatabaseStatus = 'open';
  #last: Promise<unknown> = Promise.resolve();

  constructor(content: MemoryDatabase) {
    this.#content = content;
  }

  get status(): DatabaseStatus {
    return this.#status;
  }

  kill(): void {
    this.#status = 'closed';
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#checked().get(key);
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#checked().getMany(keys);
  }

  async *pages(range: KeyRange, pageSize?: number): AsyncGenerator<readonly Entry[]> {
    for await (const page of this.#checked().pages(range, pageSize)) {
      this.#checked();
      yield page;
    }
  }

  batch(): WriteBatch {
    const inner = this.#checked().batch();
    return {
      get length() {
        return inner.length;
      },
      put: (key, value) => inner.put(key, value),
      del: (key) => inner.del(key),
      close: () => inner.close(),
      write: (options) => {
        const written = this.#last.then(async () => {
          await turn();
          this.#checked();
          await inner.write(options);
        });
        this.#last = written.catch(() => {});
        return written;
      },
    };
  }

  snapshot(): Snapshot {
    const inner = this.#checked().snapshot();
    const checked = (): Reader => {
      this.#checked();
      return inner;
    };
    return {
      get: (key) => checked().get(key),
      getMany: (keys) => checked().getMany(keys),
      pages: (range, pageSize) => checked().pages(range, pageSize),
      close: () => inner.close(),
    };
  }

  approximateSize(range: KeyRange): Promise<number> {
    return this.#checked().approximateSize(range);
  }

  async close(): Promise<void> {
    if (this.#status !== 'open') return;
    this.#status = 'closing';
    await this.#last;
    this.#status = 'closed';
  }

  #checked(): MemoryDatabase {
    if (this.#status === 'closed') throw new StreamsError('STREAMS_STATE_STORE_NOT_OPEN', 'the database is closed.');
    return this.#content;
  }
}
