import {
  type KTable,
  Serdes,
  type TimeWindowedKStream,
  TimeWindows,
  untilWindowCloses,
  type Windowed,
} from '../../../src/index.ts';
import { shown, tail } from '../values.ts';
import { numbers, type Text, type Topology, texts, type Wiring } from '../wiring.ts';
import { group } from './aggregate-topologies.ts';

/** Aggregates in tumbling and hopping windows: section "Windows" of README.md. */
export const windowTopologies: { readonly [name: string]: Topology } = {
  'windowed-count': (w) => out(w, count(w)),
  'windowed-reduce': (w) => out(w, reduce(w)),
  'windowed-aggregate': (w) => out(w, aggregate(w)),
  'windowed-count-suppress': (w) => out(w, untilClosed(count(w))),
  'windowed-reduce-suppress': (w) => out(w, untilClosed(reduce(w))),
  'windowed-aggregate-suppress': (w) => out(w, untilClosed(aggregate(w))),
  'windowed-count-roll-up': rollUp,
};

/** Tumbling when `advanceMs` equals `sizeMs`. */
export function windowsOf(w: Wiring): TimeWindows {
  return TimeWindows.ofSizeAndGrace(w.number('sizeMs'), w.number('graceMs'))
    .advanceBy(w.number('advanceMs'))
    .retention(w.number('retentionMs'));
}

function windowed(w: Wiring): TimeWindowedKStream<string, string> {
  return group(w).windowedBy(windowsOf(w));
}

export function count(w: Wiring): KTable<Windowed<string>, number> {
  return windowed(w).count(numbers('counts'));
}

export function reduce(w: Wiring): KTable<Windowed<string>, string> {
  return windowed(w).reduce((total, v) => tail(total + shown(v)), texts('reduced'));
}

function aggregate(w: Wiring): KTable<Windowed<string>, string> {
  const nullOn = w.text('nullOn');
  return windowed(w).aggregate(
    () => '',
    (_key, value: Text, total) => (value === nullOn ? undefined : tail(`${total},${shown(value)}`)),
    texts('lists'),
  );
}

function untilClosed<V>(table: KTable<Windowed<string>, V>): KTable<Windowed<string>, V> {
  return table.suppress(untilWindowCloses({ name: 'final' }));
}

function out<V>(w: Wiring, table: KTable<Windowed<string>, V>): void {
  w.toWindowed('out', table.toStream({ name: 'changes' }), windowsOf(w));
}

/** The windowed counts summed over the first character of the key: a table over the changes of a windowed table. */
function rollUp(w: Wiring): void {
  const totals = count(w)
    .groupBy((key, n) => [`${key.key.slice(0, 1)}@${key.startMs}`, n], {
      name: 'rolled',
      keySerde: Serdes.string,
      valueSerde: Serdes.int64,
    })
    .reduce(
      (total, n) => total + n,
      (total, n) => total - n,
      numbers('totals'),
    );
  w.to('out', totals.toStream({ name: 'changes' }));
}
