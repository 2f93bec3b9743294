import test from 'ava';
import {
  CalendarWindows,
  type Header,
  Serdes,
  StreamsBuilder,
  TimeWindows,
  untilWindowCloses,
  type Windows,
} from '../../src/index.ts';
import { shown, TextDriver, tell, texts } from './text-driver.ts';

/** A driver over a windowed count of topic `in`, told in topic `out`. */
async function counting(windows: Windows): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  tell(builder.stream('in', texts).groupByKey().windowedBy(windows).count({ name: 'counts' }));
  return TextDriver.of(builder);
}

test('tumbling windows are half-open: a record at the end of one belongs to the next', async (t) => {
  const driver = await counting(TimeWindows.ofSizeAndGrace(10, 100));
  t.deepEqual(await driver.pipe('in', 'a x @0', 'a x @9', 'a x @10', 'b x @9'), [
    'out [a@0/10] 1 @0',
    'out [a@0/10] 2 @9',
    'out [a@10/20] 1 @10',
    'out [b@0/10] 1 @9',
  ]);
  t.deepEqual(await driver.rows('counts'), ['[a@0/10] 2 @9', '[b@0/10] 1 @9', '[a@10/20] 1 @10']);
});

test('a record counts in each hopping window that holds it, oldest first', async (t) => {
  const driver = await counting(TimeWindows.ofSizeAndGrace(10, 100).advanceBy(4));
  t.deepEqual(await driver.pipe('in', 'a x @9', 'a x @12'), [
    'out [a@0/10] 1 @9',
    'out [a@4/14] 1 @9',
    'out [a@8/18] 1 @9',
    'out [a@4/14] 2 @12',
    'out [a@8/18] 2 @12',
    'out [a@12/22] 1 @12',
  ]);
});

test('a record is late when its window ended grace before the stream time, at equality too; 1 ms earlier it counts', async (t) => {
  const driver = await counting(TimeWindows.ofSizeAndGrace(10, 5));
  await driver.pipe('in', 'a x @14');
  t.deepEqual(await driver.pipe('in', 'a x @3'), ['out [a@0/10] 1 @3']);
  await driver.pipe('in', 'b x @15');
  t.deepEqual(await driver.pipe('in', 'a x @4'), []);
  t.is(driver.driver.dropped().late, 1);
  t.deepEqual(await driver.rows('counts'), ['[a@0/10] 1 @3', '[a@10/20] 1 @14', '[b@10/20] 1 @15']);
});

test('the record that moves the time is judged by the time it brings', async (t) => {
  const driver = await counting(TimeWindows.ofSizeWithNoGrace(10));
  t.deepEqual(await driver.pipe('in', 'a x @25', 'a x @19', 'a x @20'), ['out [a@20/30] 1 @25', 'out [a@20/30] 2 @25']);
  t.is(driver.driver.dropped().late, 1);
});

test('a record can be late for some of its hopping windows; each of them counts as dropped', async (t) => {
  const driver = await counting(TimeWindows.ofSizeWithNoGrace(10).advanceBy(5));
  await driver.pipe('in', 'a x @20');
  // Its windows are [5, 15) and [10, 20): both ended. At 16 the second, [15, 25), has not.
  t.deepEqual(await driver.pipe('in', 'a x @14', 'a x @16'), ['out [a@15/25] 2 @20']);
  t.is(driver.driver.dropped().late, 3);
});

test('a record without key moves no clock of the operator, one without value does and counts', async (t) => {
  const driver = await counting(TimeWindows.ofSizeWithNoGrace(10));
  t.deepEqual(await driver.pipe('in', 'a x @5', '- x @50', 'a x @6'), ['out [a@0/10] 1 @5', 'out [a@0/10] 2 @6']);
  t.deepEqual(driver.driver.dropped(), { ...driver.driver.dropped(), null_key: 1, late: 0 });
  t.deepEqual(await driver.pipe('in', 'b - @50', 'a x @7'), ['out [b@50/60] 1 @50']);
  t.is(driver.driver.dropped().late, 1);
});

test('each operator has its own clock: what a filter takes out does not move it', async (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  const windows = TimeWindows.ofSizeWithNoGrace(10);
  tell(
    stream
      .filter((_key, value) => value !== 'skip')
      .groupByKey()
      .windowedBy(windows)
      .count({ name: 'some' }),
    'some',
  );
  tell(stream.groupByKey().windowedBy(windows).count({ name: 'all' }), 'all');
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a skip @30', 'a x @5'), ['all [a@30/40] 1 @30', 'some [a@0/10] 1 @5']);
});

test('reduce and aggregate keep one row a key and window', async (t) => {
  const builder = new StreamsBuilder();
  const windowed = builder.stream('in', texts).groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(10, 100));
  tell(
    windowed.reduce((a, b) => [a, b].sort().at(-1)!, { name: 'greatest' }),
    'greatest',
  );
  tell(
    windowed.aggregate(
      () => [] as string[],
      (_key, value, all) => {
        all.push(value);
        return all;
      },
      { name: 'lists', valueSerde: Serdes.json<string[]>() },
    ),
    'lists',
  );
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a 3 @1', 'a 5 @12', 'a 4 @2'), [
    'greatest [a@0/10] 3 @1',
    'lists [a@0/10] ["3"] @1',
    'greatest [a@10/20] 5 @12',
    'lists [a@10/20] ["5"] @12',
    'greatest [a@0/10] 4 @2',
    'lists [a@0/10] ["3","4"] @2',
  ]);
});

