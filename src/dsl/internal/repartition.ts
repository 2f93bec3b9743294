import type { Serde } from '../../serde/serde.ts';
import type { Graph } from './graph.ts';

/** How a repartition topic is made. */
export interface RepartitionOptions {
  /** @defaultValue as many as upstream */
  readonly partitions?: number | undefined;
  /** Its records are a table's changes (old and new value). @defaultValue false */
  readonly changes?: boolean;
}

/** Adds a repartition topic `<name>-repartition` below a node; returns the source that reads it. */
export function repartition<K, V>(
  graph: Graph,
  parent: string,
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: RepartitionOptions = {},
): string {
  const topic = `${name}-repartition`;
  const { partitions, changes = false } = options;
  graph.topology.addRepartition({ topic, changes, ...(partitions === undefined ? {} : { partitions }) });
  graph.topology.addSink(`${topic}-sink`, topic, parent, { keySerde, valueSerde });
  const source = `${topic}-source`;
  graph.topology.addSource(source, topic, { keySerde, valueSerde });
  return source;
}
