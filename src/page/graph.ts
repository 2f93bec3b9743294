import type { TopologyView } from './answers.ts';

/** A topic, or a processor with the stores that are its own. */
export interface GraphNode {
  readonly id: string;
  readonly kind: 'topic' | 'processor';
  readonly name: string;
  readonly stores: readonly string[];
}

/** What one node hands to another. */
export interface GraphEdge {
  readonly from: GraphNode;
  readonly to: GraphNode;
}

/** A topology as it is drawn: sources and sinks are the topics that they read and write. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The graph of a topology. */
export function graphOf({ subTopologies, globalTables }: TopologyView): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  const add = (kind: GraphNode['kind'], name: string, stores: readonly string[] = []): GraphNode => {
    const id = `${kind} ${name}`;
    const node = nodes.get(id) ?? { id, kind, name, stores };
    nodes.set(id, node);
    return node;
  };
  const all = subTopologies.flatMap((part) => part.nodes);
  const specs = new Map(all.map((node) => [node.name, node]));
  const drawn = (name: string): GraphNode => {
    const spec = specs.get(name)!;
    return spec.kind === 'sink' ? add('topic', spec.topic!) : add('processor', name, spec.stores);
  };
  for (const { kind, name, topics = [], children = [] } of all) {
    if (kind === 'sink') continue;
    const from = kind === 'source' ? topics.map((topic) => add('topic', topic)) : [drawn(name)];
    for (const child of children) for (const each of from) edges.push({ from: each, to: drawn(child) });
  }
  for (const { topic, name } of globalTables) {
    const from = add('topic', topic);
    const readers = all.filter(({ stores = [] }) => stores.includes(name));
    for (const reader of readers) edges.push({ from, to: drawn(reader.name) });
  }
  return { nodes: [...nodes.values()], edges };
}
