import { latin1 } from '../../../state/latin1.ts';
import type { KeyText } from './byte-rows.ts';

const firstSlots = 64;
const firstBytes = 1024;
/** Bytes of a number, and most that the length of a key takes. */
const numberBytes = 4;
const lengthBytes = 5;
/** Of two sizes of the slab the larger one: what is empty at its end counts. */
const growth = 1.125;
/** The slots are doubled when so many of them are taken. */
const mostTaken = 0.7;

/**
 * A number for each of many keys, all of it bytes: some 25 for a key of ten, where a Map takes 80 and the garbage collector looks at each.
 *
 * ```
 * slots   open addressing: where a key's entry begins, plus 1; 0: free
 * slab    entries one behind the other: | length of the key, varint | key | number: uint32, little-endian |
 *         'C:8' -> 5 is  03 43 3a 38 05 00 00 00
 * ```
 */
export class KeyNumbers {
  #slots = new Uint32Array(firstSlots);
  #slab = new Uint8Array(firstBytes);
  #used = 0;
  size = 0;

  /** Memory of all of it. */
  get bytes(): number {
    return this.#slots.byteLength + this.#slab.byteLength;
  }

  /** The number of a key; -1 if it has none. */
  get(key: KeyText): number {
    const slab = this.#slab;
    const at = this.#numberAt(this.#slots[this.#slotOf(key)]!);
    if (at < 0) return -1;
    return (slab[at]! | (slab[at + 1]! << 8) | (slab[at + 2]! << 16) | (slab[at + 3]! << 24)) >>> 0;
  }

  /** @param number - From 0 up, below 2^32. */
  set(key: KeyText, number: number): void {
    const at = this.#numberAt(this.placeOf(key) + 1);
    for (let i = 0; i < numberBytes; i++) this.#slab[at + i] = number >>> (8 * i);
  }

  /** Where a key stands, for `keyAt`: it stays there. One that is not there is added, with any number. */
  placeOf(key: KeyText): number {
    let slot = this.#slotOf(key);
    const slotted = this.#slots[slot]!;
    if (slotted !== 0) return slotted - 1;
    if (this.size >= mostTaken * this.#slots.length) {
      this.#moreSlots();
      slot = this.#slotOf(key);
    }
    const place = this.#used;
    this.#used = this.#append(key) + numberBytes;
    this.#slots[slot] = place + 1;
    this.size++;
    return place;
  }

  /** The key that stands at a place. */
  keyAt(place: number): KeyText {
    const end = this.#numberAt(place + 1);
    let at = place;
    while (this.#slab[at]! >= 0x80) at++;
    return latin1(this.#slab, at + 1, end);
  }

  /** The slot that has the key, or the free one that it would get. */
  #slotOf(key: KeyText): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashOf(key) & mask;
    for (let entry = slots[slot]!; entry !== 0 && !this.#isOf(entry - 1, key); entry = slots[slot]!)
      slot = (slot + 1) & mask;
    return slot;
  }

  #isOf(entry: number, key: KeyText): boolean {
    const slab = this.#slab;
    let at = entry;
    let rest = key.length;
    for (; rest >= 0x80; rest >>>= 7) if (slab[at++] !== ((rest & 0x7f) | 0x80)) return false;
    if (slab[at++] !== rest) return false;
    for (let i = 0; i < key.length; i++) if (slab[at + i] !== key.charCodeAt(i)) return false;
    return true;
  }

  /** Where the number of what a slot points to stands; -1 for a free slot. */
  #numberAt(slotted: number): number {
    if (slotted === 0) return -1;
    let at = slotted - 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#slab[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) return at + length;
    }
  }

  /** Writes the key behind the last entry; returns where its number goes. */
  #append(key: KeyText): number {
    const most = this.#used + lengthBytes + key.length + numberBytes;
    if (most > this.#slab.length) {
      const larger = new Uint8Array(Math.max(most, Math.ceil(growth * this.#slab.length)));
      larger.set(this.#slab.subarray(0, this.#used));
      this.#slab = larger;
    }
    const slab = this.#slab;
    let at = this.#used;
    let rest = key.length;
    for (; rest >= 0x80; rest >>>= 7) slab[at++] = (rest & 0x7f) | 0x80;
    slab[at++] = rest;
    for (let i = 0; i < key.length; i++) slab[at++] = key.charCodeAt(i);
    return at;
  }

  #moreSlots(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.#used; ) {
      const end = this.#numberAt(entry + 1);
      let from = entry;
      while (this.#slab[from]! >= 0x80) from++;
      let slot = hashOfBytes(this.#slab, from + 1, end) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
      entry = end + numberBytes;
    }
    this.#slots = slots;
  }
}

function hashOf(key: KeyText): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return spread(hash);
}

function hashOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return spread(hash);
}

/** The lowest bits depend on all: the end of MurmurHash3. */
function spread(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
