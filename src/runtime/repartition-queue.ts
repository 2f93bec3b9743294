import type { Header } from '../processor/record.ts';

/** Takes a record out of a queue. */
export type QueueReceiver = (key: unknown, value: unknown, timestamp: number, headers: readonly Header[]) => void;

/** Records on their way to a task of another sub-topology, in the order in which they were sent. Columns, so that no object is made for a record. */
export class RepartitionQueue {
  #keys: unknown[] = [];
  #values: unknown[] = [];
  #timestamps: number[] = [];
  #headers: (readonly Header[])[] = [];
  #head = 0;
  readonly #pushed: () => void;

  /** @param pushed - told of each record. */
  constructor(pushed: () => void) {
    this.#pushed = pushed;
  }

  get length(): number {
    return this.#keys.length - this.#head;
  }

  /** Time of the first record; Infinity if there is none. */
  get headMs(): number {
    return this.#timestamps[this.#head] ?? Number.POSITIVE_INFINITY;
  }

  push(key: unknown, value: unknown, timestamp: number, headers: readonly Header[]): void {
    this.#keys.push(key);
    this.#values.push(value);
    this.#timestamps.push(timestamp);
    this.#headers.push(headers);
    this.#pushed();
  }

  /** Takes the first record; false if there is none. */
  take(receive: QueueReceiver): boolean {
    const at = this.#head;
    if (at >= this.#keys.length) return false;
    const key = this.#keys[at];
    const value = this.#values[at];
    const timestamp = this.#timestamps[at]!;
    const headers = this.#headers[at]!;
    this.#head = at + 1;
    if (this.#head === this.#keys.length) {
      // Empty: the arrays keep their memory for the next round.
      this.#keys.length = 0;
      this.#values.length = 0;
      this.#timestamps.length = 0;
      this.#headers.length = 0;
      this.#head = 0;
    }
    receive(key, value, timestamp, headers);
    return true;
  }
}
