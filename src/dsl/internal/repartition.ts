import { isAbsent } from '../../common/absent.ts';
import { StreamsError } from '../../common/errors.ts';
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

/**
 * The repartition topic of a grouping. A named one is shared by all aggregates of the grouping, plain or windowed; without a name each aggregate has
 * a topic of its own, named after it. Kafka Streams: `GroupedStreamAggregateBuilder.java`.
 */
export class GroupingTopic {
  readonly #name: string | undefined;
  #shared: { readonly source: string; readonly keySerde: Serde<unknown> } | undefined;

  constructor(name: string | undefined) {
    this.#name = name;
  }

  /**
   * The source that reads the topic, made by `make` where there is none yet.
   *
   * @throws StreamsError `STREAMS_TOPOLOGY` - an aggregate before this one has given the keys of the shared topic another serde.
   */
  source(aggregate: string, keySerde: Serde<unknown>, make: (topicName: string) => string): string {
    if (this.#name === undefined) return make(aggregate);
    this.#shared ??= { source: make(this.#name), keySerde };
    if (this.#shared.keySerde.name !== keySerde.name)
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `${aggregate} reads ${this.#name}-repartition, whose keys are written as ${this.#shared.keySerde.name}, as ${keySerde.name}. Give keySerde in the grouping alone, or group anew under another name.`,
      );
    return this.#shared.source;
  }
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
