import type { Reader, WriteBatch } from '../../state/database.ts';
import { concatBytes, fromUtf8, prefixEnd, utf8 } from '../common/bytes.ts';
import { StreamsError } from '../common/errors.ts';
import type { FeedProgress } from '../runtime/feed.ts';
import { metaKey } from '../runtime/state-folder.ts';
import { columnsDifference } from './file-dialect.ts';
import { type ContentFingerprint, emptyFingerprint, endBytes, type Fingerprint } from './file-fingerprint.ts';
import type { Packing } from './folder.ts';
import type { ScanState } from './scan-outcome.ts';

/** What is known of a file: how far its rows are in the state, and what its bytes were up to there. */
export interface FileEntry extends ScanState {
  /** Path in the topic's folder, without `.gz` or `.zst`. */
  readonly name: string;
  /** Order in which files were begun, from 0. */
  readonly sequence: number;
  /** The form it had when it was read last. */
  readonly gzip: Packing;
  /** It was read to its end, and nothing waits. It may grow all the same. */
  readonly done: boolean;
  /** Its content, decompressed, up to the position. */
  readonly content: ContentFingerprint;
  /** For a packed file: what was read of it on disk to get there. */
  readonly disk?: Fingerprint;
}

/** A file that has nothing but the beginning of another one: it was passed over. */
export interface FilePart {
  readonly name: string;
  /** The file that had its rows. */
  readonly as: string;
  readonly content: ContentFingerprint;
}

/** Counters that are saved with the position, and the lengths of the letters' files. */
export interface FeedCounters {
  readonly rows: number;
  readonly dead: number;
  readonly late: number;
  readonly skipped: number;
  readonly deadByReason: FeedProgress['deadByReason'];
  readonly deadBytes: number;
  readonly lateBytes: number;
}

/** First byte of each row: the layout's version. */
const version = 1;

/** The entry of a file that is read for the first time. */
export function newEntry(name: string, gzip: Packing, sequence: number): FileEntry {
  const start = { line: 1, openEnd: false, skipping: false, layout: undefined };
  return { ...start, name, sequence, gzip, done: false, content: emptyFingerprint };
}

/** Bytes on disk that an entry stands for. */
export function bytesOnDisk(entry: FileEntry): number {
  return entry.disk?.length ?? entry.content.length;
}

/**
 * Which files of a folder are in the state, and how far: the saved position of a feed.
 *
 * Rows under the key prefix `P`: `P 'c'` counters; `P 'f' name` one file; `P 'p' name` one part of a file. Each value is a version byte and UTF-8 JSON. A commit writes the rows that changed.
 */
export class FileLedger {
  readonly #topic: string;
  readonly #columns: readonly string[];
  readonly #filePrefix: Uint8Array;
  readonly #partPrefix: Uint8Array;
  readonly #counterKey: Uint8Array;
  readonly #entries: Map<string, FileEntry> = new Map();
  readonly #changed: Set<string> = new Set();
  readonly #parts: Map<string, FilePart> = new Map();
  readonly #changedParts: Set<string> = new Set();
  /** Names by the hash of their first 64 KiB, so that a new file need not be held against all. */
  readonly #byFirst: Map<string, Set<string>> = new Map();
  /** Names of files that end within their first 64 KiB. */
  readonly #short: Set<string> = new Set();
  #nextSequence = 0;
  #savedCounters = '';

  constructor(topic: string, columns: readonly string[], keyPrefix: Uint8Array) {
    this.#topic = topic;
    this.#columns = columns;
    this.#filePrefix = concatBytes(keyPrefix, utf8('f'));
    this.#partPrefix = concatBytes(keyPrefix, utf8('p'));
    this.#counterKey = concatBytes(keyPrefix, utf8('c'));
  }

