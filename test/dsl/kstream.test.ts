import test from 'ava';
import { type KStream, Record, Serdes, StreamsBuilder } from '../../src/index.ts';
import { shown, TextDriver, texts } from './text-driver.ts';

/** A driver over what `build` makes of the stream of topic `in`, written to topic `out`. */
async function over<K, V>(build: (stream: KStream<string, string>) => KStream<K, V>): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  build(builder.stream('in', texts)).to('out', shown());
  return TextDriver.of(builder);
}

test('filter keeps the records for which the predicate holds, filterNot the others', async (t) => {
  const kept = await over((stream) => stream.filter((_key, value) => value > 'b'));
  t.deepEqual(await kept.pipe('in', 'k a @1', 'k c @2', 'l d @3'), ['out k c @2', 'out l d @3']);
  const rest = await over((stream) => stream.filterNot((_key, value) => value > 'b'));
  t.deepEqual(await rest.pipe('in', 'k a @1', 'k c @2'), ['out k a @1']);
});

test('a predicate holds where it gives something true, as that of an array, a split or a table does', async (t) => {
  // As of values without a type.
  const truth = JSON.parse('[true,false,1,0,"x","",null,{}]') as boolean[];
  const predicate = (_key: string, value: string): boolean => truth[Number(value)]!;
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  stream.filter(predicate).to('kept');
  stream.filterNot(predicate).to('others');
  const [kept, others] = [...stream.split().branch(predicate).defaultBranch().values()];
  kept!.to('branch-kept');
  others!.to('branch-others');
  const table = stream.toTable({ name: 'table' });
  table.filter(predicate, { name: 'table-kept', materialize: true });
  const not = table.filterNot(predicate);
  not.toStream().to('table-others');
  stream.join(not, (value) => value).to('joined', texts);
  const { driver } = await TextDriver.of(builder);
  for (const i of truth.keys()) await driver.inputTopic('in').pipeInput(String(i), String(i), i);
  const values = (topic: string): (string | undefined)[] =>
    driver
      .outputTopic(topic, Serdes.string, Serdes.string)
      .readAll()
      .map(({ value }) => value);
  const passing = [...truth.keys()].filter((i) => truth[i]).map(String);
  const failing = [...truth.keys()].filter((i) => !truth[i]).map(String);
  t.deepEqual(values('kept'), passing);
  t.deepEqual(values('branch-kept'), passing);
  t.deepEqual(
    (await driver.rows<string, string>('table-kept')).map(({ value }) => value),
    passing,
  );
  t.deepEqual(values('others'), failing);
  t.deepEqual(values('branch-others'), failing);
  t.deepEqual(values('table-others'), failing);
  t.deepEqual(values('joined'), failing);
});

test('map gives a new key and value, and keeps the time', async (t) => {
  const driver = await over((stream) => stream.map((key, value) => [value, key.length]));
  t.deepEqual(await driver.pipe('in', 'key a @7'), ['out a 3 @7']);
});

test('mapValues gets value and key; a result of undefined is a record without value', async (t) => {
  const driver = await over((stream) => stream.mapValues((value, key) => (value === 'x' ? undefined : key + value)));
  t.deepEqual(await driver.pipe('in', 'k a @1', 'k x @2'), ['out k ka @1', 'out k - @2']);
});

test('flatMap gives any number of records, flatMapValues any number of values', async (t) => {
  const records = await over((stream) => stream.flatMap((key, value) => [...value].map((letter) => [letter, key])));
  t.deepEqual(await records.pipe('in', 'k ab @4', 'l c @5'), ['out a k @4', 'out b k @4', 'out c l @5']);
  const values = await over((stream) => stream.flatMapValues((value) => (value === 'none' ? [] : [...value])));
  t.deepEqual(await values.pipe('in', 'k ab @4', 'k none @5'), ['out k a @4', 'out k b @4']);
});

test('selectKey changes the key only', async (t) => {
  const driver = await over((stream) => stream.selectKey((key, value) => `${value}${key}`));
  t.deepEqual(await driver.pipe('in', 'k a @1'), ['out ak a @1']);
});

test('peek sees each record on its way, forEach ends there', async (t) => {
  const seen: string[] = [];
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts).peek((key, value) => seen.push(`peek ${key} ${value}`));
  stream.forEach((key, value) => {
    seen.push(`each ${key} ${value}`);
  });
  stream.to('out');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k a @1', 'k b @2'), ['out k a @1', 'out k b @2']);
  t.deepEqual(seen, ['peek k a', 'each k a', 'peek k b', 'each k b']);
});

test('a record goes to the first branch whose predicate holds, else to the default branch', async (t) => {
  const builder = new StreamsBuilder();
  const branches = builder
    .stream('in', texts)
    .split({ name: 'by-' })
    .branch((_key, value) => value.startsWith('a'), { name: 'first' })
    .branch((_key, value) => value.endsWith('z'), { name: 'second' })
    .defaultBranch({ name: 'rest' });
  t.deepEqual([...branches.keys()], ['by-first', 'by-second', 'by-rest']);
  for (const [name, stream] of branches) stream.to(name);
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k az @1', 'k bz @2', 'k b @3'), [
    'by-first k az @1',
    'by-second k bz @2',
    'by-rest k b @3',
  ]);
});

