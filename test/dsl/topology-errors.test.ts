import test, { type ExecutionContext } from 'ava';
import {
  CalendarWindows,
  Serdes,
  StreamsBuilder,
  StreamsError,
  TimeWindows,
  Topology,
  untilWindowCloses,
  type Windows,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { texts } from './text-driver.ts';

function refused(t: ExecutionContext, make: () => unknown, message: RegExp): void {
  const error = t.throws(make);
  t.true(StreamsError.is(error));
  t.is((error as StreamsError).code, 'STREAMS_TOPOLOGY');
  t.regex(error!.message, message);
}

const pass = (): { process(): void } => ({ process() {} });

test('two nodes of one name are refused', (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts).filter(() => true, { name: 'twice' });
  refused(t, () => stream.filter(() => true, { name: 'twice' }), /node twice exists already/);
});

test('two stores of one name are refused, a global one included', (t) => {
  const builder = new StreamsBuilder();
  builder.globalTable('global', { ...texts, name: 'rows' });
  refused(t, () => builder.table('in', { ...texts, name: 'rows' }), /store rows exists already/);
  refused(t, () => builder.globalTable('other', { ...texts, name: 'rows' }), /store rows exists already/);
});

test('two repartition topics of one name are refused', (t) => {
  const stream = new StreamsBuilder().stream('in', texts);
  stream.repartition({ name: 'r' });
  refused(t, () => stream.repartition({ name: 'r' }), /repartition topic r-repartition exists already/);
});

test('a second reader of a topic is refused unless it is a stream of the same topics with the same options', (t) => {
  const read = (second: (builder: StreamsBuilder) => unknown): void => {
    const builder = new StreamsBuilder();
    builder.stream('in', { ...texts, name: 'first' });
    second(builder);
  };
  const twice = /topic in is read by first and by /;
  refused(t, () => read((builder) => builder.table('in', { ...texts, name: 'rows' })), twice);
  refused(t, () => read((builder) => builder.table('in', { ...texts, materialize: false })), twice);
  refused(t, () => read((builder) => builder.globalTable('in', { ...texts, name: 'rows' })), twice);
  refused(t, () => read((builder) => builder.stream(['in', 'other'], texts)), twice);
  refused(t, () => read((builder) => builder.build().addSource('second', 'in', texts)), twice);
  const options = [
    ['keySerde', { ...texts, keySerde: Serdes.int64 }],
    ['valueSerde', { ...texts, valueSerde: Serdes.int64 }],
    ['timestampExtractor', { ...texts, timestampExtractor: () => 1 }],
    ['arrivalTime', { ...texts, arrivalTime: () => 1 }],
    ['complete', { ...texts, complete: true }],
  ] as const;
  for (const [option, other] of options)
    refused(
      t,
      () => read((builder) => builder.stream('in', other as typeof texts)),
      new RegExp(`topic in is read twice, with another ${option} than first has`),
    );
  t.notThrows(() => read((builder) => builder.stream('in', { ...texts, complete: false })));
});

test('a topic of a table, plain or global, has no other reader', (t) => {
  const tables = [
    (builder: StreamsBuilder, name: string): unknown => builder.table('in', { ...texts, name }),
    (builder: StreamsBuilder, name: string): unknown => builder.globalTable('in', { ...texts, name }),
  ];
  const readers = [...tables, (builder: StreamsBuilder): unknown => builder.stream('in', texts)];
  for (const table of tables)
    for (const reader of readers) {
      const builder = new StreamsBuilder();
      table(builder, 'rows');
      refused(t, () => reader(builder, 'others'), /topic in is read by /);
    }
});

test('a topic read twice is refused', (t) => {
  const builder = new StreamsBuilder();
  builder.stream('in', { ...texts, name: 'first' });
  refused(
    t,
    () => builder.stream(['other', 'in'], { ...texts, name: 'second' }),
    /topic in is read by first and by second/,
  );
  refused(t, () => builder.stream([], texts), /reads no topic/);
  refused(t, () => new Topology().addSource('source', ['in', 'in'], texts), /source source reads topic in twice/);
});

test('a node below an unknown parent, or below a sink, is refused', (t) => {
  const topology = new Topology().addSource('source', 'in', texts).addSink('sink', 'out', 'source', texts);
  refused(t, () => topology.addProcessor('node', pass, 'nobody'), /node hangs below nobody, which does not exist/);
  refused(t, () => topology.addProcessor('node', pass, 'sink'), /node hangs below sink, which is a sink/);
});

test('a processor that names an unknown store is refused', (t) => {
  const topology = new Topology().addSource('source', 'in', texts);
  refused(
    t,
    () => topology.addProcessor('node', pass, 'source', ['rows']),
    /node uses store rows, which does not exist/,
  );
});

test('a node or store without a name is refused', (t) => {
  refused(t, () => new Topology().addSource('', 'in', texts), /empty name/);
  const table = new StreamsBuilder().table('in', { ...texts, name: 'rows' });
  refused(t, () => table.filter(() => true, { materialize: true }), /empty name/);
});

