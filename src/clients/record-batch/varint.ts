/** Zigzag: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... Exact up to 2^52. */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

/** Bytes that a zigzagged number takes. */
export function varintSize(n: number): number {
  if (n < 0x80) return 1;
  if (n < 0x4000) return 2;
  if (n < 0x200000) return 3;
  if (n < 0x10000000) return 4;
  let size = 4;
  for (let rest = Math.floor(n / 0x10000000); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes a zigzagged number; returns where it ends. */
export function writeVarint(bytes: Uint8Array, at: number, n: number): number {
  let rest = n;
  let to = at;
  while (rest >= 0x10000000) {
    bytes[to++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  let low = rest | 0;
  while (low > 127) {
    bytes[to++] = (low & 127) | 128;
    low >>>= 7;
  }
  bytes[to++] = low;
  return to;
}

/** Reads numbers of variable length one after the other: for what is not read often. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  /** Where the next one begins. */
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    let byte = this.#bytes[this.at++]!;
    let n = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = this.#bytes[this.at++]!;
      n += (byte & 127) * scale;
    }
    return n % 2 === 0 ? n / 2 : -(n + 1) / 2;
  }
}
