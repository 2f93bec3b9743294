import { StreamsError } from '../common/errors.ts';
import type { NodeSpec } from './node-spec.ts';
import type { Topology } from './topology.ts';

/** Stores that are made anew together, and what of the topology makes them. */
export interface StoresBehind {
  /** The stores that were named, and those that are fed by them or share a node with them, in the order of the topology. */
  readonly stores: readonly string[];
  /** Nodes that have one of these stores, or stand below one that has. */
  readonly nodes: ReadonlySet<string>;
  /** Numbers of the sub-topologies that have these stores, and of those whose repartition topics feed them. */
  readonly parts: ReadonlySet<number>;
}

/**
 * What has to be made anew with some stores: of `words -> by-word -> by-letter` with `by-word` both, with `by-letter` that one alone.
 *
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` for a name that no store has, or that a global table has: its topic, or the folder that it is loaded from, makes that one.
 */
export function storesBehind(topology: Topology, named: readonly string[]): StoresBehind {
  const known = topology.stores.map(({ name }) => name);
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownStore(topology, unknown, known);
  const { nodes } = topology;
  const behind = new Set<string>();
  const stores = new Set(named);
  for (let before = -1; before !== behind.size + stores.size; ) {
    before = behind.size + stores.size;
    for (const node of nodes) {
      const own = node.kind === 'processor' ? node.stores.filter((store) => known.includes(store)) : [];
      if (!isFed(node, nodes, behind, topology) && !own.some((store) => stores.has(store))) continue;
      behind.add(node.name);
      for (const store of own) stores.add(store);
    }
  }
  const parts = new Set<number>();
  for (const part of topology.subTopologies) if (part.stores.some((store) => stores.has(store))) parts.add(part.id);
  for (let before = -1; before !== parts.size; ) {
    before = parts.size;
    const read = topology.subTopologies.filter(({ id }) => parts.has(id)).flatMap(({ sources }) => topicsOf(sources));
    const internal = read.filter((topic) => topology.repartitions.has(topic));
    for (const { id, sinks } of topology.subTopologies)
      if (sinks.some(({ topic }) => internal.includes(topic))) parts.add(id);
  }
  return { stores: known.filter((name) => stores.has(name)), nodes: behind, parts };
}

/** Stores that stay and feed others that are made anew. */
export function feeders(topology: Topology, { stores, parts }: StoresBehind): readonly string[] {
  return topology
    .only(parts)
    .stores.map(({ name }) => name)
    .filter((name) => !stores.includes(name))
    .filter((name) => storesBehind(topology, [name]).stores.some((store) => stores.includes(store)));
}

/** Nodes that get records of one of these, over repartition topics too; without these. */
export function nodesBelow(topology: Topology, names: readonly string[]): ReadonlySet<string> {
  const above = new Set(names);
  const below = new Set<string>();
  for (let before = -1; before !== below.size; ) {
    before = below.size;
    for (const node of topology.nodes)
      if (!above.has(node.name) && isFed(node, topology.nodes, above, topology)) {
        above.add(node.name);
        below.add(node.name);
      }
  }
  return below;
}

/** Of these stores those that are behind no other of them: to name them is to name all. */
export function foremost(topology: Topology, stores: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const { name } of topology.stores)
    if (stores.includes(name) && !storesBehind(topology, found).stores.includes(name)) found.push(name);
  return found;
}

/** Whether a node gets records of one of these, over a repartition topic too. */
function isFed(
  node: NodeSpec,
  nodes: readonly NodeSpec[],
  behind: ReadonlySet<string>,
  { repartitions }: Topology,
): boolean {
  if (node.kind !== 'source') return node.parents.some((parent) => behind.has(parent));
  const internal = node.topics.filter((topic) => repartitions.has(topic));
  return nodes.some((other) => other.kind === 'sink' && behind.has(other.name) && internal.includes(other.topic));
}

const topicsOf = (sources: readonly { readonly topics: readonly string[] }[]): readonly string[] =>
  sources.flatMap(({ topics }) => topics);

function unknownStore(topology: Topology, name: string, known: readonly string[]): StreamsError {
  const isGlobal = topology.globalTables.some(({ store }) => store.name === name);
  return new StreamsError(
    'STREAMS_STATE_STORE_UNKNOWN',
    isGlobal
      ? `${name} is a global table: it is not made of records that were counted, but of its own topic, or of the folder that it is loaded from. Load it again.`
      : `there is no store ${name} to make anew. The stores are: ${known.join(', ')}.`,
    { store: name },
  );
}