test('a serde that is missing after a change of type is asked for, where it is needed', (t) => {
  const stream = new StreamsBuilder().stream('in', texts);
  refused(t, () => stream.mapValues((value) => value.length).to('out'), /to out needs a valueSerde/);
  refused(t, () => stream.map((key, value) => [value, key]).to('out'), /to out needs a keySerde/);
  refused(
    t,
    () =>
      stream
        .map((key, value) => [value, key])
        .groupByKey()
        .count({ name: 'counts' }),
    /counts needs a keySerde/,
  );
  refused(
    t,
    () =>
      stream.groupByKey().aggregate(
        () => 0,
        () => 1,
        { name: 'sums' },
      ),
    /sums needs a valueSerde/,
  );
  refused(
    t,
    () =>
      stream
        .selectKey((key) => key, texts)
        .mapValues((value) => value.length)
        .groupByKey()
        .count({ name: 'more' }),
    /the grouping for more needs a valueSerde/,
  );
});

test('suppress is for windowed tables only', (t) => {
  const counts = new StreamsBuilder().stream('in', texts).groupByKey().count({ name: 'counts' });
  refused(t, () => counts.suppress(untilWindowCloses({ name: 'final' })), /suppress final: counts has no windows/);
});

test('the rows of a suppressed table cannot be looked up: joins are refused, groupings are not', (t) => {
  const builder = new StreamsBuilder();
  const windowed = builder.stream('in', texts).groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(10));
  const counts = windowed.count({ name: 'counts' });
  const final = counts.suppress(untilWindowCloses({ name: 'final' }));
  refused(t, () => counts.join(final, (a, b) => a + b), /needs the rows of final, which keeps none/);
  t.notThrows(() =>
    final.groupBy((key, n) => [key.key, n], { keySerde: Serdes.string }).count({ name: 'windows-per-key' }),
  );
});

test('a table without a store can be neither grouped nor joined', (t) => {
  const builder = new StreamsBuilder();
  const unstored = builder.table('in', { ...texts, materialize: false, name: 'loose' });
  const stored = builder.table('rows', { ...texts, name: 'rows' });
  refused(
    t,
    () => unstored.groupBy((key, value) => [value, key], texts).count({ name: 'counts' }),
    /needs the rows of loose/,
  );
  refused(t, () => stored.join(unstored, (a, b) => a + b), /needs the rows of loose/);
  refused(t, () => unstored.leftJoin(stored, (a, b) => a + b), /needs the rows of loose/);
  refused(
    t,
    () =>
      builder.stream('s', texts).join(
        unstored.mapValues((v) => v),
        (a, b) => a + b,
      ),
    /which keeps none/,
  );
});

test('a roll-up is refused unless each window lies in one of the coarser ones', (t) => {
  const stream = new StreamsBuilder().stream('in', texts).groupByKey();
  const weeks = stream.windowedBy(CalendarWindows.isoWeek('Europe/Paris').grace(0)).count({ name: 'weeks' });
  const hours = stream.windowedBy(TimeWindows.ofSizeWithNoGrace(3_600_000)).count({ name: 'hours' });
  const add = (_key: string, value: number, sum: number): number => sum + value;
  const roll = (table: typeof weeks, windows: Windows) => (): unknown =>
    table.rollUp(windows, () => 0, add, add, { name: 'rolled', valueSerde: Serdes.int64 });
  refused(
    t,
    roll(weeks, CalendarWindows.month('Europe/Paris').grace(0)),
    /roll-up rolled: the windows of weeks do not each lie/,
  );
  refused(t, roll(hours, CalendarWindows.day('Europe/Paris').grace(0)), /do not each lie/);
  refused(t, roll(hours, TimeWindows.ofSizeWithNoGrace(5_400_000)), /do not each lie/);
  t.notThrows(roll(hours, TimeWindows.ofSizeWithNoGrace(7_200_000)));
});

test('a join with a global table needs a store on the left: its rows are joined again when the global table changes', (t) => {
  const builder = new StreamsBuilder();
  const global = builder.globalTable('global', { ...texts, name: 'global' });
  const table = builder.table('in', { ...texts, name: 'rows' }).mapValues((value) => value);
  refused(
    t,
    () => table.join(global, (a, b) => a + b, { name: 'met', ...texts }),
    /join met: .* has no store to join again from/,
  );
});

test('a store of windows needs windows, and no other does', (t) => {
  const builder = new StreamsBuilder();
  const windows = TimeWindows.ofSizeWithNoGrace(10);
  t.throws(() => builder.addStateStore({ kind: 'window', name: 'w', ...texts }), { instanceOf: TypeError });
  t.throws(() => builder.addStateStore({ kind: 'key-value', name: 'k', windows, ...texts }), { instanceOf: TypeError });
});

test('topics whose records meet must have the same number of partitions', async (t) => {
  const builder = new StreamsBuilder();
  const one = builder.stream('in', texts).repartition({ name: 'one', partitions: 1 });
  one.merge(builder.stream('other', texts).repartition({ name: 'two', partitions: 2 }));
  const error = await t.throwsAsync(TopologyTestDriver.create(builder.build()));
  t.is((error as StreamsError).code, 'STREAMS_PARTITION_MISMATCH');
});

test('a stream as the other side of a join is refused, with the way to a table', (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  const table = stream.toTable({ name: 'rows', ...texts });
  const other = builder.stream('other', texts) as never;
  const joins: (() => unknown)[] = [
    () => stream.join(other, () => ''),
    () => stream.leftJoin(other, () => ''),
    () => table.join(other, () => ''),
    () => table.leftJoin(other, () => ''),
    () => stream.join(undefined as never, () => ''),
  ];
  for (const join of joins) refused(t, join, /its other side is not a table.*toTable\(\)/);
});
