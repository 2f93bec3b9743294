import type { Serde } from '../../serde/serde.ts';
import { type Graph, needSerde, type StreamPart } from './graph.ts';
import { type GroupingTopic, repartition } from './repartition.ts';

/** What a grouping knows of its stream. */
export interface GroupedPart<K, V> extends StreamPart<K, V> {
  readonly graph: Graph;
  readonly topic: GroupingTopic;
}

/** The node below which records stand in the task of their key: behind the grouping's repartition topic if the key has changed. */
export function placedNode<K, V>(part: GroupedPart<K, V>, name: string, keySerde: Serde<K>): string {
  if (!part.keyChanged) return part.node;
  const valueSerde = needSerde(part.valueSerde, 'value', `the grouping for ${name}`);
  return part.topic.source(name, keySerde as Serde<unknown>, (topicName) =>
    repartition(part.graph, part.node, topicName, keySerde, valueSerde),
  );
}
