import test from 'ava';
import { partitionOf } from '../../src/common/bytes.ts';
import {
  type KStream,
  type ProcessorContext,
  Record,
  type Serde,
  Serdes,
  StreamsBuilder,
  StreamsError,
  TimeWindows,
  type Topology,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { shown, TextDriver, tell, texts } from './text-driver.ts';

const internalTopics = (topology: Topology): string[] => [...topology.repartitions.keys()];

/** The internal topics of a count over what `build` makes of a stream. */
function topicsOf(build: (stream: KStream<string, string>) => KStream<string, string>): string[] {
  const builder = new StreamsBuilder();
  build(builder.stream('in', texts)).groupByKey(texts).count({ name: 'counts' });
  return internalTopics(builder.build());
}

test('an aggregate of an unchanged key needs no repartition, whatever happened to the values', (t) => {
  t.deepEqual(
    topicsOf((stream) => stream),
    [],
  );
  t.deepEqual(
    topicsOf((stream) =>
      stream
        .filter(() => true)
        .mapValues((value) => value)
        .peek(() => {}),
    ),
    [],
  );
  t.deepEqual(
    topicsOf((stream) => stream.flatMapValues((value) => [value])),
    [],
  );
});

test('after anything that may change the key an aggregate goes through a repartition topic by itself', (t) => {
  const expected = ['counts-repartition'];
  t.deepEqual(
    topicsOf((stream) => stream.selectKey((key) => key)),
    expected,
  );
  t.deepEqual(
    topicsOf((stream) => stream.map((key, value) => [key, value])),
    expected,
  );
  t.deepEqual(
    topicsOf((stream) => stream.flatMap((key, value) => [[key, value]])),
    expected,
  );
  t.deepEqual(
    topicsOf((stream) => stream.process<string, string>(() => ({ process() {} }))),
    expected,
  );
  t.deepEqual(
    topicsOf((stream) =>
      stream
        .selectKey((key) => key)
        .mapValues((value) => value)
        .filter(() => true),
    ),
    expected,
  );
  t.deepEqual(
    topicsOf((stream) => stream.merge(stream.selectKey((key) => key))),
    expected,
  );
});

test('a repartition asked for is the only one: the key is in place afterwards', (t) => {
  t.deepEqual(
    topicsOf((stream) => stream.selectKey((key) => key).repartition({ name: 'mine', ...texts })),
    ['mine-repartition'],
  );
});

test('joins and toTable of a re-keyed stream go through a topic of their name', (t) => {
  const builder = new StreamsBuilder();
  const table = builder.table('rows', { ...texts, name: 'rows' });
  const stream = builder.stream('in', texts).selectKey((_key, value) => value);
  stream.join(table, (value) => value, { name: 'met', ...texts });
  stream.toTable({ name: 'latest', ...texts });
  t.deepEqual(internalTopics(builder.build()), ['met-repartition', 'latest-repartition']);
});

test('the grouping names its repartition topic', (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .groupBy((_key, value) => value, { name: 'by-value', ...texts })
    .count({ name: 'counts' });
  t.deepEqual(internalTopics(builder.build()), ['by-value-repartition']);
});

test('groupBy counts by the new key; records with a new key of none are left out', async (t) => {
  const builder = new StreamsBuilder();
  const grouped = builder
    .stream('in', texts)
    .groupBy((_key, value) => (value === 'x' ? undefined : value) as string, texts);
  tell(grouped.count({ name: 'counts' }));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k a @1', 'l a @3', 'k x @4', 'k b @2'), [
    'out a 1 @1',
    'out a 2 @3',
    'out b 1 @2',
  ]);
  t.deepEqual(await driver.rows('counts'), ['a 2 @3', 'b 1 @2']);
});

test('reduce begins with the first value, aggregate with the initializer', async (t) => {
  const builder = new StreamsBuilder();
  const grouped = builder.stream('in', texts).groupByKey();
  tell(
    grouped.reduce((total, value) => total + value, { name: 'joined' }),
    'reduced',
  );
  tell(
    grouped.aggregate(
      () => 100,
      (_key, value, sum) => sum + Number(value),
      { name: 'sums', valueSerde: Serdes.int64 },
    ),
    'summed',
  );
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a 1 @5', 'a 2 @3'), [
    'reduced a 1 @5',
    'summed a 101 @5',
    'reduced a 12 @5',
    'summed a 103 @5',
  ]);
});

test('an aggregator that gives nothing deletes the row, and the next record starts over with its own time', async (t) => {
  const builder = new StreamsBuilder();
  const sums = builder
    .stream('in', texts)
    .groupByKey()
    .aggregate(
      () => 0,
      (_key, value, sum) => (value === '0' ? undefined : sum + Number(value)),
      { name: 'sums', valueSerde: Serdes.int64 },
    );
  tell(sums);
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a 1 @9', 'a 0 @4', 'a 5 @2'), ['out a 1 @9', 'out a - @9', 'out a 5 @2']);
});

test('records without key or value do not count in an aggregate without windows, and are counted as dropped', async (t) => {
  const builder = new StreamsBuilder();
  tell(builder.stream('in', texts).groupByKey().count({ name: 'counts' }));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a 1 @1', '- 1 @2', 'a - @3'), ['out a 1 @1']);
  t.is(driver.driver.dropped().null_key, 2);
});

