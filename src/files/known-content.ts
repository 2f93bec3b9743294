import { createHash, hash } from 'node:crypto';
import { StreamsError } from '../common/errors.ts';
import { rangeInName } from '../sink/file-names.ts';
import { endBytes } from './file-fingerprint.ts';
import type { FileEntry, FileLedger } from './file-ledger.ts';
import type { Chunk } from './file-reader.ts';
import { statFile } from './folder.ts';
import { checkKnownFile } from './known-file.ts';

/** Short files that are gone, with which a longer one is compared: those that were begun last. */
const mostGone = 64;

/**
 * Finds out whether a file of a new name holds what was read before under another one: it was renamed or copied, and may have grown since, or is packed now.
 *
 * Only files with rows are known by their content: there are many that are empty or have nothing but a header. A file of less than 64 KiB is found again in a longer
 * one if it is gone itself, and among the last 64 of those.
 */
export class KnownContent {
  readonly #topic: string;
  readonly #ledger: FileLedger;
  readonly #isThere: (name: string) => boolean;

  /** @param isThere - Whether a file of this name is in the folder. */
  constructor(topic: string, ledger: FileLedger, isThere: (name: string) => boolean) {
    this.#topic = topic;
    this.#ledger = ledger;
    this.#isThere = isThere;
  }

  /** The entry of what a file that was opened just now begins with, as its own; undefined if its rows are new. */
  async find({
    file,
    bytes,
    start,
    end,
    ending,
  }: Chunk): Promise<{ readonly entry: FileEntry; readonly as: FileEntry; readonly grown: boolean } | undefined> {
    const content = bytes.subarray(start, end);
    for (const as of this.#candidates(file.name, content, ending !== 'more')) {
      const stat = statFile(file.path);
      if (stat === undefined) return undefined;
      try {
        const known = await checkKnownFile(this.#topic, file, stat, as, true);
        if (known === undefined) return undefined;
        const { disk: _, ...rest } = known.entry;
        const entry = { ...(file.gzip ? known.entry : rest), name: file.name, gzip: file.gzip };
        return { entry, as, grown: known.grown };
      } catch (error) {
        // It only begins or ends alike.
        if (!StreamsError.is(error) || error.code !== 'STREAMS_FILE_REWRITTEN') throw error;
      }
    }
    return undefined;
  }

  /** Entries whose beginning the content has; the longest first. */
  #candidates(name: string, content: Buffer, whole: boolean): FileEntry[] {
    const first = content.length < endBytes ? '' : hash('sha256', content.subarray(0, endBytes), 'hex');
    const own = content.length < endBytes && whole ? hash('sha256', content, 'hex') : '';
    const found: FileEntry[] = [];
    const gone: FileEntry[] = [];
    for (const entry of this.#ledger.entries()) {
      const { length, first: print } = entry.content;
      if (entry.line <= 2) continue;
      if (length >= endBytes) {
        if (print === first) found.push(entry);
      } else if (length === content.length && print === own) found.push(entry);
      else if (length < content.length && !this.#isThere(entry.name)) gone.push(entry);
    }
    const all = [...found, ...beginnings(content, gone)].filter((entry) => !otherRange(name, entry.name));
    return all.sort((a, b) => b.content.length - a.content.length);
  }
}

/** Whether both are files of a sink, of other records each: rows that are equal came twice then. */
function otherRange(a: string, b: string): boolean {
  const [one, other] = [rangeInName(a), rangeInName(b)];
  if (one === undefined || other === undefined) return false;
  return one.stem !== other.stem || one.first !== other.first || one.last !== other.last;
}

/** Those of short files that the content begins with. */
function beginnings(content: Buffer, gone: readonly FileEntry[]): FileEntry[] {
  const last = [...gone].sort((a, b) => b.sequence - a.sequence).slice(0, mostGone);
  last.sort((a, b) => a.content.length - b.content.length);
  const hashing = createHash('sha256');
  let at = 0;
  return last.filter(({ content: { length, first } }) => {
    hashing.update(content.subarray(at, length));
    at = length;
    return hashing.copy().digest('hex') === first;
  });
}
