import { readdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Level } from 'level';
import { messageOf, StreamsError } from '../src/common/errors.ts';
import { makeFolder } from '../src/common/make-folder.ts';
import type { Database, DatabaseStatus, Entry, KeyRange, Snapshot, WriteBatch } from './database.ts';
import { type LevelHandle, LevelWriteBatch, type UnwrittenBatch } from './level-batch.ts';
import {
  codeOf,
  corruptError,
  damagedError,
  foreignError,
  lockedElsewhere,
  lockedError,
  openError,
  writeError,
} from './level-errors.ts';
import { damagesOf } from './level-files/check-folder.ts';
import { writeClosedMark } from './level-files/closed-mark.ts';
import type { Damage } from './level-files/damage.ts';
import { identify, identityKey, isForeign } from './level-files/identity.ts';

/** How a LevelDB database uses memory and disk. The defaults were measured with keys of 16 bytes and values of 32. */
export interface LevelDatabaseOptions {
  /**
   * Memory for blocks of the files that were read, bytes.
   * @defaultValue 16 MiB
   */
  readonly cacheSizeBytes?: number;
  /**
   * Size at which written entries, kept sorted in memory, go to a file, bytes. Up to two such buffers exist. Larger ones were no faster (a larger
   * sorted list misses the processor's caches more often) and take longer to open again.
   * @defaultValue 4 MiB
   */
  readonly writeBufferBytes?: number;
  /**
   * Size of the files, bytes. LevelDB keeps 1000 of them open.
   * @defaultValue 8 MiB
   */
  readonly maxFileBytes?: number;
  /**
   * Compresses blocks (Snappy): about half the disk for about the same time of writing; reads that miss the cache take longer.
   * @defaultValue true
   */
  readonly compression?: boolean;
}

const mib = 1024 * 1024;

/** A page of a range stops at this size, so that large values do not fill the memory. */
const mostPageBytes = 256 * 1024;

/** Above any key that a store writes: the end of a size estimate without an upper bound. */
const lastKey = new Uint8Array(64).fill(0xff);

type LevelSnapshot = ReturnType<Level<Uint8Array, Uint8Array>['snapshot']>;

/**
 * Folders that this process has open, by their real path. LevelDB's own lock is not enough within one process: its file lock belongs to the
 * process, and a second, refused open of the folder would drop it (POSIX: closing any descriptor of a file releases the locks on it).
 */
const openFolders = new Set<string>();

/**
 * Opens the LevelDB database in a folder, creating it and the folders above it if absent. One process at a time can have it open.
 *
 * @param location - The folder. Relative paths are relative to the working directory.
 * @throws {@link StreamsError} `STREAMS_STATE_STORE_LOCKED` - another process, or another handle of this one, has it open.
 * @throws {@link StreamsError} `STREAMS_STATE_STORE_CORRUPT` - files are damaged, missing, cut off or in the place of others. All files are read: about a second for a gigabyte.
 * @throws {@link StreamsError} `STREAMS_STATE_INCOMPATIBLE` - another program's database is there.
 * @throws {@link StreamsError} `STREAMS_STATE_STORE_WRITE` - the folder cannot be created or written.
 */
export async function openLevelDatabase(location: string, options: LevelDatabaseOptions = {}): Promise<Database> {
  const folder = await createFolder(location);
  if (openFolders.has(folder))
    throw lockedError(folder, 'this process has it open already. Use that handle, or close it first');
  openFolders.add(folder);
  try {
    if (await isForeign(folder)) throw foreignError(folder);
    await refuseDamaged(folder);
    const level = new Level<Uint8Array, Uint8Array>(folder, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      cacheSize: options.cacheSizeBytes ?? 16 * mib,
      writeBufferSize: options.writeBufferBytes ?? 4 * mib,
      maxFileSize: options.maxFileBytes ?? 8 * mib,
      compression: options.compression ?? true,
    });
    await level.open();
    // Not before: a log that is there has the identity that it was written with, if any.
    const identity = await identify(folder).catch(async (error: unknown) => {
      await level.close();
      throw error;
    });
    return new LevelDatabase(folder, level as unknown as LevelHandle, identity);
  } catch (error) {
    openFolders.delete(folder);
    throw openError(folder, error);
  }
}

