import type { TableEntry } from '../../processor/node.ts';
import type { Kept, StoreValues } from './store-values.ts';

/** The cached rows of one window, by the identity of their keys. */
export interface CachedWindow<K, V> {
  readonly startMs: number;
  readonly rows: Map<unknown, CachedRow<K, V>>;
  readonly values: StoreValues<K, V>;
  /** Where the bytes of its rows are counted; undefined: they are forgotten. */
  generation: Generation<K, V> | undefined;
}

/** A row in the cache. There can be millions: each field counts. */
export class CachedRow<K, V> implements TableEntry<K, V> {
  readonly key: K;
  /** The one that it stands in: a row that is used again moves. */
  window: CachedWindow<K, V>;
  kept: Kept<V> | undefined = undefined;
  timestamp = -1;
  /** The value last told downstream; it never changes. */
  told: Kept<V> | undefined = undefined;
  /** `kept` is the value itself, this row's alone, which may be changed in place. */
  owned = false;
  dirty = false;
  /** The database has the row; of an unread one: it may have it. */
  stored = false;
  /** Set without having been read: `told` is not known. */
  unread = false;
  /** What is counted for it: memory of a row, and what serdes write of its key and its values. */
  bytes = 0;

  constructor(key: K, window: CachedWindow<K, V>) {
    this.key = key;
    this.window = window;
  }

  get startMs(): number {
    return this.window.startMs;
  }

  get exists(): boolean {
    return this.kept !== undefined;
  }

  /** Small enough that V8 always compiles it into what asks for it. */
  get value(): V | undefined {
    return this.owned ? (this.kept as V) : this.give();
  }

  private give(): V | undefined {
    const { kept } = this;
    if (kept === undefined) return undefined;
    const { values } = this.window;
    const value = values.give(this.key, kept);
    if (values.asBytes) return value;
    this.kept = value;
    this.owned = true;
    return value;
  }
}

/** Rows that were used in the same time, by the start of their windows. */
export class Generation<K, V> {
  readonly windows: Map<number, CachedWindow<K, V>> = new Map();
  count = 0;
  /** Of all its rows. */
  bytes = 0;
  find(identity: unknown, startMs: number): CachedRow<K, V> | undefined {
    return this.windows.get(startMs)?.rows.get(identity);
  }

  /** Takes a row out, to go on in another generation. */
  take(identity: unknown, startMs: number): CachedRow<K, V> | undefined {
    const rows = this.windows.get(startMs)?.rows;
    const row = rows?.get(identity);
    if (row === undefined) return undefined;
    rows!.delete(identity);
    this.count--;
    this.bytes -= row.bytes;
    return row;
  }

  /** Forgets a window. Returns the bytes of its rows. */
  forget(startMs: number): number {
    const window = this.windows.get(startMs);
    if (window === undefined) return 0;
    window.generation = undefined;
    this.windows.delete(startMs);
    this.count -= window.rows.size;
    let bytes = 0;
    for (const row of window.rows.values()) bytes += row.bytes;
    this.bytes -= bytes;
    return bytes;
  }
}
