import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec, StoreWindows } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import { WindowedSerde } from '../../serde/windowed.ts';
import { Topology } from '../../topology/topology.ts';
import type { KStream } from '../kstream.ts';
import type { KTable } from '../ktable.ts';
import type { Windows } from '../windows.ts';
import type { TablePart } from './table-part.ts';

/** Makes the DSL's objects. Streams give tables and tables give streams: the builder hands both to both, so that no module needs the other. */
export interface DslFactory {
  stream<K, V>(graph: Graph, part: StreamPart<K, V>): KStream<K, V>;
  table<K, V>(part: TablePart<K, V>): KTable<K, V>;
}

/** What the DSL knows of a stream: the node whose records it is. */
export interface StreamPart<K, V> {
  readonly node: string;
  readonly keySerde: Serde<K> | undefined;
  readonly valueSerde: Serde<V> | undefined;
  /** The key may have changed since the records were last placed by it. */
  readonly keyChanged: boolean;
}

/** The topology that a builder's streams and tables write themselves into, and its counter of names. */
export class Graph {
  readonly topology: Topology = new Topology();
  readonly make: DslFactory;
  readonly #leftJoins = new Set<string>();
  /** The grace of the nodes that aggregate by windows. */
  readonly #graces = new Map<string, number>();
  #count = 0;

  constructor(make: DslFactory) {
    this.make = make;
  }

  /** The author's name, or the next numbered one. */
  name(given: string | undefined, prefix: string): string {
    const number = this.#count++;
    return given ?? `${prefix}${String(number).padStart(10, '0')}`;
  }

  /** A node is a left join of a stream, which has a result for a record without key. */
  leftJoin(node: string): void {
    this.#leftJoins.add(node);
  }

  /** Whether a left join of a stream lies below a node, with internal topics between or without. Asked when the topology is complete. */
  leadsToLeftJoin(node: string): boolean {
    // Parents come before their children, and the sink of an internal topic before its source.
    const below = new Set([node]);
    const topics = new Set<string>();
    for (const spec of this.topology.nodes) {
      const above =
        spec.kind === 'source'
          ? spec.topics.some((topic) => topics.has(topic))
          : spec.parents.some((parent) => below.has(parent));
      if (!above) continue;
      if (this.#leftJoins.has(spec.name)) return true;
      below.add(spec.name);
      if (spec.kind === 'sink' && this.topology.repartitions.has(spec.topic)) topics.add(spec.topic);
    }
    return false;
  }

  /** The node aggregates by windows with this grace. */
  aggregatesByWindows(node: string, graceMs: number): void {
    this.#graces.set(node, graceMs);
  }

  /**
   * How long after a window's end changes of it may come from a node: the grace of the windowed aggregates that all it gives comes from, the longest of
   * several; undefined where something comes from elsewhere. Kafka Streams: `GraphGraceSearchUtil.java`.
   */
  graceOf(name: string): number | undefined {
    const graces = new Set<number | undefined>();
    const above = new Set([name]);
    for (const node of above) {
      const own = this.#graces.get(node);
      const parents = own === undefined ? this.#parentsOf(node) : [];
      if (parents.length === 0) graces.add(own);
      for (const parent of parents) above.add(parent);
    }
    return graces.has(undefined) ? undefined : Math.max(...(graces as Set<number>));
  }

  /** Behind a repartition topic those of the sink before it. */
  #parentsOf(name: string): readonly string[] {
    const node = this.topology.nodes.find((each) => each.name === name);
    if (node === undefined) return [];
    if (node.kind !== 'source') return node.parents;
    const { topics } = node;
    if (!topics.every((topic) => this.topology.repartitions.has(topic))) return [];
    return this.topology.nodes.flatMap((each) =>
      each.kind === 'sink' && topics.includes(each.topic) ? each.parents : [],
    );
  }
}

/** The serde, or an error that says which option is missing. */
export function needSerde<T>(serde: Serde<T> | undefined, what: string, where: string): Serde<T> {
  if (serde === undefined)
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `${where} needs a ${what}Serde: the type was changed upstream. Give ${what}Serde in the options of ${where}.`,
    );
  return serde;
}

/** How a table's store is kept. */
export interface TableStoreOptions {
  readonly cached?: boolean | undefined;
  readonly result?: boolean | undefined;
  /** False: its rows are never deleted by age, whatever the retention of its windows: those of a table that was not aggregated by them. */
  readonly expires?: boolean | undefined;
}

/** The spec of a table's store: a window store where the key is windowed, wherever the table comes from. */
export function tableStore<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
  options: TableStoreOptions,
): StoreSpec {
  const common = { name, cached: options.cached ?? true, result: options.result ?? true };
  if (keySerde instanceof WindowedSerde) {
    const windows = keySerde.windows as Windows;
    if (typeof windows.describe !== 'function')
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `table ${name}: the windows of its keySerde do not say what they are. Make the WindowedSerde with TimeWindows or CalendarWindows.`,
      );
    return {
      ...common,
      kind: 'window',
      keySerde: keySerde.inner as Serde<unknown>,
      valueSerde: valueSerde as Serde<unknown>,
      windows: options.expires === true ? windows : keptForEver(windows),
    };
  }
  return {
    ...common,
    kind: 'key-value',
    keySerde: keySerde as Serde<unknown>,
    valueSerde: valueSerde as Serde<unknown>,
  };
}

function keptForEver(windows: Windows): StoreWindows {
  return {
    endOf: (startMs) => windows.endOf(startMs),
    describe: () => windows.describe(),
    retentionMs: Number.POSITIVE_INFINITY,
  };
}
