import type { StoreSpec } from '../processor/node.ts';
import type { NodeSpec } from './node-spec.ts';
import type { Topology } from './topology.ts';

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

/** How a topology can be written down. */
export type DescribeFormat = 'text' | 'mermaid' | 'json';

/**
 * A topology in words: as text in the form of Kafka Streams' `Topology.describe()`, as a Mermaid flowchart, or as JSON.
 *
 * Stores are listed with their windows, so that two topologies with the same text keep the same state.
 */
export class TopologyDescription {
  readonly #topology: Topology;
  readonly #children = new Map<string, string[]>();

  constructor(topology: Topology) {
    this.#topology = topology;
    for (const node of topology.nodes)
      for (const parent of node.kind === 'source' ? [] : node.parents) {
        const children = this.#children.get(parent);
        if (children === undefined) this.#children.set(parent, [node.name]);
        else children.push(node.name);
      }
  }

  /** The text in the given format. */
  format(format: DescribeFormat): string {
    if (format === 'json') return JSON.stringify(this.toJSON(), undefined, 2);
    return format === 'mermaid' ? this.toMermaid() : this.toString();
  }

  /** Kafka Streams' format. */
  toString(): string {
    let text = 'Topologies:\n';
    const parts = this.#topology.subTopologies;
    for (const part of parts) {
      text += `   Sub-topology: ${part.id}\n`;
      for (const node of part.nodes) text += this.#nodeText(node);
      text += '\n';
    }
    let id = parts.length;
    for (const table of this.#topology.globalTables) {
      text += `   Sub-topology: ${id} for global store (will not generate tasks)\n`;
      text += `    Source: ${table.sourceName} (topics: [${table.topic}])\n      --> ${table.store.name}\n`;
      text += `    Processor: ${table.store.name} (stores: [${table.store.name}])\n      --> none\n      <-- ${table.sourceName}\n\n`;
      id += 1;
    }
    return text;
  }

  /** One line a store and the guard of each source: what saved state depends on beside the graph. */
  details(): string {
    const lines = [...this.#topology.stores, ...this.#topology.globalTables.map((table) => table.store)].map(storeLine);
    for (const node of this.#topology.nodes)
      if (node.kind === 'source' && node.topics.some((topic) => !this.#topology.repartitions.has(topic)))
        lines.push(
          `source ${node.name}: ${node.arrivalTime === undefined ? 'no guard against future records (no arrival time)' : 'guarded against future records by arrival time'}`,
        );
    return `${lines.join('\n')}\n`;
  }

  /** A flowchart for mermaid. */
  toMermaid(): string {
    const ids = new Map(this.#topology.nodes.map((node, index) => [node.name, `n${index}`]));
    const lines = ['flowchart TD'];
    for (const part of this.#topology.subTopologies) {
      lines.push(`  subgraph s${part.id}["Sub-topology ${part.id}"]`);
      for (const node of part.nodes) {
        const label = node.name.replaceAll('"', "'");
        const shape = node.kind === 'processor' ? `["${label}"]` : `(["${label}"])`;
        lines.push(`    ${ids.get(node.name)}${shape}`);
      }
      lines.push('  end');
    }
    for (const node of this.#topology.nodes) {
      for (const child of this.#children.get(node.name) ?? [])
        lines.push(`  ${ids.get(node.name)} --> ${ids.get(child)}`);
      if (node.kind === 'sink')
        for (const reader of this.#topology.nodes)
          if (reader.kind === 'source' && reader.topics.includes(node.topic))
            lines.push(`  ${ids.get(node.name)} -. "${node.topic}" .-> ${ids.get(reader.name)}`);
    }
    return `${lines.join('\n')}\n`;
  }

  /** Sub-topologies, nodes and stores as plain objects. */
  toJSON(): object {
    return {
      subTopologies: this.#topology.subTopologies.map((part) => ({
        id: part.id,
        nodes: part.nodes.map((node) => this.#nodeObject(node)),
      })),
      stores: this.#topology.stores.map(storeObject),
      globalTables: this.#topology.globalTables.map((table) => ({ topic: table.topic, ...storeObject(table.store) })),
    };
  }

  #nodeText(node: NodeSpec): string {
    const children = listed(this.#children.get(node.name) ?? []);
    if (node.kind === 'source')
      return `    Source: ${node.name} (topics: [${node.topics.join(', ')}])\n      --> ${children}\n`;
    const parents = listed(node.parents);
    if (node.kind === 'sink') return `    Sink: ${node.name} (topic: ${node.topic})\n      <-- ${parents}\n`;
    return `    Processor: ${node.name} (stores: [${node.stores.join(', ')}])\n      --> ${children}\n      <-- ${parents}\n`;
  }

  #nodeObject(node: NodeSpec): object {
    const children = this.#children.get(node.name) ?? [];
    if (node.kind === 'source') return { kind: node.kind, name: node.name, topics: node.topics, children };
    if (node.kind === 'sink') return { kind: node.kind, name: node.name, topic: node.topic, parents: node.parents };
    return { kind: node.kind, name: node.name, stores: node.stores, parents: node.parents, children };
  }
}

function storeLine(store: StoreSpec): string {
  const windows = store.windows === undefined ? '' : `, ${store.windows.describe()}`;
  return `store ${store.name}: ${store.kind}, ${store.keySerde.name} -> ${store.valueSerde.name}${windows}`;
}

function storeObject(store: StoreSpec): object {
  return {
    name: store.name,
    kind: store.kind,
    key: store.keySerde.name,
    value: store.valueSerde.name,
    ...(store.windows === undefined ? {} : { windows: store.windows.describe() }),
  };
}
