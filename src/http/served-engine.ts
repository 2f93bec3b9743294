import type { EngineStats } from '../runtime/engine-stats.ts';
import type { ReadOnlyStore } from '../runtime/read-only-stores.ts';

/** How a topology can be written down. */
export const topologyFormats = ['text', 'mermaid', 'json'] as const;
export type TopologyFormat = (typeof topologyFormats)[number];

/** What the HTTP server needs of an engine, running or only opened to read. */
export interface ServedEngine {
  stats(): EngineStats;
  describeTopology(format: TopologyFormat): string;
  storeNames(): readonly string[];
  /** @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` - if there is no store of this name. */
  store(name: string): ReadOnlyStore;
}
