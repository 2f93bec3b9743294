import { int64Serde } from '../serde/serdes.ts';
import { WindowedSerde } from '../serde/windowed.ts';
import { type Aggregation, StreamAggregateNode } from './internal/aggregate-nodes.ts';
import { needSerde } from './internal/graph.ts';
import { ownedTable } from './internal/owned-table.ts';
import { type GroupedPart, placedNode } from './internal/placed-node.ts';
import type { KTable } from './ktable.ts';
import type { Materialized } from './options.ts';
import { TimeWindowedKStream } from './time-windowed-kstream.ts';
import type { Windows } from './windows.ts';

/** Records grouped by key, ready to be aggregated. Kafka Streams: `kstream/KGroupedStream.java`. */
export class KGroupedStream<K, V> {
  readonly #part: GroupedPart<K, V>;

  constructor(part: GroupedPart<K, V>) {
    this.#part = part;
  }

  /** Groups each key's records by windows of event time. */
  windowedBy(windows: Windows): TimeWindowedKStream<K, V> {
    return new TimeWindowedKStream(this.#part, windows);
  }

  /** How many records each key has. Records without key or value do not count. */
  count(materialized: Materialized<K, number>): KTable<K, number> {
    const how: Aggregation = {
      initializer: () => 0,
      aggregator: (_key, _value, count) => (count as number) + 1,
      reduces: false,
    };
    return this.#aggregate(how, { valueSerde: int64Serde, ...materialized });
  }

  /** Combines each key's values; the first is the result so far. */
  reduce(reducer: (aggregate: V, value: V) => V, materialized: Materialized<K, V>): KTable<K, V> {
    const aggregator = (_key: unknown, value: unknown, aggregate: unknown): unknown =>
      reducer(aggregate as V, value as V);
    const valueSerde = materialized.valueSerde ?? this.#part.valueSerde;
    return this.#aggregate(
      { initializer: undefined, aggregator, reduces: true },
      { ...materialized, ...(valueSerde === undefined ? {} : { valueSerde }) },
    );
  }

  /**
   * Folds each key's records into a value of another type. The aggregator may change the aggregate it is given and return it; undefined deletes
   * the row.
   */
  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A | undefined,
    materialized: Materialized<K, A>,
  ): KTable<K, A> {
    return this.#aggregate(
      { initializer, aggregator: aggregator as Aggregation['aggregator'], reduces: false },
      materialized,
    );
  }

  #aggregate<A>(how: Aggregation, materialized: Materialized<K, A>): KTable<K, A> {
    const { name, caching, result } = materialized;
    const { graph } = this.#part;
    const keySerde = needSerde(materialized.keySerde ?? this.#part.keySerde, 'key', name);
    const valueSerde = needSerde(materialized.valueSerde, 'value', name);
    const parent = placedNode(this.#part, name, keySerde);
    return ownedTable(
      graph,
      [parent],
      { name, keySerde, valueSerde, caching, result },
      (oldValues) => new StreamAggregateNode(name, keySerde instanceof WindowedSerde, oldValues, how),
    );
  }
}
