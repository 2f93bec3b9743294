import test from 'ava';
import { type KTable, Serdes, StreamsBuilder, TimeWindows } from '../../src/index.ts';
import { TextDriver, tell, texts } from './text-driver.ts';

interface Tally {
  n: number;
}

const tally = Serdes.json<Tally>('tally');
/** A serde that copies by hand, as those of hot paths do. */
const cloned = { ...tally, clone: (value: Tally): Tally => ({ ...value }) };

function countInPlace(_key: string, _value: string, total: Tally): Tally {
  total.n++;
  return total;
}

/** The sum of all tallies: it is right only if the old value told is the one told before. */
function sumOf<K>(table: KTable<K, Tally>): KTable<string, Tally> {
  return table
    .groupBy((_key, value) => ['sum', value], { keySerde: Serdes.string, valueSerde: tally })
    .aggregate(
      (): Tally => ({ n: 0 }),
      (_group, value, sum) => {
        sum.n += value.n;
        return sum;
      },
      (_group, value, sum) => {
        sum.n -= value.n;
        return sum;
      },
      { name: 'sum', valueSerde: tally },
    );
}

for (const valueSerde of [tally, cloned])
  for (const caching of [false, true]) {
    const how = `${valueSerde === tally ? 'serialized' : 'cloned'}${caching ? ', with caches' : ''}`;

    test(`an aggregator may change its aggregate in place: the old values told downstream stay as told (${how})`, async (t) => {
      const builder = new StreamsBuilder();
      const counts = builder
        .stream('in', texts)
        .groupByKey()
        .aggregate((): Tally => ({ n: 0 }), countInPlace, { name: 'counts', valueSerde });
      tell(sumOf(counts));
      const driver = await TextDriver.of(builder, { caching });
      await driver.pipe('in', 'a x @1', 'a x @2', 'b x @3', 'a x @4');
      await driver.flush();
      t.deepEqual(await driver.rows('sum'), ['sum {"n":4} @4']);
      await driver.pipe('in', 'b x @5', 'b x @6', 'a x @7');
      await driver.flush();
      t.deepEqual(await driver.rows('sum'), ['sum {"n":7} @7']);
      t.deepEqual(await driver.rows('counts'), ['a {"n":4} @7', 'b {"n":3} @6']);
    });

    test(`so may an aggregator of windows (${how})`, async (t) => {
      const builder = new StreamsBuilder();
      const counts = builder
        .stream('in', texts)
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(10, 100).advanceBy(5))
        .aggregate((): Tally => ({ n: 0 }), countInPlace, { name: 'counts', valueSerde });
      tell(sumOf(counts));
      const driver = await TextDriver.of(builder, { caching });
      await driver.pipe('in', 'a x @6', 'a x @7', 'a x @12');
      await driver.flush();
      await driver.pipe('in', 'a x @8');
      await driver.flush();
      t.deepEqual(await driver.rows('sum'), ['sum {"n":8} @12']);
    });

    test(`a reducer may return the value it is given; later changes in place do not reach it (${how})`, async (t) => {
      const builder = new StreamsBuilder();
      const stream = builder.stream<string, Tally>('in', { keySerde: Serdes.string, valueSerde });
      const latest = stream.toTable({ name: 'latest' });
      const greatest = stream.groupByKey().reduce(
        (a, b) => {
          if (b.n > a.n) return b;
          a.n += 1000;
          return a;
        },
        { name: 'greatest' },
      );
      tell(sumOf(greatest));
      const driver = await TextDriver.of(builder, { caching });
      const values: Tally[] = [{ n: 1 }, { n: 5 }, { n: 3 }];
      for (const [at, value] of values.entries()) await driver.driver.inputTopic('in').pipeInput('a', value, at);
      await driver.flush();
      t.deepEqual(await driver.rows('greatest'), ['a {"n":1005} @2']);
      t.deepEqual(await driver.rows('sum'), ['sum {"n":1005} @2']);
      t.deepEqual(await driver.rows('latest'), ['a {"n":3} @2']);
      t.deepEqual(values, [{ n: 1 }, { n: 5 }, { n: 3 }]);
      t.is(latest.part.store, 'latest');
    });

    test(`a table reducer may return the value it is given, too (${how})`, async (t) => {
      const builder = new StreamsBuilder();
      const table = builder.table<string, Tally>('rows', { keySerde: Serdes.string, valueSerde, name: 'rows' });
      const last = table
        .groupBy((_key, value) => ['all', value], { keySerde: Serdes.string, valueSerde })
        .reduce(
          (_last, value) => value,
          (last, value) => {
            last.n -= 100 * value.n;
            return last;
          },
          { name: 'last' },
        );
      tell(last);
      const driver = await TextDriver.of(builder, { caching });
      const input = driver.driver.inputTopic<string, Tally>('rows');
      await input.pipeInput('b', { n: 2 }, 1);
      await driver.flush();
      await input.pipeInput('a', { n: 1 }, 2);
      await input.pipeInput('b', undefined, 3);
      await driver.flush();
      t.deepEqual(await driver.rows('last'), ['all {"n":-199} @3']);
      t.deepEqual(await driver.rows('rows'), ['a {"n":1} @2']);
    });
  }
