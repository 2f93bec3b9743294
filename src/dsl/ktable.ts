import { StreamsError } from '../common/errors.ts';
import type { ProcessorNode } from '../processor/node.ts';
import type { Serde } from '../serde/serde.ts';
import { type Windowed, WindowedSerde } from '../serde/windowed.ts';
import { GlobalKTable } from './global-ktable.ts';
import { derivedTable, materializeOrNot } from './internal/derived-table.ts';
import { needSerde, tableStore } from './internal/graph.ts';
import { type Joiner, TableGlobalJoinNode } from './internal/join-nodes.ts';
import { ownedTable } from './internal/owned-table.ts';
import type { Fn } from './internal/stateless-nodes.ts';
import { SuppressNode } from './internal/suppress-node.ts';
import { joinTables } from './internal/table-join.ts';
import {
  TableAggregateNode,
  type TableAggregation,
  TableFilterNode,
  TableMapValuesNode,
  TableToStreamNode,
} from './internal/table-nodes.ts';
import { needOldValues, needTable, type TablePart } from './internal/table-part.ts';
import { KGroupedTable } from './kgrouped-table.ts';
import type { KStream } from './kstream.ts';
import type { GlobalJoined, Grouped, Materialized, MaybeMaterialized, Named } from './options.ts';
import type { Suppressed } from './suppressed.ts';
import type { Windows } from './windows.ts';

type AnyTable<K> = KTable<K, unknown> | GlobalKTable<unknown, unknown>;

/**
 * A table: the latest value of each key, and the stream of its changes. Immutable.
 *
 * With caching (the default) the changes of a row between two commits are told as one. Kafka Streams: `kstream/KTable.java`.
 */
export class KTable<K, V> {
  /** What the builder knows of the table. */
  readonly part: TablePart<K, V>;

  constructor(part: TablePart<K, V>) {
    this.part = part;
  }

  /** The rows for which the predicate holds; a row that no longer does is deleted. */
  filter(predicate: (key: K, value: V) => boolean, options: MaybeMaterialized<K, V> = {}): KTable<K, V> {
    return this.#filter(predicate, true, options);
  }

  /** The rows for which the predicate does not hold. */
  filterNot(predicate: (key: K, value: V) => boolean, options: MaybeMaterialized<K, V> = {}): KTable<K, V> {
    return this.#filter(predicate, false, options);
  }

  /** A new value for each row; undefined deletes it. */
  mapValues<V2>(mapper: (value: V, key: K) => V2 | undefined, options: MaybeMaterialized<K, V2> = {}): KTable<K, V2> {
    const table = derivedTable<K, V, V2>(
      this.part,
      'KTABLE-MAPVALUES-',
      options.materialize ? undefined : options.name,
      {
        valueSerde: options.valueSerde,
        create: (name, oldValues) => new TableMapValuesNode(name, mapper as Fn<unknown>, oldValues),
        likesOldValues: false,
        row: (key, value) => mapper(value, key),
      },
    );
    return materializeOrNot(table, options);
  }

  /** The table's changes as a stream of new values (undefined for deletions). */
  toStream(named: Named = {}): KStream<K, V> {
    const { graph, node, keySerde, valueSerde } = this.part;
    const name = graph.name(named.name, 'KTABLE-TOSTREAM-');
    graph.topology.add({
      kind: 'processor',
      name,
      parents: [node],
      stores: [],
      create: () => new TableToStreamNode(name),
    });
    return graph.make.stream(graph, { node: name, keySerde, valueSerde, keyChanged: false });
  }

  /** Groups the rows by a new key and value; through a repartition topic. A windowed key keeps its window. */
  groupBy<K2, V2>(selector: (key: K, value: V) => readonly [K2, V2], grouped: Grouped<K2, V2>): KGroupedTable<K2, V2> {
    return new KGroupedTable<K2, V2>(
      this.part as TablePart<unknown, unknown>,
      selector as Fn<readonly [unknown, unknown]>,
      grouped,
    );
  }

  /** Rows of both tables with the same key. */
  join<V2, R>(
    table: KTable<K, V2>,
    joiner: (value: V, other: V2, key: K) => R,
    options?: MaybeMaterialized<K, R>,
  ): KTable<K, R>;
  /** Rows with the global table's value valid at their time; recomputed when that changes. */
  join<GK, V2, R>(
    table: GlobalKTable<GK, V2>,
    joiner: (value: V, other: V2, key: K) => R,
    options: Materialized<K, R> & GlobalJoined<K, V, GK>,
  ): KTable<K, R>;
  join<V2, R>(
    table: KTable<K, V2> | GlobalKTable<unknown, V2>,
    joiner: (value: V, other: V2, key: K) => R,
    options: MaybeMaterialized<K, R> & GlobalJoined<K, V, unknown> = {},
  ): KTable<K, R> {
    return this.#join(table as AnyTable<K>, joiner as Joiner, options, false);
  }

  /** Rows of this table, with undefined for a missing row of the other. */
  leftJoin<V2, R>(
    table: KTable<K, V2>,
    joiner: (value: V, other: V2 | undefined, key: K) => R,
    options?: MaybeMaterialized<K, R>,
  ): KTable<K, R>;
  leftJoin<GK, V2, R>(
    table: GlobalKTable<GK, V2>,
    joiner: (value: V, other: V2 | undefined, key: K) => R,
    options: Materialized<K, R> & GlobalJoined<K, V, GK>,
  ): KTable<K, R>;
  leftJoin<V2, R>(
    table: KTable<K, V2> | GlobalKTable<unknown, V2>,
    joiner: (value: V, other: V2 | undefined, key: K) => R,
    options: MaybeMaterialized<K, R> & GlobalJoined<K, V, unknown> = {},
  ): KTable<K, R> {
    return this.#join(table as AnyTable<K>, joiner as Joiner, options, true);
  }

