import { dirname, join } from 'node:path';
import type { Reader } from '../../state/database.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { makeFolder } from '../common/make-folder.ts';
import { type FileFormat, ledgerColumns } from './file-dialect.ts';
import { bytesOnDisk, type FileEntry, FileLedger, feedPrefix } from './file-ledger.ts';
import { type FolderFile, listFolder, statFile } from './folder.ts';
import { checkKnownFile } from './known-file.ts';
import { moveFile, removeCopies } from './move-file.ts';

/** Which files are moved where. */
export interface DoneFilesOptions {
  readonly topic: string;
  /** The folder of the topic's files. */
  readonly directory: string;
  /** The folder that gets those that are read. */
  readonly target: string;
  /** How its files are written. */
  readonly format: FileFormat;
  readonly logger: Logger;
}

/**
 * Moves files out of a topic's folder once all their rows are committed, those of dated folders into a folder of the same name. The saved positions know them for ever: a file that is delivered again under its name is not
 * read again, but checked, and moved too.
 *
 * A file that grows after it was moved is not seen: deliver whole files, under their final names only when they are complete.
 */
export class DoneFiles {
  readonly #options: DoneFilesOptions;
  /** What is committed of each file. */
  readonly #ledger: FileLedger;
  /** Folders that are there. */
  readonly #prepared: Set<string> = new Set();
  #moved = 0;

  constructor(options: DoneFilesOptions) {
    this.#options = options;
    this.#ledger = newLedger(options);
  }

  /** How many files were moved. */
  get moved(): number {
    return this.#moved;
  }

  /** Makes the folder, and takes over what is committed. Finishes moves that were killed. */
  async open(saved: Reader): Promise<void> {
    await this.#prepare(this.#options.target);
    await this.#ledger.load(saved);
    await this.sweep();
  }

  /** Moves the files that a commit has completed; `rows` are those that it changed. */
  async committed(rows: Reader): Promise<void> {
    await this.#ledger.load(rows);
    const changed = newLedger(this.#options);
    await changed.load(rows);
    const { topic, directory, format } = this.#options;
    const done = [...changed.entries()].filter((entry) => entry.done);
    if (done.length === 0) return;
    const files = new Map((await listFolder(topic, directory, format)).map((file) => [file.name, file]));
    for (const entry of done) {
      const file = files.get(entry.name);
      if (file?.gzip === entry.gzip) await this.#move(file, entry);
    }
  }

  /** Moves what is in the folder and was committed long ago: left over from a run that was killed, or delivered again. */
  async sweep(): Promise<void> {
    const { topic, directory, format } = this.#options;
    for (const file of await listFolder(topic, directory, format)) {
      const entry = this.#ledger.get(file.name);
      const stat = statFile(file.path);
      if (entry?.done !== true || stat === undefined) continue;
      // Not a file that only has the name of one that was read.
      const known = await checkKnownFile(topic, file, stat, entry, false);
      if (known !== undefined && !known.grown && known.entry.gzip === file.gzip) await this.#move(file, known.entry);
    }
  }

  async #prepare(folder: string): Promise<void> {
    if (this.#prepared.has(folder)) return;
    try {
      await makeFolder(folder);
      await removeCopies(folder);
    } catch (error) {
      const text = `${folder} cannot be made: ${messageOf(error)}. Name another folder with --move-done.`;
      throw new StreamsError('STREAMS_FILE', text, { file: folder, cause: error });
    }
    this.#prepared.add(folder);
  }

  async #move(file: FolderFile, entry: FileEntry): Promise<void> {
    const { topic, target, logger } = this.#options;
    const folder = join(target, dirname(file.name));
    await this.#prepare(folder);
    const outcome = await moveFile(file.path, folder, bytesOnDisk(entry));
    if (outcome.kind === 'left') return;
    this.#moved++;
    const { path } = outcome;
    if (outcome.kind === 'moved') logger.info({ topic, file: file.name, path }, 'file moved');
    else logger.info({ topic, file: file.name, path }, 'file removed: the same bytes were moved there before');
  }
}

function newLedger({ topic, format }: DoneFilesOptions): FileLedger {
  return new FileLedger(topic, ledgerColumns(format), feedPrefix(topic));
}