test('unnamed branches are numbered from 1, the default is 0; without a default other records go nowhere', async (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  const numbered = stream
    .split({ name: 'n-' })
    .branch(() => false)
    .branch(() => false)
    .defaultBranch();
  t.deepEqual([...numbered.keys()], ['n-1', 'n-2', 'n-0']);
  const only = stream
    .split({ name: 'only-' })
    .branch((_key, value) => value === 'a', { name: 'a' })
    .noDefaultBranch();
  t.deepEqual([...only.keys()], ['only-a']);
  only.get('only-a')!.to('out');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k b @1', 'k a @2'), ['out k a @2']);
});

test('merge gives the records of both streams in the order in which they arrive', async (t) => {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).merge(builder.stream('other', texts)).to('out');
  const driver = await TextDriver.of(builder);
  await driver.driver.inputTopic('in').pipeInput('a', '1', 5);
  await driver.driver.inputTopic('other').pipeInput('b', '2', 3);
  t.deepEqual(await driver.pipe('in', 'c 3 @4'), ['out a 1 @5', 'out b 2 @3', 'out c 3 @4']);
});

test('a stream of several topics reads them as one', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream(['one', 'two'], texts)
    .mapValues((value) => value.toUpperCase())
    .to('out', shown());
  const driver = await TextDriver.of(builder);
  t.deepEqual(
    [...(await driver.pipe('two', 'a x @1')), ...(await driver.pipe('one', 'b y @0'))],
    ['out a X @1', 'out b Y @0'],
  );
});

test('children get a record depth first, in the order in which they were added', async (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  stream.to('first');
  stream.flatMapValues((value) => [`${value}1`, `${value}2`]).to('second', shown());
  stream.to('third');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k v @1'), ['first k v @1', 'second k v1 @1', 'second k v2 @1', 'third k v @1']);
});

test('process runs a processor written by hand; what it forwards has the time it says', async (t) => {
  const driver = await over((stream) =>
    stream.process<string, number>(() => {
      let forward: (record: Record<string, number>) => void;
      return {
        init: (context) => {
          forward = (record) => context.forward(record);
        },
        process: (record) => {
          if (record.value !== 'skip') forward(new Record(record.key, record.value.length, record.timestamp + 10));
        },
      };
    }),
  );
  t.deepEqual(await driver.pipe('in', 'k abc @1', 'k skip @2', 'k ab @3'), ['out k 3 @11', 'out k 2 @13']);
});

test('the timestamp extractor gives a record its event time; a negative one drops it', async (t) => {
  const builder = new StreamsBuilder();
  const partitionTimes: number[] = [];
  builder
    .stream('in', {
      ...texts,
      timestampExtractor: (record, partitionTimeMs) => {
        partitionTimes.push(partitionTimeMs);
        return Number(record.value);
      },
    })
    .to('out');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k 30 @1', 'k -1 @2', 'k 20 @3'), ['out k 30 @30', 'out k 20 @20']);
  t.deepEqual(partitionTimes, [-1, 30, 30]);
  t.is(driver.driver.dropped().invalid_timestamp, 1);
});

test('a record from too far in the future is refused and moves no clock', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { ...texts, arrivalTime: (record) => Number(record.value) })
    .groupByKey()
    .count({ name: 'counts' })
    .toStream()
    .to('out', shown());
  const driver = await TextDriver.of(builder, { maxFutureMs: 10 });
  t.deepEqual(await driver.pipe('in', 'k 100 @110', 'k 100 @111'), ['out k 1 @110']);
  t.is(driver.driver.dropped().future, 1);
});

test('a stream-table join meets the row of the moment; without a row join drops, leftJoin keeps', async (t) => {
  for (const left of [false, true]) {
    const builder = new StreamsBuilder();
    const table = builder.table('rows', { ...texts, name: 'rows' });
    const stream = builder.stream('in', texts);
    const pair = (value: string, row: string | undefined): string => `${value}/${row ?? 'none'}`;
    (left ? stream.leftJoin(table, pair) : stream.join(table, pair)).to('out', shown());
    const driver = await TextDriver.of(builder);
    t.deepEqual(await driver.pipe('in', 'a 1 @10'), left ? ['out a 1/none @10'] : []);
    await driver.pipe('rows', 'a X @50');
    t.deepEqual(
      await driver.pipe('in', 'a 2 @11', 'b 3 @12'),
      left ? ['out a 2/X @11', 'out b 3/none @12'] : ['out a 2/X @11'],
    );
    await driver.pipe('rows', 'a - @60');
    t.deepEqual(await driver.pipe('in', 'a 4 @13'), left ? ['out a 4/none @13'] : []);
  }
});

test('repartition sends records through a topic, and leaves out those without a key', async (t) => {
  const driver = await over((stream) =>
    stream
      .selectKey((_key, value) => (value === 'x' ? undefined : value))
      .repartition({ name: 'r', keySerde: Serdes.string as never }),
  );
  t.deepEqual(await driver.pipe('in', 'k b @2', 'k x @3', 'k a @1'), ['out b b @2', 'out a a @1']);
  t.deepEqual(
    Object.values(driver.driver.dropped()).reduce((sum, count) => sum + count),
    0,
  );
});
