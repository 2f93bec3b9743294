import type { ProcessorNode } from '../processor/node.ts';
import type { ProcessorSupplier } from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import { WindowedSerde } from '../serde/windowed.ts';
import { BranchedKStream } from './branched-kstream.ts';
import { GlobalKTable } from './global-ktable.ts';
import { type Graph, needSerde, type StreamPart } from './internal/graph.ts';
import { type Joiner, StreamGlobalJoinNode, StreamTableJoinNode } from './internal/join-nodes.ts';
import { ownedTable } from './internal/owned-table.ts';
import { GroupingTopic, type RepartitionOptions, repartition } from './internal/repartition.ts';
import {
  FilterNode,
  FlatMapNode,
  FlatMapValuesNode,
  type Fn,
  MapNode,
  MapValuesNode,
  PassThroughNode,
  PeekNode,
  SelectKeyNode,
} from './internal/stateless-nodes.ts';
import { TableSourceNode } from './internal/table-nodes.ts';
import { needTable, needView } from './internal/table-part.ts';
import { KGroupedStream } from './kgrouped-stream.ts';
import type { KTable } from './ktable.ts';
import type { GlobalJoined, Grouped, Materialized, Named, ProcessOptions, Produced, Repartitioned } from './options.ts';

type AnyTable<K> = KTable<K, unknown> | GlobalKTable<unknown, unknown>;

/**
 * A stream of records. Immutable: each method gives a new stream and adds a node to the topology.
 *
 * After a method that can change the key, the next one that needs records of a key in one place goes through a repartition topic by itself.
 * Kafka Streams: `kstream/KStream.java`.
 */
export class KStream<K, V> {
  readonly #graph: Graph;
  readonly #node: string;
  readonly #keySerde: Serde<K> | undefined;
  readonly #valueSerde: Serde<V> | undefined;
  /** The key may have changed since the records were last placed by it. */
  readonly #keyChanged: boolean;

  constructor(graph: Graph, part: StreamPart<K, V>) {
    this.#graph = graph;
    this.#node = part.node;
    this.#keySerde = part.keySerde;
    this.#valueSerde = part.valueSerde;
    this.#keyChanged = part.keyChanged;
  }

  /** Keeps the records for which the predicate holds. */
  filter(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    return this.#same('KSTREAM-FILTER-', named, (name) => new FilterNode(name, predicate as Fn<boolean>, true));
  }

  /** Drops the records for which the predicate holds. */
  filterNot(predicate: (key: K, value: V) => boolean, named: Named = {}): KStream<K, V> {
    return this.#same('KSTREAM-FILTER-', named, (name) => new FilterNode(name, predicate as Fn<boolean>, false));
  }

