import type { History } from '../../../state/versioned-store.ts';
import type { KeyText } from './byte-rows.ts';
import { KeyNumbers } from './key-numbers.ts';

/** Memory of the objects of a history of one or two versions beside the bytes of its values. Measured on Node 20. */
const objectBytes = 280;
/** Of the memory for histories, what their objects may take: others are read from their bytes each time. */
const objectShare = 1 / 8;
/** In the place of a number: the key's history is not known any more. */
const forgotten = 0xffffffff;

/** Histories of keys that were used in the same time. Many keys have the same one: where an equipment is, others are too. */
class HistoryGeneration<V> {
  readonly #read: (bytes: string) => History<V>;
  readonly #objectsMaxBytes: number;
  /** Of a key: where its history stands in `#histories`. */
  readonly #keys = new KeyNumbers();
  /** The distinct histories, as bytes. */
  readonly #histories = new KeyNumbers();
  /** Those that were read, by where they stand. */
  readonly #objects = new Map<number, History<V>>();
  #objectsBytes = 0;

  constructor(read: (bytes: string) => History<V>, objectsMaxBytes: number) {
    this.#read = read;
    this.#objectsMaxBytes = objectsMaxBytes;
  }

  get size(): number {
    return this.#keys.size;
  }

  get bytes(): number {
    return this.#keys.bytes + this.#histories.bytes + this.#objectsBytes;
  }

  /** Where the history of a key stands; -1: it is not known. */
  placeOf(key: KeyText): number {
    const place = this.#keys.get(key);
    return place === forgotten ? -1 : place;
  }

  bytesAt(place: number): string {
    return this.#histories.keyAt(place);
  }

  at(place: number): History<V> {
    const known = this.#objects.get(place);
    if (known !== undefined) return known;
    const bytes = this.bytesAt(place);
    const history = this.#read(bytes);
    const more = objectBytes + bytes.length;
    if (this.#objectsBytes + more <= this.#objectsMaxBytes) {
      this.#objectsBytes += more;
      this.#objects.set(place, history);
    }
    return history;
  }

  /** Returns where the history stands. */
  add(key: KeyText, bytes: string): number {
    const place = this.#histories.placeOf(bytes);
    this.#keys.set(key, place);
    return place;
  }

  forget(key: KeyText): void {
    if (this.#keys.get(key) >= 0) this.#keys.set(key, forgotten);
  }
}

/** Of the memory for histories so much is a full generation: a younger one of a third of it may stand beside it. */
const fullGeneration = 3 / 4;
const youngGeneration = 1 / 4;

/** Histories that were read, by key: as many as there is room for. Of more, those are forgotten that were not used lately. */
export class HistoryCache<V> {
  readonly #maxBytes: number;
  readonly #read: (bytes: string) => History<V>;
  #young: HistoryGeneration<V>;
  #old: HistoryGeneration<V>;

  /**
   * @param maxBytes - Memory for it.
   * @param read - Reads a history from what the database has for it, as latin1 text.
   */
  constructor(maxBytes: number, read: (bytes: string) => History<V>) {
    this.#maxBytes = maxBytes;
    this.#read = read;
    this.#young = this.#generation();
    this.#old = this.#generation();
  }

  /** Keys, those among them twice that are about to be forgotten. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  get(key: KeyText): History<V> | undefined {
    const young = this.#young.placeOf(key);
    if (young >= 0) return this.#young.at(young);
    const old = this.#old.placeOf(key);
    return old < 0 ? undefined : this.add(key, this.#old.bytesAt(old));
  }

  /** Keeps a history; returns it. */
  add(key: KeyText, bytes: string): History<V> {
    if (this.#young.bytes > youngGeneration * this.#maxBytes && this.bytes > fullGeneration * this.#maxBytes) {
      this.#old = this.#young;
      this.#young = this.#generation();
    }
    return this.#young.at(this.#young.add(key, bytes));
  }

  /** The history of a key has changed. */
  forget(key: KeyText): void {
    this.#young.forget(key);
    this.#old.forget(key);
  }

  #generation(): HistoryGeneration<V> {
    return new HistoryGeneration(this.#read, objectShare * this.#maxBytes);
  }
}
