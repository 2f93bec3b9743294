import test from 'ava';
import {
  type GlobalKTable,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  TimeWindows,
  type Version,
  type Windowed,
} from '../../src/index.ts';
import { TextDriver, tell, texts } from './text-driver.ts';

const pair = (value: unknown, place: string | undefined): string => `${value}/${place ?? 'unknown'}`;

/** A stream of topic `in` joined with the global table of topic `places`. */
async function streamJoin(versioned: boolean, left = true): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  const places = builder.globalTable('places', { ...texts, name: 'park', versioned });
  const stream = builder.stream('in', texts);
  (left ? stream.leftJoin(places, pair) : stream.join(places, pair)).to('out', texts);
  return TextDriver.of(builder);
}

test('a stream joined with a versioned global table gets the version valid at its time', async (t) => {
  const driver = await streamJoin(true);
  await driver.pipe('places', 'a Lyon @100', 'a Nice @200', 'a - @300');
  t.deepEqual(await driver.pipe('in', 'a 1 @99', 'a 2 @100', 'a 3 @199', 'a 4 @200', 'a 5 @300', 'b 6 @200'), [
    'out a 1/unknown @99',
    'out a 2/Lyon @100',
    'out a 3/Lyon @199',
    'out a 4/Nice @200',
    'out a 5/unknown @300',
    'out b 6/unknown @200',
  ]);
  await driver.pipe('places', 'a Brest @150');
  t.deepEqual(await driver.pipe('in', 'a 7 @149', 'a 8 @150'), ['out a 7/Lyon @149', 'out a 8/Brest @150']);
});

test('a stream joined with a plain global table gets the latest record, whatever the times', async (t) => {
  const driver = await streamJoin(false);
  await driver.pipe('places', 'a Nice @200', 'a Lyon @100');
  t.deepEqual(await driver.pipe('in', 'a 1 @5', 'a 2 @500'), ['out a 1/Lyon @5', 'out a 2/Lyon @500']);
  await driver.pipe('places', 'a - @50');
  t.deepEqual(await driver.pipe('in', 'a 3 @5'), ['out a 3/unknown @5']);
});

test('an inner join drops what has no version, a left join keeps it', async (t) => {
  const driver = await streamJoin(true, false);
  await driver.pipe('places', 'a Lyon @100');
  t.deepEqual(await driver.pipe('in', 'a 1 @99', 'a 2 @100', 'b 3 @100'), ['out a 2/Lyon @100']);
});

test('key and asOf say which row of the global table is met, and as of when', async (t) => {
  const builder = new StreamsBuilder();
  const places = builder.globalTable('places', { ...texts, name: 'park', versioned: true });
  builder
    .stream('in', texts)
    .leftJoin(places, pair, { key: (_key, value) => value.slice(0, 1), asOf: (_key, value) => Number(value.slice(1)) })
    .to('out', texts);
  const driver = await TextDriver.of(builder);
  await driver.pipe('places', 'p Lyon @100');
  t.deepEqual(await driver.pipe('in', 'k p100 @7', 'k p99 @8'), ['out k p100/Lyon @7', 'out k p99/unknown @8']);
});

test('an asOf that gives no time is an error of the record, not a join with nothing', async (t) => {
  for (const ofTable of [false, true]) {
    const builder = new StreamsBuilder();
    const places = builder.globalTable('places', { ...texts, name: 'park', versioned: true });
    const asOf = (_key: string, value: string): number => Date.parse(value);
    if (ofTable)
      builder
        .table('in', { ...texts, name: 'rows' })
        .leftJoin(places, pair, { name: 'joined', valueSerde: Serdes.string, asOf });
    else builder.stream('in', texts).join(places, pair, { asOf });
    const driver = await TextDriver.of(builder);
    await driver.pipe('places', 'a Lyon @0');
    await driver.pipe('in', 'a 1970-01-02 @5');
    const error = (await t.throwsAsync(driver.pipe('in', 'a soon @5'))) as StreamsError;
    t.is(error.code, 'STREAMS_PROCESSING');
    t.regex(error.message, /asOf gave NaN/);
  }
});

test('a record of the global topic without a key is dropped and counted', async (t) => {
  const driver = await streamJoin(true);
  await driver.pipe('places', '- Lyon @1');
  t.is(driver.driver.dropped().null_key, 1);
});

/** Counts in windows of 10 ms, each row with the place of its key at the window's start, and the counts by place. */
async function windowJoin(caching: boolean, left = true): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  const places: GlobalKTable<string, string> = builder.globalHistoryTable('places', { ...texts, name: 'park' });
  const counts = builder
    .stream('in', texts)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 1000))
    .count({ name: 'counts' });
  const joiner = (n: number, place: string | undefined): { n: number; place: string } => ({
    n,
    place: place ?? 'unknown',
  });
  const options = { name: 'placed', valueSerde: Serdes.json<{ n: number; place: string }>() };
  const placed = left ? counts.leftJoin(places, joiner, options) : counts.join(places, joiner, options);
  tell(
    placed
      .groupBy((_key: Windowed<string>, { n, place }) => [place, n], {
        keySerde: Serdes.string,
        valueSerde: Serdes.int64,
      })
      .aggregate(
        () => 0,
        (_place, n, sum) => sum + n,
        (_place, n, sum) => (sum === n ? undefined : sum - n),
        { name: 'by-place', valueSerde: Serdes.int64 },
      ),
  );
  return TextDriver.of(builder, { caching });
}

/** Gives a key another history: its places by the time from which they are valid. */
async function place(driver: TextDriver, key: string, history: Record<number, string | undefined>): Promise<void> {
  const versions: Version<string>[] = Object.entries(history).map(([time, value]) => ({
    validFromMs: Number(time),
    value,
  }));
  await driver.driver.inputTopic('places').pipeInput(key, versions, 0);
  await driver.driver.flush();
}