test('records placed by a changed key meet in one task, whatever task they came from', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .groupBy((_key, value) => value, texts)
    .count({ name: 'counts' })
    .toStream()
    .to('out', shown());
  const driver = await TextDriver.of(builder, { partitions: 5 });
  const records = ['a', 'b', 'c', 'd', 'e', 'f'].map((key, at) => `${key} x @${at}`);
  t.deepEqual((await driver.pipe('in', ...records)).at(-1), 'out x 6 @5');
});

test('records are placed by the bytes of their keys, whatever came before: 0 and -0 are two of doubles', async (t) => {
  const double = Serdes.float64;
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: double })
    .selectKey((_key, value) => value, { keySerde: double })
    .repartition({ name: 'placed' })
    .process<string, string>(() => {
      let context: ProcessorContext<string, string>;
      return {
        init(given) {
          context = given;
        },
        process: (record) => context.forward(new Record(String(1 / record.key), context.taskId, record.timestamp)),
      };
    })
    .to('out', texts);
  const tasks = new Map<string | undefined, Set<string | undefined>>();
  for (const keys of [
    [0, -0],
    [-0, 0],
  ]) {
    const driver = await TopologyTestDriver.create(builder.build(), { partitions: 4 });
    for (const key of keys) await driver.inputTopic<string, number>('in').pipeInput('k', key, 1);
    for (const { key, value } of driver.outputTopic('out', Serdes.string, Serdes.string).readAll())
      tasks.set(key, (tasks.get(key) ?? new Set()).add(value));
  }
  const placed = (key: number): Set<string> => new Set([`1_${partitionOf(double.serialize(key), 4)}`]);
  t.deepEqual(
    tasks,
    new Map([
      ['Infinity', placed(0)],
      ['-Infinity', placed(-0)],
    ]),
  );
});

test('aggregates of one named grouping share its repartition topic, windowed or not; without a name each has its own', (t) => {
  const topics = (name?: string): string[] => {
    const builder = new StreamsBuilder();
    const grouped = builder
      .stream('in', texts)
      .groupBy((_key, value) => value, { ...texts, ...(name === undefined ? {} : { name }) });
    grouped.count({ name: 'counts' });
    grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count({ name: 'per-window' });
    grouped.reduce((total, value) => total + value, { name: 'joined' });
    return internalTopics(builder.build());
  };
  t.deepEqual(topics('by-value'), ['by-value-repartition']);
  t.deepEqual(topics(), ['counts-repartition', 'per-window-repartition', 'joined-repartition']);
});

test('aggregates of one named grouping of a table share its repartition topic', async (t) => {
  const builder = new StreamsBuilder();
  const grouped = builder
    .table('rows', { ...texts, name: 'rows' })
    .groupBy((key, value) => [value, key], { name: 'by-value', ...texts });
  tell(grouped.count({ name: 'counts' }), 'counted');
  tell(
    grouped.reduce(
      (total, key) => `${total}+${key}`,
      (total, key) => `${total}-${key}`,
      { name: 'traces' },
    ),
    'traced',
  );
  const topology = builder.build();
  t.deepEqual(internalTopics(topology), ['by-value-repartition']);
  t.is(topology.subTopologies.length, 2);
  const driver = await TextDriver.of(builder, { partitions: 3 });
  t.deepEqual(await driver.pipe('rows', 'a x @1', 'b x @2', 'a - @3'), [
    'counted x 1 @1',
    'traced x a @1',
    'counted x 2 @2',
    'traced x a+b @2',
    'counted x 1 @3',
    'traced x a+b-a @3',
  ]);
});

test('two groupings of one name are refused, and so are aggregates of one that write its keys in two ways', (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  const grouped = stream.groupBy<unknown>((_key, value) => value, { name: 'by-value', valueSerde: Serdes.string });
  grouped.count({ name: 'counts', keySerde: Serdes.string as Serde<unknown> });
  const json = { name: 'others', keySerde: Serdes.json<unknown>() };
  const first = t.throws(() => grouped.count(json), { instanceOf: StreamsError });
  t.regex(first.message, /others reads by-value-repartition, whose keys are written as string, as json/);
  const again = stream.groupBy((_key, value) => value, { name: 'by-value', ...texts });
  const second = t.throws(() => again.count({ name: 'more' }), { instanceOf: StreamsError });
  t.regex(second.message, /by-value-repartition exists already/);
});

test('streams of one topic share its source, in whatever order its records are asked for', async (t) => {
  const builder = new StreamsBuilder();
  const first = builder.stream('in', { ...texts, name: 'first' });
  const second = builder.stream('in', { ...texts, name: 'second' });
  second.mapValues((value) => `${value}!`).to('loud', texts);
  first.to('plain', texts);
  first.merge(second).to('once', texts);
  second.groupByKey().count({ name: 'counts' });
  const topology = builder.build();
  t.deepEqual(
    topology.nodes.filter(({ kind }) => kind === 'source').map(({ name }) => name),
    ['first'],
  );
  t.is(topology.subTopologies.length, 1);
  const driver = await TextDriver.of(builder, { partitions: 2 });
  t.deepEqual(await driver.pipe('in', 'a x @1'), ['loud a x! @1', 'plain a x @1', 'once a x @1']);
  t.deepEqual(await driver.rows('counts'), ['a 1 @1']);
});

test('a list of topics is read once, in whatever order and however often they are named', async (t) => {
  const builder = new StreamsBuilder();
  builder.stream(['a', 'b', 'a'], texts).to('one', texts);
  builder.stream(['b', 'a'], texts).to('two', texts);
  t.deepEqual(builder.build().sourceTopics, ['a', 'b']);
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('b', 'k v @1'), ['one k v @1', 'two k v @1']);
});
