/** Reads LevelDB's numbers and byte strings one after the other. */
export class NumberReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  get done(): boolean {
    return this.at >= this.#end;
  }

  /** A whole number in groups of 7 bits, lowest first. @throws RangeError at the end of the bytes, or beyond 53 bits */
  next(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (this.at >= this.#end) throw new RangeError('a number is cut off');
      const byte = this.#bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  /** So many bytes. @throws RangeError where there are fewer */
  bytes(length: number): Uint8Array {
    const from = this.at;
    if (from + length > this.#end) throw new RangeError('bytes are cut off');
    this.at += length;
    return this.#bytes.subarray(from, this.at);
  }
}
