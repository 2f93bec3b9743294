import { type Serde, Serdes, StreamsBuilder, TimeWindows, type Topology } from '../../../src/index.ts';

export const texts: { readonly keySerde: Serde<string>; readonly valueSerde: Serde<string> } = {
  keySerde: Serdes.string,
  valueSerde: Serdes.string,
};
export const numbers: { readonly keySerde: Serde<string>; readonly valueSerde: Serde<number> } = {
  keySerde: Serdes.string,
  valueSerde: Serdes.int64,
};

/** How many records each key of `in` has. */
export function counts(): Topology {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).groupByKey().count({ name: 'counts' });
  return builder.build();
}

/** How many records each key of `in` has in windows of 10 ms with 5 ms of grace. */
export function windowedCounts(): Topology {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(10, 5)).count({ name: 'counts' });
  return builder.build();
}

/** Copies `in` to `out`; what `look` throws fails the record. */
export function copies(look: (key: string, value: string) => void = () => {}): Topology {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).peek(look, { name: 'look' }).to('out');
  return builder.build();
}

/** The latest value of each key of `in`, and of how many keys each value is the latest: through a repartition topic. */
export function valueCounts(): Topology {
  const builder = new StreamsBuilder();
  builder
    .table('in', { name: 'values', ...texts })
    .groupBy((key, value) => [value, key], texts)
    .count({ name: 'keys-by-value' });
  return builder.build();
}
