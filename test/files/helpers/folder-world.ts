import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Logger } from '../../../src/common/logger.ts';
import { FolderFeed, type FolderFeedOptions } from '../../../src/files/folder-feed.ts';
import { Letters } from '../../../src/files/letters.ts';
import type { Feed, FeedBatch, FeedProgress } from '../../../src/runtime/feed.ts';
import { type MemoryDatabase, openMemoryDatabase } from '../../../state/memory-database.ts';
import { type Reading, readingFormat } from './formats.ts';

/** What a run of a feed gave. */
export interface Run {
  /** Records as `file:line:id`. */
  readonly records: string[];
  readonly progress: FeedProgress;
  /** Messages logged, with their fields. */
  readonly logged: string[];
}

/** A letter as it stands in its file. */
export interface Letter {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly reason: string;
  readonly message: string;
  readonly raw: string;
  readonly record?: number;
}

/** How a run goes. */
export interface RunOptions extends Partial<FolderFeedOptions<string, Reading>> {
  /** Records to take before the run ends as if killed, after a commit at `commitAt`. */
  readonly killAt?: number;
  readonly commitAt?: number;
  /** The kill comes in a second commit, before it is written. */
  readonly killInCommit?: boolean;
  /** Letters that the runtime writes: the record with this id is late, or refused. */
  readonly lateId?: number;
  readonly deadId?: number;
}

/** A folder of readings, a database and files of letters: what outlives a run. */
export class FolderWorld {
  readonly root: string = mkdtempSync(join(tmpdir(), 'weir-files-'));
  readonly events: string = join(this.root, 'events');
  readonly deadFile: string = join(this.root, 'dead.jsonl');
  readonly lateFile: string = join(this.root, 'late.jsonl');
  database!: MemoryDatabase;

  /** Makes one that is removed after the test. */
  static async create(t: ExecutionContext): Promise<FolderWorld> {
    const world = new FolderWorld();
    mkdirSync(world.events);
    world.database = await openMemoryDatabase();
    t.teardown(() => rmSync(world.root, { recursive: true, force: true }));
    return world;
  }

  write(name: string, content: string | Buffer): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  append(name: string, content: string | Buffer): void {
    appendFileSync(join(this.events, name), content);
  }

  remove(name: string): void {
    rmSync(join(this.events, name));
  }

  path(name: string): string {
    return join(this.events, name);
  }

  deadLetters(): Letter[] {
    return readLetters(this.deadFile);
  }

  lateLetters(): Letter[] {
    return readLetters(this.lateFile);
  }

  /** Opens a feed over the folder; close it with its letters. */
  async feed(options: RunOptions = {}, logger?: Logger): Promise<OpenFeed> {
    const dead = await Letters.open(this.deadFile, { state: this.root });
    const late = await Letters.open(this.lateFile, { state: this.root });
    const feed = new FolderFeed({
      topic: 'readings',
      directory: this.events,
      format: readingFormat,
      dead,
      late,
      keyPrefix: Buffer.from('feed/0/'),
      ...(logger && { logger }),
      ...options,
    });
    const close = async (): Promise<void> => {
      await feed.close();
      await dead.close();
      await late.close();
    };
    return { feed, dead, close };
  }

  /** Runs a feed to its end (or to idleness, or to its kill), and commits. */
  async run(options: RunOptions = {}): Promise<Run> {
    const records: string[] = [];
    const logged: string[] = [];
    const { feed, close } = await this.feed(options, collectingLogger(logged));
    const { killAt = Infinity, commitAt = Infinity } = options;
    try {
      await feed.open(this.database);
      for (;;) {
        const batch = await feed.poll();
        if (batch === undefined || batch === 'idle') break;
        for (let i = 0; i < batch.length; i++) {
          if (records.length === commitAt) {
            batch.accept(i);
            await this.commit(feed);
          }
          if (records.length >= killAt) {
            // The letters of a commit that is not written may be in their file all the same.
            if (options.killInCommit) await tryToCommit(this, feed, batch, i);
            return { records, progress: feed.progress, logged };
          }
          note(batch, i, options);
          records.push(nameOf(batch, i));
        }
        batch.accept(batch.length);
      }
      if (killAt === Infinity) await this.commit(feed);
      return { records, progress: feed.progress, logged };
    } finally {
      await close();
    }
  }

  async commit(feed: FolderFeed<string, Reading>): Promise<void> {
    const batch = this.database.batch();
    await feed.save(batch);
    await batch.write({ sync: false });
  }
}

/** A feed, and how to close it with what it writes to. */
export interface OpenFeed {
  readonly feed: FolderFeed<string, Reading>;
  readonly dead: Letters;
  close(): Promise<void>;
}

/** A record as `file:line:id`. */
export function nameOf(batch: FeedBatch, i: number): string {
  const { file, line, raw } = batch.origin(i);
  const { id } = batch.values[i] as Reading;
  // A second record of a row has its id twice.
  const own = String(id).length === 4 ? String(id).slice(0, 2) : String(id);
  if (!Buffer.from(raw).toString().includes(own)) throw new Error(`record ${i} of id ${id} has another raw row`);
  return `${file}:${line}:${id}`;
}

/** A CSV file of readings with these ids, at as many ms; the header is the first line. */
export function readings(...ids: number[]): string {
  return `id,at,text\n${rows(...ids)}`;
}

/** Its rows alone. */
export function rows(...ids: number[]): string {
  return ids.map((id) => `${id},${id},text\n`).join('');
}

/** Whole numbers from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

async function tryToCommit(world: FolderWorld, feed: Feed, batch: FeedBatch, n: number): Promise<void> {
  batch.accept(n);
  const lost = world.database.batch();
  await feed.save(lost);
  await lost.close();
}

function note(batch: FeedBatch, i: number, { lateId, deadId }: RunOptions): void {
  const { id } = batch.values[i] as Reading;
  if (id === lateId) batch.drop(i, { reason: 'late', message: 'told' });
  if (id === deadId) batch.drop(i, { reason: 'future', message: 'told' });
}

function readLetters(path: string): Letter[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.pop() !== '') throw new Error(`${path} ends inside a line`);
  return lines.map((line) => {
    const letter = JSON.parse(line) as Letter;
    return { ...letter, raw: Buffer.from(letter.raw, 'base64').toString() };
  });
}

function collectingLogger(logged: string[]): Logger {
  const log = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { debug: log, info: log, warn: log, error: log };
}
