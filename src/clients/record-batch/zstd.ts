import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { tooLarge, UnsupportedData } from './unreadable-batch.ts';

/*
 * A frame, numbers little-endian (RFC 8878):
 *
 * magic 0xfd2fb528 | descriptor int8: 6-7 size of the content size, 5 single segment, 2 checksum, 0-1 size of the dictionary id
 *   | window int8, unless single segment | dictionary id | content size | blocks | checksum int32, if any
 * block: 1 bit last, 2 bits type (0 raw, 1 one byte repeated, 2 compressed), 21 bits size | its bytes: size of them, or the one
 *
 * A frame to skip: magic 0x184d2a50 to 0x184d2a5f | size int32 | bytes
 */
const frameMagic = 0xfd2fb528;
const skippedMagic = 0x184d2a50;
const largestBlock = 1 << 17;

interface Frame {
  readonly start: number;
  readonly end: number;
  /** Where the window's descriptor stands; undefined for a single segment. */
  readonly windowAt: number | undefined;
  /** Bytes that it can hold at most, by the number and kinds of its blocks. */
  readonly most: number;
}

const loadPortable = (): typeof import('fzstd') => createRequire(import.meta.url)('fzstd') as typeof import('fzstd');

/**
 * Bytes of zstd frames, uncompressed. Node has zstd from 22.15 on; before, they are read by JavaScript.
 *
 * @param limit - Frames that can hold more than this are refused, before memory is taken for them.
 * @throws UnsupportedData for what is larger, or needs a dictionary; Error for bytes that are not sound frames.
 */
export function uncompressZstd(
  bytes: Buffer,
  limit: number,
  portable: boolean = !('zstdDecompressSync' in zlib),
): Buffer {
  const parts: Uint8Array[] = [];
  let left = limit;
  for (let at = 0; at < bytes.length; ) {
    const frame = frameAt(bytes, at);
    if (frame.most > left) throw tooLarge(limit);
    if (frame.most > 0) {
      const part = portable ? uncompressPortably(bytes, frame) : uncompressNatively(bytes, frame);
      left -= part.length;
      parts.push(part);
    }
    at = frame.end;
  }
  const first = parts[0];
  return parts.length === 1 ? Buffer.from(first!.buffer, first!.byteOffset, first!.byteLength) : Buffer.concat(parts);
}

function uncompressNatively(bytes: Buffer, { start, end }: Frame): Uint8Array {
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync(bytes: Buffer): Buffer };
  return zstdDecompressSync(bytes.subarray(start, end));
}

/** A window is memory that is filled and moved: one that is larger than what the frame holds is told as smaller. */
function uncompressPortably(bytes: Buffer, { start, end, windowAt, most }: Frame): Uint8Array {
  const frame = Buffer.from(bytes.subarray(start, end));
  if (windowAt !== undefined) {
    const needed = Math.max(0, Math.ceil(Math.log2(most)) - 10);
    if (needed < frame[windowAt - start]! >> 3) frame[windowAt - start] = needed << 3;
  }
  return loadPortable().decompress(frame);
}

function frameAt(bytes: Buffer, start: number): Frame {
  const magic = int32(bytes, start);
  if ((magic & 0xfffffff0) >>> 0 === skippedMagic) {
    const end = start + 8 + int32(bytes, start + 4);
    if (end > bytes.length) throw cut();
    return { start, end, windowAt: undefined, most: 0 };
  }
  if (magic !== frameMagic) throw new Error('a frame does not begin as one of zstd');
  const descriptor = byte(bytes, start + 4);
  if ((descriptor & 3) !== 0) throw new UnsupportedData('needs a dictionary');
  const single = (descriptor & 32) !== 0;
  const sizeBytes = descriptor >> 6 === 0 ? (single ? 1 : 0) : 1 << (descriptor >> 6);
  const sizeAt = start + (single ? 5 : 6);
  const window = single ? Number.POSITIVE_INFINITY : windowBytes(byte(bytes, start + 5));
  const blocks = blocksFrom(bytes, sizeAt + sizeBytes, Math.min(largestBlock, window));
  const end = blocks.end + ((descriptor & 4) === 0 ? 0 : 4);
  if (end > bytes.length) throw cut();
  const size = contentSize(bytes, sizeAt, sizeBytes);
  if (size !== undefined && size > blocks.most)
    throw new Error('a frame says that it holds more than it has blocks for');
  return { start, end, windowAt: single ? undefined : start + 5, most: size ?? blocks.most };
}

function blocksFrom(bytes: Buffer, start: number, largest: number): { readonly end: number; readonly most: number } {
  let at = start;
  let most = 0;
  for (;;) {
    const head = byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16);
    const type = (head >> 1) & 3;
    const size = head >> 3;
    if (type === 3 || size > largestBlock) throw new Error('a frame has a block of no known kind or size');
    at += 3 + (type === 1 ? 1 : size);
    most += type === 2 ? largest : size;
    if (at > bytes.length) throw cut();
    if ((head & 1) === 1) return { end: at, most };
  }
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(bytes: Buffer, at: number, length: number): number | undefined {
  if (length === 0) return undefined;
  if (at + length > bytes.length) throw cut();
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function byte(bytes: Buffer, at: number): number {
  const found = bytes[at];
  if (found === undefined) throw cut();
  return found;
}

function int32(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length) throw cut();
  return bytes.readUInt32LE(at);
}

function cut(): Error {
  return new Error('a frame is cut off');
}
