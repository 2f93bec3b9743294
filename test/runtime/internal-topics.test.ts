import test from 'ava';
import { type KStream, Record, Serdes, StreamsBuilder, TimeWindows, Windowed, WindowedSerde } from '../../src/index.ts';
import { shown, TextDriver, texts } from '../dsl/text-driver.ts';

/** A value `x+5 y+0` becomes a record of key x, 5 ms after its own time, and one of key y at its time. */
function spread(stream: KStream<string, string>): KStream<string, string> {
  return stream.process<string, string>(() => {
    let forward: (record: Record<string, string>) => void;
    return {
      init: (context) => {
        forward = (record) => context.forward(record);
      },
      process: ({ value, timestamp }) => {
        for (const item of value.split(' '))
          forward(new Record(item.slice(0, 1), item, timestamp + Number(item.slice(2))));
      },
    };
  });
}

const through = (stream: KStream<string, string>, key: string): KStream<string, string> =>
  stream.filter((k) => k === key).repartition({ name: key, partitions: 1, ...texts });

test('of the heads of a task the one with the least time comes next; a small time behind a large one waits', async (t) => {
  const builder = new StreamsBuilder();
  const stream = spread(builder.stream('in', texts));
  through(stream, 'a').merge(through(stream, 'b')).to('out');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k a+9 a+1 b+5 b+12 b+0 @100'), [
    'out b b+5 @105',
    'out a a+9 @109',
    'out a a+1 @101',
    'out b b+12 @112',
    'out b b+0 @100',
  ]);
});

test('among heads of equal time the first topic by name comes next, however they were added', async (t) => {
  const builder = new StreamsBuilder();
  const stream = spread(builder.stream('in', texts));
  through(stream, 'c').merge(through(stream, 'a')).merge(through(stream, 'b')).to('out');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k b+0 c+0 a+0 c+0 @7'), [
    'out a a+0 @7',
    'out b b+0 @7',
    'out c c+0 @7',
    'out c c+0 @7',
  ]);
});

test('a task waits for records that take a longer way to it', async (t) => {
  const builder = new StreamsBuilder();
  const stream = spread(builder.stream('in', texts));
  const straight = through(stream, 'a');
  const detour = through(stream, 'b')
    .mapValues((value) => `${value} detour`)
    .repartition({ name: 'longer', partitions: 1, valueSerde: Serdes.string });
  straight.merge(detour).to('out');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'k a+5 b+1 @0'), ['out b b+1 detour @1', 'out a a+5 @5']);
});

test('records of one key stay in order through any number of partitions', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .selectKey((_key, value) => value.slice(0, 1))
    .repartition({ name: 'by-letter', partitions: 5, ...texts })
    .to('out');
  const driver = await TextDriver.of(builder, { partitions: 3 });
  const records = Array.from({ length: 40 }, (_, at) => `k${at % 7} ${'abc'[at % 3]}${at} @${at}`);
  const out = await driver.pipe('in', ...records);
  for (const letter of 'abc') {
    const numbers = out.filter((line) => line.startsWith(`out ${letter} `)).map((line) => Number(line.split('@')[1]));
    t.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
  }
  t.is(out.length, 40);
});

test('windowed keys are placed by their base key', async (t) => {
  const windows = TimeWindows.ofSizeWithNoGrace(10);
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .selectKey((key, value) => new Windowed(key, Number(value), Number(value) + 10))
    .repartition({ name: 'placed', keySerde: new WindowedSerde(Serdes.string, windows), valueSerde: Serdes.string })
    .process<string, string>(() => {
      let task: string;
      let forward: (record: Record<string, string>) => void;
      return {
        init: (context) => {
          task = context.taskId;
          forward = (record) => context.forward(record);
        },
        process: ({ key, timestamp }) => forward(new Record(key.key, task, timestamp)),
      };
    })
    .to('out', shown());
  const driver = await TextDriver.of(builder, { partitions: 7 });
  const records = ['a', 'b', 'c', 'd'].flatMap((key) => [0, 10, 20].map((start) => `${key} ${start} @${start}`));
  const out = await driver.pipe('in', ...records);
  // By murmur2 of 7 partitions: a 5, b 6, c 0, d 1.
  t.deepEqual([...new Set(out.map((line) => line.replace(/ @.*/, '')))].sort(), [
    'out a 1_5',
    'out b 1_6',
    'out c 1_0',
    'out d 1_1',
  ]);
});