  /** Reads all rows; the counters, if there are any. */
  async load(reader: Reader): Promise<FeedCounters | undefined> {
    for await (const page of reader.pages(rangeOf(this.#filePrefix)))
      for (const [, value] of page) this.#set(this.#decode<FileEntry>(value));
    for await (const page of reader.pages(rangeOf(this.#partPrefix)))
      for (const [, value] of page) {
        const part = this.#decode<FilePart>(value);
        this.#parts.set(part.name, part);
      }
    const saved = reader.get(this.#counterKey);
    if (saved === undefined) return undefined;
    const { columns, ...counters } = this.#decode<FeedCounters & { columns: readonly string[] }>(saved);
    this.#checkColumns(columns);
    return counters;
  }

  /** The number of a file that is begun now. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  get(name: string): FileEntry | undefined {
    return this.#entries.get(name);
  }

  entries(): Iterable<FileEntry> {
    return this.#entries.values();
  }

  /** Entries of files whose first 64 KiB (or all, where there is less) have this hash. */
  beginningWith(first: string): FileEntry[] {
    return Array.from(this.#byFirst.get(first) ?? [], (name) => this.#entries.get(name)!);
  }

  /** Names of files with less than 64 KiB. */
  short(): Iterable<string> {
    return this.#short;
  }

  /** What was passed over under this name. */
  part(name: string): FilePart | undefined {
    return this.#parts.get(name);
  }

  /** Notes for the next commit that a file was passed over. */
  putPart(part: FilePart): void {
    this.#parts.set(part.name, part);
    this.#changedParts.add(part.name);
  }

  /** Notes an entry for the next commit. */
  put(entry: FileEntry): void {
    this.#set(entry);
    if (this.#parts.delete(entry.name)) this.#changedParts.add(entry.name);
    this.#changed.add(entry.name);
  }

  /** Forgets an entry with the next commit: its file is known by another name. */
  remove(name: string): void {
    this.#unlist(name);
    this.#entries.delete(name);
    this.#changed.add(name);
  }

  /** Adds what changed since the last call to the batch. */
  save(batch: WriteBatch, counters: FeedCounters): void {
    for (const name of this.#changed) {
      const key = concatBytes(this.#filePrefix, utf8(name));
      const entry = this.#entries.get(name);
      if (entry === undefined) batch.del(key);
      else batch.put(key, encode(entry));
    }
    this.#changed.clear();
    for (const name of this.#changedParts) {
      const key = concatBytes(this.#partPrefix, utf8(name));
      const part = this.#parts.get(name);
      if (part === undefined) batch.del(key);
      else batch.put(key, encode(part));
    }
    this.#changedParts.clear();
    const row = { columns: this.#columns, ...counters };
    const text = JSON.stringify(row);
    if (text === this.#savedCounters) return;
    this.#savedCounters = text;
    batch.put(this.#counterKey, encode(row));
  }

  #unlist(name: string): void {
    const before = this.#entries.get(name);
    if (before === undefined) return;
    this.#short.delete(name);
    const names = this.#byFirst.get(before.content.first);
    names?.delete(name);
    if (names?.size === 0) this.#byFirst.delete(before.content.first);
  }

  #set(entry: FileEntry): void {
    const { name, content } = entry;
    this.#unlist(name);
    this.#entries.set(name, entry);
    if (content.length < endBytes) this.#short.add(name);
    const names = this.#byFirst.get(content.first);
    if (names === undefined) this.#byFirst.set(content.first, new Set([name]));
    else names.add(name);
    this.#nextSequence = Math.max(this.#nextSequence, entry.sequence + 1);
  }

  /**
   * A saved position names columns by their index, so another list of columns would read other fields. Where no file was begun there is no position: all that was found was
   * refused, and a format that is mended may have other columns.
   */
  #checkColumns(saved: readonly string[]): void {
    if (this.#entries.size === 0 || saved.join() === this.#columns.join()) return;
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `topic ${this.#topic} was read ${columnsDifference(saved, this.#columns)}. Give the format that its files were read with, or start from an empty state.`,
      { topic: this.#topic },
    );
  }

  #decode<T>(value: Uint8Array): T {
    if (value[0] === version) return JSON.parse(fromUtf8(value.subarray(1))) as T;
    throw new StreamsError(
      'STREAMS_STATE_NEWER',
      `the position of topic ${this.#topic} was saved in format ${value[0]}, this version reads ${version}. Use the version that wrote it.`,
      { topic: this.#topic },
    );
  }
}

function rangeOf(prefix: Uint8Array): { readonly gte: Uint8Array; readonly lt?: Uint8Array } {
  const end = prefixEnd(prefix);
  return end === undefined ? { gte: prefix } : { gte: prefix, lt: end };
}

function encode(row: unknown): Uint8Array {
  return concatBytes(Uint8Array.of(version), utf8(JSON.stringify(row)));
}

/** Where a feed's rows live in a state's database. A feed of one partition has its own. */
export function feedPrefix(topic: string, partition?: number): Uint8Array {
  return metaKey(partition === undefined ? `feed/${topic}/` : `feed/${topic}/${partition}/`);
}
