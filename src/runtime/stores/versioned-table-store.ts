import type { Database, WriteBatch } from '../../../state/database.ts';
import { latin1 } from '../../../state/latin1.ts';
import {
  changedIntervals,
  decodeHistory,
  encodeHistory,
  type History,
  type Interval,
  putVersion,
  VersionedBytesStore,
  versionAt,
} from '../../../state/versioned-store.ts';
import { isAbsent } from '../../common/absent.ts';
import { concatBytes, equalBytes, writeInt64 } from '../../common/bytes.ts';
import type { StoreSpec, VersionedTable } from '../../processor/node.ts';
import type { Version } from '../../processor/rows.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StoreStats } from '../engine-stats.ts';
import type { KeyText, RowListener } from './byte-rows.ts';
import { HistoryCache } from './history-cache.ts';
import { type Kept, StoreValues } from './store-values.ts';

/** Least memory for histories that were read. */
const leastCacheBytes = 128 * 1024;

/** How a versioned table is kept. */
export interface VersionedTableOptions {
  /** False: only the latest version of a key. */
  readonly keepsVersions: boolean;
  /** Memory for histories, bytes. */
  readonly cacheBytes: number;
  /** The same table in every task: processors only read it. */
  readonly global: boolean;
}

/**
 * A versioned table over bytes, with a cache of histories. Changes wait for `flush`; until then they are never forgotten.
 */
export class VersionedTableStore implements VersionedTable<unknown, unknown> {
  readonly name: string;
  readonly keySerde: Serde<unknown>;
  readonly global: boolean;
  readonly stats: StoreStats;
  readonly #valueSerde: Serde<unknown>;
  readonly #values: StoreValues<unknown, unknown>;
  readonly #store: VersionedBytesStore;
  readonly #keepsVersions: boolean;
  readonly #changelog: RowListener | undefined;
  /** What was read, and has not changed since. */
  readonly #read: HistoryCache<Kept<unknown>>;
  #dirty = new Map<KeyText, History<Kept<unknown>>>();
  #flushed: ReadonlyMap<KeyText, History<Kept<unknown>>> = new Map();

  constructor(
    spec: StoreSpec,
    database: Database,
    prefix: Uint8Array,
    options: VersionedTableOptions,
    changelog?: RowListener,
  ) {
    this.#changelog = changelog;
    this.name = spec.name;
    this.keySerde = spec.keySerde;
    this.#valueSerde = spec.valueSerde;
    this.#values = new StoreValues(spec);
    this.#store = new VersionedBytesStore(database, prefix);
    this.#keepsVersions = options.keepsVersions;
    this.global = options.global;
    this.#read = new HistoryCache(Math.max(leastCacheBytes, options.cacheBytes), (text) => this.#decoded(text));
    this.stats = {
      store: spec.name,
      kind: 'versioned',
      hits: 0,
      misses: 0,
      puts: 0,
      cachedEntries: 0,
      dirtyBytes: 0,
      expired: 0,
    };
  }

  /** Memory of the histories that were read. */
  get cachedBytes(): number {
    return this.#read.bytes;
  }

  get(key: unknown, asOfMs: number): unknown {
    return this.#given(key, versionAt(this.#history(key), asOfMs)?.value);
  }

  latest(key: unknown): unknown {
    return this.#given(key, this.#history(key).at(-1)?.value);
  }

