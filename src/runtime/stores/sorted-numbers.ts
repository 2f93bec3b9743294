/** A set of numbers, ascending. Made for few insertions, mostly at the end: the starts of a store's windows. */
export class SortedNumbers {
  #numbers: number[] = [];

  add(number: number): void {
    const at = this.#indexOf(number);
    if (this.#numbers[at] !== number) this.#numbers.splice(at, 0, number);
  }

  delete(number: number): void {
    const at = this.#indexOf(number);
    if (this.#numbers[at] === number) this.#numbers.splice(at, 1);
  }

  /** Those in `[from, to)`. */
  between(from: number, to: number): readonly number[] {
    return this.#numbers.slice(this.#indexOf(from), this.#indexOf(to));
  }

  /** Those less than the bound. */
  below(bound: number): readonly number[] {
    return this.#numbers.slice(0, this.#indexOf(bound));
  }

  /** Where the first number that is not less stands. */
  #indexOf(number: number): number {
    let low = 0;
    let high = this.#numbers.length;
    if (high > 0 && this.#numbers[high - 1]! < number) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#numbers[middle]! < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
