import { createHash } from 'node:crypto';
import { StreamsError } from '../common/errors.ts';
import { rangeInName } from '../sink/file-names.ts';
import { headerLinesOf } from './file-dialect.ts';
import { type ContentFingerprint, endBytes, hashOfBeginning } from './file-fingerprint.ts';
import type { FileEntry, FileLedger } from './file-ledger.ts';
import { FileOpenings } from './file-openings.ts';
import type { Chunk } from './file-reader.ts';
import { type FileStat, type FolderFile, isCoded, statFile } from './folder.ts';
import type { FolderSurvey } from './folder-survey.ts';
import { asBeginningOf, checkKnownFile, type KnownFile } from './known-file.ts';
import type { RowFormat } from './row-format.ts';
import { SameRecords } from './same-records.ts';

/** Short files that are gone, with which a longer one is compared: those that were begun last. */
const mostGone = 64;

/** So many files that begin with the same row are held against a new one: those that were begun last. */
const mostAlike = 16;

/** What a new file holds of a known one: as its entry, all that was read of that one and perhaps more; or only a `part` of it, and nothing else. */
export type FoundContent =
  | { readonly as: FileEntry; readonly entry: FileEntry; readonly grown: boolean; readonly part?: undefined }
  | { readonly as: FileEntry; readonly part: ContentFingerprint };

/**
 * Finds out whether a file of a new name holds what was read before under another one: it was renamed or copied, whole or in part, and may have grown since, or is packed now.
 * And whether one that has grown has only grown as another one had: it was copied again, or its copy was under way when it was seen first.
 *
 * Only files with rows are known by their content: there are many that are empty or have nothing but a header. Where a format makes records of the name of their file, files of the same bytes are known
 * only if their records are the same under both names. A file of less than 64 KiB that is gone is found again in a
 * longer one among the last 64 of those; one that is there, among the last 16 that begin with the same row. A part of a file is found while that one is there.
 */
export class KnownContent {
  readonly #topic: string;
  readonly #ledger: FileLedger;
  readonly #survey: Pick<FolderSurvey, 'get' | 'has' | 'changes'>;
  readonly #openings: FileOpenings;
  readonly #format: RowFormat<unknown, unknown>;
  readonly #headerLines: number;
  /** Names of short files that are gone, as of a number of changes of the survey. */
  #gone: readonly string[] = [];
  #goneAsOf = -1;

  /**
   * @param survey - Which files are in the folder.
   * @param format - How rows are read.
   */
  constructor(
    topic: string,
    ledger: FileLedger,
    survey: Pick<FolderSurvey, 'get' | 'has' | 'changes'>,
    format: RowFormat<unknown, unknown>,
  ) {
    const headerLines = headerLinesOf(format.dialect);
    this.#format = format;
    this.#topic = topic;
    this.#ledger = ledger;
    this.#survey = survey;
    this.#headerLines = headerLines;
    this.#openings = new FileOpenings(ledger, survey, headerLines);
  }

  /**
   * What a file that was opened just now holds of a known one beyond what was read of it; undefined if its rows are new.
   *
   * @param first - What {@link beginningOf} says of the chunk.
   * @param last - Content offset at which the file is taken to end, whatever follows.
   */
  async find(
    chunk: Chunk,
    first: string | undefined,
    last: number = Number.POSITIVE_INFINITY,
  ): Promise<FoundContent | undefined> {
    const { file, bytes, base, start, end, ending } = chunk;
    const same = new SameRecords(this.#format, chunk);
    // Of a file of which more than 64 KiB were read, the chunk has not the beginning.
    const isBeginning = start + base === 0;
    const content = bytes.subarray(start, isBeginning ? end : start);
    const read = file.entry?.content.length ?? -1;
    const isMore = ({ name, content: { length } }: FileEntry): boolean =>
      length > read && name !== file.name && !otherRange(file.name, name);
    const opening = isBeginning
      ? await this.#openings.alike(file.name, content, ending !== 'more')
      : this.#alikeBeyond(first);
    const alike = opening
      .filter(isMore)
      .sort((a, b) => b.sequence - a.sequence)
      .slice(0, mostAlike);
    for (const as of this.#candidates(content, first, alike)) {
      if (!isMore(as) || as.content.length > last || !same.under(as.name)) continue;
      const stat = statFile(file.path);
      if (stat === undefined) return undefined;
      const known = await this.#beginsWith(file, stat, as);
      if (known === undefined) continue;
      const { disk: _, ...rest } = known.entry;
      const entry = { ...(isCoded(file) ? known.entry : rest), name: file.name, gzip: file.gzip };
      return { entry, as, grown: known.grown };
    }
    for (const as of alike) {
      const whole = same.under(as.name) ? this.#survey.get(as.name) : undefined;
      const part = whole === undefined ? undefined : await asBeginningOf(file, whole, as.content.length, last);
      if (part !== undefined && part.length > read) return { as, part };
    }
    return undefined;
  }

  async #beginsWith(file: FolderFile, stat: FileStat, as: FileEntry): Promise<KnownFile | undefined> {
    try {
      return await checkKnownFile(this.#topic, file, stat, as, true);
    } catch (error) {
      // It only begins or ends alike.
      if (StreamsError.is(error) && error.code === 'STREAMS_FILE_REWRITTEN') return undefined;
      throw error;
    }
  }

  /** Entries whose beginning the content has; the longest first. */
  #candidates(content: Buffer, first: string | undefined, opening: readonly FileEntry[]): FileEntry[] {
    const { length } = content;
    const alike = first === undefined ? [] : this.#ledger.beginningWith(first);
    // Of a short file that goes on otherwise the hash says nothing.
    const found = alike.filter((entry) => entry.content.length >= endBytes || entry.content.length === length);
    const gone = this.#goneShort().filter((entry) => entry.content.length < length);
    const serves = ({ line, record }: FileEntry): boolean => line > this.#headerLines + 1 || record !== undefined;
    const all = new Set([...found.filter(serves), ...beginnings(content, gone.filter(serves)), ...opening]);
    return [...all].sort((a, b) => b.content.length - a.content.length);
  }

  /** Entries of files in the folder whose first 64 KiB have this hash. */
  #alikeBeyond(first: string | undefined): FileEntry[] {
    return first === undefined ? [] : this.#ledger.beginningWith(first).filter(({ name }) => this.#survey.has(name));
  }

  #goneShort(): FileEntry[] {
    const { changes } = this.#survey;
    if (this.#goneAsOf !== changes) {
      this.#gone = [...this.#ledger.short()].filter((name) => !this.#survey.has(name));
      this.#goneAsOf = changes;
    }
    return this.#gone.map((name) => this.#ledger.get(name)).filter((entry) => entry !== undefined);
  }
}

/** The hash of the first 64 KiB of a file by its opening chunk, or of all of a shorter one; undefined if the chunk has neither. */
export function beginningOf({ file, bytes, base, start, end, ending }: Chunk): string | undefined {
  if (start + base > 0) return file.entry?.content.first;
  return end - start < endBytes && ending === 'more' ? undefined : hashOfBeginning(bytes.subarray(start, end));
}

/** Whether both are files of a sink, of other records each: rows that are equal came twice then. */
function otherRange(a: string, b: string): boolean {
  const [one, other] = [rangeInName(a), rangeInName(b)];
  if (one === undefined || other === undefined) return false;
  return one.stem !== other.stem || one.first !== other.first || one.last !== other.last;
}

/** Those of short files that the content begins with. */
function beginnings(content: Buffer, gone: readonly FileEntry[]): FileEntry[] {
  if (gone.length === 0) return [];
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
