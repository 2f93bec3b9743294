import test from 'ava';
import {
  type KeyValueStore,
  type KTable,
  type Processor,
  type ProcessorContext,
  type Record as Rec,
  Serdes,
  StreamsBuilder,
  type Topology,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { texts } from '../dsl/text-driver.ts';

const grouped = { name: 'grouped', ...texts };
const stored = { name: 'stored', materialize: true, ...texts } as const;

/** Tables of which each is made of `source`, and has a row `a: x` once that has. */
const tables: Record<string, (source: KTable<string, string>, builder: StreamsBuilder) => KTable<string, string>> = {
  'the table itself': (source) => source,
  'a filter': (source) => source.filter((_key, value) => value !== '-'),
  'a stored filter': (source) => source.filter((_key, value) => value !== '-', stored),
  'a stored filter of stored values': (source) =>
    source.mapValues((value) => value, { ...stored, name: 'values' }).filter((_key, value) => value !== '-', stored),
  'values of a stored filter': (source) =>
    source.filter((_key, value) => value !== '-', stored).mapValues((value) => value),
  'a grouping': (source) =>
    source
      .groupBy((key, value) => [key, value], grouped)
      .reduce(
        (_before, value) => value,
        (before) => before,
        { name: 'stored' },
      ),
  'a stored join': (source, builder) =>
    source.join(builder.table('other', { name: 'other', ...texts }), (value) => value, stored),
  'a join of stored values': (source, builder) =>
    source
      .mapValues((value) => value, stored)
      .leftJoin(builder.table('other', { name: 'other', ...texts }), (value) => value),
  'a join with a global table': (source, builder) =>
    source.leftJoin(builder.globalTable('other', { name: 'other', ...texts }), (value) => value, {
      name: 'stored',
      valueSerde: Serdes.string,
    }),
  'a table of the changes': (source) => source.toStream().toTable({ name: 'stored', ...texts }),
};

for (const [what, make] of Object.entries(tables))
  test(`a stream meets the row of now in ${what}, whenever commits happen`, async (t) => {
    const builder = new StreamsBuilder();
    const table = make(builder.table('source', { name: 'source', ...texts }), builder);
    builder
      .stream('in', texts)
      .leftJoin(table, (value, row) => `${value}/${row ?? 'none'}`)
      .to('out', texts);
    const topology = builder.build();
    for (const flushes of [true, false]) {
      const driver = await TopologyTestDriver.create(topology, { caching: true });
      t.teardown(() => driver.close());
      const pipe = async (topic: string, value: string, timestamp: number): Promise<void> => {
        await driver.inputTopic(topic).pipeInput('a', value, timestamp);
        if (flushes) await driver.flush();
      };
      if (what.includes('join')) await pipe('other', 'o', 0);
      await pipe('in', '1', 0);
      await pipe('source', 'x', 1);
      await pipe('in', '2', 2);
      await pipe('source', 'y', 3);
      await pipe('in', '3', 4);
      const found = driver.outputTopic('out', Serdes.string, Serdes.string).readAll();
      t.deepEqual(
        found.map(({ value }) => value),
        ['1/none', '2/x', '3/y'],
      );
    }
  });

/** Forwards what the store `counts` has for a record's key. */
class Lookup implements Processor<string, string, string, number> {
  #context!: ProcessorContext<string, number>;
  #counts!: KeyValueStore<string, number>;

  init(context: ProcessorContext<string, number>): void {
    this.#context = context;
    this.#counts = context.keyValueStore('counts');
  }

  process(record: Rec<string, string>): void {
    this.#context.forward(record.withValue(this.#counts.get(record.key) ?? 0));
  }
}

test('a processor that looks into a table below others finds what is counted so far, and who does not look changes nothing', async (t) => {
  const topologyOf = (looks: boolean): Topology => {
    const builder = new StreamsBuilder();
    const source = builder.table('source', { name: 'source', ...texts });
    source.toStream().to('changes', texts);
    source.groupBy((key) => [key[0]!, key], grouped).count({ name: 'counts' });
    const stream = builder.stream('in', texts).repartition({ name: 'again', ...texts });
    if (looks)
      stream
        .process(() => new Lookup(), { stores: ['counts'] })
        .to('out', { keySerde: Serdes.string, valueSerde: Serdes.int64 });
    return builder.build();
  };
  const driver = await TopologyTestDriver.create(topologyOf(true), { caching: true });
  t.teardown(() => driver.close());
  await driver.inputTopic('source').pipeInput('a1', 'x', 0);
  await driver.inputTopic('source').pipeInput('a2', 'x', 1);
  await driver.inputTopic('in').pipeInput('a', '', 2);
  const out = driver.outputTopic('out', Serdes.string, Serdes.int64).readAll();
  t.deepEqual(
    out.map(({ value }) => value),
    [2],
  );

  const other = await TopologyTestDriver.create(topologyOf(false), { caching: true });
  t.teardown(() => other.close());
  await other.inputTopic('source').pipeInput('a1', 'x', 0);
  await other.inputTopic('source').pipeInput('a1', 'y', 1);
  await other.flush();
  const changes = other.outputTopic('changes', Serdes.string, Serdes.string).readAll();
  t.deepEqual(
    changes.map(({ value }) => value),
    ['y'],
  );
});
