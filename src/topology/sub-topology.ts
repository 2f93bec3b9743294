import type { NodeSpec, SinkSpec, SourceSpec } from './node-spec.ts';

/** Nodes that hang together by edges or by a shared store. */
export interface SubTopology {
  readonly id: number;
  /** Parents before children. */
  readonly nodes: readonly NodeSpec[];
  readonly sources: readonly SourceSpec[];
  readonly sinks: readonly SinkSpec[];
  /** Names of its stores, the global ones included. */
  readonly stores: readonly string[];
}

/** Splits nodes (parents before children) into sub-topologies, numbered by their first source. Global stores join nothing: every task has them. */
export function groupNodes(nodes: readonly NodeSpec[], globalStores: ReadonlySet<string>): readonly SubTopology[] {
  const parent = new Map<string, string>();
  const root = (name: string): string => {
    let at = name;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  const unite = (a: string, b: string): void => {
    parent.set(root(b), root(a));
  };
  const ownerOf = new Map<string, string>();
  for (const node of nodes) {
    parent.set(node.name, node.name);
    if (node.kind !== 'source') for (const up of node.parents) unite(up, node.name);
    if (node.kind === 'processor')
      for (const store of node.stores) {
        if (globalStores.has(store)) continue;
        const owner = ownerOf.get(store);
        if (owner === undefined) ownerOf.set(store, node.name);
        else unite(owner, node.name);
      }
  }
  const groups = new Map<string, NodeSpec[]>();
  for (const node of nodes) {
    const group = groups.get(root(node.name));
    if (group === undefined) groups.set(root(node.name), [node]);
    else group.push(node);
  }
  return [...groups.values()].map((group, id) => ({
    id,
    nodes: group,
    sources: group.filter((node) => node.kind === 'source'),
    sinks: group.filter((node) => node.kind === 'sink'),
    stores: [...new Set(group.flatMap((node) => (node.kind === 'processor' ? node.stores : [])))],
  }));
}
