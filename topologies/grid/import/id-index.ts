/** Slots of the table of an empty index; a power of two. */
const firstSlots = 1024;

/**
 * Distinct ids as dense numbers, in the order in which they came: the first is 0.
 *
 * A million ids of ten digits take 24 MB, a quarter of a Map's memory: their bytes stand one after the other, and a table of numbers finds them.
 */
export class IdIndex {
  #bytes: Buffer = Buffer.alloc(firstSlots * 8);
  #ends = new Uint32Array(firstSlots);
  /** Number + 1 of the id in each slot; 0: free. */
  #slots = new Int32Array(firstSlots);
  #size = 0;
  #scratch: Buffer = Buffer.alloc(256);

  /** How many ids there are. */
  get size(): number {
    return this.#size;
  }

  /** The id of a number. */
  text(index: number): string {
    return this.#bytes.toString('utf8', this.#start(index), this.#ends[index]);
  }

  /** The number of an id, or -1. */
  find(id: string): number {
    return this.#slots[this.#slotOf(this.#encode(id))]! - 1;
  }

  /** The number of an id, which it gets now if it has none: it is then the `size` from before. */
  add(id: string): number {
    const length = this.#encode(id);
    const slot = this.#slotOf(length);
    const known = this.#slots[slot]!;
    if (known > 0) return known - 1;
    const index = this.#size++;
    const start = this.#start(index);
    if (start + length > this.#bytes.length) this.#bytes = grown(this.#bytes, start + length);
    this.#scratch.copy(this.#bytes, start, 0, length);
    if (index >= this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[index] = start + length;
    this.#slots[slot] = index + 1;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  #start(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  /** Puts the bytes of an id into the scratch; returns their number. */
  #encode(id: string): number {
    // Three bytes a UTF-16 unit are the most that UTF-8 takes.
    if (id.length * 3 > this.#scratch.length) this.#scratch = Buffer.alloc(id.length * 3);
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      if (unit > 0x7f) return this.#scratch.write(id, 'utf8');
      this.#scratch[i] = unit;
    }
    return id.length;
  }

  /** The slot of the id in the scratch, or the free one that it would get. */
  #slotOf(length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(this.#scratch, 0, length) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return slot;
      const start = this.#start(entry - 1);
      const end = this.#ends[entry - 1]!;
      if (end - start === length && this.#bytes.compare(this.#scratch, 0, length, start, end) === 0) return slot;
    }
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = hash(this.#bytes, this.#start(index), this.#ends[index]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

function grown(bytes: Buffer, atLeast: number): Buffer {
  const larger = Buffer.alloc(Math.max(bytes.length * 2, atLeast));
  bytes.copy(larger);
  return larger;
}

/** FNV-1a, its bits mixed once more. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
