import test from 'ava';
import { type KTable, Serdes, StreamsBuilder } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { TextDriver, tell, texts } from './text-driver.ts';

/** A driver over what `build` makes of the table of topic `rows`, told in topic `out`. */
async function over<K, V>(
  build: (table: KTable<string, string>) => KTable<K, V>,
  caching = false,
): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  tell(build(builder.table('rows', { ...texts, name: 'rows' })));
  return TextDriver.of(builder, { caching });
}

const big = (_key: string, value: string): boolean => Number(value) >= 10;

test('a table has the latest value of each key; a record without value deletes the row, one without key is dropped', async (t) => {
  const driver = await over((table) => table);
  t.deepEqual(await driver.pipe('rows', 'a 1 @5', 'a 2 @9', 'b 3 @6', 'b - @7', '- 4 @8'), [
    'out a 1 @5',
    'out a 2 @9',
    'out b 3 @6',
    'out b - @7',
  ]);
  t.deepEqual(await driver.rows('rows'), ['a 2 @9']);
  t.is(driver.driver.dropped().null_key, 1);
});

test('an older record is applied too: the table follows the order of arrival', async (t) => {
  const driver = await over((table) => table);
  await driver.pipe('rows', 'a 1 @5', 'a 2 @3');
  t.deepEqual(await driver.rows('rows'), ['a 2 @3']);
});

test('a filter tells of a deletion when a row stops passing, and of nothing for rows that never passed', async (t) => {
  const driver = await over((table) => table.filter(big));
  t.deepEqual(await driver.pipe('rows', 'a 1 @1', 'a 10 @2', 'a 11 @3', 'a 2 @4', 'a 3 @5', 'a - @6'), [
    'out a 10 @2',
    'out a 11 @3',
    'out a - @4',
  ]);
});

test('filterNot keeps the others', async (t) => {
  const driver = await over((table) => table.filterNot(big));
  t.deepEqual(await driver.pipe('rows', 'a 1 @1', 'a 10 @2', 'b 12 @3'), ['out a 1 @1', 'out a - @2']);
});

test('a filter of a table without a store tells of a deletion for each value that does not pass', async (t) => {
  const builder = new StreamsBuilder();
  tell(builder.table('rows', { ...texts, materialize: false }).filter(big));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('rows', 'a 1 @1', 'a 10 @2', 'a 3 @3', '- 4 @4'), [
    'out a - @1',
    'out a 10 @2',
    'out a - @3',
  ]);
  t.is(driver.driver.dropped().null_key, 1);
  t.deepEqual(builder.build().stores, []);
});

test('a materialized filter has a store of the rows that pass', async (t) => {
  const driver = await over((table) => table.filter(big, { name: 'big', materialize: true }));
  await driver.pipe('rows', 'a 1 @1', 'b 10 @2', 'c 11 @3', 'c 2 @4');
  t.deepEqual(await driver.rows('big'), ['b 10 @2']);
});

test('mapValues gets value and key; nothing deletes the row', async (t) => {
  const driver = await over((table) =>
    table.mapValues((value, key) => (value === '0' ? undefined : key.length + Number(value)), {
      name: 'mapped',
      materialize: true,
      valueSerde: Serdes.int64,
    }),
  );
  t.deepEqual(await driver.pipe('rows', 'aa 1 @1', 'b 5 @2', 'aa 0 @3'), ['out aa 3 @1', 'out b 6 @2', 'out aa - @3']);
  t.deepEqual(await driver.rows('mapped'), ['b 6 @2']);
});

test('with a cache the changes of a row between two flushes are told as one, and a row that came and went as none', async (t) => {
  const driver = await over((table) => table, true);
  t.deepEqual(await driver.pipe('rows', 'a 1 @1', 'a 2 @2', 'b 3 @3', 'b - @4'), []);
  t.deepEqual(await driver.flush(), ['out a 2 @2']);
  await driver.pipe('rows', 'a 3 @5', 'a - @6');
  t.deepEqual(await driver.flush(), ['out a - @6']);
});

test('toTable gives the latest value of each key of a stream', async (t) => {
  const builder = new StreamsBuilder();
  tell(builder.stream('in', texts).toTable({ name: 'latest' }));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a 1 @1', 'a 2 @2', 'a - @3'), ['out a 1 @1', 'out a 2 @2', 'out a - @3']);
});

test('a count by group follows its members: out of the old group first, then into the new one', async (t) => {
  const driver = await over((table) => table.groupBy((_key, value) => [value, ''], texts).count({ name: 'counts' }));
  t.deepEqual(await driver.pipe('rows', 'a x @1', 'b x @2', 'a y @3', 'b - @1', 'c y @4'), [
    'out x 1 @1',
    'out x 2 @2',
    'out x 1 @3',
    'out y 1 @3',
    'out x 0 @3',
    'out y 2 @4',
  ]);
});

test('within one group the old value is subtracted and the new one added as one change', async (t) => {
  const driver = await over((table) =>
    table
      .groupBy((_key, value) => [value.slice(0, 1), Number(value.slice(1))], {
        keySerde: Serdes.string,
        valueSerde: Serdes.int64,
      })
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        { name: 'sums' },
      ),
  );
  t.deepEqual(await driver.pipe('rows', 'a x5 @1', 'b x3 @2', 'a x7 @3', 'a y1 @4'), [
    'out x 5 @1',
    'out x 8 @2',
    'out x 10 @3',
    'out x 3 @4',
    'out y 1 @4',
  ]);
});

