import type { KTable } from '../../../src/index.ts';
import { keyIn, shown, tail } from '../values.ts';
import { groupedTexts, type Text, type Topology, texts, type Wiring } from '../wiring.ts';
import { table } from './table-topologies.ts';

/** Joins: section "Joins" of README.md. */
export const joinTopologies: { readonly [name: string]: Topology } = {
  'stream-table-join': streamTable,
  'stream-global-table-join': streamGlobalTable,
  'table-table-join': (w) => w.to('out', tables(w).toStream({ name: 'changes' })),
  'table-table-join-group': tablesGrouped,
};

const pair = (left: Text, right: Text): string => `${shown(left)}/${shown(right)}`;

const isLeft = (w: Wiring): boolean => w.text('kind') === 'left';

function streamTable(w: Wiring): void {
  const rows = table(w) as KTable<Text, string>;
  const all = w.stream('in');
  const stream = w.flag('rekey') ? all.selectKey((_k, v) => keyIn(v), { name: 'rekey' }) : all;
  const joined = texts('join');
  w.to('out', isLeft(w) ? stream.leftJoin(rows, pair, joined) : stream.join(rows, pair, joined));
}

function streamGlobalTable(w: Wiring): void {
  const rows = w.globalTable('global', 'global');
  const stream = w.stream('in');
  const options = { name: 'join', key: (_k: Text, v: Text): string => keyIn(v) as string };
  w.to('out', isLeft(w) ? stream.leftJoin(rows, pair, options) : stream.join(rows, pair, options));
}

function tables(w: Wiring): KTable<string, string> {
  const left = w.table('left', 'left');
  const right = w.table('right', 'right');
  const options = w.flag('materialized') ? { ...texts('joined'), materialize: true } : { name: 'join' };
  return isLeft(w) ? left.leftJoin(right, pair, options) : left.join(right, pair, options);
}

/** The join's rows grouped by the first character of the right value, or `n` of `null`; what went in and out of each group. */
function tablesGrouped(w: Wiring): void {
  const traces = tables(w)
    .groupBy((k, v) => {
      const at = v.indexOf('/');
      return [v.slice(at + 1, at + 2), k + v.slice(0, at)];
    }, groupedTexts)
    .aggregate(
      () => '',
      (_k, v, total) => tail(`${total}+${v}`),
      (_k, v, total) => tail(`${total}-${v}`),
      texts('traces'),
    );
  w.to('out', traces.toStream({ name: 'changes' }));
}
