import type { Logger } from '../common/logger.ts';
import type { FileFormat } from './file-dialect.ts';
import { bytesOnDisk, type FileEntry, type FileLedger } from './file-ledger.ts';
import { inReadingOrder } from './file-order.ts';
import { type FileStat, type FolderFile, listFolder, noFileThere, statFile } from './folder.ts';
import { checkKnownFile, hasContent } from './known-file.ts';

/** A file with rows to read. */
export interface PendingFile extends FolderFile {
  readonly size: number;
  /** Undefined if nothing of it was read yet. */
  readonly entry: FileEntry | undefined;
}

interface SeenFile extends FolderFile, FileStat {
  /** `pending`: has rows to read; `reading`: given out by `take`; `read`: nothing to read when last looked at; `refused`: cannot be read as it is; `part`: all of it was read under another name. */
  state: 'pending' | 'reading' | 'read' | 'refused' | 'part';
  /** Why it is refused. */
  problem?: string;
}

/** Files that are checked at the same time. */
const atOnce = 8;

/** What a survey needs to know of its feed. */
export interface SurveyOptions {
  readonly topic: string;
  readonly directory: string;
  readonly ledger: FileLedger;
  readonly format: FileFormat;
  readonly logger: Logger;
  /** Told of what is left out. */
  readonly leftOut?: ((name: string, why: string) => void) | undefined;
  /** Which files are looked at. @defaultValue all */
  readonly only?: ((name: string) => boolean) | undefined;
}

/**
 * Looks at a folder and tells which files have rows to read, in reading order. A file that was read before is given out only after
 * a check that what was read still stands in it.
 */
export class FolderSurvey {
  readonly #topic: string;
  readonly #directory: string;
  readonly #ledger: FileLedger;
  readonly #format: FileFormat;
  readonly #logger: Logger;
  readonly #tellLeftOut: SurveyOptions['leftOut'];
  readonly #only: (name: string) => boolean;
  readonly #seen: Map<string, SeenFile> = new Map();
  /** Names that were told to be left out. */
  readonly #leftOut: Set<string> = new Set();
  /** Names with state `pending`, in order. */
  #pending: string[] = [];
  #changes = 0;

  constructor(options: SurveyOptions) {
    this.#topic = options.topic;
    this.#directory = options.directory;
    this.#ledger = options.ledger;
    this.#format = options.format;
    this.#logger = options.logger;
    this.#tellLeftOut = options.leftOut;
    this.#only = options.only ?? (() => true);
  }

  /** Whether a file waits to be taken. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Whether no file was there at the last look. */
  get isEmpty(): boolean {
    return this.#seen.size === 0;
  }

