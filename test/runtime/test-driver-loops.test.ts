import test from 'ava';
import { type Header, Record, Serdes, StreamsBuilder, type StreamsError } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { shown, TextDriver, texts } from '../dsl/text-driver.ts';

test('what a topology writes to a topic that it reads is read again, as from a broker', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .mapValues((value) => `${value}!`)
    .to('middle', texts);
  builder.stream('middle', texts).groupByKey().count({ name: 'counts' }).toStream().to('out', shown());
  for (const partitions of [1, 3]) {
    const driver = await TextDriver.of(builder, { partitions });
    t.deepEqual(await driver.pipe('in', 'a x @1', 'b y @2', 'a z @3'), [
      'middle a x! @1',
      'out a 1 @1',
      'middle b y! @2',
      'out b 1 @2',
      'middle a z! @3',
      'out a 2 @3',
    ]);
  }
});

test('a topology may write to its own topic until it has enough', async (t) => {
  const builder = new StreamsBuilder();
  const numbers = builder.stream('numbers', texts);
  numbers
    .filter((_key, value) => Number(value) > 0)
    .mapValues((value) => String(Number(value) - 1))
    .to('numbers', texts);
  numbers.to('all', shown());
  const driver = await TextDriver.of(builder);
  const all = (await driver.pipe('numbers', 'a 3 @5')).filter((line) => line.startsWith('all'));
  t.deepEqual(all, ['all a 3 @5', 'all a 2 @5', 'all a 1 @5', 'all a 0 @5']);
});

test('of records that wait in several topics the one with the least time comes first', async (t) => {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).process<string, string>(
    () => {
      let forward: (record: Record<string, string>, child?: string) => void;
      return {
        init(context) {
          forward = (record, child) => context.forward(record, child);
        },
        process(record) {
          forward(record.withTimestamp(9), 'to-first');
          forward(record.withTimestamp(4), 'to-second');
        },
      };
    },
    { name: 'split' },
  );
  const topology = builder.build();
  topology.addSink('to-first', 'first', 'split', texts).addSink('to-second', 'second', 'split', texts);
  topology.addSource('first', ['first', 'second'], texts).addSink('all', 'all', 'first', texts);
  const driver = await TopologyTestDriver.create(topology);
  await driver.inputTopic('in').pipeInput('a', 'x', 1);
  t.deepEqual(
    driver
      .outputTopic('all', Serdes.string, Serdes.string)
      .readAll()
      .map(({ timestamp }) => timestamp),
    [4, 9],
  );
});

test('records of a global table that a topology writes are in the table before what else it has written', async (t) => {
  const builder = new StreamsBuilder();
  const names = builder.globalTable('names', { name: 'names', ...texts });
  const input = builder.stream('in', texts);
  input.to('copies', texts);
  input.to('names', texts);
  builder
    .stream('copies', texts)
    .leftJoin(names, (value, name) => `${value} ${name}`)
    .to('out', shown());
  const driver = await TextDriver.of(builder);
  const out = (await driver.pipe('in', 'a x @1')).filter((line) => line.startsWith('out'));
  t.deepEqual(out, ['out a x x @1']);
});

test('caches that are flushed, and the wall clock, feed topics that are read too', async (t) => {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).groupByKey().count({ name: 'counts' }).toStream().mapValues(String).to('counts', texts);
  builder.stream('counts', texts).to('out', texts);
  const driver = await TextDriver.of(builder, { caching: true });
  await driver.pipe('in', 'a x @1', 'a x @2');
  t.deepEqual(await driver.flush(), ['counts a 2 @2', 'out a 2 @2']);
});

const header = (key: string, value: string | null): Header => ({
  key,
  value: value === null ? null : Buffer.from(value),
});

test('headers go in and come out, through loops and internal topics, none and empty told apart', async (t) => {
  const builder = new StreamsBuilder();
  const seen: (readonly Header[])[] = [];
  builder
    .stream('in', texts)
    .selectKey((_key, value) => value)
    .repartition({ name: 'by-value', ...texts })
    .to('loop', texts);
  builder
    .stream('loop', texts)
    .process<string, string>(() => {
      let forward: (record: Record<string, string>) => void;
      return {
        init(context) {
          forward = (record) => context.forward(record);
        },
        process(record) {
          seen.push(record.headers);
          forward(record);
          forward(new Record(record.key, 'own', record.timestamp, [header('own', null)]));
        },
      };
    })
    .to('out', texts);
  const driver = await TopologyTestDriver.create(builder.build(), { partitions: 2 });
  const headers = [header('id', '7'), header('none', null), header('empty', '')];
  const input = driver.inputTopic<string, string>('in');
  await input.pipeInput('a', 'x', 1, headers);
  await input.pipeAll([{ key: 'a', value: 'y', timestamp: 2 }]);
  t.deepEqual(seen, [headers, []]);
  t.deepEqual(driver.outputTopic('out', Serdes.string, Serdes.string).readAll(), [
    { key: 'x', value: 'x', timestamp: 1, headers },
    { key: 'x', value: 'own', timestamp: 1, headers: [header('own', null)] },
    { key: 'y', value: 'y', timestamp: 2 },
    { key: 'y', value: 'own', timestamp: 2, headers: [header('own', null)] },
  ]);
});

test('the driver sends each value through its serde: on the way in, out and into a store', async (t) => {
  interface Box {
    n: unknown;
  }
  const json = Serdes.json<Box>();
  /** Says that copies are the same, which is not true. */
  const halves = {
    name: 'halves',
    serialize: (box: Box) => Buffer.from(JSON.stringify({ n: Math.floor(Number(box.n)) })),
    deserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Box,
    clone: (box: Box) => ({ ...box }),
  };
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: json })
    .groupByKey()
    .aggregate(
      (): Box => ({ n: 0 }),
      (_key, box, sum) => ({ n: Number(sum.n) + Number(box.n) }),
      {
        name: 'sums',
        valueSerde: halves,
      },
    )
    .toStream()
    .to('out', { keySerde: Serdes.string, valueSerde: json });
  const driver = await TopologyTestDriver.create(builder.build());
  const input = driver.inputTopic<string, Box>('in');
  await input.pipeInput('a', { n: 1.5 }, 1);
  await input.pipeInput('a', { n: 1.5 }, 2);
  // 1.5 is kept as 1; 1 + 1.5 as 2.
  t.deepEqual(driver.keyValue('sums', 'a'), { value: { n: 2 }, timestamp: 2 });
  t.deepEqual(
    driver
      .outputTopic('out', Serdes.string, json)
      .readAll()
      .map(({ value }) => value),
    [{ n: 1 }, { n: 2 }],
  );
  for (const n of [Number.NaN, new Set(), undefined])
    await t.throwsAsync(input.pipeInput('a', { n }, 3), { message: /JSON cannot give it back/ });
});

test('what a sink cannot write names the sink, the topic and the key', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .mapValues(Number)
    .to('out', { name: 'numbers', keySerde: Serdes.string, valueSerde: Serdes.int64 });
  const driver = await TopologyTestDriver.create(builder.build());
  const error = (await t.throwsAsync(driver.inputTopic('in').pipeInput('a', '0.5', 1))) as StreamsError;
  t.is(error.code, 'STREAMS_SERIALIZATION');
  t.like(error.details, { nodeName: 'numbers', topic: 'out', key: '"a"' });
  t.regex(error.message, /0\.5 is not an integer/);
});
