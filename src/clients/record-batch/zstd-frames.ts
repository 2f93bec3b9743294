import { Decompress } from 'fzstd';
import { Xxh64 } from '../../common/xxh64.ts';

/** The memory that a frame may need: what the zstd command takes without being asked. */
const largestWindow = 1 << 27;
const largestBlock = 1 << 17;
const noBytes: Buffer = Buffer.alloc(0);

/** A frame under way. */
interface OpenFrame {
  readonly decompress: Decompress;
  /** Undefined: it has no checksum. */
  readonly hash: Xxh64 | undefined;
}

/**
 * Frames of zstd (see {@link uncompressZstd}), uncompressed as their bytes come, one after the other: several frames are the content of one file, and frames to skip are passed over.
 * The checksum of a frame that has one is held against its content.
 */
export class ZstdFrames {
  #pending: Buffer = noBytes;
  /** Bytes of a frame that are to be skipped. */
  #skip = 0;
  #frame: OpenFrame | undefined;
  #content: Uint8Array[] = [];

  /** Whether the end here would be inside a frame. */
  get open(): boolean {
    return this.#frame !== undefined || this.#skip > 0 || this.#pending.length > 0;
  }

  /**
   * Takes bytes, and gives the content that they complete, in pieces of up to 128 KiB.
   *
   * @throws Error for what is not a sound frame, or needs a dictionary or more memory than 128 MiB.
   */
  push(bytes: Buffer): readonly Uint8Array[] {
    this.#content = [];
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#step()) {}
    // What is kept is a copy: the caller may use its bytes again.
    this.#pending = Buffer.from(this.#pending);
    return this.#content;
  }

  /** Takes a header, a block or what is skipped, if it is there as a whole. */
  #step(): boolean {
    if (this.#skip > 0) {
      const skipped = this.#take(Math.min(this.#skip, this.#pending.length)).length;
      this.#skip -= skipped;
      return skipped > 0;
    }
    return this.#frame === undefined ? this.#header() : this.#block(this.#frame);
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return taken;
  }

  #header(): boolean {
    const bytes = this.#pending;
    if (bytes.length < 4) return false;
    const magic = bytes.readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      if (bytes.length < 8) return false;
      this.#skip = 8 + bytes.readUInt32LE(4);
      return true;
    }
    if (magic !== 0xfd2fb528) throw new Error('a frame does not begin as one of zstd');
    if (bytes.length < 6) return false;
    const descriptor = bytes[4]!;
    if ((descriptor & 3) !== 0) throw new Error('it needs a dictionary');
    const single = (descriptor & 32) !== 0;
    const sizeBytes = descriptor >> 6 === 0 ? (single ? 1 : 0) : 1 << (descriptor >> 6);
    const headerBytes = (single ? 5 : 6) + sizeBytes;
    if (bytes.length < headerBytes) return false;
    const window = single ? contentBytes(bytes, sizeBytes) : windowBytes(bytes[5]!);
    if (window > largestWindow)
      throw new Error(
        `it needs ${Math.ceil(window / 2 ** 20)} MiB of memory, and 128 are given: compress it without --ultra and --long`,
      );
    const hash = (descriptor & 4) === 0 ? undefined : new Xxh64();
    const decompress = new Decompress((piece) => {
      if (piece.length === 0) return;
      hash?.update(piece);
      // The decompressor moves nothing in a piece that it has given.
      this.#content.push(piece);
    });
    this.#frame = { decompress, hash };
    decompress.push(Buffer.from(this.#take(headerBytes)));
    return true;
  }

  #block({ decompress, hash }: OpenFrame): boolean {
    const bytes = this.#pending;
    if (bytes.length < 3) return false;
    const head = bytes.readUIntLE(0, 3);
    const [isLast, type, size] = [(head & 1) === 1, (head >> 1) & 3, head >> 3];
    if (type === 3 || size > largestBlock) throw new Error('a frame has a block of no known kind or size');
    const blockBytes = 3 + (type === 1 ? 1 : size);
    const sumBytes = isLast && hash !== undefined ? 4 : 0;
    if (bytes.length < blockBytes + sumBytes) return false;
    // Copies: the decompressor may keep what it is given.
    decompress.push(Buffer.from(this.#take(blockBytes + sumBytes)), isLast);
    if (!isLast) return true;
    if (hash !== undefined && bytes.readUInt32LE(blockBytes) !== Number(hash.digest() & 0xffffffffn))
      throw new Error('the checksum of a frame does not match its content');
    this.#frame = undefined;
    return true;
  }
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentBytes(bytes: Buffer, sizeBytes: number): number {
  if (sizeBytes === 8) return Number(bytes.readBigUInt64LE(5));
  return bytes.readUIntLE(5, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}
