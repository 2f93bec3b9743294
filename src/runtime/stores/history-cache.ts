import type { History } from '../../../state/versioned-store.ts';
import type { KeyText } from './byte-rows.ts';
import { KeyNumbers } from './key-numbers.ts';

/** Memory of a history of one or two versions beside its bytes, which are there twice: in what it is known by, and in its values. Measured on Node 20. */
const historyBytes = 280;
/** In the place of a number: the key's history is not known any more. */
const forgotten = 0xffffffff;

/** A history, and what the database has for it as latin1 text. */
interface KeptHistory<V> {
  readonly bytes: string;
  readonly history: History<V>;
}

/** Histories of keys that were used in the same time. Many keys have the same one: where an equipment is, others are too. */
class HistoryGeneration<V> {
  readonly #numbers = new KeyNumbers();
  readonly #kept: KeptHistory<V>[] = [];
  readonly #byBytes = new Map<string, number>();
  #keptBytes = 0;

  get size(): number {
    return this.#numbers.size;
  }

  get bytes(): number {
    return this.#numbers.bytes + this.#keptBytes;
  }

  get(key: KeyText): KeptHistory<V> | undefined {
    const number = this.#numbers.get(key);
    return number < 0 || number === forgotten ? undefined : this.#kept[number]!;
  }

  /** What is kept of the same bytes. */
  same(bytes: string): KeptHistory<V> | undefined {
    const number = this.#byBytes.get(bytes);
    return number === undefined ? undefined : this.#kept[number]!;
  }

  add(key: KeyText, kept: KeptHistory<V>): void {
    let number = this.#byBytes.get(kept.bytes);
    if (number === undefined) {
      number = this.#kept.push(kept) - 1;
      this.#byBytes.set(kept.bytes, number);
      this.#keptBytes += historyBytes + 2 * kept.bytes.length;
    }
    this.#numbers.set(key, number);
  }

  forget(key: KeyText): void {
    if (this.#numbers.get(key) >= 0) this.#numbers.set(key, forgotten);
  }
}

/** Of the memory for histories so much is a full generation: a younger one of half as much may stand beside it. */
const fullGeneration = 2 / 3;

/** Histories that were read, by key: as many as there is room for. Of more, those are forgotten that were not used lately. */
export class HistoryCache<V> {
  readonly #fullBytes: number;
  #young = new HistoryGeneration<V>();
  #old = new HistoryGeneration<V>();

  /** @param maxBytes - Memory for it. */
  constructor(maxBytes: number) {
    this.#fullBytes = maxBytes * fullGeneration;
  }

  /** Keys, those among them twice that are about to be forgotten. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  get(key: KeyText): History<V> | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.history;
    const old = this.#old.get(key);
    return old === undefined ? undefined : this.#add(key, old);
  }

  /**
   * Keeps a history.
   *
   * @param bytes - What the database has for it, as latin1 text.
   * @param read - Reads it, if none of the same bytes is kept.
   */
  add(key: KeyText, bytes: string, read: () => History<V>): History<V> {
    const same = this.#young.same(bytes) ?? this.#old.same(bytes);
    return this.#add(key, same ?? { bytes, history: read() });
  }

  /** The history of a key has changed. */
  forget(key: KeyText): void {
    this.#young.forget(key);
    this.#old.forget(key);
  }

  #add(key: KeyText, kept: KeptHistory<V>): History<V> {
    if (this.#young.bytes > this.#fullBytes / 2 && this.bytes > this.#fullBytes) {
      this.#old = this.#young;
      this.#young = new HistoryGeneration();
    }
    this.#young.add(key, kept);
    return kept.history;
  }
}
