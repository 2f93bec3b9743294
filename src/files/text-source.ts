import type { ByteSource } from './byte-source.ts';
import type { Fingerprint } from './file-fingerprint.ts';
import { type TextCode, type Transcoder, transcoderOf } from './text-encoding.ts';

const blockBytes = 1 << 17;
const lf = 10;
const cr = 13;

/**
 * A file in another encoding, or with other line ends, as UTF-8 with line feeds. A byte order mark stays one.
 *
 * A character that the file's end cuts is held back, so that what was read of a file stays its beginning when it grows.
 */
export class TextSource implements ByteSource {
  readonly #stored: ByteSource;
  readonly #onDisk: () => Promise<Fingerprint>;
  readonly #transcode: Transcoder | undefined;
  readonly #swapsReturns: boolean;
  readonly #block: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  #piece: Buffer = Buffer.alloc(0);
  #ended = false;

  /** @param onDisk - The fingerprint of what was read of the file as it stands on the disk. */
  constructor(stored: ByteSource, { encoding, lineEnd }: TextCode, onDisk: () => Promise<Fingerprint>) {
    this.#stored = stored;
    this.#onDisk = onDisk;
    this.#transcode = transcoderOf(encoding);
    this.#swapsReturns = lineEnd === 'cr';
  }

  get diskBytes(): number {
    return this.#stored.diskBytes;
  }

  get cut(): boolean {
    return this.#stored.cut;
  }

  fingerprint(): Promise<Fingerprint> {
    return this.#onDisk();
  }

  close(): Promise<void> {
    return this.#stored.close();
  }

  async read(target: Buffer, at: number, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#piece.length === 0 && !(await this.#draw())) break;
      const count = this.#piece.copy(target, at + done, 0, Math.min(length - done, this.#piece.length));
      this.#piece = this.#piece.subarray(count);
      done += count;
    }
    return done;
  }

  /** Decodes the next block; false at the end. */
  async #draw(): Promise<boolean> {
    while (this.#piece.length === 0 && !this.#ended) {
      const count = await this.#stored.read(this.#block, 0, blockBytes);
      this.#ended = count < blockBytes;
      const stored = this.#block.subarray(0, count);
      const piece = this.#transcode?.(stored) ?? stored;
      if (this.#swapsReturns) for (let i = 0; i < piece.length; i++) if (piece[i] === cr) piece[i] = lf;
      this.#piece = piece;
    }
    return this.#piece.length > 0;
  }
}
