import { closeSync, openSync, writeSync } from 'node:fs';

const zero = 0x30;
/** More than any single write of {@link ByteWriter.text} or a row needs. */
const slack = 64 * 1024;

/**
 * Writes a file through one large buffer, which its user may also fill by hand: `buffer[at]` and on, at least 64 KiB after {@link reserve}.
 */
export class ByteWriter {
  readonly buffer: Uint8Array;
  /** Where the next byte goes. */
  at = 0;
  readonly #file: number;
  readonly #flushAt: number;
  #flushed = 0;

  constructor(path: string, bufferBytes: number = 1024 * 1024) {
    this.#file = openSync(path, 'w');
    this.buffer = new Uint8Array(bufferBytes + slack);
    this.#flushAt = bufferBytes;
  }

  /** Bytes written so far: the offset in the file of what comes next. */
  get offset(): number {
    return this.#flushed + this.at;
  }

  /** Makes room for 64 KiB. */
  reserve(): void {
    if (this.at >= this.#flushAt) this.#flush();
  }

  /** ASCII text of up to 64 KiB. */
  text(text: string): void {
    this.reserve();
    const { buffer } = this;
    let { at } = this;
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /** A whole number from 0 on, in decimal. */
  number(value: number): void {
    this.reserve();
    this.at = putNumber(this.buffer, this.at, value);
  }

  /** Bytes of any length. */
  bytes(bytes: Uint8Array): void {
    this.reserve();
    if (bytes.length > slack) {
      this.#flush();
      this.#writeAll(bytes, bytes.length);
      this.#flushed += bytes.length;
    } else {
      this.buffer.set(bytes, this.at);
      this.at += bytes.length;
    }
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    this.#writeAll(this.buffer, this.at);
    this.#flushed += this.at;
    this.at = 0;
  }

  #writeAll(bytes: Uint8Array, length: number): void {
    for (let done = 0; done < length; ) done += writeSync(this.#file, bytes, done, length - done);
  }
}

/** Writes a whole number from 0 on at `target[at]` and returns the index after it. */
export function putNumber(target: Uint8Array, at: number, value: number): number {
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const tens = Math.floor(rest / 10);
    target[i] = zero + (rest - tens * 10);
    rest = tens;
  }
  return end;
}
