import { isAbsent } from '../../common/absent.ts';
import type { ProcessorNode } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import { type Graph, needSerde, type StreamPart } from './graph.ts';
import { repartition } from './repartition.ts';
import { FilterNode } from './stateless-nodes.ts';

/** What a grouping knows of its stream. */
export interface GroupedPart<K, V> extends StreamPart<K, V> {
  readonly graph: Graph;
  readonly name: string | undefined;
}

/** The node below which records stand in the task of their key: behind a repartition topic if the key has changed. */
export function placedNode<K, V>(part: GroupedPart<K, V>, name: string, keySerde: Serde<K>): string {
  if (!part.keyChanged) return part.node;
  const topicName = part.name ?? name;
  const filter = `${topicName}-repartition-filter`;
  const create = (): ProcessorNode => new FilterNode(filter, (key) => !isAbsent(key), true);
  part.graph.topology.add({ kind: 'processor', name: filter, parents: [part.node], stores: [], create });
  return repartition(
    part.graph,
    filter,
    topicName,
    keySerde,
    needSerde(part.valueSerde, 'value', `the grouping for ${name}`),
  );
}
