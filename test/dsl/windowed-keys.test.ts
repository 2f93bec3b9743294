import test from 'ava';
import {
  CalendarWindows,
  type KTable,
  type Serde,
  Serdes,
  StreamsBuilder,
  StreamsError,
  TimeWindows,
  untilWindowCloses,
  Windowed,
  WindowedSerde,
  type Windows,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { shown, TextDriver, tell, texts } from './text-driver.ts';

type Key = Windowed<string>;
const tens = TimeWindows.ofSizeAndGrace(10, 5);
const keyed = (windows: Windows = tens): { keySerde: Serde<Key>; valueSerde: Serde<string> } => ({
  keySerde: new WindowedSerde(Serdes.string, windows),
  valueSerde: Serdes.string,
});
const at = (key: string, startMs: number, windows: Windows = tens): Key =>
  new Windowed(key, startMs, windows.endOf(startMs));

function counts(builder: StreamsBuilder, windows: Windows = tens): KTable<Key, number> {
  return builder.stream('in', texts).groupByKey().windowedBy(windows).count({ name: 'counts' });
}

for (const caching of [false, true]) {
  const how = caching ? ' (with caches)' : '';

  test(`a table of windowed keys has rows of windows: set, set again, deleted, joined with an aggregate${how}`, async (t) => {
    const builder = new StreamsBuilder();
    const limits = builder.table('limits', { name: 'limits', ...keyed() });
    tell(counts(builder).leftJoin(limits, (n, limit) => `${n} of ${limit ?? '?'}`));
    const driver = await TextDriver.of(builder, { caching, partitions: 3 });
    const set = (key: Key | undefined, value: string | undefined, time: number): Promise<void> =>
      driver.driver.inputTopic<Key, string>('limits').pipeInput(key, value, time);
    await set(at('a', 0), '5', 1);
    await set(at('a', 10), '7', 2);
    await set(at('b', 0), '9', 3);
    await set(at('b', 0), undefined, 4);
    await set(undefined, '1', 4);
    await driver.flush();
    t.deepEqual((await driver.rows('limits')).sort(), ['[a@0/10] 5 @1', '[a@10/20] 7 @2']);
    t.is(driver.driver.dropped().null_key, 1);
    t.is(driver.driver.keyValue<Key, string>('limits', at('a', 10))?.value, '7');
    t.is(driver.driver.windowed('limits', 'a', 0)?.value, '5');
    driver.outputs();
    await driver.pipe('in', 'a x @12', 'b x @3');
    await driver.flush();
    await set(at('b', 0), '8', 20);
    t.is((await driver.flush()).at(-1), 'out [b@0/10] 1 of 8 @20');
  });

  test(`windows of a calendar that begin before the epoch are found again${how}`, async (t) => {
    const days = CalendarWindows.day('Europe/Paris');
    const firstDay = -3_600_000;
    const builder = new StreamsBuilder();
    const names = builder.table('names', { name: 'names', ...keyed(days) });
    tell(counts(builder, days).join(names, (n, name) => `${name} ${n}`));
    const driver = await TextDriver.of(builder, { caching });
    await driver.driver.inputTopic<Key, string>('names').pipeInput(at('a', firstDay, days), 'new year', 0);
    await driver.flush();
    await driver.pipe('in', 'a x @0');
    await driver.flush();
    t.deepEqual(await driver.rows('names'), [`[a@${firstDay}/${firstDay + 86_400_000}] new year @0`]);
    t.is(driver.driver.keyValue<Key, string>('names', at('a', firstDay, days))?.value, 'new year');
    await driver.pipe('in', 'a y @5');
    await driver.flush();
    t.deepEqual(await driver.rows('counts'), [`[a@${firstDay}/${firstDay + 86_400_000}] 2 @5`]);
  });
}

test('what follows a windowed table keeps its windows: toTable, groupByKey, filter, groupBy', async (t) => {
  const builder = new StreamsBuilder();
  const changes = counts(builder)
    .toStream()
    .mapValues((n) => `${n}`);
  changes.toTable({ name: 'latest', ...keyed() });
  changes.groupByKey(keyed()).reduce((total, n) => `${total},${n}`, { name: 'traces' });
  changes.groupByKey(keyed()).count({ name: 'changes' });
  changes
    .groupBy(({ startMs }) => at('all', startMs), { name: 'by-window', ...keyed() })
    .reduce((total, n) => `${total},${n}`, { name: 'per-window' });
  const driver = await TextDriver.of(builder, { partitions: 2 });
  await driver.pipe('in', 'a x @1', 'a x @2', 'b x @3', 'a x @11');
  await driver.flush();
  const rows = async (store: string): Promise<string[]> => (await driver.rows(store)).sort();
  t.deepEqual(await rows('latest'), ['[a@0/10] 2 @2', '[a@10/20] 1 @11', '[b@0/10] 1 @3']);
  t.deepEqual(await rows('traces'), ['[a@0/10] 1,2 @2', '[a@10/20] 1 @11', '[b@0/10] 1 @3']);
  t.deepEqual(await rows('changes'), ['[a@0/10] 2 @2', '[a@10/20] 1 @11', '[b@0/10] 1 @3']);
  t.deepEqual(await rows('per-window'), ['[all@0/10] 1,2,1 @3', '[all@10/20] 1 @11']);
});

test('windowed keys with a serde of your own are keys like any other: joins find them', async (t) => {
  const own: Serde<Key> = {
    name: 'own',
    serialize: ({ key, startMs, endMs }) => Serdes.string.serialize(`${key} ${startMs} ${endMs}`),
    deserialize(bytes) {
      const [key, startMs, endMs] = Serdes.string.deserialize(bytes).split(' ') as [string, string, string];
      return new Windowed(key, Number(startMs), Number(endMs));
    },
  };
  const builder = new StreamsBuilder();
  const options = { keySerde: own, valueSerde: Serdes.string };
  const left = builder.table('left', { name: 'left', ...options });
  const right = builder.table('right', { name: 'right', ...options });
  tell(left.join(right, (l, r) => `${l}/${r}`));
  const driver = await TextDriver.of(builder, { partitions: 3 });
  await driver.driver.inputTopic<Key, string>('left').pipeInput(new Windowed('a', 3, 7), 'l', 1);
  await driver.driver.inputTopic<Key, string>('right').pipeInput(new Windowed('a', 3, 8), 'no', 1);
  await driver.driver.inputTopic<Key, string>('right').pipeInput(new Windowed('a', 3, 7), 'r', 2);
  t.deepEqual(driver.outputs(), ['out [a@3/7] l/r @2']);
});

test('a key whose window is none of the table is refused, not stored', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .selectKey((_key, value) => new Windowed('a', Number(value), Number(value) + 10))
    .toTable({ name: 'rows', ...keyed() });
  const driver = await TextDriver.of(builder);
  await driver.pipe('in', 'a 10 @1');
  for (const start of ['3', '-10', 'NaN', '0.5']) {
    const error = await t.throwsAsync(driver.pipe('in', `a ${start} @1`), { instanceOf: StreamsError });
    t.regex(error.message, /no window starts at|a window cannot start at/, start);
  }
});

