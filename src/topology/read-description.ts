/** A store, as a description has it. */
export interface DescribedStore {
  /** Kind, serdes and windows, such as `window, string -> int64, days in Europe/Paris`. */
  readonly text: string;
  /** The topics whose records reach it, internal ones included, sorted. Of a global table: its topic. */
  readonly topics: readonly string[];
}

/** A sub-topology, as a description has it: each list sorted. */
export interface DescribedPart {
  /** Its number. */
  readonly id: number;
  readonly topics: readonly string[];
  readonly stores: readonly string[];
}

/** What can be read back from a description: see {@link readDescription}. */
export interface ReadDescription {
  readonly stores: ReadonlyMap<string, DescribedStore>;
  /** In the order of their first sources. */
  readonly parts: readonly DescribedPart[];
}

interface Node {
  readonly name: string;
  readonly topics: readonly string[];
  readonly stores: readonly string[];
  readonly parents: string[];
}

const list = (text: string): string[] => (text === '' || text === 'none' ? [] : text.split(', '));

/** Reads back what `TopologyDescription` writes: its text and, behind it, its details. Two programs are held against each other by it. */
export function readDescription(text: string): ReadDescription {
  const nodes = new Map<string, Node>();
  const parts: { readonly id: number; readonly nodes: Node[] }[] = [];
  const texts = new Map<string, string>();
  const globals = new Map<string, readonly string[]>();
  let part: { readonly id: number; readonly nodes: Node[] } | undefined;
  let node: Node | undefined;
  for (const line of text.split('\n')) {
    let match = /^ {3}Sub-topology: (\d+)( for global store.*)?$/.exec(line);
    if (match !== null) {
      part = match[2] === undefined ? { id: Number(match[1]), nodes: [] } : undefined;
      if (part !== undefined) parts.push(part);
      continue;
    }
    match = /^ {4}(Source|Processor|Sink): (.*) \((?:topics|stores|topic): (.*)\)$/.exec(line);
    if (match !== null) {
      const [, kind, name, inner] = match as unknown as [string, string, string, string];
      const items = kind === 'Sink' ? [] : list(inner.slice(1, -1));
      node = { name, topics: kind === 'Source' ? items : [], stores: kind === 'Processor' ? items : [], parents: [] };
      if (part !== undefined) {
        part.nodes.push(node);
        nodes.set(name, node);
      } else if (kind === 'Source') globals.set('', items);
      else for (const store of items) globals.set(store, globals.get('')!);
      continue;
    }
    if (line.startsWith('      <-- ')) node?.parents.push(...list(line.slice(10)));
    match = /^store ([^:]+): (.*)$/.exec(line);
    if (match !== null) texts.set(match[1]!, match[2]!);
  }
  const feeds = new Map<string, Set<string>>();
  for (const { name, stores } of nodes.values())
    for (const store of stores) {
      const known = feeds.get(store) ?? new Set();
      for (const topic of topicsAbove(name, nodes)) known.add(topic);
      feeds.set(store, known);
    }
  const topicsOf = (store: string): readonly string[] => globals.get(store) ?? [...(feeds.get(store) ?? [])].sort();
  return {
    stores: new Map([...texts].map(([name, found]) => [name, { text: found, topics: topicsOf(name) }])),
    parts: parts.map((each) => ({
      id: each.id,
      topics: each.nodes.flatMap(({ topics }) => topics).sort(),
      stores: [...new Set(each.nodes.flatMap(({ stores }) => stores))].sort(),
    })),
  };
}

function topicsAbove(name: string, nodes: ReadonlyMap<string, Node>, seen: Set<string> = new Set()): readonly string[] {
  const node = nodes.get(name);
  if (node === undefined || seen.has(name)) return [];
  seen.add(name);
  return [...node.topics, ...node.parents.flatMap((parent) => topicsAbove(parent, nodes, seen))];
}
