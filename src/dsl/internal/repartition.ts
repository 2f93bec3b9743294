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
        `${aggregate} reads ${this.#name}-repartition, whose keys are written as ${this.#shared.keySerde.name}, as ${keySerde.name}. Give keySerde in the grouping alone, or group again under another name.`,
      );
    return this.#shared.source;
  }
}

/**
 * Adds a repartition topic `<name>-repartition` below a node; returns the source that reads it.
 *
 * Records of a stream without key are left out, uncounted, unless a left join lies below: that joins them with nothing. Kafka Streams:
 * `NodesWithRelaxedNullKeyJoinDownstream.java`.
 */
export function repartition<K, V>(
  graph: Graph,
  parent: string,
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  { partitions, changes = false }: RepartitionOptions = {},
): string {
  const topic = `${name}-repartition`;
  graph.topology.addRepartition({ topic, changes, ...(partitions === undefined ? {} : { partitions }) });
  const filter = `${topic}-filter`;
  const create = (): ProcessorNode => {
    const keepsAll = graph.leadsToLeftJoin(filter);
    return new FilterNode(filter, (key) => keepsAll || !isAbsent(key), true);
  };
  if (!changes) graph.topology.add({ kind: 'processor', name: filter, parents: [parent], stores: [], create });
  graph.topology.addSink(`${topic}-sink`, topic, changes ? parent : filter, { keySerde, valueSerde });
  const source = `${topic}-source`;
  graph.topology.addSource(source, topic, { keySerde, valueSerde });
  return source;
}
