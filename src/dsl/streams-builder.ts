import type { StoreSpec, StoreWindows } from '../processor/node.ts';
import type { Serde } from '../serde/serde.ts';
import { WindowedSerde } from '../serde/windowed.ts';
import type { Topology } from '../topology/topology.ts';
import { GlobalKTable } from './global-ktable.ts';
import { Graph } from './internal/graph.ts';
import { ownedTable } from './internal/owned-table.ts';
import { StreamSources } from './internal/stream-sources.ts';
import { TableSourceNode, UnstoredTableNode } from './internal/table-nodes.ts';
import { KStream } from './kstream.ts';
import { KTable } from './ktable.ts';
import type { Consumed, Materialized } from './options.ts';

/** Where a table comes from, and the store that holds it. */
export interface TableOptions<K, V>
  extends Consumed<K, V>,
    Omit<Materialized<K, V>, 'name' | 'keySerde' | 'valueSerde'> {
  /** Name of the store. */
  readonly name: string;
  /** The table has a store: see {@link UnstoredTableOptions} for one without. */
  readonly materialize?: true;
}

/** Where a table without store comes from. */
export interface UnstoredTableOptions<K, V> extends Consumed<K, V> {
  /** No store: what a value was before is not known. */
  readonly materialize: false;
}

/** A global table's topic and store. */
export interface GlobalTableOptions<K, V> {
  /** Name of the store. */
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** True: old versions are kept, and joins read the one valid at the row's time. @defaultValue false */
  readonly versioned?: boolean;
}

/**
 * Where a topology begins: streams and tables of topics.
 *
 * @example
 * ```ts
 * import { CalendarWindows, Serdes, StreamsBuilder } from 'weir-streams';
 *
 * const builder = new StreamsBuilder();
 * builder
 *   .stream('readings', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
 *   .groupByKey()
 *   .windowedBy(CalendarWindows.day('Europe/Paris').grace(86_400_000))
 *   .reduce((sum, value) => sum + value, { name: 'kwh-per-day' });
 * const topology = builder.build();
 * ```
 * @remarks Kafka Streams: `StreamsBuilder.java`.
 */
