import type { Serde } from '../../serde/serde.ts';
import type { CachedRow } from './cached-row.ts';
import type { Kept, StoreValues } from './store-values.ts';

/** Memory of one cached row beside the bytes of its key and its values: row, slot of a map, and an object of a few numbers. Measured on Node 20 with counts of three numbers. */
const entryBytes = 240;

/** Memory of an array beside its bytes: 150 on the heap, and what the allocator adds. Measured on Node 20 with values of 20 to 2000 bytes. */
const arrayBytes = 200;
/** Bytes of such a value, with the time before it: counted with the row. */
const smallBytes = 40;

/** What rows are counted for in a cache, bytes: the memory of a row, and what serdes write of its key and its values. */
export class RowSizes<K, V> {
  readonly #keySerde: Serde<K>;
  readonly #values: StoreValues<K, V>;
  /** What the serde wrote last of an object that is kept itself: a guess at the next one's. What is like a few numbers is in the memory of a row already. */
  #objectBytes = 0;

  constructor(keySerde: Serde<K>, values: StoreValues<K, V>) {
    this.#keySerde = keySerde;
    this.#values = values;
  }

  of({ key, kept, told }: CachedRow<K, V>): number {
    return entryBytes + this.#keyBytes(key) + this.#sizeOf(kept) + (told === kept ? 0 : this.#sizeOf(told));
  }

  /** Of a row whose value, an object that is kept itself, was written just now: with the time before it `length` bytes. */
  ofWritten(row: CachedRow<K, V>, length: number): number {
    this.learn(length);
    return entryBytes + this.#keyBytes(row.key) + this.#objectBytes;
  }

  /** An object that is kept itself has `length` bytes, with the time before it. */
  learn(length: number): void {
    this.#objectBytes = Math.max(0, length - smallBytes);
  }

  #keyBytes(key: K): number {
    if (typeof key === 'string') return key.length;
    return typeof key === 'object' ? this.#keySerde.serialize(key).length : 0;
  }

  #sizeOf(kept: Kept<V> | undefined): number {
    if (kept === undefined) return 0;
    if (this.#values.asBytes) return arrayBytes + (kept as Uint8Array).length;
    if (typeof kept === 'string') return kept.length;
    return typeof kept === 'object' ? this.#objectBytes : 0;
  }
}