  /** Holds rows back until their window closes, so that each leaves once. @throws StreamsError `STREAMS_TOPOLOGY` for a table without windows. */
  suppress(suppressed: Suppressed): KTable<K, V> {
    const { graph, node, keySerde, valueSerde } = this.part;
    const { name } = suppressed;
    const graceMs = graph.graceOf(node);
    if (graceMs === undefined || !(keySerde instanceof WindowedSerde))
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `suppress ${name}: ${node} has no windows, so none closes. Suppress a windowed table.`,
      );
    graph.topology.addStateStore(
      tableStore(name, keySerde, needSerde(valueSerde, 'value', name), { cached: this.part.cached, result: false }),
    );
    graph.topology.add({
      kind: 'processor',
      name,
      parents: [node],
      stores: [name],
      create: () => new SuppressNode(name, name, graceMs),
    });
    return graph.make.table<K, V>({
      graph,
      node: name,
      keySerde,
      valueSerde,
      view: undefined,
      store: undefined,
      cached: this.part.cached,
      // Each row leaves once, so before it there was none.
      askOldValues: () => true,
    });
  }

  /**
   * The same keys in coarser windows: what a row of this table adds to, and is subtracted from, the row of the coarser window that holds its own.
   *
   * Day rows of 2017-12-30 and 2017-12-31 meet in the month row of 2017-12-01. No repartition: same keys, same tasks.
   *
   * @throws StreamsError `STREAMS_TOPOLOGY` unless each window of this table lies in exactly one of `windows`.
   */
  rollUp<B, A>(
    this: KTable<Windowed<B>, V>,
    windows: Windows,
    initializer: () => A,
    adder: (key: B, value: V, aggregate: A) => A | undefined,
    subtractor: (key: B, value: V, aggregate: A) => A | undefined,
    materialized: Materialized<B, A>,
  ): KTable<Windowed<B>, A> {
    const { name, caching, result } = materialized;
    const { graph, node, keySerde } = this.part;
    if (!(keySerde instanceof WindowedSerde) || !windows.covers(keySerde.windows as Windows))
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `roll-up ${name}: the windows of ${node} do not each lie in one window of ${windows.describe()}.`,
      );
    needOldValues(this.part, `roll-up ${name}`);
    const how: TableAggregation = {
      initializer,
      adder: (key, value, aggregate) => adder((key as Windowed<B>).key, value as V, aggregate as A),
      subtractor: (key, value, aggregate) => subtractor((key as Windowed<B>).key, value as V, aggregate as A),
      reduces: false,
    };
    const valueSerde = needSerde(
      materialized.valueSerde ?? (this.part.valueSerde as unknown as Serde<A> | undefined),
      'value',
      name,
    );
    const store = {
      name,
      keySerde: new WindowedSerde(keySerde.inner as Serde<B>, windows),
      valueSerde,
      caching,
      cachedAbove: this.part.cached,
      result,
    };
    const target = { store: name, windowed: true };
    const startOf = windows.startOf.bind(windows);
    return ownedTable(
      graph,
      [node],
      store,
      (oldValues) => new TableAggregateNode(name, target, oldValues, how, startOf),
    );
  }

  #filter(predicate: (key: K, value: V) => boolean, keep: boolean, options: MaybeMaterialized<K, V>): KTable<K, V> {
    const stored = options.materialize === true;
    const table = derivedTable<K, V, V>(this.part, 'KTABLE-FILTER-', stored ? undefined : options.name, {
      valueSerde: options.valueSerde ?? this.part.valueSerde,
      create: (name, oldValues) => new TableFilterNode(name, predicate as Fn<boolean>, keep, oldValues, stored),
      likesOldValues: true,
      row: (key, value) => (!!predicate(key, value) === keep ? value : undefined),
    });
    // As without a store: where the table above knows old values, a row that does not pass and did not before is no news.
    return materializeOrNot(table, options, this.part.askOldValues() ? 'never' : 'without old values');
  }

  #join<R>(
    table: AnyTable<K>,
    joiner: Joiner,
    options: MaybeMaterialized<K, R> & GlobalJoined<K, V, unknown>,
    left: boolean,
  ): KTable<K, R> {
    needTable(table, (options as { readonly name?: string }).name ?? (left ? 'leftJoin' : 'join'));
    if (!(table instanceof GlobalKTable))
      return joinTables<K, R>(this.part as TablePart<K, unknown>, table.part, joiner, left, options);
    const { graph, node, keySerde } = this.part;
    const name = options.name ?? '';
    const leftStore = this.part.store;
    if (leftStore === undefined)
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `join ${name}: ${node} has no store to join again from when ${table.store} changes. Materialize it.`,
      );
    const how = {
      store: table.store,
      versioned: table.versioned,
      key: options.key as Fn<unknown> | undefined,
      asOf: options.asOf as Fn<number> | undefined,
      leftStore,
      joiner,
      left,
    };
    const target = { store: name, windowed: keySerde instanceof WindowedSerde };
    const store = {
      name,
      keySerde,
      valueSerde: needSerde(options.valueSerde, 'value', name),
      caching: options.caching,
      cachedAbove: this.part.cached,
      result: options.result,
    };
    const create = (oldValues: { needed: boolean }): ProcessorNode =>
      new TableGlobalJoinNode(name, target, oldValues, how);
    return ownedTable(graph, [node], store, create, [leftStore, table.store]);
  }
}
