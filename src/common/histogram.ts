/** What a histogram has counted: `counts[i]` values were at most `bounds[i]` and above the bound before; the last count, one more than there are bounds, is of values above all. */
export interface HistogramValue {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts values by size. With the bounds 1 and 5, the values 0.5, 1 and 7 give the counts 2, 0, 1 and the sum 8.5. */
export class Histogram implements HistogramValue {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  /** The bucket of the last value: the next one is mostly in it too. */
  #last = 0;

  /** @param bounds - Ascending. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  /** @param times - How many values of this size there are. */
  observe(value: number, times = 1): void {
    const { bounds, counts } = this;
    let i = this.#last;
    if ((i < bounds.length && value > bounds[i]!) || (i > 0 && value <= bounds[i - 1]!)) {
      i = 0;
      while (i < bounds.length && value > bounds[i]!) i++;
      this.#last = i;
    }
    counts[i]! += times;
    this.sum += value * times;
  }

  /** As it is now. */
  get value(): HistogramValue {
    return { bounds: this.bounds, counts: [...this.counts], sum: this.sum };
  }
}

/** Two histograms over the same bounds as one. */
export function together(a: HistogramValue, b: HistogramValue): HistogramValue {
  return { bounds: a.bounds, counts: a.counts.map((count, i) => count + b.counts[i]!), sum: a.sum + b.sum };
}
