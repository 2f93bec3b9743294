import type { WriteBatch } from '../../../state/database.ts';
import { isAbsent } from '../../common/absent.ts';
import type { ChangeListener, StoreSpec, TableEntry, TableStore } from '../../processor/node.ts';
import type { ValueAndTimestamp } from '../../processor/rows.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StoreStats } from '../engine-stats.ts';
import { type ByteRows, keyText, type RowListener } from './byte-rows.ts';
import type { CacheMeter } from './cache-meter.ts';
import { CachedRow, type CachedWindow, Generation } from './cached-row.ts';
import { RowSizes } from './row-sizes.ts';
import { RowValueCodec } from './row-value.ts';
import { SortedNumbers } from './sorted-numbers.ts';
import { type Kept, StoreValues } from './store-values.ts';
import { StoredKeys } from './stored-keys.ts';
import { unstoredRows, withUnstored } from './unstored-rows.ts';

/**
 * A typed table over bytes with a write-back cache.
 *
 * Changed rows stay in the cache until `flush` puts them into the commit's batch; they are never forgotten before. Unchanged ones are forgotten by
 * age: rows live in two generations, and `age` drops the older one.
 */
export class CachedTable<K, V> implements TableStore<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly cached: boolean;
  readonly tellsAtOnce: boolean;
  readonly windowed: boolean;
  readonly retentionMs: number;
  readonly stats: StoreStats;
  readonly #spec: StoreSpec;
  readonly #values: StoreValues<K, V>;
  readonly #sizes: RowSizes<K, V>;
  readonly #rows: ByteRows;
  readonly #meter: CacheMeter;
  readonly #codec: RowValueCodec<V>;
  readonly #changelog: RowListener | undefined;
  #young = new Generation<K, V>();
  #old = new Generation<K, V>();
  #dirty: CachedRow<K, V>[] = [];
  /** Rows that were flushed, and that the database has once their batch is written; none where pages are kept until then. */
  #unwritten: (readonly CachedRow<K, V>[])[] = [];
  #dirtyBytes = 0;
  #flushed = 0;
  #listener: ChangeListener<K, V> | undefined;
  #oldValues = false;
  /** What the database may have. */
  readonly #stored: StoredKeys;
  readonly #starts = new SortedNumbers();
  #expireBefore = Number.NEGATIVE_INFINITY;
  #expirePending = false;
  // The window used last: most records fall into the same one.
  #last: CachedWindow<K, V> | undefined;

  constructor(
    spec: StoreSpec,
    rows: ByteRows,
    meter: CacheMeter,
    cached: boolean,
    changelog?: RowListener,
    tellsAtOnce = false,
  ) {
    this.#changelog = changelog;
    this.name = spec.name;
    this.keySerde = spec.keySerde as Serde<K>;
    this.#values = new StoreValues(spec);
    this.#sizes = new RowSizes(this.keySerde, this.#values);
    this.#spec = spec;
    this.#rows = rows;
    this.#meter = meter;
    this.#stored = new StoredKeys(meter);
    this.windowed = spec.kind === 'window';
    this.retentionMs = spec.windows?.retentionMs ?? Number.POSITIVE_INFINITY;
    this.cached = cached && spec.cached;
    this.tellsAtOnce = !this.cached || tellsAtOnce;
    this.#codec = new RowValueCodec(spec.valueSerde as Serde<V>);
    this.stats = {
      store: spec.name,
      kind: spec.kind,
      hits: 0,
      misses: 0,
      puts: 0,
      cachedEntries: 0,
      dirtyBytes: 0,
      expired: 0,
    };
  }

  /** Learns which windows the database has rows of. */
  async open(): Promise<void> {
    for (const start of await this.#rows.starts()) {
      this.#stored.addWindow(start);
      this.#starts.add(start);
    }
  }

  endOf(startMs: number): number {
    return this.#spec.windows?.endOf(startMs) ?? Number.POSITIVE_INFINITY;
  }

  onChange(listener: ChangeListener<K, V>, oldValues: boolean): void {
    this.#listener = listener;
    this.#oldValues = oldValues;
  }

  set(key: K, startMs: number, value: V | undefined, timestamp: number): void {
    if (isAbsent(value)) {
      this.update(this.#row(key, startMs), undefined, timestamp);
      return;
    }
    // First: a row that is not read must be set.
    const kept = this.#values.keep(key, value);
    const row = this.#oldValues || this.tellsAtOnce ? this.#row(key, startMs) : this.#unread(key, startMs);
    row.kept = kept;
    row.owned = !this.#values.asBytes;
    this.#count(row);
    this.#changed(row, timestamp);
  }

  forUpdate(key: K, startMs: number): TableEntry<K, V> {
    return this.#row(key, startMs);
  }

  read(key: K, startMs: number): ValueAndTimestamp<V> | undefined {
    const { kept, timestamp } = this.#row(key, startMs);
    return kept === undefined ? undefined : { value: this.#values.give(key, kept), timestamp };
  }

  readTold(key: K, startMs: number): ValueAndTimestamp<V> | undefined {
    const row = this.#row(key, startMs);
    if (row.unread) this.#readBack(row);
    return row.told === undefined ? undefined : { value: this.#values.give(key, row.told), timestamp: row.timestamp };
  }

  update(entry: TableEntry<K, V>, value: V | undefined, timestamp: number): void {
    const row = entry as CachedRow<K, V>;
    // Whether a deletion is to be told depends on what was there.
    if (row.unread && value === undefined) this.#readBack(row);
    // The same object changed in place is counted when its bytes are known.
    if (value === undefined || value !== row.kept || typeof value !== 'object') {
      row.kept = value === undefined ? undefined : this.#values.keep(row.key, value);
      row.owned = !this.#values.asBytes;
      this.#count(row);
    }
    this.#changed(row, timestamp);
  }

  #changed(row: CachedRow<K, V>, timestamp: number): void {
    row.timestamp = timestamp;
    if (!row.dirty) {
      row.dirty = true;
      this.#dirty.push(row);
      this.#addDirty(row.bytes);
    }
    if (this.tellsAtOnce && (!this.cached || hasNews(row))) this.#tell(row);
  }

  /** Counts a row again. The bytes of an object that is kept itself are known when they are written. */
  #count(row: CachedRow<K, V>): void {
    if (this.#values.asBytes || typeof row.kept === 'string') this.#resize(row, this.#sizes.of(row));
  }

  #resize(row: CachedRow<K, V>, bytes: number): void {
    const more = bytes - row.bytes;
    if (more === 0) return;
    row.bytes = bytes;
    if (row.dirty) this.#addDirty(more);
    const { generation } = row.window;
    if (generation === undefined) return;
    generation.bytes += more;
    this.#meter.cachedBytes += more;
  }

  #addDirty(bytes: number): void {
    this.#dirtyBytes += bytes;
    this.#meter.dirtyBytes += bytes;
  }

  get hasDirty(): boolean {
    return this.#flushed < this.#dirty.length;
  }

  /** Puts up to `limit` changed rows into the batch and tells of them; true when none is left. */
  flush(batch: WriteBatch, limit: number): boolean {
    if (this.windowed && this.#flushed === 0 && this.#dirty.length >= sortedFlush) this.#dirty.sort(byWindowAndKey);
    const end = Math.min(this.#dirty.length, this.#flushed + limit);
    while (this.#flushed < end) {
      const row = this.#dirty[this.#flushed++]!;
      this.#addDirty(-row.bytes);
      row.dirty = false;
      // A row that has expired is not written any more, but what became of it before is told all the same.
      if (row.startMs >= this.#expireBefore) this.#write(batch, row);
      if (!this.tellsAtOnce && hasNews(row)) this.#tell(row);
    }
    this.#rows.apply();
    if (this.#flushed < this.#dirty.length) return false;
    if (end > 0 && !this.#rows.seesUnwritten) this.#unwritten.push(this.#dirty);
    this.#dirty = [];
    this.#flushed = 0;
    return true;
  }

  /** How many rows a flush has to write. */
  get dirtyRows(): number {
    return this.#dirty.length - this.#flushed;
  }

  /** Forgets all rows, if none is dirty and all can be read again before the batch is written. */
  forget(): void {
    if (this.hasDirty || !this.#rows.seesUnwritten) return;
    this.#meter.cachedBytes -= this.#young.bytes + this.#old.bytes;
    this.#young = new Generation();
    this.#old = new Generation();
    this.#last = undefined;
  }

  /** Memory of flushed rows that wait for the batch and can be written ahead of it. */
  get unwrittenBytes(): number {
    return this.#rows.unwrittenBytes;
  }

  /** Puts flushed rows into a batch that is written ahead of the commit's. Returns what to call when it is written. */
  writeAhead(batch: WriteBatch): () => void {
    return this.#rows.writeAhead(batch);
  }

  /** After the last flush: the batch is complete. */
  seal(batch: WriteBatch): void {
    this.#rows.seal(batch);
  }

  /** The batch is written. */
  written(): void {
    this.#rows.written();
    if (this.#unwritten.length > 0) this.#unwritten = [];
  }

  /** Adds the deletion of expired windows to the batch. */
  async flushExpired(batch: WriteBatch): Promise<void> {
    if (!this.#expirePending) return;
    this.#expirePending = false;
    this.stats.expired += await this.#rows.expireBefore(batch, this.#expireBefore);
  }

  expireBefore(startMs: number): void {
    if (startMs <= this.#expireBefore) return;
    this.#expireBefore = startMs;
    const gone = this.#starts.below(startMs);
    if (gone.length === 0) return;
    this.#expirePending = true;
    for (const start of gone) {
      this.#meter.cachedBytes -= this.#young.forget(start) + this.#old.forget(start);
      this.#starts.delete(start);
      this.#stored.delete(start);
    }
    this.#last = undefined;
  }

  startsIn(fromMs: number, toMs: number): readonly number[] {
    return this.#starts.between(fromMs, toMs);
  }

  /** Forgets the rows not used since the last call. At most once between two flushes, and when what was flushed is written. */
  age(): void {
    this.#meter.cachedBytes -= this.#old.bytes;
    this.#old = this.#young;
    this.#young = new Generation();
    this.#last = undefined;
  }

  /** Fills in the figures that are derived. */
  snapshotStats(): StoreStats {
    this.stats.cachedEntries = this.#young.count + this.#old.count;
    this.stats.dirtyBytes = this.#dirtyBytes;
    return this.stats;
  }

  async *rows(): AsyncIterable<readonly TableEntry<K, V>[]> {
    await this.#meter.writing;
    const unstored = unstoredRows([...this.#unstored()], this.keySerde);
    const pages = this.#rows.pages(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    yield* withUnstored(pages, unstored, ({ startMs, key, value }) => {
      if (startMs < this.#expireBefore) return undefined;
      const typed = this.keySerde.deserialize(key);
      const identity = this.#values.identity(typed);
      const window = { startMs, rows: new Map(), values: this.#values, generation: undefined };
      return (
        this.#young.find(identity, startMs) ?? this.#old.find(identity, startMs) ?? this.#decoded(typed, window, value)
      );
    });
  }

  #row(key: K, startMs: number): CachedRow<K, V> {
    const window = this.#last !== undefined && this.#last.startMs === startMs ? this.#last : this.#window(startMs);
    const identity = this.#values.identity(key);
    const row = window.rows.get(identity);
    if (row !== undefined) {
      this.stats.hits++;
      return row;
    }
    const loaded = this.#rejuvenate(identity, startMs) ?? this.#load(this.#values.ownKey(key), window);
    this.#add(loaded, identity, window);
    return loaded;
  }

  /** The row, not read from the database if it is not in memory. */
  #unread(key: K, startMs: number): CachedRow<K, V> {
    const window = this.#last !== undefined && this.#last.startMs === startMs ? this.#last : this.#window(startMs);
    const identity = this.#values.identity(key);
    let row = window.rows.get(identity);
    if (row !== undefined) return row;
    row = this.#rejuvenate(identity, startMs);
    if (row === undefined) {
      row = new CachedRow<K, V>(this.#values.ownKey(key), window);
      row.unread = this.#mayBeStored(key, startMs);
      row.stored = row.unread;
    }
    this.#add(row, identity, window);
    return row;
  }

  #add(row: CachedRow<K, V>, identity: unknown, window: CachedWindow<K, V>): void {
    window.rows.set(identity, row);
    row.window = window;
    if (row.bytes === 0) row.bytes = this.#sizes.of(row);
    this.#young.count++;
    this.#young.bytes += row.bytes;
    this.#meter.cachedBytes += row.bytes;
  }

  /** Reads what the database has of a row that was set without that. */
  #readBack(row: CachedRow<K, V>): void {
    const bytes = this.#rows.get(row.startMs, keyText(this.keySerde, row.key));
    row.told = bytes === undefined ? undefined : this.#keptOf(bytes);
    row.stored = bytes !== undefined;
    row.unread = false;
  }

  #window(startMs: number): CachedWindow<K, V> {
    let window = this.#young.windows.get(startMs);
    if (window === undefined) {
      window = { startMs, rows: new Map(), values: this.#values, generation: this.#young };
      this.#young.windows.set(startMs, window);
      this.#starts.add(startMs);
    }
    this.#last = window;
    return window;
  }

  #rejuvenate(identity: unknown, startMs: number): CachedRow<K, V> | undefined {
    const row = this.#old.take(identity, startMs);
    if (row === undefined) return undefined;
    this.#meter.cachedBytes -= row.bytes;
    this.stats.hits++;
    return row;
  }

  #load(key: K, window: CachedWindow<K, V>): CachedRow<K, V> {
    this.stats.misses++;
    if (!this.#stored.mayHaveWindow(window.startMs)) return new CachedRow<K, V>(key, window);
    const text = keyText(this.keySerde, key);
    const bytes = this.#stored.mayHave(window.startMs, text) ? this.#rows.get(window.startMs, text) : undefined;
    return bytes === undefined ? new CachedRow<K, V>(key, window) : this.#decoded(key, window, bytes);
  }

  #mayBeStored(key: K, startMs: number): boolean {
    return this.#stored.mayHaveWindow(startMs) && this.#stored.mayHave(startMs, keyText(this.keySerde, key));
  }

  #decoded(key: K, window: CachedWindow<K, V>, bytes: Uint8Array): CachedRow<K, V> {
    const row = new CachedRow<K, V>(key, window);
    row.kept = this.#keptOf(bytes);
    row.timestamp = this.#codec.timestamp(bytes);
    row.told = row.kept;
    row.stored = true;
    if (!this.#values.asBytes) this.#sizes.learn(bytes.length);
    return row;
  }

  #keptOf(bytes: Uint8Array): Kept<V> {
    return this.#values.asBytes ? this.#codec.valueBytes(bytes) : this.#codec.value(bytes);
  }

  #write(batch: WriteBatch, row: CachedRow<K, V>): void {
    if (row.kept !== undefined) {
      const key = keyText(this.keySerde, row.key);
      const bytes = this.#encode(row, row.kept);
      if (typeof row.kept === 'object' && !this.#values.asBytes)
        this.#resize(row, this.#sizes.ofWritten(row, bytes.length));
      this.#rows.put(batch, row.startMs, key, bytes);
      this.#changelog?.(row.startMs, key, bytes, row.timestamp);
      // One that is not read may be new.
      if (!row.stored || row.unread) this.#stored.add(row.startMs, key);
      row.stored = true;
    } else if (row.stored) {
      const key = keyText(this.keySerde, row.key);
      this.#rows.del(batch, row.startMs, key);
      this.#changelog?.(row.startMs, key, undefined, row.timestamp);
      row.stored = false;
    } else return;
    this.stats.puts++;
    this.#meter.flushedRows++;
  }

  /** The row's bytes, good until the next call. */
  #encode(row: CachedRow<K, V>, kept: Kept<V>): Uint8Array {
    if (this.#values.asBytes) return this.#codec.wrap(kept as Uint8Array, row.timestamp);
    try {
      return this.#codec.encode(kept as V, row.timestamp);
    } catch (error) {
      throw this.#values.unwritable(row.key, error);
    }
  }

  #tell(row: CachedRow<K, V>): void {
    const { kept, told } = row;
    row.told = kept;
    this.#count(row);
    row.owned = false;
    row.unread = false;
    if (this.#listener === undefined) return;
    const key = typeof row.key === 'object' ? this.#values.ownKey(row.key) : row.key;
    const newValue = kept === undefined ? undefined : this.#values.show(key, kept);
    const oldValue = told === undefined || !this.#oldValues ? undefined : this.#values.show(key, told);
    this.#listener(key, row.startMs, newValue, oldValue, row.timestamp);
  }

  /** Rows that the database does not have, or may not have yet. */
  *#unstored(): Iterable<CachedRow<K, V>> {
    const unwritten = new Set(this.#unwritten.flat());
    if (!this.#rows.seesUnwritten) for (let i = 0; i < this.#flushed; i++) unwritten.add(this.#dirty[i]!);
    for (const row of new Set([...unwritten, ...this.#dirty.slice(this.#flushed)])) {
      if (row.unread) this.#readBack(row);
      if ((!row.stored || unwritten.has(row)) && row.kept !== undefined && row.startMs >= this.#expireBefore) yield row;
    }
  }
}

/** A cache tells of no deletion of a row that it never told of. */
function hasNews({ kept, told }: CachedRow<unknown, unknown>): boolean {
  return kept !== undefined || told !== undefined;
}

/** From so many rows on a flush of a window store is sorted: rows of a page are then read and written together. */
const sortedFlush = 512;

/** Close to the order of the rows in the database; any order will do. */
function byWindowAndKey(a: TableEntry<unknown, unknown>, b: TableEntry<unknown, unknown>): number {
  const windows = a.startMs - b.startMs;
  if (windows !== 0) return windows;
  return (a.key as string) < (b.key as string) ? -1 : 1;
}
