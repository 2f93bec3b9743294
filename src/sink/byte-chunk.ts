import { chunkBytes } from './row-encoder.ts';

const firstBytes = 4096;

/** Bytes that are gathered at the end of a growing buffer. */
export class ByteChunk {
  buffer: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  length = 0;

  /** Makes room for so many more bytes. */
  room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.buffer.length, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  text(text: string): void {
    this.room(3 * text.length);
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  /** Takes all bytes, or undefined while they are fewer than a chunk. */
  takeFull(): Uint8Array | undefined {
    return this.length < chunkBytes ? undefined : this.takeAll();
  }

  takeAll(): Uint8Array {
    const bytes = this.buffer.subarray(0, this.length);
    this.buffer = Buffer.allocUnsafeSlow(this.length >= chunkBytes ? chunkBytes + (chunkBytes >> 3) : firstBytes);
    this.length = 0;
    return bytes;
  }
}
