import type { RandomCase, RandomNode } from './description.ts';

/** A smaller case that still fails: nodes and records are left out one after the other as long as it does. */
export async function shrunk(given: RandomCase, fails: (smaller: RandomCase) => Promise<boolean>): Promise<RandomCase> {
  let least = given;
  for (let before: RandomCase | undefined; before !== least; ) {
    before = least;
    for (const smaller of smallerCases) {
      for (let i = 0; ; ) {
        const next = smaller(least, i);
        if (next === undefined) break;
        if (next !== 'none' && (await fails(next))) least = next;
        else i++;
      }
    }
  }
  return least;
}

type Smaller = (given: RandomCase, i: number) => RandomCase | 'none' | undefined;

const withoutNode: Smaller = (given, i) => {
  const at = given.nodes.length - 1 - i;
  const node = given.nodes[at];
  if (node === undefined) return undefined;
  return withNodes(given, without(given.nodes, node.id));
};

/** The children of a node hang on its parent instead, if they can. */
const bridged: Smaller = (given, i) => {
  const node = given.nodes[i];
  if (node === undefined) return undefined;
  const parents = node.of;
  if (parents.length === 0) return 'none';
  const nodes = given.nodes
    .filter(({ id }) => id !== node.id)
    .map((other) => ({ ...other, of: other.of.map((id) => (id === node.id ? parents[0]! : id)) }));
  return withNodes(given, nodes);
};

const withoutInput: Smaller = (given, i) => {
  if (i >= given.input.length) return undefined;
  return { ...given, input: given.input.filter((_, at) => at !== i) };
};

/** A node that is plainer: no store, no nulls, no second topic. */
const plainer: Smaller = (given, i) => {
  const all = given.nodes.flatMap((node) => plainerNodes(node));
  const plain = all[i];
  if (plain === undefined) return undefined;
  return { ...given, nodes: given.nodes.map((node) => (node.id === plain.id ? plain : node)) };
};

function plainerNodes(node: RandomNode): RandomNode[] {
  const simpler: RandomNode[] = [];
  if (node.stored && node.op !== 'table') simpler.push({ ...node, stored: false });
  if (node.cached) simpler.push({ ...node, cached: false });
  if (node.f !== undefined && 'kind' in node.f && node.f.m !== undefined) {
    const { m: _m, r: _r, ...f } = node.f;
    simpler.push({ ...node, f });
  }
  if (node.windows !== undefined && node.windows.retention < 1_000_000)
    simpler.push({ ...node, windows: { ...node.windows, retention: 1_000_000 } });
  if (node.every !== undefined) {
    const { every: _, ...rest } = node;
    simpler.push(rest);
  }
  return simpler;
}

const smallerCases: readonly Smaller[] = [withoutNode, bridged, withoutInput, plainer];

function without(nodes: readonly RandomNode[], id: number): readonly RandomNode[] {
  const gone = new Set([id]);
  for (const node of nodes) if (node.of.some((parent) => gone.has(parent))) gone.add(node.id);
  return nodes.filter((node) => !gone.has(node.id));
}

function withNodes(given: RandomCase, nodes: readonly RandomNode[]): RandomCase {
  const topics = new Set(nodes.flatMap((node) => (node.of.length === 0 ? node.topics! : [])));
  return { ...given, nodes, input: given.input.filter(([topic]) => topics.has(topic)) };
}