  history(key: unknown): readonly Version<unknown>[] {
    return this.#history(key).map(({ validFromMs, value }) => ({
      validFromMs,
      value: this.#given(key, value),
    }));
  }

  /**
   * Adds a version; returns where the value as of a time has changed.
   *
   * A version that changes nothing now is kept all the same: one that comes late and begins before it ends where it begins. After A from 10, A from 20 and
   * B from 15 it is A again from 20.
   */
  put(key: unknown, value: unknown, validFromMs: number): readonly Interval[] {
    const kept = isAbsent(value) ? null : this.#values.keep(key, value);
    const before = this.#history(key);
    if (this.#keepsVersions) return this.#replace(key, before, putVersion(before, validFromMs, kept));
    return this.#replace(key, before, kept === null ? [] : [{ validFromMs, value: kept }]);
  }

  /** Replaces all versions of a key; returns where the value as of a time has changed. */
  replaceHistory(key: unknown, versions: readonly Version<unknown>[]): readonly Interval[] {
    const after = versions.map(({ validFromMs, value }) => ({
      validFromMs,
      value: isAbsent(value) ? null : this.#values.keep(key, value),
    }));
    return this.#replace(key, this.#history(key), after);
  }

  /** Puts changed histories into the batch. */
  flush(batch: WriteBatch): void {
    for (const [key, history] of this.#dirty) {
      const encoded = history.map(({ validFromMs, value }) => ({
        validFromMs,
        value: value === null ? null : this.#bytesOf(value),
      }));
      this.#store.replaceHistory(batch, Buffer.from(key, 'latin1'), encoded);
      this.#tellChangelog(key, encoded);
      this.stats.puts++;
    }
    // Kept until the next flush: the database has them when their batch is written, not now.
    this.#flushed = this.#dirty;
    this.#dirty = new Map();
  }

  /** Keys that the database has, in order. */
  async *keys(): AsyncIterable<unknown> {
    for await (const page of this.#store.range()) for (const { key } of page) yield this.keySerde.deserialize(key);
  }

  snapshotStats(): StoreStats {
    this.stats.cachedEntries = this.#read.size + this.#dirty.size;
    return this.stats;
  }

  /** As of other stores: the newest version's time, then the history. */
  #tellChangelog(key: KeyText, history: History<Uint8Array>): void {
    if (this.#changelog === undefined) return;
    const timestamp = Math.max(0, history.at(-1)?.validFromMs ?? 0);
    if (history.length === 0) {
      this.#changelog(0, key, undefined, timestamp);
      return;
    }
    const time = new Uint8Array(8);
    writeInt64(time, 0, timestamp);
    this.#changelog(0, key, concatBytes(time, encodeHistory(history)), timestamp);
  }

  #given(key: unknown, kept: Kept<unknown> | null | undefined): unknown {
    return kept === null || kept === undefined ? undefined : this.#values.give(key, kept);
  }

  #bytesOf(kept: Kept<unknown>): Uint8Array {
    return this.#values.asBytes ? (kept as Uint8Array) : this.#valueSerde.serialize(kept);
  }

  #replace(key: unknown, before: History<Kept<unknown>>, after: History<Kept<unknown>>): readonly Interval[] {
    const intervals = changedIntervals(before, after, (a, b) => equalBytes(this.#bytesOf(a), this.#bytesOf(b)));
    // Without a difference between them at any time, histories of the same bounds are the same.
    if (intervals.length === 0 && sameBounds(before, after)) return intervals;
    const text = this.#values.text(key);
    this.#read.forget(text);
    this.#dirty.set(text, after);
    return intervals;
  }

  #history(key: unknown): History<Kept<unknown>> {
    const text = this.#values.text(key);
    const found = this.#dirty.get(text) ?? this.#flushed.get(text) ?? this.#read.get(text);
    if (found !== undefined) {
      this.stats.hits++;
      return found;
    }
    this.stats.misses++;
    const bytes = this.#store.bytes(Buffer.from(text, 'latin1'));
    return this.#read.add(text, bytes === undefined ? '' : latin1(bytes, 0, bytes.length));
  }

  /** A history from its bytes as text; '': the key has none. */
  #decoded(text: string): History<Kept<unknown>> {
    if (text === '') return [];
    return decodeHistory(Buffer.from(text, 'latin1')).map(({ validFromMs, value }) => ({
      validFromMs,
      value: value === null ? null : this.#kept(value),
    }));
  }

  #kept(bytes: Uint8Array): Kept<unknown> {
    return this.#values.asBytes ? new Uint8Array(bytes) : this.#valueSerde.deserialize(bytes);
  }
}

function sameBounds(a: History<unknown>, b: History<unknown>): boolean {
  return a.length === b.length && a.every(({ validFromMs }, i) => validFromMs === b[i]!.validFromMs);
}
