import { type Grouped, type KStream, Serdes, TimeWindows } from '../../../src/index.ts';
import { bucket, even, n, shown, tail } from '../values.ts';
import { groupedTexts, numbers, type Text, type Topology, texts, type Wiring } from '../wiring.ts';
import { group } from './aggregate-topologies.ts';

/** What several operations share: section "Sharing" of README.md. */
export const sharingTopologies: { readonly [name: string]: Topology } = {
  'shared-grouping': sharedGrouping,
  'shared-table-grouping': sharedTableGrouping,
  'source-twice': sourceTwice,
};

/** Three aggregates of one grouping, of which one is windowed. */
function sharedGrouping(w: Wiring): void {
  const windows = TimeWindows.ofSizeAndGrace(w.number('sizeMs'), w.number('graceMs'));
  const grouped = group(w);
  w.to('out-counts', grouped.count(numbers('counts')).toStream({ name: 'count-changes' }));
  const perWindow = grouped.windowedBy(windows).count(numbers('per-window'));
  w.toWindowed('out-windows', perWindow.toStream({ name: 'window-changes' }), windows);
  const traces = grouped.aggregate(
    () => '',
    (_key, value, total) => tail(`${total},${value}`),
    texts('traces'),
  );
  w.to('out-traces', traces.toStream({ name: 'trace-changes' }));
}

/** Two aggregates of one grouped table; without a name each has a repartition topic of its own. */
function sharedTableGrouping(w: Wiring): void {
  const unnamed: Grouped<string, string> = { keySerde: Serdes.string, valueSerde: Serdes.string };
  const grouped = w
    .table('table', 'table')
    .groupBy((k, v) => [bucket(v)!, k + v], w.flag('named') ? groupedTexts : unnamed);
  w.to('out-counts', grouped.count(numbers('counts')).toStream({ name: 'count-changes' }));
  const traces = grouped.aggregate(
    () => '',
    (_k, v, total) => tail(`${total}+${v}`),
    (_k, v, total) => tail(`${total}-${v}`),
    texts('traces'),
  );
  w.to('out-traces', traces.toStream({ name: 'trace-changes' }));
}

/** Streams of one topic, asked for three times. */
function sourceTwice(w: Wiring): void {
  const first = w.stream('in');
  const second = w.stream('in');
  const evens: KStream<Text, Text> = second.filter((_k, v) => even(v), { name: 'even' });
  w.to('out-even', evens);
  w.to('out-all', first);
  w.to('out-merged', first.merge(second, { name: 'both' }));
  w.to(
    'out-larger',
    w
      .stream('in')
      .filter((_k, v) => v !== undefined && n(v) > 10, { name: 'large' })
      .merge(evens, { name: 'large-or-even' })
      .mapValues(shown, { name: 'text' }),
  );
}
