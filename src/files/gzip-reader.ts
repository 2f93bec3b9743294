import { createGunzip, type Gunzip } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { closeDescriptor, readDescriptor } from './descriptor.ts';
import { damagedError } from './feed-errors.ts';
import { type Fingerprint, fingerprintOnDisk } from './file-fingerprint.ts';

const compressedBytes = 1 << 17;
const pieceBytes = 1 << 18;

/**
 * A gzip file, of one or several members, as the bytes that it holds.
 *
 * Compressed bytes are handed to zlib block by block, and its output is drawn before the next block, so that all that a truncated file holds has
 * been delivered when its end is found to be cut.
 */
export class GzipReader implements ByteSource {
  diskBytes = 0;
  cut = false;
  readonly #descriptor: number;
  readonly #path: string;
  readonly #gunzip: Gunzip;
  readonly #block: Buffer = Buffer.allocUnsafeSlow(compressedBytes);
  /** Bytes delivered, decompressed: the place that an error names. */
  #delivered = 0;
  #piece: Buffer = Buffer.alloc(0);
  #writing = false;
  #allWritten = false;
  #ended = false;
  #failure: NodeJS.ErrnoException | undefined;
  #wake: (() => void) | undefined;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#gunzip = createGunzip({ chunkSize: pieceBytes });
    const wake = (): void => this.#wake?.();
    this.#gunzip.on('readable', wake);
    this.#gunzip.on('end', () => {
      this.#ended = true;
      wake();
    });
    this.#gunzip.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error;
      wake();
    });
  }

  async read(target: Buffer, at: number, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#piece.length === 0 && !(await this.#draw())) break;
      const count = Math.min(length - done, this.#piece.length);
      this.#piece.copy(target, at + done, 0, count);
      this.#piece = this.#piece.subarray(count);
      this.#delivered += count;
      done += count;
    }
    return done;
  }

  fingerprint(): Promise<Fingerprint> {
    return fingerprintOnDisk(this.#descriptor, this.#path, this.diskBytes);
  }

  async close(): Promise<void> {
    this.#gunzip.destroy();
    await closeDescriptor(this.#descriptor);
  }

  /** Waits for decompressed bytes; false at the end, cut or not. */
  async #draw(): Promise<boolean> {
    for (;;) {
      const piece = this.#gunzip.read() as Buffer | null;
      if (piece !== null && piece.length > 0) {
        this.#piece = piece;
        return true;
      }
      if (this.#ended) {
        if (!this.cut && this.#gunzip.bytesWritten < this.diskBytes) await this.#passPadding();
        return false;
      }
      if (this.#failure !== undefined) return this.#fail(this.#failure);
      if (!this.#writing) await this.#write();
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  /** zlib takes zero bytes behind a member for the end of all, whatever follows them. */
  async #passPadding(): Promise<void> {
    for (let at = this.#gunzip.bytesWritten; ; ) {
      const count = await readDescriptor(this.#descriptor, this.#path, this.#block, 0, compressedBytes, at);
      if (count === 0) return;
      if (this.#block.subarray(0, count).some((byte) => byte !== 0))
        this.#fail(new Error('there is more behind the zero bytes that follow its compressed data'));
      at += count;
      this.diskBytes = Math.max(this.diskBytes, at);
    }
  }

  async #write(): Promise<void> {
    if (this.#allWritten) {
      this.#writing = true;
      this.#gunzip.end();
      return;
    }
    const count = await readDescriptor(this.#descriptor, this.#path, this.#block, 0, compressedBytes, this.diskBytes);
    this.diskBytes += count;
    if (count === 0) {
      this.#allWritten = true;
      return;
    }
    this.#writing = true;
    this.#gunzip.write(this.#block.subarray(0, count), () => {
      this.#writing = false;
      this.#wake?.();
    });
  }

  /** A file that ends too early is cut: false. Any other failure is thrown. */
  #fail(failure: NodeJS.ErrnoException): boolean {
    // zlib asks for more input only when it has none left, so before the last block is written this cannot be meant.
    if (failure.code === 'Z_BUF_ERROR' && this.#allWritten) {
      this.cut = true;
      this.#ended = true;
      return false;
    }
    const { diskBytes } = this;
    throw damagedError(
      { path: this.#path, kind: 'gzip', offset: this.#delivered, diskBytes, block: this.#block },
      failure,
    );
  }
}