  /** Files there now, without those that are parts of others, and files read that are gone. */
  get filesTotal(): number {
    let files = 0;
    for (const { state } of this.#seen.values()) if (state !== 'part') files++;
    for (const { name } of this.#ledger.entries()) if (this.#isGone(name)) files++;
    return files;
  }

  /** The files that are refused as they are now, and why; undefined: none. */
  get refused(): Readonly<Record<string, string>> | undefined {
    let refused: Record<string, string> | undefined;
    for (const { name, problem } of this.#seen.values())
      if (problem !== undefined) refused = { ...refused, [name]: problem };
    return refused;
  }

  /** Bytes on disk of all these files, without those that are refused. */
  get bytesTotal(): number {
    let bytes = 0;
    for (const { size, state } of this.#seen.values()) if (state !== 'refused' && state !== 'part') bytes += size;
    for (const entry of this.#ledger.entries()) if (this.#isGone(entry.name)) bytes += bytesOnDisk(entry);
    return bytes;
  }

  /** Whether a file that was read, and was no part of another one in the end, is not there. */
  #isGone(name: string): boolean {
    return !this.#seen.has(name) && this.#ledger.part(name) === undefined;
  }

  /** The first look: checks every known file, whole if `verify`. */
  async open(verify: boolean): Promise<void> {
    await this.#look('all', verify);
    for (const entry of this.#ledger.entries()) {
      if (entry.done || this.#seen.has(entry.name)) continue;
      this.#logger.warn(
        { topic: this.#topic, file: entry.name, offset: entry.content.length },
        'a file that was not read to its end is gone; it is read on when it is back',
      );
    }
  }

  /** Looks again: for new files, and with `grown` also for changes of the known ones, which costs a system call for each. */
  async look(grown: boolean): Promise<void> {
    await this.#look(grown ? 'changed' : 'new', false);
  }

  /** The first file with rows to read; it is left alone until {@link FolderSurvey.leave}. */
  take(): PendingFile | undefined {
    const name = this.#pending.shift();
    if (name === undefined) return undefined;
    const file = this.#seen.get(name)!;
    file.state = 'reading';
    const { path, gzip, text, size } = file;
    return { name, path, gzip, ...(text && { text }), size, entry: this.#ledger.get(name) };
  }

  /** How often it was found out which files are there: what {@link FolderSurvey.has} says stays as it is as long as this does. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether there is a file of this name, as of the last look. */
  has(name: string): boolean {
    return this.#seen.has(name);
  }

  /** The file of this name, as of the last look. */
  get(name: string): FolderFile | undefined {
    return this.#seen.get(name);
  }

  /** The file that was taken is to be taken again: its entry has changed. */
  again(name: string): void {
    this.#seen.get(name)!.state = 'pending';
    this.#pending.unshift(name);
  }

  /** The file was read up to `diskBytes` and its entry is in the ledger; or it was gone when it was to be read. */
  leave(name: string, diskBytes: number | undefined): void {
    const file = this.#seen.get(name);
    if (file === undefined) return;
    if (diskBytes === undefined) {
      this.#changes++;
      this.#seen.delete(name);
    } else this.#seen.set(name, { ...file, size: Math.max(file.size, diskBytes), state: 'read' });
  }

  /** All of the file was read under another name: it is left alone until it changes. */
  passOver(name: string): void {
    this.#seen.get(name)!.state = 'part';
  }

  /** The file cannot be read as it is: it is left alone until it changes. */
  refuse(name: string, problem: string): void {
    const file = this.#seen.get(name);
    if (file !== undefined) this.#seen.set(name, { ...file, state: 'refused', problem });
  }

  async #look(which: 'all' | 'changed' | 'new', verify: boolean): Promise<void> {
    const leftOut = (name: string, why: string): void => this.#leaveOut(name, why);
    const listed = await listFolder(this.#topic, this.#directory, this.#format, leftOut);
    const names = new Set<string>();
    const toSee: FolderFile[] = [];
    for (const file of listed) {
      if (!this.#only(file.name)) continue;
      names.add(file.name);
      const seen = this.#seen.get(file.name);
      if (seen?.state === 'reading') continue;
      if (seen === undefined || seen.gzip !== file.gzip || which !== 'new') toSee.push(file);
    }
    for (let at = 0; at < toSee.length; at += atOnce) {
      await Promise.all(toSee.slice(at, at + atOnce).map((file) => this.#see(file, verify)));
    }
    for (const [name, { state }] of this.#seen) if (state !== 'reading' && !names.has(name)) this.#seen.delete(name);
    this.#changes++;
    const pending = [...this.#seen.values()].filter(({ state }) => state === 'pending');
    this.#pending = inReadingOrder(pending.map(({ name }) => name));
  }

  /** Says once that something with the name of a file is not read. */
  #leaveOut(name: string, why: string): void {
    if (this.#leftOut.has(name)) return;
    this.#leftOut.add(name);
    this.#tellLeftOut?.(name, why);
    this.#logger.warn({ topic: this.#topic, file: name }, `${name} is left out: ${why}`);
  }

  async #see(file: FolderFile, verify: boolean): Promise<void> {
    const seen = this.#seen.get(file.name);
    const stat = statFile(file.path);
    if (stat === undefined) {
      this.#seen.delete(file.name);
      const why = noFileThere(file.path);
      if (why !== undefined) this.#leaveOut(file.name, why);
      return;
    }
    if (seen !== undefined && sameStat(seen, stat) && seen.gzip === file.gzip) return;
    const entry = this.#ledger.get(file.name);
    const part = this.#ledger.part(file.name);
    const isPart = part !== undefined && (await hasContent(file, part.content, true));
    if (entry === undefined || isPart) {
      this.#seen.set(file.name, { ...file, ...stat, state: isPart ? 'part' : 'pending' });
      return;
    }
    const known = await checkKnownFile(this.#topic, file, stat, entry, verify);
    if (known === undefined) {
      this.#seen.delete(file.name);
      return;
    }
    if (known.entry !== entry) this.#ledger.put(known.entry);
    this.#seen.set(file.name, { ...file, ...stat, state: known.grown || !entry.done ? 'pending' : 'read' });
  }
}

function sameStat(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}
