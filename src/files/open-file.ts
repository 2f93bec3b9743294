import type { StreamsError } from '../common/errors.ts';
import type { FilePosition } from './file-batch.ts';
import { endBytes, FingerprintBuilder } from './file-fingerprint.ts';
import { type FileEntry, newEntry } from './file-ledger.ts';
import type { Chunk } from './file-reader.ts';
import type { PendingFile } from './folder-survey.ts';
import { rewrittenError } from './known-file.ts';
import { windowTailBytes } from './scan-outcome.ts';

/**
 * The file in hand: a window of its bytes, and what is to be saved of it.
 *
 * The window always begins 64 KiB before the accepted position (or at the file's start), so that what was read can be hashed up to there at any time.
 */
export class OpenFile {
  readonly file: PendingFile;
  /** The window: content offset `o` stands at `bytes[o - base]`, up to index `end`. */
  bytes: Buffer;
  base: number;
  end: number;
  /** What follows the window. */
  ending: Chunk['ending'];
  /** Bytes read on disk. */
  diskBytes: number;
  /** Rows are accepted up to here. */
  position: FilePosition;
  #start: number;
  #disk: Chunk['disk'];
  readonly #entry: FileEntry;
  readonly #builder: FingerprintBuilder;

  /** Starts with the opening chunk of a file; `sequence` and `beginning` (the hash of its first 64 KiB) are for a new one. @throws StreamsError STREAMS_FILE_REWRITTEN if it has become shorter just now. */
  constructor(topic: string, chunk: Chunk, sequence: number, beginning?: string) {
    const { file, bytes, base, start, end, ending, diskBytes, disk } = chunk;
    this.file = file;
    this.#entry = file.entry ?? newEntry(file.name, file.gzip, sequence);
    const { content, line, openEnd, skipping, layout, record = 0 } = this.#entry;
    if (content.length - base > end) {
      const facts = `saved: ${content.length} bytes read; found: ${base + end} bytes`;
      throw rewrittenError(topic, file, facts);
    }
    this.#builder = new FingerprintBuilder(content, beginning);
    this.position = { offset: content.length, line, openEnd, skipping, layout, ...(record > 0 && { record }) };
    this.bytes = bytes;
    this.base = base;
    this.#start = start;
    this.end = end;
    this.ending = ending;
    this.diskBytes = diskBytes;
    this.#disk = disk;
  }

  /** Moves the window on by the next chunk. Everything before must be accepted. Returns a buffer that is free now. */
  append(chunk: Chunk): Buffer {
    const { offset } = this.position;
    this.#builder.advance(this.bytes, this.base, offset);
    const keepFrom = Math.max(this.#start, offset - endBytes - this.base);
    const kept = this.bytes.subarray(keepFrom, this.end);
    const old = this.bytes;
    this.ending = chunk.ending;
    this.diskBytes = chunk.diskBytes;
    this.#disk = chunk.disk;
    if (kept.length <= chunk.start) {
      kept.copy(chunk.bytes, chunk.start - kept.length);
      this.bytes = chunk.bytes;
      this.base = chunk.base;
      this.#start = chunk.start - kept.length;
      this.end = chunk.end;
      return old;
    }
    // A row of up to 1 MiB that goes on in the new chunk: a window of its own. The old one is left to the garbage collector if it was such.
    const length = kept.length + chunk.end - chunk.start;
    const bytes = Buffer.allocUnsafeSlow(length + windowTailBytes);
    kept.copy(bytes);
    chunk.bytes.copy(bytes, kept.length, chunk.start, chunk.end);
    this.base += keepFrom;
    this.bytes = bytes;
    this.#start = 0;
    this.end = length;
    return chunk.bytes;
  }

  /** The error for a last line that was taken as a whole row, and goes on. */
  torn(topic: string): StreamsError {
    const { file, position, bytes, base, end } = this;
    const at = position.offset - base;
    const found = JSON.stringify(bytes.toString('utf8', at, Math.min(end, at + 40)));
    return rewrittenError(
      topic,
      file,
      `saved: ${position.offset} bytes read, their last line ${position.line - 1} taken as whole without a line end; ` +
        `found: the line goes on with ${found}`,
    );
  }

  /** What is to be saved of it as of the accepted position. */
  entry(done: boolean): FileEntry {
    const { offset, ...state } = this.position;
    const { name, sequence } = this.#entry;
    const { gzip } = this.file;
    this.#builder.advance(this.bytes, this.base, offset);
    const content = this.#builder.finish(this.bytes, this.base);
    return { name, sequence, gzip, done, ...state, content, ...(this.#disk && { disk: this.#disk }) };
  }
}
