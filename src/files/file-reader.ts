import type { ByteSource } from './byte-source.ts';
import { endBytes, type Fingerprint } from './file-fingerprint.ts';
import type { PendingFile } from './folder-survey.ts';
import { openContent } from './known-file.ts';
import { windowTailBytes } from './scan-outcome.ts';

/** Bytes read at once if nothing else is said: 1 MiB. */
export const defaultChunkBytes: number = 1 << 20;
/** Room before a chunk for what is kept of the chunk before: the 64 KiB that are hashed, and the beginning of a cut row. */
export const headroomBytes: number = 2 * endBytes;

/** A piece of a file: content offset `o` stands at `bytes[o - base]`, and `[start, end)` was read. A scanner's tail is free behind `end`. */
export interface Chunk {
  readonly file: PendingFile;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly base: number;
  /** `end`: the end of the file as it is now; `cut`: that end is inside a gzip member. */
  readonly ending: 'more' | 'end' | 'cut';
  /** First chunk of the file since it was taken. */
  readonly opening: boolean;
  /** Bytes on disk that were read to get here. */
  readonly diskBytes: number;
  /** Of a gzip file: what these bytes were. */
  readonly disk: Fingerprint | undefined;
}

/** Which file is to be read. */
export interface FileQueue {
  /** The next file, or undefined if there is none now. */
  take(): Promise<PendingFile | undefined>;
  /** The file that was taken is gone. */
  gone(file: PendingFile): void;
  /** Content offset at which a file is taken to end, whatever follows. Absent: where it does. */
  endOf?(name: string): number;
}

/**
 * Reads files one after the other, a chunk ahead: {@link FileReader.prefetch} starts a read in the thread pool, and {@link FileReader.next} takes it.
 * Buffers that are given back with {@link FileReader.recycle} are used again, so that two of them are enough.
 *
 * A file that was read before is read from 64 KiB before its position, since these bytes are hashed with those that follow.
 */
export class FileReader {
  readonly #queue: FileQueue;
  readonly #chunkBytes: number;
  readonly #bufferBytes: number;
  readonly #free: Buffer[] = [];
  #ahead: Promise<Chunk | undefined> | undefined;
  #file: PendingFile | undefined;
  #source: ByteSource | undefined;
  /** Content offset of the next read. */
  #offset = 0;
  /** Content offset up to which the file was read before. */
  #position = 0;
  /** Content offset at which it is taken to end. */
  #end = Number.POSITIVE_INFINITY;
  #opening = false;

  constructor(queue: FileQueue, chunkBytes: number = defaultChunkBytes) {
    this.#queue = queue;
    this.#chunkBytes = chunkBytes;
    this.#bufferBytes = headroomBytes + chunkBytes + windowTailBytes;
  }

  /** The file that was taken last. */
  get file(): PendingFile | undefined {
    return this.#file;
  }

  /** Starts to read the next chunk. */
  prefetch(): void {
    if (this.#ahead !== undefined) return;
    this.#ahead = this.#load();
    // A failure is the business of `next`; until then nobody listens.
    this.#ahead.catch(() => undefined);
  }

  /** The next chunk, or undefined if there is nothing to read now. */
  async next(): Promise<Chunk | undefined> {
    this.prefetch();
    const ahead = this.#ahead;
    try {
      return await ahead;
    } finally {
      this.#ahead = undefined;
    }
  }

  /** Leaves the rest of a file unread. */
  async leave(file: PendingFile): Promise<void> {
    // A failure is the business of `next`.
    const ahead = await this.#ahead?.catch(() => undefined);
    if (ahead?.file === file) {
      this.recycle(ahead.bytes);
      this.#ahead = undefined;
    }
    if (this.#file === file) await this.#closeFile();
  }

  /** Gives a chunk's buffer back. */
  recycle(buffer: Buffer): void {
    if (buffer.length === this.#bufferBytes) this.#free.push(buffer);
  }

  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined);
    await this.#closeFile();
  }

  async #load(): Promise<Chunk | undefined> {
    while (this.#source === undefined) {
      const file = await this.#queue.take();
      if (file === undefined) return undefined;
      if (!(await this.#openFile(file))) this.#queue.gone(file);
    }
    const source = this.#source;
    const file = this.#file!;
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bufferBytes);
    // Of a file that was read before, what stands before the position goes into the headroom, so that the chunk begins at the position.
    const history = this.#opening ? this.#position - this.#offset : 0;
    const start = headroomBytes - history;
    const kept = history === 0 ? 0 : await source.read(bytes, start, history);
    const left = Math.max(0, this.#end - this.#offset - kept);
    const wanted = Math.min(this.#chunkBytes, left);
    const count = kept < history || wanted === 0 ? 0 : await source.read(bytes, headroomBytes, wanted);
    const ending = count === left ? 'end' : count === this.#chunkBytes ? 'more' : source.cut ? 'cut' : 'end';
    const chunk: Chunk = {
      file,
      bytes,
      start,
      end: start + kept + count,
      base: this.#offset - start,
      ending,
      opening: this.#opening,
      diskBytes: source.diskBytes,
      disk: await source.fingerprint(),
    };
    this.#offset += kept + count;
    this.#opening = false;
    if (ending !== 'more') await this.#closeFile();
    return chunk;
  }

  async #openFile(file: PendingFile): Promise<boolean> {
    this.#file = file;
    this.#position = file.entry?.content.length ?? 0;
    this.#offset = Math.max(0, this.#position - endBytes);
    this.#end = this.#queue.endOf?.(file.name) ?? Number.POSITIVE_INFINITY;
    this.#source = await openContent(file, this.#offset, file.size);
    this.#opening = true;
    return this.#source !== undefined;
  }

  async #closeFile(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    await source?.close();
  }
}
