/**
 * A small fast generator of pseudo-random numbers (Chris Doty-Humphrey's sfc32): 128 bits of state, the same numbers for the same seed everywhere.
 *
 * Each use takes a stream of its own, so that what one use draws does not move the others: the same events come with and without damage.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0;
    for (let i = 0; i < stream.length; i++) this.#c = Math.imul(this.#c, 31) + stream.charCodeAt(i);
    // The first numbers of similar seeds are similar.
    for (let i = 0; i < 16; i++) this.next();
  }

  /** An integer in `[0, 2^32)`. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** An integer in `[0, n)`, n up to 2^31. */
  below(n: number): number {
    return Math.floor((this.next() / 2 ** 32) * n);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** `count` different integers of `[0, n)`, in random order. */
  distinct(count: number, n: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < Math.min(count, n)) drawn.add(this.below(n));
    return [...drawn];
  }
}
