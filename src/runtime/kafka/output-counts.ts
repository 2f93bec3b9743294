/** What was written to a topic since the process began, aborted transactions included. */
export interface OutputCount {
  readonly topic: string;
  records: number;
  /** Bytes of keys and values. */
  bytes: number;
}

/** What an instance's tasks have written, by topic. */
export class OutputCounts {
  readonly #counts = new Map<string, OutputCount>();

  of(topic: string): OutputCount {
    let count = this.#counts.get(topic);
    if (count === undefined) {
      count = { topic, records: 0, bytes: 0 };
      this.#counts.set(topic, count);
    }
    return count;
  }

  all(): readonly OutputCount[] {
    return [...this.#counts.values()];
  }
}
