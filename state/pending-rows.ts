import { emptyBytes } from '../src/common/bytes.ts';

const leastSlab = 4096;

/**
 * Changes that wait to be merged into pages: columns, so that no object is made for a change. Keys are latin1 text of their bytes, whose order is that of
 * the bytes.
 */
export class PendingRows {
  #starts: number[] = [];
  #keys: string[] = [];
  /** Where each value stands in the slab; a length of -1: the row is removed. */
  #offsets: number[] = [];
  #lengths: number[] = [];
  /** Made when there is something to put into it: most stores that are opened are only read. */
  #slab: Uint8Array = emptyBytes;
  #used = 0;

  get length(): number {
    return this.#keys.length;
  }

  add(startMs: number, key: string, value: Uint8Array | undefined): void {
    const at = this.#place(startMs, key, value?.length ?? -1);
    if (value !== undefined) this.#slab.set(value, at);
  }

  /** As `add`, of a value as latin1 text. */
  addText(startMs: number, key: string, value: string | undefined): void {
    const at = this.#place(startMs, key, value?.length ?? -1);
    if (value !== undefined) for (let i = 0; i < value.length; i++) this.#slab[at + i] = value.charCodeAt(i);
  }

  startOf(i: number): number {
    return this.#starts[i]!;
  }

  keyOf(i: number): string {
    return this.#keys[i]!;
  }

  /** Length of a value, -1 for a removal. */
  lengthOf(i: number): number {
    return this.#lengths[i]!;
  }

  /** A value, good until the next change; undefined for a removal. */
  valueOf(i: number): Uint8Array | undefined {
    const [from, length] = [this.#offsets[i]!, this.#lengths[i]!];
    return length < 0 ? undefined : this.#slab.subarray(from, from + length);
  }

  /** Copies a value. */
  copyTo(i: number, target: Uint8Array, at: number): void {
    const from = this.#offsets[i]!;
    const length = this.#lengths[i]!;
    // Values are short: a loop beats a view and its set.
    if (length <= 64) for (let k = 0; k < length; k++) target[at + k] = this.#slab[from + k]!;
    else target.set(this.#slab.subarray(from, from + length), at);
  }

  /** By window and key; of two changes of a row only the later stays. */
  sort(): void {
    if (this.#ascends()) return;
    const order = Array.from(this.#keys, (_, i) => i).sort((a, b) => this.#compare(a, b) || a - b);
    const last = order.filter((i, at) => at + 1 === order.length || this.#compare(i, order[at + 1]!) !== 0);
    this.#starts = last.map((i) => this.#starts[i]!);
    this.#offsets = last.map((i) => this.#offsets[i]!);
    this.#lengths = last.map((i) => this.#lengths[i]!);
    this.#keys = last.map((i) => this.#keys[i]!);
  }

  clear(): void {
    this.#starts.length = 0;
    this.#keys.length = 0;
    this.#offsets.length = 0;
    this.#lengths.length = 0;
    this.#used = 0;
  }

  #ascends(): boolean {
    for (let i = 1; i < this.#keys.length; i++) if (this.#compare(i - 1, i) >= 0) return false;
    return true;
  }

  #compare(a: number, b: number): number {
    const windows = this.#starts[a]! - this.#starts[b]!;
    if (windows !== 0) return windows;
    const left = this.#keys[a]!;
    const right = this.#keys[b]!;
    return left < right ? -1 : left === right ? 0 : 1;
  }

  /** Adds a change, and makes room for its value: returns where. */
  #place(startMs: number, key: string, length: number): number {
    const at = this.#used;
    this.#starts.push(startMs);
    this.#keys.push(key);
    this.#offsets.push(at);
    this.#lengths.push(length);
    if (length > 0) this.#used += length;
    if (this.#used > this.#slab.length) this.#grow(at);
    return at;
  }

  #grow(kept: number): void {
    const larger = new Uint8Array(Math.max(leastSlab, 2 * this.#slab.length, this.#used));
    larger.set(this.#slab.subarray(0, kept));
    this.#slab = larger;
  }
}
