import { int64Serde } from '../serde/serdes.ts';
import { type Windowed, WindowedSerde } from '../serde/windowed.ts';
import { type Aggregation, WindowAggregateNode } from './internal/aggregate-nodes.ts';
import { needSerde } from './internal/graph.ts';
import { ownedTable } from './internal/owned-table.ts';
import { type GroupedPart, placedNode } from './internal/placed-node.ts';
import type { KTable } from './ktable.ts';
import type { Materialized } from './options.ts';
import type { Windows } from './windows.ts';

/**
 * Records grouped by key and window of event time, ready to be aggregated.
 *
 * A record is late for a window iff `windowEnd <= observedStreamTime - grace`: it is dropped for that window, counted, and kept in the late letters.
 * Kafka Streams: `kstream/TimeWindowedKStream.java`.
 */
export class TimeWindowedKStream<K, V> {
  readonly #part: GroupedPart<K, V>;
  readonly #windows: Windows;

  constructor(part: GroupedPart<K, V>, windows: Windows) {
    this.#part = part;
    this.#windows = windows;
  }

  /** How many records each key has in each window; records without a value count too, as in Kafka Streams. */
  count(materialized: Materialized<K, number>): KTable<Windowed<K>, number> {
    const how: Aggregation = {
      initializer: () => 0,
      aggregator: (_key, _value, count) => (count as number) + 1,
      reduces: false,
    };
    return this.#aggregate(how, { valueSerde: int64Serde, ...materialized });
  }

  /** Combines the values of each key and window; the first is the result so far. */
  reduce(reducer: (aggregate: V, value: V) => V, materialized: Materialized<K, V>): KTable<Windowed<K>, V> {
    const aggregator = (_key: unknown, value: unknown, aggregate: unknown): unknown =>
      reducer(aggregate as V, value as V);
    const valueSerde = materialized.valueSerde ?? this.#part.valueSerde;
    return this.#aggregate(
      { initializer: undefined, aggregator, reduces: true },
      { ...materialized, ...(valueSerde === undefined ? {} : { valueSerde }) },
    );
  }

  /**
   * Folds the records of each key and window into a value of another type. The aggregator may change the aggregate it is given and return it;
   * undefined deletes the row.
   */
  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A | undefined,
    materialized: Materialized<K, A>,
  ): KTable<Windowed<K>, A> {
    return this.#aggregate(
      { initializer, aggregator: aggregator as Aggregation['aggregator'], reduces: false },
      materialized,
    );
  }

  #aggregate<A>(how: Aggregation, materialized: Materialized<K, A>): KTable<Windowed<K>, A> {
    const { name, caching, result } = materialized;
    const inner = needSerde(materialized.keySerde ?? this.#part.keySerde, 'key', name);
    const valueSerde = needSerde(materialized.valueSerde, 'value', name);
    this.#part.graph.aggregatesByWindows(name, this.#windows.graceMs);
    const parent = placedNode(this.#part, name, inner);
    const store = {
      name,
      keySerde: new WindowedSerde(inner, this.#windows),
      valueSerde,
      caching,
      result,
      expires: true,
    };
    return ownedTable(
      this.#part.graph,
      [parent],
      store,
      (oldValues) => new WindowAggregateNode(name, oldValues, this.#windows, how),
    );
  }
}