test('groups are told apart by the bytes of their keys: 0 and -0 are two of doubles', async (t) => {
  const builder = new StreamsBuilder();
  const double = Serdes.float64;
  builder
    .table('in', { name: 'table', keySerde: Serdes.string, valueSerde: double })
    .groupBy((_key, value) => [value, value], { keySerde: double, valueSerde: double })
    .count({ name: 'counts' });
  const driver = await TopologyTestDriver.create(builder.build());
  const input = driver.inputTopic<string, number>('in');
  await input.pipeInput('a', -0, 1);
  await input.pipeInput('a', 0, 2);
  t.is(driver.keyValue<number, number>('counts', -0)?.value, 0);
  t.is(driver.keyValue<number, number>('counts', 0)?.value, 1);
});

test('a group whose aggregate becomes nothing has no row, and starts over with the next member', async (t) => {
  const driver = await over((table) =>
    table
      .groupBy((_key, value) => [value, 1], { keySerde: Serdes.string, valueSerde: Serdes.int64 })
      .aggregate(
        () => 0,
        (_group, value, n) => n + value,
        (_group, value, n) => (n === value ? undefined : n - value),
        { name: 'sizes', valueSerde: Serdes.int64 },
      ),
  );
  t.deepEqual(await driver.pipe('rows', 'a x @9', 'a y @10', 'b x @2'), [
    'out x 1 @9',
    'out x - @10',
    'out y 1 @10',
    'out x 1 @2',
  ]);
  t.deepEqual(await driver.rows('sizes'), ['x 1 @2', 'y 1 @10']);
});

test('a group of none, or a grouped value of none, is as if the row were not there', async (t) => {
  const driver = await over((table) =>
    table
      .groupBy((_key, value) => [value === 'x' ? undefined : 'all', value === 'y' ? undefined : value] as never, texts)
      .count({ name: 'counts' }),
  );
  t.deepEqual(await driver.pipe('rows', 'a 1 @1', 'b x @2', 'c y @3', 'a x @4', 'b 2 @5'), [
    'out all 1 @1',
    'out all 0 @4',
    'out all 1 @5',
  ]);
});

test('an inner join of tables has the rows that both have', async (t) => {
  const builder = new StreamsBuilder();
  const left = builder.table('left', { ...texts, name: 'left' });
  const right = builder.table('right', { ...texts, name: 'right' });
  tell(
    left.join(right, (a, b, key) => `${key}:${a}${b}`, { name: 'both', materialize: true, valueSerde: Serdes.string }),
  );
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('left', 'a 1 @10', 'b 2 @11'), []);
  t.deepEqual(await driver.pipe('right', 'a X @5', 'c Z @6'), ['out a a:1X @10']);
  t.deepEqual(await driver.pipe('left', 'a 3 @4'), ['out a a:3X @5']);
  t.deepEqual(await driver.pipe('right', 'a - @7'), ['out a - @7']);
  t.deepEqual(await driver.rows('both'), []);
});

test('a left join of tables has all rows of the left one', async (t) => {
  const builder = new StreamsBuilder();
  const left = builder.table('left', { ...texts, name: 'left' });
  const right = builder.table('right', { ...texts, name: 'right' });
  tell(left.leftJoin(right, (a, b) => `${a}/${b ?? 'none'}`, { name: 'met' }));
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('left', 'a 1 @10', 'z - @11'), ['out a 1/none @10']);
  t.deepEqual(await driver.pipe('right', 'a X @12', 'c Z @6'), ['out a 1/X @12']);
  t.deepEqual(await driver.pipe('right', 'a - @13'), ['out a 1/none @13']);
  t.deepEqual(await driver.pipe('left', 'a - @14', 'a - @15'), ['out a - @14']);
});

test('a join that is grouped subtracts exactly what it added, whichever side changes', async (t) => {
  const builder = new StreamsBuilder();
  const left = builder.table('left', { ...texts, name: 'left' });
  const right = builder.table('right', { ...texts, name: 'right' });
  const sums = left
    .join(right, (amount, group) => [group, Number(amount)] as const)
    .groupBy((_key, [group, amount]) => [group, amount], { keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .reduce(
      (sum, amount) => sum + amount,
      (sum, amount) => sum - amount,
      { name: 'sums' },
    );
  tell(sums);
  const driver = await TextDriver.of(builder);
  await driver.pipe('left', 'a 5 @1', 'b 7 @2');
  await driver.pipe('right', 'a x @3', 'b x @4');
  t.deepEqual(await driver.rows('sums'), ['x 12 @4']);
  await driver.pipe('right', 'a y @5');
  await driver.pipe('left', 'b 1 @6', 'a - @7');
  t.deepEqual(await driver.rows('sums'), ['x 1 @6', 'y 0 @7']);
});

test('a table derived without a store is read through its parent', async (t) => {
  const builder = new StreamsBuilder();
  const table = builder.table('rows', { ...texts, name: 'rows' });
  const derived = table.filter(big).mapValues((value) => `${value}!`);
  builder
    .stream('in', texts)
    .leftJoin(derived, (value, row) => `${value}/${row ?? 'none'}`)
    .to('out', { valueSerde: Serdes.string });
  const driver = await TextDriver.of(builder);
  await driver.pipe('rows', 'a 10 @1', 'b 1 @2');
  t.deepEqual(await driver.pipe('in', 'a x @3', 'b y @4', 'c z @5'), [
    'out a x/10! @3',
    'out b y/none @4',
    'out c z/none @5',
  ]);
});
