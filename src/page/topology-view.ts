import type { LiveView, TopologyView } from './answers.ts';
import { el, panel, svg, write } from './dom.ts';
import { getJson, words } from './fetch.ts';
import { type Flow, Flows } from './flows.ts';
import { compact, count } from './format.ts';
import { type Graph, type GraphEdge, type GraphNode, graphOf } from './graph.ts';
import { type Layout, layOut, nodeHeight, nodeWidth } from './graph-layout.ts';
import { address } from './place.ts';
import { table, text } from './table.ts';
import type { View } from './view.ts';

interface DrawnEdge {
  readonly edge: GraphEdge;
  readonly line: SVGPathElement;
  readonly label: SVGTextElement;
}

/** The topology as a graph from left to right: what its edges carry in a second, and where it stalls. The same stands in a table. */
export class TopologyPanel implements View {
  readonly name = 'topology';
  readonly label = 'Topology';
  readonly root: HTMLElement;
  readonly #flows = new Flows();
  readonly #said = el('p', { class: 'summary', role: 'status' }, 'Loading…');
  readonly #stage = el('div', { class: 'graph', tabindex: '0', role: 'region', 'aria-label': 'Graph of the topology' });
  readonly #rows = table<GraphEdge>(
    [
      { label: 'From', render: text(({ from }) => from.name) },
      { label: 'To', render: text(({ to }) => to.name) },
      { label: 'In a second', numeric: true, render: text((edge) => rateOf(this.#flowOf(edge))) },
      { label: 'In all', numeric: true, wide: true, render: text((edge) => totalOf(this.#flowOf(edge))) },
      { label: 'Waiting', numeric: true, render: text((edge) => this.#flowOf(edge)?.waiting ?? '') },
      { label: 'State', wraps: true, render: text((edge) => stateOf(this.#flowOf(edge))) },
    ],
    'Edges of the topology',
  );
  #graph: Graph | undefined;
  #edges: readonly DrawnEdge[] = [];
  #notes: readonly { readonly store: string; readonly note: SVGTextElement }[] = [];

  constructor() {
    this.root = el(
      'div',
      { class: 'view' },
      panel('Topology', this.#said, this.#stage),
      panel('Edges', this.#rows.root),
    );
  }

  show(): readonly string[] {
    if (this.#graph === undefined) void this.#load();
    return [];
  }

  update(live: LiveView): void {
    this.#flows.update(live);
    this.#paint();
  }

  async #load(): Promise<void> {
    try {
      const graph = graphOf(await getJson<TopologyView>('/topology?format=json'));
      this.#graph = graph;
      if (graph.nodes.length > 0) this.#draw(graph, layOut(graph));
      this.#paint();
    } catch (error) {
      write(this.#said, words(error));
    }
  }

  #flowOf({ from, to }: GraphEdge): Flow | undefined {
    if (from.kind === 'topic') return this.#flows.from(from.name);
    if (to.kind !== 'topic') return undefined;
    const read = this.#flows.from(to.name);
    // Without a broker what is read of an internal topic is what was written to it. Who stalls is its reader.
    return this.#flows.to(to.name) ?? (read && { ...read, waiting: '', stalled: '' });
  }

  #draw(graph: Graph, layout: Layout): void {
    const { width, height } = layout;
    this.#edges = graph.edges.map((edge) => drawnEdge(edge, layout));
    const notes: { store: string; note: SVGTextElement }[] = [];
    const nodes = graph.nodes.map((node) => {
      const note = svg('text', { class: 'graph-note', x: 12, y: 35 });
      const store = ownStore(node);
      if (store !== undefined) notes.push({ store, note });
      else note.append(node.kind === 'topic' ? 'topic' : '');
      return drawnNode(node, layout, note);
    });
    this.#notes = notes;
    const lines = svg('g', { 'aria-hidden': 'true' }, ...this.#edges.flatMap(({ line, label }) => [line, label]));
    const drawing = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}` }, lines, ...nodes);
    this.#stage.replaceChildren(drawing);
  }

  #paint(): void {
    if (this.#graph === undefined) return;
    for (const { edge, line, label } of this.#edges) {
      const flow = this.#flowOf(edge);
      const state = flow === undefined ? '' : flow.stalled !== '' ? 'stalled' : (flow.rate ?? 0) > 0 ? 'moving' : '';
      line.setAttribute('class', `graph-line ${state}`);
      label.setAttribute('class', `graph-label ${state}`);
      write(label, state === 'stalled' ? 'stalled' : flow?.rate === undefined ? '' : `${compact(flow.rate)}/s`);
    }
    for (const { store, note } of this.#notes) {
      const rate = this.#flows.into(store)?.rate;
      write(note, rate === undefined ? 'store' : `store, ${compact(rate)} writes/s`);
    }
    this.#rows.update(this.#graph.edges);
    write(this.#said, this.#inWords(this.#graph));
  }

  #inWords({ nodes, edges }: Graph): string {
    if (nodes.length === 0) return 'The topology has no nodes.';
    const stalled = edges.filter((edge) => (this.#flowOf(edge)?.stalled ?? '') !== '');
    if (stalled.length === 0) return `${count(nodes.length)} nodes, ${count(edges.length)} edges; none stalls.`;
    return stalled
      .map((edge) => `${edge.from.name} → ${edge.to.name} stalls: ${this.#flowOf(edge)!.stalled}.`)
      .join(' ');
  }
}

/** The store that a node writes: the others it reads. */
function ownStore({ kind, stores, name }: GraphNode): string | undefined {
  if (kind === 'topic') return undefined;
  return stores.includes(name) ? name : stores[0];
}

function drawnNode(node: GraphNode, { spots }: Layout, note: SVGTextElement): SVGElement {
  const { x, y } = spots.get(node)!;
  const store = ownStore(node);
  const name = shortened(node.name);
  const whole = name === node.name ? [] : [svg('title', {}, node.name)];
  const box = [
    svg('rect', { width: nodeWidth, height: nodeHeight, rx: node.kind === 'topic' ? nodeHeight / 2 : 8 }),
    svg('text', { class: 'graph-name', x: 12, y: 19 }, name, ...whole),
    note,
  ];
  const attributes = { class: `graph-node ${node.kind}`, transform: `translate(${x} ${y})` };
  if (store === undefined) return svg('g', attributes, ...box);
  return svg('a', { ...attributes, href: address('stores', [['store', store]]) }, ...box);
}

function drawnEdge(edge: GraphEdge, { spots }: Layout): DrawnEdge {
  const from = spots.get(edge.from)!;
  const to = spots.get(edge.to)!;
  const [x1, y1, x2, y2] = [from.x + nodeWidth, from.y + nodeHeight / 2, to.x, to.y + nodeHeight / 2];
  // An edge that goes back leaves and arrives in an arc.
  const bend = x2 > x1 ? (x2 - x1) / 2 : 60;
  const line = svg('path', {
    class: 'graph-line',
    d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
  });
  const label = svg('text', { class: 'graph-label', x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 5, 'text-anchor': 'middle' });
  return { edge, line, label };
}

function shortened(name: string): string {
  return name.length > 24 ? `${name.slice(0, 11)}…${name.slice(-11)}` : name;
}

function rateOf(flow: Flow | undefined): string {
  return flow?.rate === undefined ? '–' : count(flow.rate);
}

function totalOf(flow: Flow | undefined): string {
  return flow === undefined ? '–' : count(flow.total);
}

function stateOf(flow: Flow | undefined): string {
  if (flow === undefined) return 'not measured';
  if (flow.stalled !== '') return `stalled: ${flow.stalled}`;
  return (flow.rate ?? 0) > 0 ? 'moving' : 'at rest';
}