test('rows whose window began a retention or more before the newest window are deleted', async (t) => {
  const driver = await counting(TimeWindows.ofSizeAndGrace(10, 0).retention(30));
  await driver.pipe('in', 'a x @5', 'a x @15', 'a x @39');
  await driver.flush();
  t.deepEqual(await driver.rows('counts'), ['[a@10/20] 1 @15', '[a@30/40] 1 @39']);
  await driver.pipe('in', 'b x @45');
  await driver.flush();
  t.deepEqual(await driver.rows('counts'), ['[a@30/40] 1 @39', '[b@40/50] 1 @45']);
  await driver.pipe('in', 'b x @500');
  await driver.flush();
  t.deepEqual(await driver.rows('counts'), ['[b@500/510] 1 @500']);
});

test('without retention rows stay for ever', async (t) => {
  const driver = await counting(TimeWindows.ofSizeWithNoGrace(10));
  await driver.pipe('in', 'a x @5', 'a x @5000000');
  await driver.flush();
  t.is((await driver.rows('counts')).length, 2);
});

test('a day of summer time has its own length, and windows have the ends of their zone', async (t) => {
  const driver = await counting(CalendarWindows.day('Europe/Paris').grace(0));
  // 2017-03-26 in Paris is 23 hours long.
  const start = Date.UTC(2017, 2, 25, 23);
  const end = Date.UTC(2017, 2, 26, 22);
  t.deepEqual(await driver.pipe('in', `a x @${end - 1}`, `a x @${end}`), [
    `out [a@${start}/${end}] 1 @${end - 1}`,
    `out [a@${end}/${end + 86_400_000}] 1 @${end}`,
  ]);
});

test('suppress gives each window once, when it closes, in the order of end and key', async (t) => {
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
    .count({ name: 'counts' });
  tell(counts.suppress(untilWindowCloses({ name: 'final' })));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'b x @3', 'a x @1', 'a x @12', 'b x @8', 'c x @14'), []);
  t.deepEqual(await driver.pipe('in', 'c x @15'), ['out [a@0/10] 1 @1', 'out [b@0/10] 2 @8']);
  t.deepEqual(await driver.pipe('in', 'c x @40'), ['out [a@10/20] 1 @12', 'out [c@10/20] 2 @15']);
  t.deepEqual(await driver.rows('final'), ['[c@40/50] 1 @40']);
});

test('what is suppressed has not the headers of the record that closes its window', async (t) => {
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'counts' });
  counts.toStream().to('all', shown());
  tell(counts.suppress(untilWindowCloses({ name: 'final' })));
  const { driver } = await TextDriver.of(builder);
  const header = (text: string): Header[] => [{ key: 'of', value: Buffer.from(text) }];
  await driver.inputTopic('in').pipeInput('a', 'x', 0, header('a'));
  await driver.inputTopic('in').pipeInput('b', 'x', 10, header('b'));
  t.deepEqual(
    driver
      .readAllOutputs()
      .map(({ topic, timestamp, headers }) => [topic, timestamp, ...headers.map(({ value }) => String(value))]),
    [
      ['all', 0, 'a'],
      ['all', 10, 'b'],
      ['out', 0],
    ],
  );
});

test('at the end of all input the windows that are still open leave', async (t) => {
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'counts' });
  tell(counts.suppress(untilWindowCloses({ name: 'final' })));
  const driver = await TextDriver.of(builder);
  await driver.pipe('in', 'a x @3', 'b x @4');
  await driver.driver.finish();
  t.deepEqual(driver.outputs(), ['out [a@0/10] 1 @3', 'out [b@0/10] 1 @4']);
});

test('a suppressed table can be grouped: each row counts once, with its last value', async (t) => {
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'counts' });
  const sums = counts
    .suppress(untilWindowCloses({ name: 'final' }))
    .groupBy((key, n) => [key.key, n], { keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .reduce(
      (sum, n) => sum + n,
      (sum, n) => sum - n,
      { name: 'sums' },
    );
  tell(sums);
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a x @3', 'a x @4', 'a x @10', 'a x @20'), ['out a 2 @4', 'out a 3 @10']);
});

test('a roll-up adds days into months: each day change subtracts its old count and adds its new one', async (t) => {
  const builder = new StreamsBuilder();
  const zone = 'UTC';
  const days = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(CalendarWindows.day(zone).grace(40 * 86_400_000))
    .count({ name: 'days' });
  const months = days.rollUp(
    CalendarWindows.month(zone).grace(0),
    () => 0,
    (_key, n, sum) => sum + n,
    (_key, n, sum) => (sum === n ? undefined : sum - n),
    { name: 'months', valueSerde: Serdes.int64 },
  );
  months.toStream().to('out', shown());
  const driver = await TextDriver.of(builder);
  const at = (month: number, day: number): number => Date.UTC(2017, month - 1, day);
  const december = `[a@${at(12, 1)}/${at(13, 1)}]`;
  t.deepEqual(await driver.pipe('in', `a x @${at(12, 30)}`, `a x @${at(12, 31)}`, `a x @${at(12, 30) + 5}`), [
    `out ${december} 1 @${at(12, 30)}`,
    `out ${december} 2 @${at(12, 31)}`,
    `out ${december} 3 @${at(12, 31)}`,
  ]);
  await driver.pipe('in', `a x @${at(13, 1)}`);
  t.deepEqual(await driver.rows('months'), [
    `${december} 3 @${at(12, 31)}`,
    `[a@${at(13, 1)}/${at(14, 1)}] 1 @${at(13, 1)}`,
  ]);
  t.deepEqual(builder.build().repartitions.size, 0);
});
