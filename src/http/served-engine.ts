import type { EngineStats } from '../runtime/engine-stats.ts';
import type { KafkaStats } from '../runtime/kafka/kafka-stats.ts';
import type { LetterSample } from '../runtime/letter-sample.ts';
import type { SharedParts } from '../runtime/parts/shared-state.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../runtime/read-only-stores.ts';

/** How a topology can be written down. */
export const topologyFormats = ['text', 'mermaid', 'json'] as const;
export type TopologyFormat = (typeof topologyFormats)[number];

/** What the HTTP server needs of an engine, running or only opened to read. */
export interface ServedEngine {
  stats(): EngineStats;
  describeTopology(format: TopologyFormat): string;
  storeNames(): readonly string[];
  /**
   * A store over all its partitions, those at other instances too.
   *
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` - if there is no store of this name. What its methods throw while a partition moves becomes 503.
   */
  store(name: string, options?: StoreReadOptions): ReadOnlyStore;
  /** What only the runtime on Kafka knows. Absent: the engine works without a broker. */
  kafka?(): KafkaStats;
  /** Some of the rows of files that were not processed lately. On Kafka `kafka` has them. @defaultValue none */
  letters?(): readonly LetterSample[];
  /** What other instances and commands may read. @defaultValue nothing */
  readonly shared?: SharedParts;
}
