import type { KGroupedStream, KTable } from '../../../src/index.ts';
import { bucket, n, tail } from '../values.ts';
import { groupedTexts, numbers, type Text, type Topology, texts, type Wiring } from '../wiring.ts';

/** Aggregates of a grouped stream in a key-value store: section "Grouped streams" of README.md. */
export const aggregateTopologies: { readonly [name: string]: Topology } = {
  count: (w) => out(w, group(w).count(numbers('counts'))),
  reduce: (w) =>
    out(
      w,
      group(w).reduce((total, v) => tail(total + v), texts('reduced')),
    ),
  aggregate: (w) =>
    out(
      w,
      group(w).aggregate(() => 0, sum(w.number('nullOn')), numbers('sums')),
    ),
};

/** `groupBy: key` groups by the record's key, `groupBy: value` by the value's bucket, through a repartition topic. */
export function group(w: Wiring): KGroupedStream<string, string> {
  const stream = w.stream('in');
  const grouped =
    w.text('groupBy') === 'key'
      ? stream.groupByKey(groupedTexts)
      : stream.groupBy<Text>((_k, v) => bucket(v), groupedTexts);
  return grouped as KGroupedStream<unknown, unknown> as KGroupedStream<string, string>;
}

/** A sum, but nothing (delete the row) where it is a multiple of `nullOn`; 0 for never. */
function sum(nullOn: number): (key: string, value: string, total: number) => number | undefined {
  return (_key, value, total) => {
    const next = total + n(value);
    return nullOn > 0 && next % nullOn === 0 ? undefined : next;
  };
}

function out<V>(w: Wiring, table: KTable<string, V>): void {
  w.to('out', table.toStream({ name: 'changes' }));
}
