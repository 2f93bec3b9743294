import { hash } from 'node:crypto';
import { crc32 } from '../common/crc.ts';
import { readDescriptor } from './descriptor.ts';

/** Bytes at each end of what was read of a file that are hashed: 64 KiB. */
export const endBytes: number = 1 << 16;

/** What the first `length` bytes of a file were. */
export interface Fingerprint {
  readonly length: number;
  /** SHA-256 of the first 64 KiB (or fewer, if the length is less), in hex. */
  readonly first: string;
  /** SHA-256 of the last 64 KiB before `length`, in hex. */
  readonly last: string;
}

/** The fingerprint of content, with a CRC-32 of all of it: the whole-file hash, ten times as fast as a SHA, against accidents rather than forgers. */
export interface ContentFingerprint extends Fingerprint {
  readonly crc: number;
}

/** The fingerprint of no bytes. */
export const emptyFingerprint: ContentFingerprint = {
  length: 0,
  first: sha256(Buffer.alloc(0)),
  last: sha256(Buffer.alloc(0)),
  crc: 0,
};

function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** The hash of the first 64 KiB of content, or of all that there is. */
export function hashOfBeginning(content: Uint8Array): string {
  return sha256(content.subarray(0, endBytes));
}

/** Whether two fingerprints are of the same bytes, as far as both tell. */
export function sameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a.length === b.length && a.first === b.first && a.last === b.last;
}

/**
 * Follows a file's content as it is read. The bytes stand in windows; each window that it is given must hold all since the last
 * {@link FingerprintBuilder.advance}, and 64 KiB before that (or the file's start).
 */
export class FingerprintBuilder {
  #length: number;
  #first: string;
  #crc: number;
  readonly #beginning: string | undefined;

  /** @param beginning - The hash of the first 64 KiB, where it is known already. */
  constructor(from: ContentFingerprint = emptyFingerprint, beginning?: string) {
    this.#beginning = beginning;
    this.#length = from.length;
    this.#first = from.first;
    this.#crc = from.crc;
  }

  /** Takes the content up to offset `to`. The byte at offset `o` of the file is `bytes[o - base]`. */
  advance(bytes: Uint8Array, base: number, to: number): void {
    if (to === this.#length) return;
    this.#crc = crc32(bytes.subarray(this.#length - base, to - base), this.#crc);
    if (this.#length < endBytes)
      this.#first = (to >= endBytes ? this.#beginning : undefined) ?? hashOfBeginning(bytes.subarray(-base, to - base));
    this.#length = to;
  }

  /** The fingerprint of all that was taken; the window must hold its last 64 KiB. */
  finish(bytes: Uint8Array, base: number): ContentFingerprint {
    const length = this.#length;
    const last = length <= endBytes ? this.#first : sha256(bytes.subarray(length - endBytes - base, length - base));
    return { length, first: this.#first, last, crc: this.#crc };
  }
}

/** The fingerprint of the first `length` bytes of a file as it stands on disk; of fewer if it is shorter. */
export async function fingerprintOnDisk(descriptor: number, path: string, length: number): Promise<Fingerprint> {
  const buffer = Buffer.allocUnsafe(Math.min(endBytes, length));
  const read = (position: number): Promise<number> =>
    readDescriptor(descriptor, path, buffer, 0, buffer.length, position);
  const firstBytes = await read(0);
  const first = sha256(buffer.subarray(0, firstBytes));
  if (length <= endBytes) return { length: firstBytes, first, last: first };
  const lastBytes = await read(length - endBytes);
  return { length: length - endBytes + lastBytes, first, last: sha256(buffer.subarray(0, lastBytes)) };
}

/** What content is read from: see ByteSource. */
export interface Readable {
  read(target: Buffer, at: number, length: number): Promise<number>;
}

/** The fingerprint of the first `length` bytes of content, of fewer if it ends before. Reads all of it. */
export async function fingerprintOfContent(source: Readable, length: number): Promise<ContentFingerprint> {
  const buffer = Buffer.allocUnsafe(endBytes * 9);
  const builder = new FingerprintBuilder();
  let offset = 0;
  let keep = 0;
  for (;;) {
    const wanted = Math.min(buffer.length - keep, length - offset);
    const count = await source.read(buffer, keep, wanted);
    offset += count;
    const base = offset - keep - count;
    builder.advance(buffer, base, offset);
    if (count < wanted || offset === length) return builder.finish(buffer, base);
    const end = keep + count;
    keep = Math.min(end, endBytes);
    buffer.copyWithin(0, end - keep, end);
  }
}