const sums = async (driver: TextDriver): Promise<string[]> =>
  (await driver.rows('by-place')).map((row) => row.replace(/ @.*/, ''));

for (const caching of [false, true]) {
  const how = caching ? ' (with caches)' : '';

  test(`a windowed table is joined with the version valid at each window's start${how}`, async (t) => {
    const driver = await windowJoin(caching);
    await place(driver, 'a', { 0: 'Lyon', 15: 'Nice' });
    await driver.pipe('in', 'a x @5', 'a x @16', 'a x @21', 'b x @7');
    await driver.flush();
    // The window [10, 20) began in Lyon.
    t.deepEqual(await sums(driver), ['Lyon 2', 'Nice 1', 'unknown 1']);
  });

  test(`rows move when a move becomes known, is corrected, ended or forgotten${how}`, async (t) => {
    const driver = await windowJoin(caching);
    await driver.pipe('in', 'a x @5', 'a x @16', 'a x @17', 'a x @21', 'b x @7');
    await driver.flush();
    t.deepEqual(await sums(driver), ['unknown 5']);
    await place(driver, 'a', { 0: 'Lyon' });
    t.deepEqual(await sums(driver), ['Lyon 4', 'unknown 1']);
    await place(driver, 'a', { 0: 'Lyon', 10: 'Nice' });
    t.deepEqual(await sums(driver), ['Lyon 1', 'Nice 3', 'unknown 1']);
    await place(driver, 'a', { 0: 'Lyon', 20: 'Brest' });
    t.deepEqual(await sums(driver), ['Brest 1', 'Lyon 3', 'unknown 1']);
    await place(driver, 'a', { 0: 'Lyon', 10: undefined });
    t.deepEqual(await sums(driver), ['Lyon 1', 'unknown 4']);
    await place(driver, 'a', {});
    t.deepEqual(await sums(driver), ['unknown 5']);
  });

  test(`in an inner join rows without a version are not there, and come back with one${how}`, async (t) => {
    const driver = await windowJoin(caching, false);
    await driver.pipe('in', 'a x @5', 'a x @16');
    await driver.flush();
    t.deepEqual(await sums(driver), []);
    await place(driver, 'a', { 10: 'Nice' });
    t.deepEqual(await sums(driver), ['Nice 1']);
    await place(driver, 'a', { 0: 'Nice' });
    t.deepEqual(await sums(driver), ['Nice 2']);
    await place(driver, 'a', { 0: 'Nice', 5: undefined });
    t.deepEqual(await sums(driver), ['Nice 1']);
  });
}

test('a change joins again only the rows whose time it covers', async (t) => {
  const driver = await windowJoin(false);
  await place(driver, 'a', { 0: 'Lyon' });
  await driver.pipe('in', 'a x @5', 'a x @15', 'b x @5');
  await place(driver, 'a', { 0: 'Lyon', 12: 'Nice' });
  t.deepEqual(driver.outputs(), []);
  await place(driver, 'a', { 0: 'Lyon', 10: 'Nice' });
  t.deepEqual(driver.outputs(), ['out Lyon 1 @15', 'out Nice 1 @15']);
});

test('a table without windows is joined with the latest version, by a key of its own choice', async (t) => {
  const builder = new StreamsBuilder();
  const places = builder.globalTable('places', { ...texts, name: 'park', versioned: true });
  const meters = builder.table('meters', { ...texts, name: 'meters' });
  tell(meters.leftJoin(places, pair, { name: 'placed', valueSerde: Serdes.string, key: (_meter, value) => value }));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('meters', 'm1 p @1', 'm2 q @2', 'm3 p @3'), [
    'out m1 p/unknown @1',
    'out m2 q/unknown @2',
    'out m3 p/unknown @3',
  ]);
  t.deepEqual(await driver.pipe('places', 'p Lyon @100'), ['out m1 p/Lyon @1', 'out m3 p/Lyon @3']);
  t.deepEqual(await driver.pipe('meters', 'm1 q @4', 'm2 - @5'), ['out m1 q/unknown @4', 'out m2 - @5']);
  t.deepEqual(await driver.pipe('places', 'q Nice @100', 'p Brest @50'), ['out m1 q/Nice @4']);
});

test('what a global table changes has not the headers of the record before it', async (t) => {
  const builder = new StreamsBuilder();
  const places = builder.globalTable('places', { ...texts, name: 'park' });
  const meters = builder.table('meters', { ...texts, name: 'meters' });
  tell(meters.leftJoin(places, pair, { name: 'placed', valueSerde: Serdes.string }));
  const { driver } = await TextDriver.of(builder);
  await driver.inputTopic('meters').pipeInput('a', 'x', 1, [{ key: 'of', value: Buffer.from('x') }]);
  await driver.inputTopic('places').pipeInput('a', 'Lyon', 2);
  t.deepEqual(
    driver.readAllOutputs().map(({ value, headers }) => [String(Buffer.from(value!)), headers.length]),
    [
      ['x/unknown', 1],
      ['x/Lyon', 0],
    ],
  );
});

test('the history of a key is what was put in, in the order of its times', async (t) => {
  const driver = await streamJoin(true);
  await driver.pipe('places', 'a Nice @200', 'a Lyon @100', 'a - @300', 'a Brest @200');
  t.deepEqual(driver.driver.history('park', 'a'), [
    { validFromMs: 100, value: 'Lyon' },
    { validFromMs: 200, value: 'Brest' },
    { validFromMs: 300, value: undefined },
  ]);
  t.deepEqual(driver.driver.history('park', 'z'), []);
});
