import { equalBytes } from '../common/bytes.ts';
import type { Serde } from '../serde/serde.ts';
import { int64Serde } from '../serde/serdes.ts';
import { WindowedSerde } from '../serde/windowed.ts';
import { needSerde } from './internal/graph.ts';
import { ownedTable } from './internal/owned-table.ts';
import { GroupingTopic, repartition } from './internal/repartition.ts';
import type { Fn } from './internal/stateless-nodes.ts';
import { TableAggregateNode, type TableAggregation, TableRegroupNode } from './internal/table-nodes.ts';
import { needOldValues, type TablePart } from './internal/table-part.ts';
import type { KTable } from './ktable.ts';
import type { Grouped, Materialized } from './options.ts';

/**
 * A table's rows grouped by a new key. An aggregate of it follows the table: when a row changes, its old value is subtracted from its old group and
 * its new value added to its new one.
 *
 * Changes applied twice count twice, so under at_least_once such a table can be too high. Kafka Streams: `kstream/KGroupedTable.java`.
 */
export class KGroupedTable<K, V> {
  readonly #source: TablePart<unknown, unknown>;
  readonly #selector: Fn<readonly [unknown, unknown]>;
  readonly #grouped: Grouped<K, V>;
  readonly #topic: GroupingTopic;

  constructor(source: TablePart<unknown, unknown>, selector: Fn<readonly [unknown, unknown]>, grouped: Grouped<K, V>) {
    this.#source = source;
    this.#selector = selector;
    this.#grouped = grouped;
    this.#topic = new GroupingTopic(grouped.name);
  }

  /** How many rows each group has. */
  count(materialized: Materialized<K, number>): KTable<K, number> {
    const how: TableAggregation = {
      initializer: () => 0,
      adder: (_key, _value, count) => (count as number) + 1,
      subtractor: (_key, _value, count) => (count as number) - 1,
      reduces: false,
    };
    return this.#aggregate(how, { valueSerde: int64Serde, ...materialized });
  }

  /** Combines each group's values. Undefined deletes the row. */
  reduce(
    adder: (aggregate: V, value: V) => V | undefined,
    subtractor: (aggregate: V, value: V) => V | undefined,
    materialized: Materialized<K, V>,
  ): KTable<K, V> {
    const how: TableAggregation = {
      initializer: undefined,
      adder: (_key, value, aggregate) => adder(aggregate as V, value as V),
      subtractor: (_key, value, aggregate) => subtractor(aggregate as V, value as V),
      reduces: true,
    };
    const valueSerde = materialized.valueSerde ?? this.#valueSerde;
    return this.#aggregate(how, { ...materialized, ...(valueSerde === undefined ? {} : { valueSerde }) });
  }

  /**
   * Folds each group's values into one of another type. Adder and subtractor may change the aggregate they are given and return it; undefined
   * deletes the row.
   */
  aggregate<A>(
    initializer: () => A,
    adder: (key: K, value: V, aggregate: A) => A | undefined,
    subtractor: (key: K, value: V, aggregate: A) => A | undefined,
    materialized: Materialized<K, A>,
  ): KTable<K, A> {
    return this.#aggregate({ initializer, adder, subtractor, reduces: false } as TableAggregation, materialized);
  }

  get #valueSerde(): Serde<V> | undefined {
    return this.#grouped.valueSerde ?? (this.#source.valueSerde as Serde<V> | undefined);
  }

  #aggregate<A>(how: TableAggregation, materialized: Materialized<K, A>): KTable<K, A> {
    const { name, caching, result } = materialized;
    const { graph } = this.#source;
    const keySerde = needSerde(materialized.keySerde ?? this.#grouped.keySerde, 'key', `the grouping for ${name}`);
    const valueSerde = needSerde(materialized.valueSerde, 'value', name);
    needOldValues(this.#source, `the grouping for ${name}`);
    const changeSerde = needSerde(this.#valueSerde, 'value', `the grouping for ${name}`);
    const parent = this.#topic.source(name, keySerde as Serde<unknown>, (topicName) =>
      this.#regrouped(topicName, keySerde, changeSerde),
    );
    const target = { store: name, windowed: keySerde instanceof WindowedSerde };
    const store = { name, keySerde, valueSerde, caching, cachedAbove: this.#source.cached, result };
    return ownedTable(graph, [parent], store, (oldValues) => new TableAggregateNode(name, target, oldValues, how));
  }

  /** The source that gives the rows' changes by their new keys. */
  #regrouped(topicName: string, keySerde: Serde<K>, valueSerde: Serde<V>): string {
    const { graph, node } = this.#source;
    const regroup = `${topicName}-regroup`;
    const bytesOf = (key: unknown): Uint8Array | undefined => {
      try {
        return keySerde.serialize(key as K);
      } catch {
        // Refused where it is written: the other group's change must not be lost with it.
        return undefined;
      }
    };
    const sameKey = (a: unknown, b: unknown): boolean => {
      // 0 and -0 are two keys of some serdes.
      if (Object.is(a, b)) return true;
      const [left, right] = [bytesOf(a), bytesOf(b)];
      return left !== undefined && right !== undefined && equalBytes(left, right);
    };
    const create = (): TableRegroupNode => new TableRegroupNode(regroup, this.#selector, sameKey);
    graph.topology.add({ kind: 'processor', name: regroup, parents: [node], stores: [], create });
    return repartition(graph, regroup, topicName, keySerde, valueSerde, { changes: true });
  }
}
