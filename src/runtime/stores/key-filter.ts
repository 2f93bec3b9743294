import type { KeyText } from './byte-rows.ts';

/** A block: 8 words, in each of which a key sets one bit. Of 16 keys to a block (16 bits each) one absent key in some 500 looks as if it were there. */
const blockWords = 8;
const keysPerBlock = 16;
const firstBlocks = 16;
/** So many keys are kept as they are: most windows of small applications have no more, and a look at a Set costs less. */
const fewKeys = 64;
/** A full layer is followed by one of so many times its size. */
const growth = 4;
/** Odd numbers that spread one hash over the words of a block: those of Parquet's filters. */
const salts: readonly number[] = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
];

interface Layer {
  readonly words: Uint32Array;
  /** Blocks less one: their number is a power of two. */
  readonly mask: number;
  room: number;
}

/**
 * A set of keys that never says of a key in it that it is absent, and of few others that they are there, in some two bytes a key: a Bloom filter in layers, as nobody knows how many
 * keys will come.
 *
 * @see https://github.com/apache/parquet-format/blob/master/BloomFilter.md
 */
export class KeyFilter {
  readonly #layers: Layer[] = [];
  /** All keys, while they are few; undefined: they are in the layers. */
  #few: Set<KeyText> | undefined = new Set();
  /** Memory of the layers. */
  bytes = 0;
  /** The key hashed last: one that is added was looked for before. */
  #hashed: KeyText | undefined;
  #block = 0;
  #bits = 0;

  /** Bytes by which the next key makes it grow: 0 mostly. */
  get growth(): number {
    if (this.#few !== undefined) return this.#few.size < fewKeys ? 0 : 4 * blockWords * this.#nextBlocks();
    const last = this.#layers.at(-1);
    return last === undefined || last.room === 0 ? 4 * blockWords * this.#nextBlocks() : 0;
  }

  add(key: KeyText): void {
    const few = this.#few;
    if (few !== undefined) {
      few.add(key);
      if (few.size <= fewKeys) return;
      this.#few = undefined;
      for (const each of few) this.#addToLayers(each);
      return;
    }
    this.#addToLayers(key);
  }

  #addToLayers(key: KeyText): void {
    if (this.growth > 0) this.#grow();
    const layer = this.#layers.at(-1)!;
    layer.room--;
    this.#hash(key);
    const at = (this.#block & layer.mask) * blockWords;
    for (let i = 0; i < blockWords; i++) layer.words[at + i]! |= 1 << (Math.imul(this.#bits, salts[i]!) >>> 27);
  }

  /** False: it was not added. */
  mayHave(key: KeyText): boolean {
    if (this.#few !== undefined) return this.#few.has(key);
    this.#hash(key);
    for (let i = this.#layers.length - 1; i >= 0; i--) if (this.#layerHas(this.#layers[i]!)) return true;
    return false;
  }

  #layerHas({ words, mask }: Layer): boolean {
    const at = (this.#block & mask) * blockWords;
    for (let i = 0; i < blockWords; i++)
      if ((words[at + i]! & (1 << (Math.imul(this.#bits, salts[i]!) >>> 27))) === 0) return false;
    return true;
  }

  #hash(key: KeyText): void {
    if (key === this.#hashed) return;
    this.#hashed = key;
    let a = 0x811c9dc5;
    let b = 0x3c6ef372;
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b + unit, 0x85ebca6b) ^ (b >>> 15);
    }
    this.#block = mixed(a);
    this.#bits = mixed(b);
  }

  #nextBlocks(): number {
    return firstBlocks * growth ** this.#layers.length;
  }

  #grow(): void {
    const blocks = this.#nextBlocks();
    const words = new Uint32Array(blocks * blockWords);
    this.#layers.push({ words, mask: blocks - 1, room: blocks * keysPerBlock });
    this.bytes += words.byteLength;
  }
}

/** Every bit of the hash depends on every bit of what was hashed: the end of MurmurHash3. */
function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
