import { ZstdFrames } from '../clients/record-batch/zstd-frames.ts';
import type { ByteSource } from './byte-source.ts';
import { closeDescriptor, readDescriptor } from './descriptor.ts';
import { damagedError } from './feed-errors.ts';
import { type Fingerprint, fingerprintOnDisk } from './file-fingerprint.ts';

const compressedBytes = 1 << 16;

/** A zstd file, of one or several frames, as the bytes that it holds. */
export class ZstdReader implements ByteSource {
  diskBytes = 0;
  cut = false;
  readonly #descriptor: number;
  readonly #path: string;
  readonly #frames: ZstdFrames = new ZstdFrames();
  readonly #block: Buffer = Buffer.allocUnsafeSlow(compressedBytes);
  /** Content that was not delivered yet, from `#at` on in the first piece. */
  #pieces: readonly Uint8Array[] = [];
  #next = 0;
  #at = 0;
  #delivered = 0;
  #ended = false;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  async read(target: Buffer, at: number, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const piece = this.#pieces[this.#next];
      if (piece === undefined) {
        if (!(await this.#draw())) break;
        continue;
      }
      const count = Math.min(length - done, piece.length - this.#at);
      target.set(piece.subarray(this.#at, this.#at + count), at + done);
      this.#at += count;
      this.#delivered += count;
      done += count;
      if (this.#at < piece.length) continue;
      this.#next++;
      this.#at = 0;
    }
    return done;
  }

  fingerprint(): Promise<Fingerprint> {
    return fingerprintOnDisk(this.#descriptor, this.#path, this.diskBytes);
  }

  close(): Promise<void> {
    return closeDescriptor(this.#descriptor);
  }

  /** Uncompresses the next block; false at the end, cut or not. */
  async #draw(): Promise<boolean> {
    if (this.#ended) return false;
    const count = await readDescriptor(this.#descriptor, this.#path, this.#block, 0, compressedBytes, this.diskBytes);
    this.diskBytes += count;
    if (count === 0) {
      this.#ended = true;
      this.cut = this.#frames.open;
      return false;
    }
    try {
      this.#pieces = this.#frames.push(this.#block.subarray(0, count));
    } catch (cause) {
      const { diskBytes } = this;
      throw damagedError(
        { path: this.#path, kind: 'zstd', offset: this.#delivered, diskBytes, block: this.#block },
        cause,
      );
    }
    this.#next = 0;
    return true;
  }
}
