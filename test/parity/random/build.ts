import {
  type GlobalKTable,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type Serde,
  Serdes,
  StreamsBuilder,
  type TimeWindowedKStream,
  TimeWindows,
  type Topology,
  untilWindowCloses,
  type Windowed,
  WindowedSerde,
  type Windows,
} from '../../../src/index.ts';
import { Dating } from './dating.ts';
import type { Predicate, RandomNode, TextFunction, WindowsOf } from './description.ts';
import {
  add,
  initial,
  joined,
  type Key,
  newKey,
  newValue,
  passes,
  recordsOf,
  subtract,
  type Value,
  valuesOf,
} from './functions.ts';
import { Remembering } from './remembering.ts';

type Stream = KStream<Key, Value>;
type Table = KTable<Key, Value>;
type Row = string | number;

/** What a node of the description has become. */
interface Stage {
  readonly made: unknown;
  readonly keySerde: Serde<Key>;
  readonly valueSerde: Serde<Value>;
}

const texts = Serdes.string as unknown as Serde<Value>;
const plainKeys = Serdes.string as unknown as Serde<Key>;
const numbers = Serdes.int64 as unknown as Serde<Value>;

/** Any value as its text. */
const printed: Serde<Value> = {
  name: 'printed',
  serialize: (value) => Serdes.string.serialize(String(value)),
  deserialize: (bytes) => Serdes.string.deserialize(bytes),
};

/** A description as one of our topologies, with the serdes of the keys of its output topics. */
export function buildTopology(nodes: readonly RandomNode[]): {
  readonly topology: Topology;
  readonly outputs: ReadonlyMap<string, Serde<Key>>;
} {
  const building = new Building();
  for (const node of nodes) building.add(node);
  return { topology: building.builder.build(), outputs: building.outputs };
}

class Building {
  readonly builder: StreamsBuilder = new StreamsBuilder();
  readonly outputs: Map<string, Serde<Key>> = new Map();
  readonly #stages = new Map<number, Stage>();