async function createFolder(location: string): Promise<string> {
  const folder = resolve(location);
  try {
    await makeFolder(folder);
    return await realpath(folder);
  } catch (error) {
    throw new StreamsError(
      'STREAMS_STATE_STORE_WRITE',
      `state folder ${folder} cannot be created: ${messageOf(error)}. Check its path and permissions.`,
      { file: folder, cause: error },
    );
  }
}

/**
 * Refuses a folder in which anything is not as it was written. All of it is read, at about a gigabyte a second: LevelDB begins to merge tables as soon as it is open, and what is
 * damaged in them would be lost without a trace.
 */
async function refuseDamaged(folder: string): Promise<void> {
  for await (const damage of damagesOf(folder)) {
    // A database that somebody is writing looks damaged.
    if (await isHeldElsewhere(folder)) throw lockedElsewhere(folder);
    throw damagedError(folder, damage);
  }
}

/**
 * Reads all files of a database, which must be there, and says what is wrong with them. Changes nothing.
 *
 * @throws {@link StreamsError} `STREAMS_STATE_STORE_LOCKED` - somebody has it open.
 */
export async function verifyLevelDatabase(location: string): Promise<readonly Damage[]> {
  const folder = resolve(location);
  if (openFolders.has(await realpath(folder).catch(() => folder)))
    throw lockedError(folder, 'this process has it open. Close it first');
  if (await isForeign(folder)) throw foreignError(folder);
  if (await isHeldElsewhere(folder)) throw lockedElsewhere(folder);
  const damages: Damage[] = [];
  for await (const damage of damagesOf(folder)) damages.push(damage);
  if (damages.length === 0 && !(await readdir(folder)).includes('CURRENT'))
    damages.push({ file: 'CURRENT', what: 'is missing' });
  return damages;
}

/** Whether another process has the database open. LevelDB takes the lock before it finds that there is a database, which this opening does not want. */
async function isHeldElsewhere(folder: string): Promise<boolean> {
  const probe = new Level(folder, { createIfMissing: false, errorIfExists: true });
  try {
    await probe.open();
    await probe.close();
    return false;
  } catch (error) {
    return codeOf(error instanceof Error ? error.cause : error) === 'LEVEL_LOCKED';
  }
}

class LevelDatabase implements Database {
  readonly #folder: string;
  readonly #level: LevelHandle;
  readonly #identityKey: Uint8Array;
  #status: DatabaseStatus = 'open';
  /** The end of the last write: the next one starts after it. */
  #lastWrite: Promise<void> = Promise.resolve();
  #writeFailure: StreamsError | undefined;
  #closing: Promise<void> | undefined;

  constructor(folder: string, level: LevelHandle, identity: string) {
    this.#folder = folder;
    this.#level = level;
    this.#identityKey = identityKey(identity);
  }

