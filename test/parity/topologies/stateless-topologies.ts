import type { KStream } from '../../../src/index.ts';
import { Serdes } from '../../../src/index.ts';
import { bucket, even, n, shown } from '../values.ts';
import type { Text, Topology, Wiring } from '../wiring.ts';

/** The topologies without state: section "Stateless" of README.md. */
export const statelessTopologies: { readonly [name: string]: Topology } = {
  filter: (w) =>
    w.to(
      'out',
      w.stream('in').filter((_k, v) => even(v), { name: 'keep' }),
    ),
  'filter-not': (w) =>
    w.to(
      'out',
      w.stream('in').filterNot((_k, v) => even(v), { name: 'drop' }),
    ),
  map: (w) =>
    w.to(
      'out',
      w.stream('in').map((k, v) => [bucket(v), `${shown(k)}:${shown(v)}`], { name: 'map' }),
    ),
  'map-values': (w) =>
    w.to(
      'out',
      w.stream('in').mapValues((v, k) => (v === undefined ? undefined : `${shown(k)}=${v}`), { name: 'map' }),
    ),
  'flat-map': (w) => w.to('out', w.stream('in').flatMap(numbered, { name: 'split' })),
  'flat-map-values': (w) =>
    w.to(
      'out',
      w.stream('in').flatMapValues((v) => (v === undefined ? [] : v.split(' ')), { name: 'words' }),
    ),
  'select-key': (w) =>
    w.to(
      'out',
      w.stream('in').selectKey((_k, v) => bucket(v), { name: 'rekey' }),
    ),
  peek: (w) =>
    w.to(
      'out',
      w.stream('in').peek(() => {}, { name: 'look' }),
    ),
  branch,
  merge: (w) => w.to('out', w.stream('in').merge(w.stream('in2'), { name: 'both' })),
  'branch-merge': branchMerge,
  'fan-out': fanOut,
  repartition: (w) =>
    w.to(
      'out',
      w
        .stream('in')
        .selectKey((_k, v) => bucket(v), { name: 'rekey' })
        .repartition({ name: 'through', partitions: 1, keySerde: Serdes.string, valueSerde: Serdes.string })
        .mapValues((v, k) => `${shown(k)}=${shown(v)}`, { name: 'map' }),
    ),
};

/** As many records as the number modulo 3, numbered from 0. */
function* numbered(key: Text, value: Text): Generator<readonly [string, string]> {
  for (let i = 0; value !== undefined && i < n(value) % 3; i++) yield [`${shown(key)}${i}`, `${value}.${i}`];
}

function split(stream: KStream<Text, Text>): (name: string) => KStream<Text, Text> {
  const branches = stream
    .split({ name: 'split-' })
    .branch((_k, v) => even(v), { name: 'even' })
    .branch((_k, v) => v !== undefined && n(v) > 10, { name: 'big' })
    .defaultBranch({ name: 'rest' });
  return (name) => branches.get(name)!;
}

function branch(w: Wiring): void {
  const branches = split(w.stream('in'));
  w.to('out-even', branches('split-even'));
  w.to('out-big', branches('split-big'));
  w.to('out-rest', branches('split-rest'));
}

/** Branches that come together again, and with them the whole stream: children get a record in the order in which they were added. */
function branchMerge(w: Wiring): void {
  const stream = w.stream('in');
  const all = stream.mapValues((v) => `all:${shown(v)}`, { name: 'all' });
  const branches = split(stream);
  const last = stream.mapValues((v) => `last:${shown(v)}`, { name: 'last' });
  const evens = branches('split-even').mapValues((v) => `even:${shown(v)}`, { name: 'even' });
  const rest = branches('split-rest').mapValues((v) => `rest:${shown(v)}`, { name: 'rest' });
  w.to('out', last.merge(rest, { name: 'merge-1' }).merge(evens, { name: 'merge-2' }).merge(all, { name: 'merge-3' }));
}

/** One node with a sink, a chain to a second sink, and a third sink: depth first, in the order in which they were added. */
function fanOut(w: Wiring): void {
  const node = w.stream('in').filter((_k, v) => v !== undefined, { name: 'some' });
  w.to('out-c', node);
  w.to(
    'out-b',
    node.flatMapValues((v) => [`${shown(v)}!`, `${shown(v)}?`], { name: 'twice' }),
  );
  w.to('out-a', node);
}