  add(node: RandomNode): void {
    const make = makers[node.op];
    if (make === undefined) throw new TypeError(`no operator ${node.op}`);
    const [left, right] = node.of.map((id) => this.#stages.get(id)!);
    const stage = make(node, left as Stage, right as Stage, this);
    if (stage !== undefined) this.#stages.set(node.id, stage);
  }
}

type Maker = (node: RandomNode, left: Stage, right: Stage, building: Building) => Stage | undefined;

const name = ({ id }: RandomNode): { readonly name: string } => ({ name: `n${id}` });
const fn = ({ f }: RandomNode): TextFunction => f as TextFunction;
const predicate = ({ f }: RandomNode): Predicate => f as Predicate;
const stream = ({ made }: Stage): Stream => made as Stream;
const table = ({ made }: Stage): Table => made as Table;
/** A table as the other side of a join. */
const rows = ({ made }: Stage): KTable<Key, Row> => made as KTable<Key, Row>;
const plain = (made: unknown): Stage => ({ made, keySerde: plainKeys, valueSerde: texts });

/** The options of a stateful node, whether it has a store or not. */
function stored(node: RandomNode, keySerde: Serde<Key>, valueSerde: Serde<Value>) {
  if (node.stored === false) return { ...name(node), keySerde, valueSerde };
  return { ...name(node), keySerde, valueSerde, caching: node.cached === true, materialize: true };
}

function windowsOf({ size, advance, grace, retention }: WindowsOf): Windows {
  return TimeWindows.ofSizeAndGrace(size, grace).advanceBy(advance).retention(retention);
}

/** The group, or the windows of its records, and the stage that its table will be. */
function grouping(
  node: RandomNode,
  { made, keySerde }: Stage,
): { group: KGroupedStream<Key, Value>; keys: Serde<Key> } {
  const group = made as KGroupedStream<Key, Value>;
  if (node.windows === undefined) return { group, keys: keySerde };
  const windows = windowsOf(node.windows);
  return {
    group: group.windowedBy(windows) as TimeWindowedKStream<Key, Value> as unknown as KGroupedStream<Key, Value>,
    keys: new WindowedSerde(Serdes.string, windows) as unknown as Serde<Key>,
  };
}

/** The options of an aggregate: a windowed one's keys are the group's. */
function aggregate(node: RandomNode, keySerde: Serde<Key>, valueSerde: Serde<Value>) {
  return { ...name(node), keySerde, valueSerde, caching: node.cached === true };
}

const makers: { readonly [op: string]: Maker } = {
  // Of a topic that the topology writes it has the keys.
  stream: (node, _l, _r, { builder, outputs }) => {
    const keySerde = outputs.get(node.topics![0]!) ?? plainKeys;
    const made = builder.stream(node.topics!, { name: `source-n${node.id}`, keySerde, valueSerde: texts });
    return { made, keySerde, valueSerde: texts };
  },
  table: (node, _l, _r, { builder }) =>
    plain(
      node.stored
        ? builder.table(node.topics![0]!, { ...aggregate(node, plainKeys, texts) })
        : builder.table(node.topics![0]!, { materialize: false, keySerde: plainKeys, valueSerde: texts }),
    ),
  global: (node, _l, _r, { builder }) =>
    plain(builder.globalTable(node.topics![0]!, { ...name(node), keySerde: plainKeys, valueSerde: texts })),

  filter: (node, left) => ({
    ...left,
    made: node.not
      ? stream(left).filterNot((k, v) => passes(predicate(node), k, v), name(node))
      : stream(left).filter((k, v) => passes(predicate(node), k, v), name(node)),
  }),
  map: (node, left) =>
    plain(stream(left).map<Key, Value>((k, v) => [newKey(node.key!, k, v), newValue(fn(node), k, v)], name(node))),
  mapValues: (node, left) => ({
    ...left,
    valueSerde: texts,
    made: stream(left).mapValues<Value>((v, k) => newValue(fn(node), k, v), name(node)),
  }),
  flatMap: (node, left) => plain(stream(left).flatMap<Key, Value>((k, v) => recordsOf(fn(node), k, v), name(node))),
  flatMapValues: (node, left) => ({
    ...left,
    valueSerde: texts,
    made: stream(left).flatMapValues<Value>((v) => valuesOf(v), name(node)),
  }),
  selectKey: (node, left) => ({
    ...left,
    keySerde: plainKeys,
    made: stream(left).selectKey<Key>((k, v) => newKey(fn(node), k, v), { ...name(node), keySerde: plainKeys }),
  }),
  peek: (node, left) => ({ ...left, made: stream(left).peek(() => {}, name(node)) }),
  merge: (node, left, right) => ({ ...left, made: stream(left).merge(stream(right), name(node)) }),
  repartition: (node, left) => ({
    ...left,
    made: stream(left).repartition({
      ...name(node),
      keySerde: left.keySerde,
      valueSerde: left.valueSerde,
      partitions: 1,
    }),
  }),
  split(node, left) {
    const split = stream(left).split({ name: `n${node.id}-` });
    for (const [i, f] of node.preds!.entries()) split.branch((k, v) => passes(f, k, v), { name: `b${i}` });
    const count = node.preds!.length;
    return { ...left, made: node.rest ? split.defaultBranch({ name: `b${count}` }) : split.noDefaultBranch() };
  },
  branch: (node, left) => ({
    ...left,
    made: (left.made as ReadonlyMap<string, Stream>).get(`n${node.of[0]}-b${node.index}`),
  }),
  process(node, left, _r, { builder }) {
    const store = `n${node.id}`;
    builder.addStateStore({
      kind: 'key-value',
      name: store,
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
      caching: false,
    });
    return plain(stream(left).process<Key, Value>(() => new Remembering(node), { ...name(node), stores: [store] }));
  },

  processVersions(node, left, _r, { builder }) {
    const store = `n${node.id}`;
    builder.addStateStore({ kind: 'versioned', name: store, keySerde: Serdes.string, valueSerde: Serdes.string });
    return plain(stream(left).process<Key, Value>(() => new Dating(node), { ...name(node), stores: [store] }));
  },

  groupByKey: (node, left) => ({
    ...left,
    made: stream(left).groupByKey({ ...name(node), keySerde: left.keySerde, valueSerde: left.valueSerde }),
  }),
  groupBy: (node, left) => ({
    ...left,
    keySerde: plainKeys,
    made: stream(left).groupBy((k, v) => newKey(fn(node), k, v), {
      ...name(node),
      keySerde: plainKeys,
      valueSerde: left.valueSerde,
    }),
  }),
  toTable: (node, left) => ({
    ...left,
    made: stream(left).toTable(aggregate(node, left.keySerde, left.valueSerde)),
  }),
  count(node, left) {
    const { group, keys } = grouping(node, left);
    const how = aggregate(node, left.keySerde, numbers) as Parameters<typeof group.count>[0];
    return { made: group.count(how), keySerde: keys, valueSerde: numbers };
  },
  reduce(node, left) {
    const { group, keys } = grouping(node, left);
    const how = aggregate(node, left.keySerde, texts);
    return { made: group.reduce((total, v) => add(fn(node), v, total), how), keySerde: keys, valueSerde: texts };
  },
  aggregate(node, left) {
    const { group, keys } = grouping(node, left);
    const how = aggregate(node, left.keySerde, texts);
    const made = group.aggregate<Value>(
      () => initial(fn(node)),
      (_k, v, total) => add(fn(node), v, total),
      how,
    );
    return { made, keySerde: keys, valueSerde: texts };
  },

  tableFilter: (node, left) => {
    const options = stored(node, left.keySerde, left.valueSerde);
    return {
      ...left,
      made: node.not
        ? table(left).filterNot((k, v) => passes(predicate(node), k, v), options)
        : table(left).filter((k, v) => passes(predicate(node), k, v), options),
    };
  },
  tableMapValues: (node, left) => ({
    ...left,
    valueSerde: texts,
    made: table(left).mapValues((v, k) => newValue(fn(node), k, v), stored(node, left.keySerde, texts)),
  }),
  toStream: (node, left) => ({ ...left, made: table(left).toStream(name(node)) }),
  suppress: (node, left) => ({
    ...left,
    made: (table(left) as unknown as KTable<Windowed<string>, Value>).suppress(untilWindowCloses(name(node))),
  }),
  tableGroup: (node, left) =>
    plain(
      table(left).groupBy<Key, Value>((k, v) => [newKey(node.key!, k, v), newValue(fn(node), k, v)], {
        ...name(node),
        keySerde: plainKeys,
        valueSerde: texts,
      }),
    ),
  tableCount: (node, left) => ({
    ...left,
    valueSerde: numbers,
    made: (left.made as KGroupedTable<Key, Value>).count(
      aggregate(node, plainKeys, numbers) as Parameters<KGroupedTable<Key, Value>['count']>[0],
    ),
  }),
  tableReduce: (node, left) => ({
    ...left,
    made: (left.made as KGroupedTable<Key, Value>).reduce(
      (total, v) => add(fn(node), v, total),
      (total, v) => subtract(fn(node), v, total),
      aggregate(node, plainKeys, texts),
    ),
  }),
  tableAggregate: (node, left) => ({
    ...left,
    made: (left.made as KGroupedTable<Key, Value>).aggregate<Value>(
      () => initial(fn(node)),
      (_k, v, total) => add(fn(node), v, total),
      (_k, v, total) => subtract(fn(node), v, total),
      aggregate(node, plainKeys, texts),
    ),
  }),

  tableJoin(node, left, right) {
    const join = (a: Value, b: Value): Value => joined(fn(node), a, b);
    const options = stored(node, left.keySerde, texts);
    const made = node.left
      ? table(left).leftJoin(rows(right), join, options)
      : table(left).join(rows(right), join, options);
    return { ...left, valueSerde: texts, made };
  },
  streamJoin(node, left, right) {
    const join = (a: Value, b: Value): Value => joined(fn(node), a, b);
    const options = { ...name(node), keySerde: left.keySerde, valueSerde: left.valueSerde };
    const made = node.left
      ? stream(left).leftJoin(rows(right), join, options)
      : stream(left).join(rows(right), join, options);
    return { ...left, valueSerde: texts, made };
  },
  globalJoin(node, left, right) {
    const join = (a: Value, b: Value): Value => joined(fn(node), a, b);
    const options = { ...name(node), key: (k: Key, v: Value) => newKey(node.key!, k, v) };
    const global = right.made as GlobalKTable<Key, Row>;
    const made = node.left ? stream(left).leftJoin(global, join, options) : stream(left).join(global, join, options);
    return { ...left, valueSerde: texts, made };
  },
  to(node, left, _r, { outputs }) {
    const [topic] = node.topics!;
    outputs.set(topic!, left.keySerde);
    stream(left).to(topic!, { name: `sink-n${node.id}`, keySerde: left.keySerde, valueSerde: printed });
    return undefined;
  },
};