  get status(): DatabaseStatus {
    return this.#status;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.assertOpen();
    try {
      return plain(this.#level.getSync(key));
    } catch (error) {
      throw this.readError(error);
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.getManyAt(keys, undefined);
  }

  pages(range: KeyRange, pageSize?: number, pageBytes?: number): AsyncIterable<readonly Entry[]> {
    return this.pagesAt(undefined, range, pageSize, pageBytes);
  }

  batch(expectedBytes = 0): WriteBatch {
    this.assertOpen();
    return new LevelWriteBatch(this, this.#level, this.#identityKey, expectedBytes);
  }

  snapshot(): Snapshot {
    this.assertOpen();
    return new LevelDatabaseSnapshot(this, this.#level.snapshot());
  }

  async approximateSize(range: KeyRange): Promise<number> {
    this.assertOpen();
    try {
      return await this.#level.approximateSize(
        range.gte ?? range.gt ?? new Uint8Array(0),
        range.lte ?? range.lt ?? lastKey,
      );
    } catch (error) {
      throw this.readError(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#status = 'closing';
    await this.#lastWrite;
    try {
      await this.#level.close();
      // Without the mark the database is as whole: on a disk that has become full, or in a folder that is gone, there is none.
      await writeClosedMark(this.#folder).catch(() => {});
    } finally {
      this.#status = 'closed';
      openFolders.delete(this.#folder);
    }
  }

  getAt(key: Uint8Array, snapshot: LevelSnapshot): Uint8Array | undefined {
    this.assertOpen();
    try {
      return plain(this.#level.getSync(key, { snapshot, ...bytesAsTheyAre }));
    } catch (error) {
      throw this.readError(error);
    }
  }

  async getManyAt(
    keys: readonly Uint8Array[],
    snapshot: LevelSnapshot | undefined,
  ): Promise<(Uint8Array | undefined)[]> {
    this.assertOpen();
    try {
      const values = await this.#level.getMany([...keys], { ...bytesAsTheyAre, ...(snapshot && { snapshot }) });
      return values.map(plain);
    } catch (error) {
      throw this.readError(error);
    }
  }

  async *pagesAt(
    snapshot: LevelSnapshot | undefined,
    range: KeyRange,
    pageSize = 1000,
    pageBytes = mostPageBytes,
  ): AsyncGenerator<readonly Entry[]> {
    assertPageSize(pageSize);
    this.assertOpen();
    const iterator = this.#level.iterator({
      ...levelRange(range),
      ...(snapshot && { snapshot }),
      ...bytesAsTheyAre,
      highWaterMarkBytes: pageBytes,
    });
    try {
      for (;;) {
        const entries = await iterator.nextv(pageSize);
        if (entries.length === 0) return;
        yield entries.map(([key, value]): Entry => [plain(key), plain(value)]);
      }
    } catch (error) {
      throw this.readError(error);
    } finally {
      await iterator.close();
    }
  }

  /** Writes after the writes before it, so that batches are applied in the order of the calls. */
  write(batch: UnwrittenBatch): Promise<void> {
    const written = this.#lastWrite.then(() => this.#writeNow(batch));
    this.#lastWrite = written.catch(() => {});
    return written;
  }

  async #writeNow(batch: UnwrittenBatch): Promise<void> {
    // A failed write can leave half a record in LevelDB's log. What is written behind it would be acknowledged, and lost at the next open.
    if (this.#writeFailure !== undefined) {
      await batch.close();
      throw this.#writeFailure;
    }
    try {
      await batch.write();
    } catch (error) {
      this.#writeFailure = this.#writeError(error);
      throw this.#writeFailure;
    }
  }

  assertOpen(): void {
    if (this.#status !== 'open') throw this.notOpenError();
  }

  notOpenError(cause?: unknown): StreamsError {
    const message = `state database ${this.#folder} is not open (it is ${this.#status}), or its snapshot was closed. Read only between open and close.`;
    return new StreamsError('STREAMS_STATE_STORE_NOT_OPEN', message, { file: this.#folder, cause });
  }

  readError(error: unknown): unknown {
    if (StreamsError.is(error)) return error;
    const code = codeOf(error);
    if (code?.endsWith('_NOT_OPEN')) return this.notOpenError(error);
    if (error instanceof TypeError || error instanceof RangeError) return error;
    return corruptError(this.#folder, error);
  }

  #writeError(error: unknown): StreamsError {
    const code = codeOf(error);
    if (code?.endsWith('_NOT_OPEN')) return this.notOpenError(error);
    if (code === 'LEVEL_CORRUPTION') return corruptError(this.#folder, error);
    return writeError(this.#folder, error);
  }
}

class LevelDatabaseSnapshot implements Snapshot {
  readonly #database: LevelDatabase;
  readonly #snapshot: LevelSnapshot;
  #closed = false;

  constructor(database: LevelDatabase, snapshot: LevelSnapshot) {
    this.#database = database;
    this.#snapshot = snapshot;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    return this.#database.getAt(key, this.#snapshot);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertOpen();
    return this.#database.getManyAt(keys, this.#snapshot);
  }

  async *pages(range: KeyRange, pageSize?: number, pageBytes?: number): AsyncGenerator<readonly Entry[]> {
    this.#assertOpen();
    yield* this.#database.pagesAt(this.#snapshot, range, pageSize, pageBytes);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#snapshot.close();
  }

  /** LevelDB itself would make an iterator from the freed memory of a closed snapshot. */
  #assertOpen(): void {
    if (this.#closed) throw this.#database.notOpenError();
  }
}

const bytesAsTheyAre = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/** LevelDB hands out Buffers, whose `slice` shares memory where a Uint8Array's copies. */
function plain(bytes: Uint8Array): Uint8Array;
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined;
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Only the bounds that are given: LevelDB would take an undefined one for an empty key. */
function levelRange(range: KeyRange): KeyRange {
  return Object.fromEntries(Object.entries(range).filter(([, bound]) => bound !== undefined));
}

function assertPageSize(pageSize: number): void {
  if (!Number.isInteger(pageSize) || pageSize < 1)
    throw new RangeError(`pageSize is ${pageSize}, at least 1 is needed`);
}
