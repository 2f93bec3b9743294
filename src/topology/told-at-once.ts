import type { Topology } from './topology.ts';

/**
 * Stores whose changes must be told at once, although they are cached: those above a table in which a node looks rows up while it processes a record of another stream. Were they told at the
 * commit, what is found there, and all that is counted of it, would depend on when commits happen.
 *
 * The looked-up store itself may wait: it is read through its cache.
 */
export function toldAtOnce({ nodes, repartitions }: Topology): ReadonlySet<string> {
  const lookedUp = new Set(nodes.flatMap((node) => (node.kind === 'processor' ? (node.looksUp ?? []) : [])));
  if (lookedUp.size === 0) return lookedUp;
  const owners = new Map<string, string>();
  for (const node of nodes)
    for (const store of node.kind === 'processor' ? node.stores : [])
      if (!owners.has(store)) owners.set(store, node.name);
  const above = new Set<string>();
  const found = new Set<string>();
  // Parents come before their children, and the sink of an internal topic before its source.
  for (const node of [...nodes].reverse()) {
    const own = [...owners].flatMap(([store, owner]) => (owner === node.name ? [store] : []));
    if (above.has(node.name)) for (const store of own) found.add(store);
    // A processor written by hand changes its own store itself.
    else if (node.kind === 'processor' && (node.looksUp !== undefined || !own.some((store) => lookedUp.has(store))))
      continue;
    else if (node.kind !== 'processor') continue;
    if (node.kind !== 'source') for (const parent of node.parents) above.add(parent);
    else
      for (const topic of node.topics.filter((each) => repartitions.has(each)))
        for (const other of nodes) if (other.kind === 'sink' && other.topic === topic) above.add(other.name);
  }
  return found;
}
