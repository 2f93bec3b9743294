import { type Counts, type EventType, eventTypes, type Grouping } from './statistic.ts';

const types = eventTypes.length;

/**
 * All rows of one window, in the order of the exported files: by the group's columns as text, in the order of their UTF-8 bytes.
 *
 * Made for a million keys: their bytes stand one after the other in one buffer, their counts in another, some 50 bytes a key, and no object
 * is kept. `C:8` is kept as `C`, a zero byte, `8`, so that the order of the bytes is the order of the columns.
 */
export class WindowRows {
  readonly startMs: number;
  readonly endMs: number;
  readonly #separated: boolean;
  #bytes: Buffer = Buffer.allocUnsafe(1024);
  /** Where the key of row `i` ends; it begins where that of `i - 1` ends. */
  #ends: Uint32Array = new Uint32Array(32);
  #counts: Float64Array = new Float64Array(32 * types);
  #size = 0;
  /** Rows where a run of ascending keys begins. */
  readonly #runs: number[] = [0];

  constructor(grouping: Grouping, startMs: number, endMs: number) {
    this.#separated = grouping === 'equipment';
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** How many keys the window has. */
  get size(): number {
    return this.#size;
  }

  add(key: string, counts: Counts): void {
    const row = this.#size;
    this.#makeRoom(row, key.length);
    const from = this.#startOf(row);
    this.#ends[row] = from + this.#bytes.write(this.#separated ? key.replace(':', '\0') : key, from);
    for (let t = 0; t < types; t++) this.#counts[row * types + t] = counts[eventTypes[t]!];
    this.#size++;
    if (row > 0 && this.#compare(row - 1, row) > 0) this.#runs.push(row);
  }

  /** Each count that is not 0, by key, then type. */
  *rows(): Iterable<{ readonly key: string; readonly type: EventType; readonly n: number }> {
    const order = this.#runs.length === 1 ? undefined : this.#order();
    for (let i = 0; i < this.#size; i++) {
      const row = order === undefined ? i : order[i]!;
      const key = this.#key(row);
      for (let t = 0; t < types; t++) {
        const n = this.#counts[row * types + t]!;
        if (n !== 0) yield { key, type: eventTypes[t]!, n };
      }
    }
  }

  #key(row: number): string {
    const text = this.#bytes.toString('utf8', this.#startOf(row), this.#ends[row]);
    return this.#separated ? text.replace('\0', ':') : text;
  }

  #startOf(row: number): number {
    return row === 0 ? 0 : this.#ends[row - 1]!;
  }

  #compare(a: number, b: number): number {
    const bytes = this.#bytes;
    return bytes.compare(bytes, this.#startOf(b), this.#ends[b], this.#startOf(a), this.#ends[a]);
  }

  /** Row numbers in order. Each task gives one ascending run, so merging neighbours takes few rounds. */
  #order(): Uint32Array {
    let order = new Uint32Array(this.#size);
    for (let i = 0; i < order.length; i++) order[i] = i;
    let merged = new Uint32Array(this.#size);
    let runs = [...this.#runs, this.#size];
    while (runs.length > 2) {
      const left: number[] = [];
      for (let r = 0; r < runs.length - 1; r += 2) {
        this.#merge(order, merged, runs[r]!, runs[r + 1]!, runs[r + 2] ?? runs[r + 1]!);
        left.push(runs[r]!);
      }
      runs = [...left, this.#size];
      [order, merged] = [merged, order];
    }
    return order;
  }

  /** Merges the runs `[from, middle)` and `[middle, to)`. */
  #merge(order: Uint32Array, merged: Uint32Array, from: number, middle: number, to: number): void {
    let a = from;
    let b = middle;
    for (let i = from; i < to; i++) {
      const takeA = b === to || (a < middle && this.#compare(order[a]!, order[b]!) <= 0);
      merged[i] = order[takeA ? a++ : b++]!;
    }
  }

  #makeRoom(row: number, keyLength: number): void {
    // A UTF-16 unit takes three bytes at most.
    const needed = this.#startOf(row) + keyLength * 3;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    if (row < this.#ends.length) return;
    const ends = new Uint32Array(this.#ends.length * 2);
    ends.set(this.#ends);
    this.#ends = ends;
    const counts = new Float64Array(ends.length * types);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}
