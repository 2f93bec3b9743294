import test from 'ava';
import { Serdes, StreamsBuilder, StreamsError, TimeWindows, Windowed, WindowedSerde } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };

async function copying(): Promise<TopologyTestDriver> {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  stream.to('first');
  stream.mapValues((value) => value.length).to('second', { valueSerde: Serdes.int64 });
  return TopologyTestDriver.create(builder.build());
}

test('an output topic gives its records oldest first, once, as the serdes read them', async (t) => {
  const driver = await copying();
  const first = driver.outputTopic('first', Serdes.string, Serdes.string);
  const second = driver.outputTopic('second', Serdes.string, Serdes.int64);
  t.true(first.isEmpty);
  await driver.inputTopic('in').pipeAll([
    { key: 'a', value: 'one', timestamp: 1 },
    { key: undefined, value: 'three', timestamp: 2 },
  ]);
  t.is(first.size, 2);
  t.deepEqual(first.readRecord(), { key: 'a', value: 'one', timestamp: 1 });
  t.is(first.readValue(), 'three');
  t.throws(() => first.readRecord(), { instanceOf: RangeError, message: 'topic first has no further record' });
  t.deepEqual(second.readAll(), [
    { key: 'a', value: 3, timestamp: 1 },
    { key: undefined, value: 5, timestamp: 2 },
  ]);
  t.true(second.isEmpty);
});

test('all outputs can be read in the order of writing over the topics; what one topic was read of is left out', async (t) => {
  const driver = await copying();
  await driver.inputTopic('in').pipeInput('a', 'x', 1);
  driver.outputTopic('second', Serdes.string, Serdes.int64).readAll();
  await driver.inputTopic('in').pipeInput('b', 'y', 2);
  const read = driver.readAllOutputs().map(({ topic, key }) => [topic, Serdes.string.deserialize(key!)]);
  t.deepEqual(read, [
    ['first', 'a'],
    ['first', 'b'],
    ['second', 'b'],
  ]);
  t.deepEqual(driver.readAllOutputs(), []);
});

test('stores are read while they change: rows, single keys, windows', async (t) => {
  const windows = TimeWindows.ofSizeWithNoGrace(10);
  const builder = new StreamsBuilder();
  const grouped = builder.stream('in', texts).groupByKey();
  grouped.count({ name: 'counts' });
  grouped
    .windowedBy(windows)
    .count({ name: 'windowed' })
    .toStream()
    .to('out', { keySerde: new WindowedSerde(Serdes.string, windows), valueSerde: Serdes.int64 });
  const driver = await TopologyTestDriver.create(builder.build(), { partitions: 4 });
  for (const time of [1, 2, 13]) await driver.inputTopic('in').pipeInput('a', 'x', time);
  t.deepEqual(driver.keyValue('counts', 'a'), { value: 3, timestamp: 13 });
  t.is(driver.keyValue('counts', 'b'), undefined);
  t.deepEqual(driver.windowed('windowed', 'a', 0), { value: 2, timestamp: 2 });
  t.is(driver.windowed('windowed', 'a', 20), undefined);
  t.deepEqual(await driver.rows('windowed'), [
    { key: new Windowed('a', 0, 10), value: 2, timestamp: 2 },
    { key: new Windowed('a', 10, 20), value: 1, timestamp: 13 },
  ]);
  const out = driver.outputTopic('out', new WindowedSerde(Serdes.string, windows), Serdes.int64).readAll();
  t.deepEqual(out.at(-1), { key: new Windowed('a', 10, 20), value: 1, timestamp: 13 });
});

test('a topic that is not read or written, or a store that is not there, is an error at once that says what is', async (t) => {
  const driver = await copying();
  t.throws(() => driver.inputTopic('inn'), {
    code: 'STREAMS_MISSING_SOURCE_TOPIC',
    message: 'the topology reads no topic inn. It reads: in. Did you mean in?',
  });
  t.throws(() => driver.outputTopic('secnod', Serdes.string, Serdes.int64), {
    code: 'STREAMS_TOPOLOGY',
    message: 'the topology writes no topic secnod. It writes: first, second. Did you mean second?',
  });
  t.throws(() => driver.outputTopic('in', Serdes.string, Serdes.string), {
    message: 'the topology writes no topic in. It writes: first, second.',
  });
  for (const read of [() => driver.keyValue('none', 'a'), () => driver.history('none', 'a')]) {
    const store = t.throws(read);
    t.true(StreamsError.is(store));
    t.is((store as StreamsError).code, 'STREAMS_STATE_STORE_UNKNOWN');
  }
});

test('the digest depends on the rows of result stores only, not on their times', async (t) => {
  const digest = async (times: readonly number[], result = true): Promise<string> => {
    const builder = new StreamsBuilder();
    builder.stream('in', texts).groupByKey().count({ name: 'counts', result });
    const driver = await TopologyTestDriver.create(builder.build());
    for (const time of times) await driver.inputTopic('in').pipeInput('a', 'x', time);
    return driver.digest();
  };
  t.regex(await digest([1]), /^[0-9a-f]{64}$/);
  t.is(await digest([1, 2]), await digest([4, 3]));
  t.not(await digest([1, 2]), await digest([1]));
  t.is(await digest([1, 2], false), await digest([], false));
});
