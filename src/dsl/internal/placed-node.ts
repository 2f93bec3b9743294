import type { Serde } from '../../serde/serde.ts';
import { type Graph, needSerde, type StreamPart } from './graph.ts';
import { repartition } from './repartition.ts';

/** What a grouping knows of its stream. */
export interface GroupedPart<K, V> extends StreamPart<K, V> {
  readonly graph: Graph;
  readonly name: string | undefined;
}

/** The node below which records stand in the task of their key: behind a repartition topic if the key has changed. */
export function placedNode<K, V>(part: GroupedPart<K, V>, name: string, keySerde: Serde<K>): string {
  if (!part.keyChanged) return part.node;
  const topicName = part.name ?? name;
  return repartition(
    part.graph,
    part.node,
    topicName,
    keySerde,
    needSerde(part.valueSerde, 'value', `the grouping for ${name}`),
  );
}