test('an uncached aggregate tells of a first value without an old one: groups count each row once', async (t) => {
  const builder = new StreamsBuilder();
  const perKey = builder.stream('in', texts).groupByKey().count({ name: 'per-key', caching: false });
  const uncached = { name: 'per-window', caching: false };
  const perWindow = builder.stream('in2', texts).groupByKey().windowedBy(tens).count(uncached);
  const all = { keySerde: Serdes.string, valueSerde: Serdes.int64 };
  perKey.groupBy((_key, n) => ['all', n], all).count({ name: 'keys' });
  perWindow.groupBy((_key, n) => ['all', n], all).count({ name: 'windows' });
  const driver = await TextDriver.of(builder);
  await driver.pipe('in', 'a x @1', 'b x @2', 'c x @3', 'a x @4');
  await driver.pipe('in2', 'a x @1', 'b x @2', 'a x @11', 'a x @4');
  t.is(driver.driver.keyValue<string, number>('keys', 'all')?.value, 3);
  t.is(driver.driver.keyValue<string, number>('windows', 'all')?.value, 3);
});

test('rows of a windowed aggregate are suppressed behind streams, tables and repartition topics too', async (t) => {
  const builder = new StreamsBuilder();
  const changes = counts(builder)
    .toStream()
    .mapValues((n) => `${n}`)
    .map((key, value) => [key, value] as const)
    .repartition({ name: 'through', ...keyed() });
  tell(changes.toTable({ name: 'latest', ...keyed() }).suppress(untilWindowCloses({ name: 'final' })));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a x @1', 'a x @2', 'a x @14', 'a x @15'), ['out [a@0/10] 2 @2']);
});

test('suppress is refused where a part of the changes does not come from a windowed aggregate', (t) => {
  const final = untilWindowCloses({ name: 'final' });
  const refused = <V>(build: (builder: StreamsBuilder) => KTable<Key, V>): void => {
    const error = t.throws(() => build(new StreamsBuilder()).suppress(final), { instanceOf: StreamsError });
    t.regex(error.message, /suppress final: .* has no windows, so none closes/);
  };
  refused((builder) => builder.table('rows', { name: 'rows', ...keyed() }));
  refused((builder) => counts(builder).join(builder.table('rows', { name: 'rows', ...keyed() }), (n) => n));
  refused((builder) =>
    counts(builder)
      .toStream()
      .mapValues((n) => `${n}`)
      .merge(builder.stream('rows', keyed()))
      .toTable({ name: 'latest', ...keyed() }),
  );
});

test('a store of windowed keys is asked for as one of windows, and no other is', async (t) => {
  const ask = async (kind: 'keyValueStore' | 'windowStore', windowed: boolean): Promise<TopologyTestDriver> => {
    const builder = new StreamsBuilder();
    const options = { name: 'rows', valueSerde: Serdes.string };
    const table = windowed
      ? builder.table('rows', { ...options, ...keyed() })
      : builder.table('rows', { ...options, keySerde: Serdes.string });
    (table as KTable<unknown, string>)
      .toStream()
      .process(() => ({ init: (context) => void context[kind]('rows'), process() {} }), { stores: ['rows'] })
      .to('out', shown());
    return TopologyTestDriver.create(builder.build());
  };
  await t.notThrowsAsync(ask('windowStore', true));
  await t.notThrowsAsync(ask('keyValueStore', false));
  await t.throwsAsync(ask('keyValueStore', true), { message: /ask for it with windowStore\(\)/ });
  await t.throwsAsync(ask('windowStore', false), { message: /ask for it with keyValueStore\(\)/ });
});
