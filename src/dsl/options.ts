import type { Serde } from '../serde/serde.ts';
import type { SourceOptions } from '../topology/topology.ts';

/** The name of a node: part of the topology's identity. @defaultValue a numbered name, such as `KSTREAM-FILTER-0000000003` */
export interface Named {
  readonly name?: string;
}

/** How a topic is read. Kafka Streams: `kstream/Consumed.java`. */
export interface Consumed<K, V> extends SourceOptions<K, V>, Named {}

/** How a topic is written. Serdes default to the stream's own. Kafka Streams: `kstream/Produced.java`. */
export interface Produced<K, V> extends Named {
  readonly keySerde?: Serde<K>;
  readonly valueSerde?: Serde<V>;
}

/** Serdes and the repartition topic's name (`<name>-repartition`) of a grouping. Kafka Streams: `kstream/Grouped.java`. */
export interface Grouped<K, V> extends Named {
  readonly keySerde?: Serde<K>;
  readonly valueSerde?: Serde<V>;
}

/** How many partitions a repartition topic has, and how records are written to it. Kafka Streams: `kstream/Repartitioned.java`. */
export interface Repartitioned<K, V> {
  /** The topic is `<name>-repartition`. */
  readonly name: string;
  readonly keySerde?: Serde<K>;
  readonly valueSerde?: Serde<V>;
  /** @defaultValue as many as upstream */
  readonly partitions?: number;
}

/** The store behind a table. Its name is persistent identity, so its author gives it. Kafka Streams: `kstream/Materialized.java`. */
export interface Materialized<K, V> {
  /** Name of the node and of the store. */
  readonly name: string;
  /** @defaultValue the grouping's or stream's serde */
  readonly keySerde?: Serde<K>;
  readonly valueSerde?: Serde<V>;
  /**
   * False: each update is forwarded at once; true: once a commit, but at once where a stream or a processor looks into a table below.
   *
   * @defaultValue true
   */
  readonly caching?: boolean;
  /** Whether a digest covers the store. @defaultValue true */
  readonly result?: boolean;
}

/** A table may live without a store: then it is recomputed from its parent. */
export type MaybeMaterialized<K, V> = Named & Partial<Materialized<K, V>> & { readonly materialize?: boolean };

/** A node written by hand and the stores it uses. */
export interface ProcessOptions extends Named {
  readonly stores?: readonly string[];
}

/** Joins a table or stream with a versioned global table. */
export interface GlobalJoined<K, V, GK> {
  /** The global table's key for a row. @defaultValue the row's own key, without its window */
  readonly key?: (key: K, value: V) => GK;
  /** As of which time the global table is read. @defaultValue the window's start; for streams the record's time */
  readonly asOf?: (key: K, value: V) => number;
}
