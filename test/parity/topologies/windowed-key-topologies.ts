import {
  type Grouped,
  type KTable,
  type Materialized,
  type Serde,
  Serdes,
  TimeWindows,
  untilWindowCloses,
  Windowed,
  WindowedSerde,
} from '../../../src/index.ts';
import { even, n, shown, tail } from '../values.ts';
import type { Text, Topology, Wiring } from '../wiring.ts';
import { count, reduce, windowsOf } from './window-topologies.ts';

type Key = Windowed<string>;

/** Tables and groupings whose keys are windowed: section "Windowed keys" of README.md. */
export const windowedKeyTopologies: { readonly [name: string]: Topology } = {
  'windowed-table': (w) => out(w, table(w)),
  'windowed-table-filter': (w) =>
    out(
      w,
      table(w)
        .filter((_k, v) => even(v), w.flag('materialized') ? { ...rows(w, 'kept'), materialize: true } : {})
        .mapValues(
          (v, k) => `${k.key}@${k.startMs}=${v}`,
          w.flag('materialized') ? { ...rows(w, 'mapped'), materialize: true } : {},
        ),
    ),
  'windowed-to-table': (w) => out(w, texts(w).toTable(rows(w, 'latest'))),
  'windowed-to-table-suppress': (w) =>
    out(
      w,
      texts(w)
        .toTable(rows(w, 'latest'))
        .suppress(untilWindowCloses({ name: 'final' })),
    ),
  'windowed-group-by-key': groupByKey,
  'windowed-group-by': groupBy,
  'windowed-table-group': tableGroup,
  'windowed-table-join': tableJoin,
  'windowed-stream-join': streamJoin,
  'windowed-twice': twice,
};

const keySerde = (w: Wiring): Serde<Key> => new WindowedSerde(Serdes.string, windowsOf(w));
const rows = (w: Wiring, name: string): Materialized<Key, string> & { valueSerde: Serde<string> } => ({
  name,
  keySerde: keySerde(w),
  valueSerde: Serdes.string,
});
const grouped = (w: Wiring): Grouped<Key, string> => ({
  name: 'regrouped',
  keySerde: keySerde(w),
  valueSerde: Serdes.string,
});
const pair = (left: Text, right: Text): string => `${shown(left)}/${shown(right)}`;

function table(w: Wiring): KTable<Key, string> {
  return w.windowedTable('table', 'table', windowsOf(w));
}

/** The changes of the windowed count, as texts. */
function texts(w: Wiring): ReturnType<KTable<Key, string>['toStream']> {
  return count(w)
    .toStream({ name: 'count-changes' })
    .mapValues((total) => (total === undefined ? undefined : String(total)) as string, { name: 'text' });
}

function out<V>(w: Wiring, result: KTable<Key, V>, topic = 'out', name = 'changes'): void {
  w.toWindowed(topic, result.toStream({ name }), windowsOf(w));
}

/** Three aggregates of one grouping by the windowed key as it is. */
function groupByKey(w: Wiring): void {
  const perWindow = texts(w).groupByKey(grouped(w));
  const numbers = { keySerde: keySerde(w), valueSerde: Serdes.int64 };
  out(w, perWindow.count({ name: 'changes-per-window', ...numbers }), 'out-count', 'count-results');
  const reduced = perWindow.reduce((total, v) => tail(total + v), rows(w, 'reduced'));
  out(w, reduced, 'out-reduce', 'reduce-results');
  const lists = perWindow.aggregate(
    () => '',
    (k, v, total) => tail(`${total},${k.startMs}:${v}`),
    rows(w, 'lists'),
  );
  out(w, lists, 'out-aggregate', 'aggregate-results');
}

/** The window of a value: one of the first three. */
function windowOf(w: Wiring, key: Text, value: Text): Key | undefined {
  if (key === undefined || value === undefined) return undefined;
  const startMs = (n(value) % 3) * w.number('advanceMs');
  return new Windowed(key.slice(0, 1), startMs, startMs + w.number('sizeMs'));
}

/** Through a repartition topic of windowed keys. */
function groupBy(w: Wiring): void {
  const lists = w
    .stream('in')
    .groupBy((k, v) => windowOf(w, k, v) as Key, grouped(w) as Grouped<Key, Text>)
    .aggregate(
      () => '',
      (_k, v, total) => tail(`${total},${shown(v)}`),
      rows(w, 'lists'),
    );
  out(w, lists);
}

/** A windowed reduce grouped by window and the first character of its key. */
function tableGroup(w: Wiring): void {
  const traces = reduce(w)
    .groupBy((k, total) => [new Windowed(k.key.slice(0, 1), k.startMs, k.endMs), total], grouped(w))
    .aggregate(
      () => '',
      (_k, v, total) => tail(`${total}+${v}`),
      (_k, v, total) => tail(`${total}-${v}`),
      rows(w, 'traces'),
    );
  out(w, traces);
}

/** The windowed count with a table of windowed keys, on the side that `tableIs` says; or with another windowed aggregate. */
function tableJoin(w: Wiring): void {
  const counts = count(w).mapValues((total) => `${total}`, { name: 'text', valueSerde: Serdes.string });
  const side = w.text('tableIs');
  const other =
    side === 'none'
      ? w
          .stream('in2')
          .groupByKey({ keySerde: Serdes.string as Serde<Text>, valueSerde: Serdes.string as Serde<Text> })
          .windowedBy(windowsOf(w))
          .reduce((total, v) => tail(shown(total) + shown(v)), {
            name: 'reduced',
            keySerde: Serdes.string as Serde<Text>,
            valueSerde: Serdes.string as Serde<Text>,
          })
      : table(w);
  const [left, right] = (side === 'left' ? [other, counts] : [counts, other]) as [
    KTable<Key, string>,
    KTable<Key, string>,
  ];
  const options = w.flag('materialized') ? { ...rows(w, 'joined'), materialize: true } : { name: 'join' };
  out(w, w.text('kind') === 'left' ? left.leftJoin(right, pair, options) : left.join(right, pair, options));
}

/** The changes of a windowed count with the row of a table of windowed keys. */
function streamJoin(w: Wiring): void {
  const right = table(w);
  const stream = texts(w);
  const joined = w.text('kind') === 'left' ? stream.leftJoin(right, pair) : stream.join(right, pair);
  w.toWindowed('out', joined, windowsOf(w));
}

/** Windowed keys counted in windows. */
function twice(w: Wiring): void {
  const wide = TimeWindows.ofSizeAndGrace(3 * w.number('sizeMs'), w.number('graceMs')).retention(
    w.number('retentionMs'),
  );
  const counts = texts(w)
    .groupByKey(grouped(w))
    .windowedBy(wide)
    .count({ name: 'changes-per-window', keySerde: keySerde(w), valueSerde: Serdes.int64 });
  w.to(
    'out',
    counts
      .toStream({ name: 'changes' })
      .selectKey(({ key, startMs, endMs }) => `${key.key}@${key.startMs}/${key.endMs}|${startMs}/${endMs}`, {
        name: 'shown',
      }),
  );
}
