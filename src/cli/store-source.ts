import { StreamsError } from '../common/errors.ts';
import type { StoreSpec } from '../processor/node.ts';
import { type Digest, digestOf } from '../runtime/digest.ts';
import { readOnlyStore } from '../runtime/parts/read-only-store.ts';
import type { StorePart } from '../runtime/parts/store-part.ts';
import type { Topology } from '../topology/topology.ts';
import type { ReadableState, ReplaySettings } from './application.ts';

/** Results that a command reads, and gives back. */
export interface StoreSource extends ReadableState {
  /** Where they are, for messages: a folder, an address. */
  readonly place: string;
  /** SHA-256 over the rows of the tables that hold results. Of results that change meanwhile each store is taken as of its own moment. */
  digest(): Promise<Digest>;
  close(): Promise<void>;
}

/** What a source over parts is made of. */
export interface PartsSourceOptions {
  readonly place: string;
  readonly settings: ReplaySettings;
  readonly topology: Topology;
  /** All partitions of a store. Asked for when the store is read. */
  readonly partsOf: (spec: StoreSpec) => readonly StorePart[];
  /** Least time that a windowed operator has observed, ms, in what the parts hold at least; -1 if one saw none. */
  readonly operatorTimeMs: number;
  /** Whether the open windows were closed for good. @defaultValue false */
  readonly final?: boolean;
  readonly close?: () => Promise<void>;
}

/** The stores of a topology, over parts wherever they are. */
export function partsSource(options: PartsSourceOptions): StoreSource {
  const { place, settings, topology, partsOf, operatorTimeMs, final = false } = options;
  const specs = storesOf(topology);
  return {
    place,
    settings,
    store(name) {
      const spec = specs.find((each) => each.name === name);
      if (spec !== undefined) return readOnlyStore(spec, partsOf(spec));
      const known = specs.map((each) => each.name).join(', ');
      throw new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `there is no store ${name}. The stores are: ${known}.`);
    },
    finalUntilMs: () => (final ? Number.POSITIVE_INFINITY : operatorTimeMs - settings.graceMs),
    digest: () =>
      digestOf(
        topology.stores.filter((spec) => spec.result),
        partsOf,
      ),
    close: async () => options.close?.(),
  };
}

/** All stores of a topology, the global ones too. */
export function storesOf(topology: Topology): readonly StoreSpec[] {
  return [...topology.stores, ...topology.globalTables.map((table) => table.store)];
}
