import { type FeedProgress, newProgress } from '../runtime/feed.ts';
import { bytesOnDisk, type FileEntry } from './file-ledger.ts';
import { isCoded } from './folder.ts';
import type { FolderSurvey, PendingFile } from './folder-survey.ts';
import type { OpenFile } from './open-file.ts';

/** How far a feed is with its files and their bytes. Its rows are counted by its batch. */
export class FeedFigures {
  readonly progress: FeedProgress;
  readonly #survey: FolderSurvey;
  /** Rows, and dead ones, before the file in hand; undefined: it is not read from its beginning. */
  #before: { readonly rows: number; readonly dead: number } | undefined;

  constructor(topic: string, survey: FolderSurvey) {
    this.progress = newProgress(topic);
    this.#survey = survey;
  }

  /** What the survey says of the folder has changed. */
  seen(): void {
    this.progress.filesTotal = this.#survey.filesTotal;
    this.progress.bytesTotal = this.#survey.bytesTotal;
    const { refused } = this.#survey;
    if (refused === undefined) delete this.progress.refused;
    else this.progress.refused = refused;
  }

  /** Counts a file as one that was read, or (-1) no longer so. */
  known(entry: FileEntry, times: 1 | -1): void {
    this.progress.bytes += times * bytesOnDisk(entry);
    if (entry.done) this.progress.filesDone += times;
  }

  /** A file is begun, or gone on with. */
  begun({ file, position, diskBytes }: OpenFile): void {
    const { rows, dead } = this.progress;
    this.#before = position.offset === 0 ? { rows, dead } : undefined;
    if (file.entry?.done === true) this.progress.filesDone--;
    if (isCoded(file)) this.read(diskBytes - bytesBefore(file));
  }

  /** So many bytes more of the file in hand, as it stands on disk. */
  read(bytes: number): void {
    this.progress.bytes += bytes;
    // A gzip file that goes on is read from its start: up to where it was, that is nothing new.
    this.progress.bytesRead += Math.max(0, bytes);
  }

  /** The file in hand was read to its end. One of which no row serves, such as one whose header names the columns in another order, is more than so many bad rows. */
  done({ file }: OpenFile): void {
    const { progress } = this;
    progress.filesDone++;
    if (this.#before === undefined) return;
    const dead = progress.dead - this.#before.dead;
    if (progress.rows - this.#before.rows === dead) progress.lost = { ...progress.lost, [file.name]: dead };
  }

  /** The file in hand is refused: it was never begun. */
  refused({ file, diskBytes }: OpenFile): void {
    if (isCoded(file)) this.progress.bytes -= diskBytes - bytesBefore(file);
  }
}

function bytesBefore({ entry }: PendingFile): number {
  return entry === undefined ? 0 : bytesOnDisk(entry);
}
