import type { Graph, GraphNode } from './graph.ts';

/** Where a node is drawn: its upper left corner. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** A graph with a place for each node. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly spots: ReadonlyMap<GraphNode, Spot>;
}

export const nodeWidth = 204;
export const nodeHeight = 46;
const columnGap = 84;
const rowGap = 16;
const edge = 8;

/** Columns from left to right, each node behind all that lead to it; in a column, nodes beside what leads to them, or below one another. */
export function layOut(graph: Graph): Layout {
  const columns = columnsOf(graph);
  const parents = linked(graph, 'to', 'from');
  const y = new Map<GraphNode, number>();
  for (const column of columns) {
    const wanted = (node: GraphNode): number => {
      const known = (parents.get(node) ?? []).flatMap((parent) => y.get(parent) ?? []);
      return known.length === 0 ? 0 : known.reduce((sum, each) => sum + each, 0) / known.length;
    };
    const ordered = column.map((node, i) => ({ node, i, at: wanted(node) })).sort((a, b) => a.at - b.at || a.i - b.i);
    let free = 0;
    for (const { node, at } of ordered) {
      const row = Math.max(free, at);
      y.set(node, row);
      free = row + nodeHeight + rowGap;
    }
  }
  const spots = new Map<GraphNode, Spot>();
  columns.forEach((column, i) => {
    for (const node of column) spots.set(node, { x: edge + i * (nodeWidth + columnGap), y: edge + y.get(node)! });
  });
  return {
    width: columns.length * (nodeWidth + columnGap) - columnGap + 2 * edge,
    height: Math.max(...y.values()) + nodeHeight + 2 * edge,
    spots,
  };
}

function columnsOf(graph: Graph): GraphNode[][] {
  const children = linked(graph, 'from', 'to');
  const columnOf = new Map<GraphNode, number>();
  const under = new Set<GraphNode>();
  const visit = (node: GraphNode, column: number): void => {
    // A topology may write to a topic that it reads: that edge goes back.
    if (under.has(node) || (columnOf.get(node) ?? -1) >= column) return;
    columnOf.set(node, column);
    under.add(node);
    for (const child of children.get(node) ?? []) visit(child, column + 1);
    under.delete(node);
  };
  const reached = new Set(graph.edges.map(({ to }) => to));
  for (const node of graph.nodes) if (!reached.has(node)) visit(node, 0);
  for (const node of graph.nodes) if (!columnOf.has(node)) visit(node, 0);
  const columns: GraphNode[][] = [];
  for (const [node, column] of columnOf) {
    columns[column] ??= [];
    columns[column].push(node);
  }
  return columns;
}

function linked(graph: Graph, of: 'from' | 'to', to: 'from' | 'to'): Map<GraphNode, GraphNode[]> {
  const found = new Map<GraphNode, GraphNode[]>();
  for (const each of graph.edges) found.set(each[of], [...(found.get(each[of]) ?? []), each[to]]);
  return found;
}