  /** New key and value for each record. */
  map<K2, V2>(mapper: (key: K, value: V) => readonly [K2, V2], named: Named = {}): KStream<K2, V2> {
    const name = this.#add(
      'KSTREAM-MAP-',
      named,
      (node) => new MapNode(node, mapper as Fn<readonly [unknown, unknown]>),
    );
    return new KStream<K2, V2>(this.#graph, {
      node: name,
      keySerde: undefined,
      valueSerde: undefined,
      keyChanged: true,
    });
  }

  /** A new value for each record; its key and place stay. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, named: Named = {}): KStream<K, V2> {
    const name = this.#add('KSTREAM-MAPVALUES-', named, (node) => new MapValuesNode(node, mapper as Fn<unknown>));
    return new KStream<K, V2>(this.#graph, {
      node: name,
      keySerde: this.#keySerde,
      valueSerde: undefined,
      keyChanged: this.#keyChanged,
    });
  }

  /** Any number of records for each record. */
  flatMap<K2, V2>(mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>, named: Named = {}): KStream<K2, V2> {
    const create = (name: string): ProcessorNode =>
      new FlatMapNode(name, mapper as Fn<Iterable<readonly [unknown, unknown]>>);
    return new KStream<K2, V2>(this.#graph, {
      node: this.#add('KSTREAM-FLATMAP-', named, create),
      keySerde: undefined,
      valueSerde: undefined,
      keyChanged: true,
    });
  }

  /** Any number of values for each value; the key stays. */
  flatMapValues<V2>(mapper: (value: V, key: K) => Iterable<V2>, named: Named = {}): KStream<K, V2> {
    const name = this.#add(
      'KSTREAM-FLATMAPVALUES-',
      named,
      (node) => new FlatMapValuesNode(node, mapper as Fn<Iterable<unknown>>),
    );
    return new KStream<K, V2>(this.#graph, {
      node: name,
      keySerde: this.#keySerde,
      valueSerde: undefined,
      keyChanged: this.#keyChanged,
    });
  }

  /** A new key for each record. */
  selectKey<K2>(
    selector: (key: K, value: V) => K2,
    named: Named & { readonly keySerde?: Serde<K2> } = {},
  ): KStream<K2, V> {
    const name = this.#add('KSTREAM-KEY-SELECT-', named, (node) => new SelectKeyNode(node, selector as Fn<unknown>));
    return new KStream<K2, V>(this.#graph, {
      node: name,
      keySerde: named.keySerde,
      valueSerde: this.#valueSerde,
      keyChanged: true,
    });
  }

  /** Looks at each record. If the action returns a promise, the task waits for it before it takes the next record. */
  peek(action: (key: K, value: V) => void, named: Named = {}): KStream<K, V> {
    return this.#same('KSTREAM-PEEK-', named, (name) => new PeekNode(name, action as Fn<unknown>));
  }

  /** Does something with each record; nothing follows. A promise is waited for, as by {@link peek}: a commit says that all of it is done. */
  forEach(action: (key: K, value: V) => void, named: Named = {}): void {
    this.#add('KSTREAM-FOREACH-', named, (name) => new PeekNode(name, action as Fn<unknown>));
  }

  /** Begins a split: each record goes to the first branch whose predicate holds. */
  split(named: Named = {}): BranchedKStream<K, V> {
    const { name, predicates } = BranchedKStream.begin(this.#graph, this.#node, named);
    const branch = (child: string): KStream<K, V> => {
      const create = (): ProcessorNode => new PassThroughNode(child);
      this.#graph.topology.add({ kind: 'processor', name: child, parents: [name], stores: [], create });
      return new KStream(this.#graph, {
        node: child,
        keySerde: this.#keySerde,
        valueSerde: this.#valueSerde,
        keyChanged: this.#keyChanged,
      });
    };
    return new BranchedKStream<K, V>(name, predicates, branch);
  }

  /** The records of both, in the order in which they are processed. */
  merge(other: KStream<K, V>, named: Named = {}): KStream<K, V> {
    const name = this.#graph.name(named.name, 'KSTREAM-MERGE-');
    // Streams of one topic have one source: it is one parent.
    const parents = [...new Set([this.#node, other.#node])];
    this.#graph.topology.add({ kind: 'processor', name, parents, stores: [], create: () => new PassThroughNode(name) });
    return new KStream(this.#graph, {
      node: name,
      keySerde: this.#keySerde ?? other.#keySerde,
      valueSerde: this.#valueSerde ?? other.#valueSerde,
      keyChanged: this.#keyChanged || other.#keyChanged,
    });
  }

  /** A processor written by hand. Its result counts as re-keyed. */
  process<K2, V2>(supplier: ProcessorSupplier<K, V, K2, V2>, options: ProcessOptions = {}): KStream<K2, V2> {
    const node = this.#graph.name(options.name, 'KSTREAM-PROCESSOR-');
    this.#graph.topology.addProcessor(node, supplier, this.#node, options.stores);
    return new KStream<K2, V2>(this.#graph, {
      node,
      keySerde: undefined,
      valueSerde: undefined,
      keyChanged: true,
    });
  }

  /** Sends records through a topic, placed by their key. */
  repartition(options: Repartitioned<K, V>): KStream<K, V> {
    return this.#withSerdes(options).#repartition(options.name, { partitions: options.partitions });
  }

  /** Groups by a new key. */
  groupBy<K2>(selector: (key: K, value: V) => K2, grouped: Grouped<K2, V> = {}): KGroupedStream<K2, V> {
    return this.selectKey(selector, grouped.keySerde === undefined ? {} : { keySerde: grouped.keySerde }).groupByKey(
      grouped,
    );
  }

  /** Groups by the key as it is. */
  groupByKey(grouped: Grouped<K, V> = {}): KGroupedStream<K, V> {
    return new KGroupedStream<K, V>({
      graph: this.#graph,
      node: this.#node,
      keySerde: grouped.keySerde ?? this.#keySerde,
      valueSerde: grouped.valueSerde ?? this.#valueSerde,
      keyChanged: this.#keyChanged,
      topic: new GroupingTopic(grouped.name),
    });
  }

  /** The latest value of each key as a table. */
  toTable(materialized: Materialized<K, V>): KTable<K, V> {
    const { name, caching, result } = materialized;
    const stream = this.#placed(name, materialized);
    const keySerde = needSerde(stream.#keySerde, 'key', `toTable ${name}`);
    const valueSerde = needSerde(materialized.valueSerde ?? stream.#valueSerde, 'value', `toTable ${name}`);
    const store = { name, keySerde, valueSerde, caching, result };
    return ownedTable(
      this.#graph,
      [stream.#node],
      store,
      (oldValues) => new TableSourceNode(name, name, keySerde instanceof WindowedSerde, oldValues),
    );
  }

  /** Adds the table's row of the same key to each record; records without one are dropped. */
  join<V2, R>(
    table: KTable<K, V2>,
    joiner: (value: V, tableValue: V2, key: K) => R,
    options?: Grouped<K, V>,
  ): KStream<K, R>;
  /** Adds the global table's row: of a versioned table the one valid at the record's time. */
  join<GK, V2, R>(
    table: GlobalKTable<GK, V2>,
    joiner: (value: V, tableValue: V2, key: K) => R,
    options?: Named & GlobalJoined<K, V, GK>,
  ): KStream<K, R>;
  join<V2, R>(
    table: KTable<K, V2> | GlobalKTable<unknown, V2>,
    joiner: (value: V, tableValue: V2, key: K) => R,
    options: Grouped<K, V> & Named & GlobalJoined<K, V, unknown> = {},
  ): KStream<K, R> {
    return this.#join(table as AnyTable<K>, joiner as Joiner, options, false);
  }

  /** As `join`, but a record without a row is kept, with undefined for the row. */
  leftJoin<V2, R>(
    table: KTable<K, V2>,
    joiner: (value: V, tableValue: V2 | undefined, key: K) => R,
    options?: Grouped<K, V>,
  ): KStream<K, R>;
  leftJoin<GK, V2, R>(
    table: GlobalKTable<GK, V2>,
    joiner: (value: V, tableValue: V2 | undefined, key: K) => R,
    options?: Named & GlobalJoined<K, V, GK>,
  ): KStream<K, R>;
  leftJoin<V2, R>(
    table: KTable<K, V2> | GlobalKTable<unknown, V2>,
    joiner: (value: V, tableValue: V2 | undefined, key: K) => R,
    options: Grouped<K, V> & Named & GlobalJoined<K, V, unknown> = {},
  ): KStream<K, R> {
    return this.#join(table as AnyTable<K>, joiner as Joiner, options, true);
  }

  /** Writes the stream to a topic. */
  to(topic: string, produced: Produced<K, V> = {}): void {
    const name = this.#graph.name(produced.name, 'KSTREAM-SINK-');
    this.#graph.topology.addSink(name, topic, this.#node, {
      keySerde: needSerde(produced.keySerde ?? this.#keySerde, 'key', `to ${topic}`),
      valueSerde: needSerde(produced.valueSerde ?? this.#valueSerde, 'value', `to ${topic}`),
    });
  }

  #join<R>(
    table: AnyTable<K>,
    joiner: Joiner,
    options: Grouped<K, V> & GlobalJoined<K, V, unknown>,
    left: boolean,
  ): KStream<K, R> {
    const prefix = left ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-';
    if (table instanceof GlobalKTable) {
      const how = {
        store: table.store,
        versioned: table.versioned,
        key: options.key as Fn<unknown> | undefined,
        asOf: options.asOf as Fn<number> | undefined,
      };
      const global = this.#add(prefix, options, (name) => new StreamGlobalJoinNode(name, how, joiner, left), [
        table.store,
      ]);
      if (left) this.#graph.leftJoin(global);
      return new KStream<K, R>(this.#graph, {
        node: global,
        keySerde: this.#keySerde,
        valueSerde: undefined,
        keyChanged: this.#keyChanged,
      });
    }
    needTable(table, options.name ?? (left ? 'leftJoin' : 'join'));
    const name = this.#graph.name(options.name, prefix);
    const stream = this.#placed(name, options);
    const view = needView(table.part, `join ${name}`);
    const create = (): ProcessorNode => new StreamTableJoinNode(name, view as never, joiner, left);
    const { stores } = view;
    this.#graph.topology.add({ kind: 'processor', name, parents: [stream.#node], stores, looksUp: stores, create });
    if (left) this.#graph.leftJoin(name);
    return new KStream<K, R>(this.#graph, {
      node: name,
      keySerde: stream.#keySerde,
      valueSerde: undefined,
      keyChanged: false,
    });
  }

  /** This stream with its records in the tasks of their keys. */
  #placed(name: string, serdes: Produced<K, V>): KStream<K, V> {
    const stream = this.#withSerdes(serdes);
    return stream.#keyChanged ? stream.#repartition(name) : stream;
  }

  #repartition(name: string, options: RepartitionOptions = {}): KStream<K, V> {
    const keySerde = needSerde(this.#keySerde, 'key', `repartition ${name}`);
    const valueSerde = needSerde(this.#valueSerde, 'value', `repartition ${name}`);
    const node = repartition(this.#graph, this.#node, name, keySerde, valueSerde, options);
    return new KStream(this.#graph, { node, keySerde, valueSerde, keyChanged: false });
  }

  #withSerdes({ keySerde = this.#keySerde, valueSerde = this.#valueSerde }: Produced<K, V>): KStream<K, V> {
    return new KStream<K, V>(this.#graph, { node: this.#node, keySerde, valueSerde, keyChanged: this.#keyChanged });
  }

  #same(prefix: string, named: Named, create: (name: string) => ProcessorNode): KStream<K, V> {
    return new KStream(this.#graph, {
      node: this.#add(prefix, named, create),
      keySerde: this.#keySerde,
      valueSerde: this.#valueSerde,
      keyChanged: this.#keyChanged,
    });
  }

  #add(prefix: string, named: Named, create: (name: string) => ProcessorNode, stores: readonly string[] = []): string {
    const name = this.#graph.name(named.name, prefix);
    this.#graph.topology.add({ kind: 'processor', name, parents: [this.#node], stores, create: () => create(name) });
    return name;
  }
}
