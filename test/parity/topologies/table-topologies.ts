import type { KGroupedTable, KTable } from '../../../src/index.ts';
import { bucket, even, n, tail } from '../values.ts';
import { groupedTexts, numbers, type Text, type Topology, texts, type Wiring } from '../wiring.ts';

/** Tables: section "Tables" of README.md. */
export const tableTopologies: { readonly [name: string]: Topology } = {
  'table-to-stream': (w) => out(w, table(w)),
  'table-filter': (w) =>
    out(
      w,
      table(w).filter(
        (_k, v) => even(v),
        w.flag('materialized') ? { ...texts('kept'), materialize: true } : { name: 'keep' },
      ),
    ),
  'table-unstored-filter': (w) =>
    out(
      w,
      w.unstoredTable('table').filter((_k, v) => even(v), { name: 'keep' }),
    ),
  'table-map-values': (w) =>
    out(
      w,
      table(w).mapValues(
        (v, k) => `${k}=${v}`,
        w.flag('materialized') ? { ...texts('mapped'), materialize: true } : { name: 'map' },
      ),
    ),
  'table-pipeline': (w) =>
    out(
      w,
      table(w)
        .filter((_k, v) => n(v) > 4, { name: 'large' })
        .mapValues((v) => `${2 * n(v)}`, { name: 'double' })
        .filterNot((_k, v) => n(v) > 30, { name: 'not-huge' }),
    ),
  'table-filter-group': filterGroup,
  'table-group-count': (w) => out(w, grouped(w).count(numbers('counts'))),
  'table-group-reduce': (w) =>
    out(
      w,
      grouped(w).reduce(
        (total, v) => `${n(total) + n(v)}`,
        (total, v) => `${n(total) - n(v)}`,
        texts('sums'),
      ),
    ),
  'table-group-aggregate': (w) =>
    out(
      w,
      grouped(w).aggregate(
        () => '',
        (_k, v, total) => tail(`${total}+${v}`),
        (_k, v, total) => tail(`${total}-${v}`),
        texts('traces'),
      ),
    ),
  'to-table': (w) =>
    out(
      w,
      w
        .stream('in')
        .selectKey((_k, v) => bucket(v), { name: 'rekey' })
        .toTable(texts('table')),
    ),
  'to-table-by-key': (w) => out(w, w.stream('in').toTable(texts('table'))),
};

/** A plain table; versioned ones are not offered. */
export function table(w: Wiring): KTable<string, string> {
  if (w.number('historyMs') > 0) throw new RangeError('there are no versioned tables');
  return w.table('table', 'table');
}

/** Values such as `A5` grouped by their letter, `-` for none; the grouped value is the number, nothing for 0. */
function grouped(w: Wiring): KGroupedTable<string, string> {
  return table(w).groupBy(
    (_k, v) => [v.startsWith('-') ? undefined : v.slice(0, 1), v.slice(1) === '0' ? undefined : v.slice(1)] as never,
    groupedTexts,
  );
}

/** A filtered table that is both shown and grouped. */
function filterGroup(w: Wiring): void {
  const kept = table(w).filter((_k, v) => even(v), { name: 'keep' });
  out(w, kept);
  const counts = kept.groupBy((_k, v) => [bucket(v)!, v], groupedTexts).count(numbers('counts'));
  w.to('out-counts', counts.toStream({ name: 'count-changes' }));
}

function out<K extends Text, V>(w: Wiring, changed: KTable<K, V>): void {
  w.to('out', changed.toStream({ name: 'changes' }));
}
