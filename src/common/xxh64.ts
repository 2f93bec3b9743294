/*
 * XXH64 with seed 0, as frames of zstd are summed up: four lanes of 64 bits take 32 bytes at once, and what is left over comes at the end.
 *
 * Each lane is a pair of 32-bit halves, as numbers of 64 bits are not to be had fast.
 */
const mask = (1n << 64n) - 1n;
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];
const stripeBytes = 32;

/** The hash of bytes that come piece by piece. */
export class Xxh64 {
  /** High and low halves of the lanes. */
  readonly #high: Int32Array = new Int32Array(4);
  readonly #low: Int32Array = new Int32Array(4);
  readonly #rest: Buffer = Buffer.alloc(stripeBytes);
  #restBytes = 0;
  #length = 0;

  constructor() {
    [(p1 + p2) & mask, p2, 0n, -p1 & mask].forEach((lane, i) => {
      this.#high[i] = Number(lane >> 32n);
      this.#low[i] = Number(lane & 0xffffffffn);
    });
  }

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(stripeBytes - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < stripeBytes) return;
      this.#stripes(this.#rest, 0, stripeBytes);
    }
    const end = bytes.length - ((bytes.length - at) % stripeBytes);
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#restBytes = bytes.length - end;
  }

  /** The hash of all bytes so far. */
  digest(): bigint {
    let hash = this.#length >= stripeBytes ? this.#merged() : p5;
    hash = (hash + BigInt(this.#length)) & mask;
    const rest = this.#rest.subarray(0, this.#restBytes);
    let at = 0;
    for (; at + 8 <= rest.length; at += 8)
      hash = (rotated(hash ^ round(0n, rest.readBigUInt64LE(at)), 27n) * p1 + p4) & mask;
    if (at + 4 <= rest.length) {
      hash = (rotated(hash ^ ((BigInt(rest.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask;
      at += 4;
    }
    for (; at < rest.length; at++) hash = (rotated(hash ^ ((BigInt(rest[at]!) * p5) & mask), 11n) * p1) & mask;
    hash = ((hash ^ (hash >> 33n)) * p2) & mask;
    hash = ((hash ^ (hash >> 29n)) * p3) & mask;
    return hash ^ (hash >> 32n);
  }

  #merged(): bigint {
    const lanes = Array.from(this.#low, (low, i) => (BigInt(this.#high[i]! >>> 0) << 32n) | BigInt(low >>> 0));
    let hash = lanes.reduce((sum, lane, i) => sum + rotated(lane, [1n, 7n, 12n, 18n][i]!), 0n) & mask;
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * p1 + p4) & mask;
    return hash;
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [highs, lows] = [this.#high, this.#low];
    for (let at = start; at < end; at += stripeBytes)
      for (let lane = 0; lane < 4; lane++) {
        const low = words.getInt32(at + lane * 8, true);
        const high = words.getInt32(at + lane * 8 + 4, true);
        // lane += word * p2
        let product = lowProduct(low, 0x27d4eb4f);
        let productHigh = highProduct(low, 0x27d4eb4f, high, 0xc2b2ae3d);
        const sum = (lows[lane]! >>> 0) + product;
        const sumHigh = (highs[lane]! + productHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
        const sumLow = sum | 0;
        // rotated by 31, times p1
        const turnedLow = (sumLow << 31) | (sumHigh >>> 1);
        const turnedHigh = (sumHigh << 31) | (sumLow >>> 1);
        product = lowProduct(turnedLow, 0x85ebca87);
        productHigh = highProduct(turnedLow, 0x85ebca87, turnedHigh, 0x9e3779b1);
        lows[lane] = product | 0;
        highs[lane] = productHigh | 0;
      }
  }
}

/** The lower 32 bits of a product, unsigned. */
function lowProduct(a: number, b: number): number {
  return Math.imul(a, b) >>> 0;
}

/** Bits 32 to 63 of the product of two numbers of 64 bits, given in halves. */
function highProduct(aLow: number, bLow: number, aHigh: number, bHigh: number): number {
  const [a0, a1, b0, b1] = [aLow & 0xffff, aLow >>> 16, bLow & 0xffff, bLow >>> 16];
  // Each of these is less than 2^33: exact.
  const low = a0 * b0;
  const first = a1 * b0 + (low - (low % 65_536)) / 65_536;
  const firstLow = first % 65_536;
  const second = a0 * b1 + firstLow;
  const carried = a1 * b1 + (first - firstLow) / 65_536 + Math.floor(second / 65_536);
  // Modulo 2^32, since `| 0` takes no more of a number beyond 2^53.
  return (Math.floor(carried % 4_294_967_296) + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
}

function rotated(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & mask;
}

function round(lane: bigint, word: bigint): bigint {
  return (rotated((lane + word * p2) & mask, 31n) * p1) & mask;
}
