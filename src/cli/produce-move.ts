import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Reader } from '../../state/database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { CapturedRows } from '../files/captured-rows.ts';
import { DoneFiles } from '../files/done-files.ts';
import type { FileFormat } from '../files/file-dialect.ts';
import type { FolderInput } from './folder-inputs.ts';

/** Folders are swept for files that are delivered again no more often than this. */
const sweepIntervalMs = 1000;

/** @throws {@link StreamsError} `STREAMS_USAGE` - the folder of `--move-done` is one that is read. */
export async function checkTarget(target: string, folders: readonly FolderInput[]): Promise<void> {
  const real = await realpath(target).catch(() => resolve(target));
  for (const { directory } of folders) {
    if ((await realpath(directory)) !== real) continue;
    throw new StreamsError('STREAMS_USAGE', `--move-done ${target} is a folder of --events: name another one.`);
  }
}

/** Moves the files of all folders that are done. Those of one folder go to the target itself, those of several to a folder in it for each topic. */
export class MoveDone {
  readonly #files: readonly DoneFiles[];
  #sweptMs = 0;

  constructor(target: string, folders: readonly FolderInput[], format: FileFormat, logger: Logger) {
    this.#files = folders.map(
      ({ topic, directory }) =>
        new DoneFiles({
          topic,
          directory,
          target: folders.length === 1 ? target : join(target, topic),
          format,
          logger,
        }),
    );
  }

  /** How many files were moved. */
  get moved(): number {
    return this.#files.reduce((sum, { moved }) => sum + moved, 0);
  }

  /** Takes over what is committed, and moves what earlier runs have left. */
  async open(saved: Reader): Promise<void> {
    for (const files of this.#files) await files.open(saved);
    this.#sweptMs = performance.now();
  }

  /** Moves what a commit has completed. */
  async committed(rows: CapturedRows): Promise<void> {
    const database = await openMemoryDatabase();
    await rows.copyTo(database);
    for (const files of this.#files) await files.committed(database);
    await database.close();
  }

  /** Nothing is to be read: moves what was delivered again. */
  async idle(): Promise<void> {
    if (performance.now() - this.#sweptMs < sweepIntervalMs) return;
    for (const files of this.#files) await files.sweep();
    this.#sweptMs = performance.now();
  }
}
