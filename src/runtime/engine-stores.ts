import type { Database } from '../../state/database.ts';
import type { StoreSpec } from '../processor/node.ts';
import type { SubTopology } from '../topology/sub-topology.ts';
import { toldAtOnce } from '../topology/told-at-once.ts';
import type { Topology } from '../topology/topology.ts';
import { sharedPartition } from './state-folder.ts';
import { keyValueRows, type RowListener, windowRows } from './stores/byte-rows.ts';
import type { CacheMeter } from './stores/cache-meter.ts';
import { CachedTable } from './stores/cached-table.ts';
import { VersionedTableStore } from './stores/versioned-table-store.ts';

/** Where a store's rows live in the database: a prefix for each store and partition. */
export type StorePrefix = (store: string, partition: number) => Uint8Array;

/** What an engine's stores are made with. */
export interface EngineStoresOptions {
  readonly database: Database;
  readonly prefixOf: StorePrefix;
  /** Told of each row as it is written: what goes to a store's changelog. */
  readonly changelog?: (spec: StoreSpec) => RowListener;
  /** False: each update is told downstream at once, as in a test driver. */
  readonly caching: boolean;
  /** Stores keep the bytes of all values, also of those whose serde has a `clone`. @defaultValue false */
  readonly valuesAsBytes?: boolean;
  /** Memory for cached rows, bytes: a fifth of it for global tables. */
  readonly cacheMaxBytes: number;
}

/** Memory for the histories of a task's own versioned store, bytes. */
const taskVersionedBytes = 4 * 1024 * 1024;

/** Of the memory for cached rows, what histories of global tables may take: rows of changing tables need the rest. */
export const historyShare: number = 1 / 5;

/** Makes the stores of an engine: those of each task, and the global tables. */
export class EngineStores {
  readonly #topology: Topology;
  readonly #options: EngineStoresOptions;
  readonly #meter: CacheMeter;
  /** Tables whose changes do not wait in their caches. */
  readonly #toldAtOnce: ReadonlySet<string>;

  /** @param meter - What the caches of all tables share. */
  constructor(topology: Topology, options: EngineStoresOptions, meter: CacheMeter) {
    this.#topology = topology;
    this.#options = options;
    this.#meter = meter;
    this.#toldAtOnce = toldAtOnce(topology);
  }

  /** The global tables, which all tasks share. */
  globalTables(): Map<string, VersionedTableStore> {
    const { database, prefixOf, cacheMaxBytes } = this.#options;
    const { globalTables } = this.#topology;
    const cacheBytes = (cacheMaxBytes * historyShare) / Math.max(1, globalTables.length);
    return new Map(
      globalTables.map(({ store, versioned }) => [
        store.name,
        new VersionedTableStore(this.#keptAs(store), database, prefixOf(store.name, sharedPartition), {
          keepsVersions: versioned,
          cacheBytes,
          global: true,
        }),
      ]),
    );
  }

  /** The tables of a task. */
  tables(part: SubTopology, partition: number): Map<string, CachedTable<unknown, unknown>> {
    const { database, prefixOf, caching, changelog } = this.#options;
    return new Map(
      this.#specsOf(part, false).map((spec) => {
        const rows = (spec.kind === 'window' ? windowRows : keyValueRows)(database, prefixOf(spec.name, partition));
        const atOnce = this.#toldAtOnce.has(spec.name);
        const log = changelog?.(spec);
        return [spec.name, new CachedTable(this.#keptAs(spec), rows, this.#meter, caching, log, atOnce)];
      }),
    );
  }

  /** The versioned stores of a task's own. */
  versioned(part: SubTopology, partition: number): Map<string, VersionedTableStore> {
    const { database, prefixOf, changelog } = this.#options;
    const options = { keepsVersions: true, cacheBytes: taskVersionedBytes, global: false };
    return new Map(
      this.#specsOf(part, true).map((spec) => {
        const prefix = prefixOf(spec.name, partition);
        return [spec.name, new VersionedTableStore(this.#keptAs(spec), database, prefix, options, changelog?.(spec))];
      }),
    );
  }

  #specsOf(part: SubTopology, versioned: boolean): readonly StoreSpec[] {
    const { stores } = this.#topology;
    return part.stores.flatMap((name) => {
      const spec = stores.find((store) => store.name === name);
      return spec !== undefined && (spec.kind === 'versioned') === versioned ? [spec] : [];
    });
  }

  #keptAs(spec: StoreSpec): StoreSpec {
    const { valueSerde } = spec;
    if (this.#options.valuesAsBytes !== true || valueSerde.clone === undefined) return spec;
    return {
      ...spec,
      valueSerde: {
        name: valueSerde.name,
        serialize: (value) => valueSerde.serialize(value),
        deserialize: (bytes) => valueSerde.deserialize(bytes),
      },
    };
  }
}