export class StreamsBuilder {
  readonly #graph: Graph = new Graph({
    stream: (graph, part) => new KStream(graph, part),
    table: (part) => new KTable(part),
  });
  readonly #streamSources = new StreamSources();

  /**
   * A stream of the records of a topic, or of several topics read as one. Streams of the same topics share one source: the first one's, with its name.
   *
   * @throws StreamsError `STREAMS_TOPOLOGY` - a topic is read already: by a table, together with other topics, or with other options.
   */
  stream<K, V>(topics: string | readonly string[], consumed: Consumed<K, V>): KStream<K, V> {
    const name = this.#graph.name(consumed.name, 'KSTREAM-SOURCE-');
    const list = [...new Set(typeof topics === 'string' ? [topics] : topics)];
    const { keySerde, valueSerde } = consumed;
    const node = this.#streamSources.source(name, list, consumed as Consumed<unknown, unknown>, () =>
      this.#addSource(name, list, consumed),
    );
    return new KStream<K, V>(this.#graph, { node, keySerde, valueSerde, keyChanged: false });
  }

  /**
   * A table: the latest value of each key of a topic; a record without a value deletes the row. With a `WindowedSerde` for its keys its store is one of windows.
   *
   * With `materialize: false` it has no store. Then it cannot say what a value was before: it cannot be grouped or joined, and its filter tells of
   * a deletion for each value that does not pass.
   */
  table<K, V>(topic: string, options: TableOptions<K, V> | UnstoredTableOptions<K, V>): KTable<K, V> {
    const source = this.#graph.name(undefined, 'KSTREAM-SOURCE-');
    this.#addSource(source, topic, options);
    if (options.materialize === false) return this.#unstoredTable(source, options);
    const { name, keySerde, valueSerde, caching, result } = options;
    const store = { name, keySerde, valueSerde, caching, result };
    return ownedTable(
      this.#graph,
      [source],
      store,
      (oldValues) => new TableSourceNode(name, name, keySerde instanceof WindowedSerde, oldValues),
    );
  }

  /**
   * A table that every task sees whole: each record is a version of its key, valid from the record's timestamp on. Without `versioned` only the
   * latest is kept.
   */
  globalTable<K, V>(topic: string, options: GlobalTableOptions<K, V>): GlobalKTable<K, V> {
    return this.#global(topic, options, 'record', options.versioned ?? false);
  }

  /**
   * A versioned global table whose records each carry the whole history of their key, replacing what was known of it: for reference data that is
   * corrected in the past. Compaction keeps it whole, and a correction is one record.
   *
   * `[{validFromMs: 0, value: 'Lyon'}, {validFromMs: 100, value: undefined}]` is Lyon in `[0, 100)` and nothing from 100 on.
   */
  globalHistoryTable<K, V>(topic: string, options: Omit<GlobalTableOptions<K, V>, 'versioned'>): GlobalKTable<K, V> {
    return this.#global(topic, options, 'value', true);
  }

  /** Declares a store for processors written by hand. */
  addStateStore<K, V>(options: StateStoreOptions<K, V>): this {
    const { name, kind, keySerde, valueSerde, windows } = options;
    // Digests cover latest rows, so no versioned store.
    const base = { name, cached: options.caching ?? true, result: kind !== 'versioned' && (options.result ?? true) };
    const spec = {
      ...base,
      kind,
      keySerde,
      valueSerde,
      ...(windows === undefined ? {} : { windows }),
    } as unknown as StoreSpec;
    if ((kind === 'window') !== (windows !== undefined))
      throw new TypeError(`store ${name}: windows are given for window stores, and only for them`);
    this.#graph.topology.addStateStore(spec);
    return this;
  }

  #unstoredTable<K, V>(source: string, options: UnstoredTableOptions<K, V>): KTable<K, V> {
    const graph = this.#graph;
    const node = graph.name(options.name, 'KTABLE-SOURCE-');
    const create = (): UnstoredTableNode => new UnstoredTableNode(node);
    graph.topology.add({ kind: 'processor', name: node, parents: [source], stores: [], create });
    const { keySerde, valueSerde } = options;
    const rows = { view: undefined, store: undefined, cached: false, askOldValues: () => false };
    return new KTable<K, V>({ graph, node, keySerde, valueSerde, ...rows });
  }

  /** The topology so far. */
  build(): Topology {
    return this.#graph.topology;
  }

  #addSource<K, V>(name: string, topics: string | readonly string[], consumed: Consumed<K, V>): void {
    const { keySerde, valueSerde, timestampExtractor, arrivalTime, complete } = consumed;
    const optional = {
      ...(timestampExtractor === undefined ? {} : { timestampExtractor }),
      ...(arrivalTime === undefined ? {} : { arrivalTime }),
      ...(complete === undefined ? {} : { complete }),
    };
    this.#graph.topology.addSource(name, topics, { keySerde, valueSerde, ...optional });
  }

  #global<K, V>(
    topic: string,
    options: GlobalTableOptions<K, V>,
    history: 'record' | 'value',
    versioned: boolean,
  ): GlobalKTable<K, V> {
    const { name, keySerde, valueSerde } = options;
    const store = {
      name,
      kind: 'versioned',
      keySerde,
      valueSerde,
      cached: true,
      result: false,
    } as unknown as StoreSpec;
    this.#graph.topology.addGlobalTable({ topic, sourceName: `${name}-source`, store, history, versioned });
    return new GlobalKTable<K, V>(name, versioned, keySerde);
  }
}

/** A store for processors written by hand. */
export interface StateStoreOptions<K, V> extends Omit<Materialized<K, V>, 'keySerde' | 'valueSerde'> {
  readonly kind: 'key-value' | 'window' | 'versioned';
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** Of a window store: where its windows end. */
  readonly windows?: StoreWindows;
}
