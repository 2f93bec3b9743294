import type { Topology } from '../../../src/index.ts';

/**
 * In which order tasks work, by the internal topics that they read: those with fewer internal topics above them first. On Kafka tasks work in any order; both sides are
 * given the same one.
 */
export function ranksOf(topology: Topology): Readonly<Record<string, number>> {
  const depths = depthsOf(topology);
  const read = topology.subTopologies.map(({ sources }) =>
    sources.flatMap((source) => source.topics).filter((topic) => depths.has(topic)),
  );
  const depthOf = (topics: readonly string[]): number => Math.max(...topics.map((topic) => depths.get(topic)!));
  const tasks = read.filter((topics) => topics.length > 0).sort((a, b) => depthOf(a) - depthOf(b));
  const ranks = tasks.flatMap((topics, rank) => topics.map((topic): [string, number] => [topic, rank]));
  // What a topology writes to a topic that it reads comes when all that is internal is through.
  const looped = topology.nodes.flatMap((node) =>
    node.kind === 'sink' && !depths.has(node.topic) ? [node.topic] : [],
  );
  return Object.fromEntries([...ranks, ...looped.map((topic): [string, number] => [topic, tasks.length])]);
}

/** How many internal topics lie on the longest way to each internal topic, itself included. */
function depthsOf({ nodes, repartitions }: Topology): ReadonlyMap<string, number> {
  const ofNodes = new Map<string, number>();
  const ofTopics = new Map<string, number>();
  for (const node of nodes) {
    const above =
      node.kind === 'source'
        ? node.topics.map((topic) => ofTopics.get(topic) ?? 0)
        : node.parents.map((parent) => ofNodes.get(parent)!);
    ofNodes.set(node.name, Math.max(0, ...above));
    if (node.kind === 'sink' && repartitions.has(node.topic)) ofTopics.set(node.topic, ofNodes.get(node.name)! + 1);
  }
  return ofTopics;
}
