import { StreamsError } from '../common/errors.ts';
import { type ByteSource, PlainSource } from './byte-source.ts';
import { closeDescriptor, openDescriptor } from './descriptor.ts';
import {
  type ContentFingerprint,
  endBytes,
  type Fingerprint,
  fingerprintOfContent,
  fingerprintOnDisk,
  sameFingerprint,
} from './file-fingerprint.ts';
import type { FileEntry } from './file-ledger.ts';
import { type FileStat, type FolderFile, isCoded } from './folder.ts';
import { GzipReader } from './gzip-reader.ts';
import { TextSource } from './text-source.ts';
import { ZstdReader } from './zstd-reader.ts';

/** What a check of a known file found: its entry (new if the file's form has changed), and whether there is more to read. */
export interface KnownFile {
  readonly entry: FileEntry;
  readonly grown: boolean;
}

/** Opens a file's content at an offset of it; undefined if the file is gone. A gzip file is decompressed up to there, a text in another encoding read. */
export async function openContent(
  file: FolderFile,
  offset: number,
  knownSize: number,
): Promise<ByteSource | undefined> {
  const descriptor = await openDescriptor(file.path);
  if (descriptor === undefined) return undefined;
  if (!isCoded(file)) return new PlainSource(descriptor, file.path, offset, knownSize);
  const stored = storedContent(file, descriptor, knownSize);
  const onDisk = async (): Promise<Fingerprint> => fingerprintOnDisk(descriptor, file.path, stored.diskBytes);
  const source = file.text === undefined ? stored : new TextSource(stored, file.text, onDisk);
  const skipped = Buffer.allocUnsafe(Math.min(offset, endBytes));
  for (let at = 0; at < offset; ) {
    const count = await source.read(skipped, 0, Math.min(skipped.length, offset - at));
    if (count === 0) break;
    at += count;
  }
  return source;
}

function storedContent({ path, gzip }: FolderFile, descriptor: number, knownSize: number): ByteSource {
  if (gzip === 'zstd') return new ZstdReader(descriptor, path);
  return gzip ? new GzipReader(descriptor, path) : new PlainSource(descriptor, path, 0, knownSize);
}

/**
 * Checks that a file begins with the bytes that were read of it before.
 *
 * A plain file is held against the hashes of the first and last 64 KiB that were read; a gzip file likewise, as it stands on disk. A gzip file that differs
 * there, or a file that has changed its form, may still hold the same rows: its content is hashed. `whole` hashes all content in any case.
 *
 * @returns undefined if the file is gone.
 * @throws StreamsError STREAMS_FILE_REWRITTEN - it is shorter, or differs.
 */
export async function checkKnownFile(
  topic: string,
  file: FolderFile,
  stat: FileStat,
  entry: FileEntry,
  whole: boolean,
): Promise<KnownFile | undefined> {
  const saved = isCoded(file) ? entry.disk : entry.content;
  if (!whole && file.gzip === entry.gzip && saved !== undefined) {
    const found = await onDisk(file, saved.length);
    if (found === undefined) return undefined;
    if (sameFingerprint(found, saved)) return { entry, grown: stat.size > saved.length };
    if (!isCoded(file)) throw rewritten(topic, file, entry.content, found, stat.size);
  }
  return checkContent(topic, file, stat, entry);
}

/** The content of a file that is the beginning of another one, or all of it, up to `length` bytes of that one's content; undefined if it is not. Reads both. `last`: where the file is taken to end. */
export async function asBeginningOf(
  file: FolderFile,
  whole: FolderFile,
  length: number,
  last: number,
): Promise<ContentFingerprint | undefined> {
  const part = await contentOf(file, Math.min(length + 1, last));
  if (part === undefined || part.length > length) return undefined;
  return (await hasContent(whole, part, false)) ? part : undefined;
}

/** Whether a file has this content; `all`: and nothing else. */
export async function hasContent(file: FolderFile, content: ContentFingerprint, all: boolean): Promise<boolean> {
  const found = await contentOf(file, content.length + (all ? 1 : 0));
  return found !== undefined && sameFingerprint(found, content) && found.crc === content.crc;
}

async function contentOf(file: FolderFile, length: number): Promise<ContentFingerprint | undefined> {
  const source = await openContent(file, 0, length);
  if (source === undefined) return undefined;
  try {
    return await fingerprintOfContent(source, length);
  } finally {
    await source.close();
  }
}

async function onDisk(file: FolderFile, length: number): Promise<Fingerprint | undefined> {
  const descriptor = await openDescriptor(file.path);
  if (descriptor === undefined) return undefined;
  try {
    return await fingerprintOnDisk(descriptor, file.path, length);
  } finally {
    await closeDescriptor(descriptor);
  }
}

async function checkContent(
  topic: string,
  file: FolderFile,
  stat: FileStat,
  entry: FileEntry,
): Promise<KnownFile | undefined> {
  const source = await openContent(file, 0, stat.size);
  if (source === undefined) return undefined;
  try {
    const found = await fingerprintOfContent(source, entry.content.length);
    const { content } = entry;
    if (!sameFingerprint(found, content) || found.crc !== content.crc) {
      throw rewritten(topic, file, content, found, found.length < content.length ? found.length : undefined);
    }
    const grown = (await source.read(Buffer.allocUnsafe(1), 0, 1)) > 0;
    if (!isCoded(file)) {
      const { disk: _, ...plain } = entry;
      return { entry: { ...plain, gzip: false }, grown };
    }
    // What stands on the disk has more than was read: by its fingerprint nothing would be left to read.
    if (grown) return { entry: { ...entry, gzip: file.gzip }, grown };
    const disk = await source.fingerprint();
    return { entry: { ...entry, gzip: file.gzip, ...(disk && { disk }) }, grown };
  } finally {
    await source.close();
  }
}

function rewritten(
  topic: string,
  file: FolderFile,
  saved: ContentFingerprint,
  found: Fingerprint & { readonly crc?: number },
  foundLength: number | undefined,
): StreamsError {
  const shorter = foundLength !== undefined && foundLength < saved.length;
  const facts = shorter
    ? `saved: ${saved.length} bytes read; found: ${foundLength} bytes`
    : `saved: ${describe(saved)}; found: ${describe(found)}`;
  return rewrittenError(topic, file, facts);
}

/** The error for a file whose rows in the state no longer stand in it; `facts` tells what was saved and what was found. */
export function rewrittenError(topic: string, file: FolderFile, facts: string): StreamsError {
  return new StreamsError(
    'STREAMS_FILE_REWRITTEN',
    `${file.path} of topic ${topic} was rewritten after it was read. ${facts}. ` +
      'Put back the file as it was and give changed rows in a new file, or start from an empty state.',
    { topic, file: file.name },
  );
}

function describe(print: Fingerprint & { readonly crc?: number }): string {
  const ends = `first 64 KiB sha256 ${print.first.slice(0, 16)}, last ${print.last.slice(0, 16)}`;
  return `${print.length} bytes, ${ends}${print.crc === undefined ? '' : `, crc32 ${print.crc.toString(16).padStart(8, '0')}`}`;
}
