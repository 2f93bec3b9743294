import type { Database, WriteBatch } from '../../../state/database.ts';
import { latin1 } from '../../../state/latin1.ts';
import {
  changedIntervals,
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
import type { RowListener } from './cached-table.ts';
import { type Kept, StoreValues } from './store-values.ts';

/** A key's history, read once and kept. */
interface CachedHistory {
  readonly key: unknown;
  readonly history: History<Kept<unknown>>;
}

/** Memory of a cached history of one or two versions. Measured on Node 20. */
const historyBytes = 280;

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
  /** Histories of one generation; two are kept. */
  readonly #generationKeys: number;
  #young = new Map<unknown, CachedHistory>();
  #old = new Map<unknown, CachedHistory>();
  #dirty = new Map<unknown, CachedHistory>();
  #flushed: ReadonlyMap<unknown, CachedHistory> = new Map();
  readonly #keyScratch = new Uint8Array(256);

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
    this.#generationKeys = Math.max(1000, Math.floor(options.cacheBytes / historyBytes / 2));
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

  get(key: unknown, asOfMs: number): unknown {
    return this.#given(key, versionAt(this.#cached(key).history, asOfMs)?.value);
  }

  latest(key: unknown): unknown {
    const { history } = this.#cached(key);
    return this.#given(key, history.at(-1)?.value);
  }

  history(key: unknown): readonly Version<unknown>[] {
    return this.#cached(key).history.map(({ validFromMs, value }) => ({
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
    const before = this.#cached(key).history;
    if (this.#keepsVersions) return this.#replace(key, before, putVersion(before, validFromMs, kept));
    return this.#replace(key, before, kept === null ? [] : [{ validFromMs, value: kept }]);
  }

  /** Replaces all versions of a key; returns where the value as of a time has changed. */
  replaceHistory(key: unknown, versions: readonly Version<unknown>[]): readonly Interval[] {
    const after = versions.map(({ validFromMs, value }) => ({
      validFromMs,
      value: isAbsent(value) ? null : this.#values.keep(key, value),
    }));
    return this.#replace(key, this.#cached(key).history, after);
  }

  /** Puts changed histories into the batch. */
  flush(batch: WriteBatch): void {
    for (const { key, history } of this.#dirty.values()) {
      const encoded = history.map(({ validFromMs, value }) => ({
        validFromMs,
        value: value === null ? null : this.#bytesOf(value),
      }));
      const keyBytes = this.keySerde.serialize(key);
      this.#store.replaceHistory(batch, keyBytes, encoded);
      this.#tellChangelog(keyBytes, encoded);
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
    this.stats.cachedEntries = this.#young.size + this.#old.size + this.#dirty.size;
    return this.stats;
  }

  /** As of other stores: the newest version's time, then the history. */
  #tellChangelog(key: Uint8Array, history: History<Uint8Array>): void {
    if (this.#changelog === undefined) return;
    const timestamp = Math.max(0, history.at(-1)?.validFromMs ?? 0);
    const text = latin1(key, 0, key.length);
    if (history.length === 0) {
      this.#changelog(0, text, undefined, timestamp);
      return;
    }
    const time = new Uint8Array(8);
    writeInt64(time, 0, timestamp);
    this.#changelog(0, text, concatBytes(time, encodeHistory(history)), timestamp);
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
    const identity = this.#values.identity(key);
    this.#young.delete(identity);
    this.#old.delete(identity);
    this.#dirty.set(identity, { key: this.#values.ownKey(key), history: after });
    return intervals;
  }

  #cached(key: unknown): CachedHistory {
    const identity = this.#values.identity(key);
    const found = this.#young.get(identity) ?? this.#dirty.get(identity) ?? this.#flushed.get(identity);
    if (found !== undefined) {
      this.stats.hits++;
      return found;
    }
    const old = this.#old.get(identity);
    if (old !== undefined) {
      this.stats.hits++;
      this.#old.delete(identity);
      return this.#remember(identity, old);
    }
    this.stats.misses++;
    const own = this.#values.ownKey(key);
    const history = this.#store.history(this.#keyBytes(own)).map(({ validFromMs, value }) => ({
      validFromMs,
      value: value === null ? null : this.#kept(value),
    }));
    return this.#remember(identity, { key: own, history });
  }

  #kept(bytes: Uint8Array): Kept<unknown> {
    return this.#values.asBytes ? new Uint8Array(bytes) : this.#valueSerde.deserialize(bytes);
  }

  /** The key's bytes, in a buffer that the next call uses again. */
  #keyBytes(key: unknown): Uint8Array {
    const end = this.keySerde.write?.(key, this.#keyScratch, 0) ?? -1;
    return end >= 0 ? this.#keyScratch.subarray(0, end) : this.keySerde.serialize(key);
  }

  #remember(identity: unknown, cached: CachedHistory): CachedHistory {
    if (this.#young.size >= this.#generationKeys) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(identity, cached);
    return cached;
  }
}

function sameBounds(a: History<unknown>, b: History<unknown>): boolean {
  return a.length === b.length && a.every(({ validFromMs }, i) => validFromMs === b[i]!.validFromMs);
}
