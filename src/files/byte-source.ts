import { closeDescriptor, readDescriptor } from './descriptor.ts';
import type { Fingerprint } from './file-fingerprint.ts';

/** The bytes of one file from one offset on, decompressed if it is compressed. One read at a time. */
export interface ByteSource {
  /** Fills `target[at, at + length)`. Gives fewer bytes only at the end of the file. */
  read(target: Buffer, at: number, length: number): Promise<number>;
  /** Bytes of the file on disk that were read so far, those before the start included. */
  readonly diskBytes: number;
  /** The end was reached inside a gzip member: its rest is still to come. */
  readonly cut: boolean;
  /** What was read of the file on disk so far, if that is not its content. */
  fingerprint(): Promise<Fingerprint | undefined>;
  close(): Promise<void>;
}

/** A file as it is. */
export class PlainSource implements ByteSource {
  readonly cut = false;
  diskBytes: number;
  readonly #descriptor: number;
  readonly #path: string;
  readonly #knownSize: number;

  constructor(descriptor: number, path: string, offset: number, knownSize: number) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.diskBytes = offset;
    this.#knownSize = knownSize;
  }

  async read(target: Buffer, at: number, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const count = await readDescriptor(
        this.#descriptor,
        this.#path,
        target,
        at + done,
        length - done,
        this.diskBytes,
      );
      done += count;
      this.diskBytes += count;
      // A short read of a file is its end; asking again would cost a system call a file. A file system that reads short is asked up to the known size.
      if (count === 0 || (done < length && this.diskBytes >= this.#knownSize)) break;
    }
    return done;
  }

  async fingerprint(): Promise<undefined> {}

  close(): Promise<void> {
    return closeDescriptor(this.#descriptor);
  }
}
