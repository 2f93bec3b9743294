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
import { keyIdentity } from '../../serde/key-identity.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StoreStats } from '../engine-stats.ts';
import type { RowListener } from './cached-table.ts';

/** A key's history, read once and kept. */
interface CachedHistory {
  readonly key: unknown;
  readonly history: History<unknown>;
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
    return versionAt(this.#cached(key).history, asOfMs)?.value;
  }

  latest(key: unknown): unknown {
    const { history } = this.#cached(key);
    return history.length === 0 ? undefined : (history[history.length - 1]!.value ?? undefined);
  }

  history(key: unknown): readonly Version<unknown>[] {
    return this.#cached(key).history.map(({ validFromMs, value }) => ({ validFromMs, value: value ?? undefined }));
  }

  /**
   * Adds a version; returns where the value as of a time has changed.
   *
   * A version that changes nothing now is kept all the same: one that comes late and begins before it ends where it begins. After A from 10, A from 20 and
   * B from 15 it is A again from 20.
   */
  put(key: unknown, value: unknown, validFromMs: number): readonly Interval[] {
    const before = this.#cached(key).history;
    if (this.#keepsVersions) return this.#replace(key, before, putVersion(before, validFromMs, value ?? null));
    return this.#replace(key, before, isAbsent(value) ? [] : [{ validFromMs, value }]);
  }

  /** Replaces all versions of a key; returns where the value as of a time has changed. */
  replaceHistory(key: unknown, versions: readonly Version<unknown>[]): readonly Interval[] {
    const after = versions.map(({ validFromMs, value }) => ({ validFromMs, value: value ?? null }));
    return this.#replace(key, this.#cached(key).history, after);
  }

  /** Puts changed histories into the batch. */
  flush(batch: WriteBatch): void {
    for (const { key, history } of this.#dirty.values()) {
      const encoded = history.map(({ validFromMs, value }) => ({
        validFromMs,
        value: value === null ? null : this.#valueSerde.serialize(value),
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

  #replace(key: unknown, before: History<unknown>, after: History<unknown>): readonly Interval[] {
    const equal = (a: unknown, b: unknown): boolean =>
      equalBytes(this.#valueSerde.serialize(a), this.#valueSerde.serialize(b));
    const intervals = changedIntervals(before, after, equal);
    // Without a difference between them at any time, histories of the same bounds are the same.
    if (intervals.length === 0 && sameBounds(before, after)) return intervals;
    const identity = keyIdentity(this.keySerde, key);
    this.#young.delete(identity);
    this.#old.delete(identity);
    this.#dirty.set(identity, { key, history: after });
    return intervals;
  }

  #cached(key: unknown): CachedHistory {
    const identity = keyIdentity(this.keySerde, key);
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
    const history = this.#store.history(this.#keyBytes(key)).map(({ validFromMs, value }) => ({
      validFromMs,
      value: value === null ? null : this.#valueSerde.deserialize(value),
    }));
    return this.#remember(identity, { key, history });
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
