import { isAbsent } from '../../common/absent.ts';
import type { ProcessorNode } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import type { Graph } from './graph.ts';
import { FilterNode } from './stateless-nodes.ts';

/** How a repartition topic is made. */
export interface RepartitionOptions {
  /** @defaultValue as many as upstream */
  readonly partitions?: number | undefined;
  /** Its records are a table's changes (old and new value). @defaultValue false */
  readonly changes?: boolean;
  /** False: records without a key are left out, uncounted, as in Kafka Streams. @defaultValue false */
  readonly nullKeys?: boolean;
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
  const { partitions, changes = false, nullKeys = false } = options;
  graph.topology.addRepartition({ topic, changes, ...(partitions === undefined ? {} : { partitions }) });
  const filter = `${topic}-filter`;
  const filtered = !changes && !nullKeys;
  const create = (): ProcessorNode => new FilterNode(filter, (key) => !isAbsent(key), true);
  if (filtered) graph.topology.add({ kind: 'processor', name: filter, parents: [parent], stores: [], create });
  graph.topology.addSink(`${topic}-sink`, topic, filtered ? filter : parent, { keySerde, valueSerde });
  const source = `${topic}-source`;
  graph.topology.addSource(source, topic, { keySerde, valueSerde });
  return source;
}
