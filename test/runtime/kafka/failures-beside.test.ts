import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { type ProcessorContext, Record, Serdes, StreamsBuilder, type StreamsError } from '../../../src/index.ts';
import { app, drained, messages, rowsOf, startClient, type TestClient, text, until } from './kit.ts';
import { texts } from './topologies.ts';

/** Expected outputs are those of Kafka Streams 4.3.1 with `LogAndContinueProcessingExceptionHandler`, without caches. */
function unlessBad(value: string): string {
  if (value.startsWith('bad')) throw new Error('no such meter');
  return value;
}

interface Run {
  readonly cluster: MemoryCluster;
  readonly client: TestClient;
  readonly asked: readonly StreamsError[];
  /** Values of the records in the dead letters. */
  readonly letters: () => string[];
}

/** Runs a topology over records of `in`, by values, with a handler that goes on. */
async function going(t: ExecutionContext, builder: StreamsBuilder, values: readonly string[]): Promise<Run> {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out', 'out-2']) cluster.createTopic(topic);
  for (const [i, value] of values.entries()) cluster.write('in', 0, [{ key: 'k', value, timestamp: i * 10 }]);
  const asked: StreamsError[] = [];
  const topology = builder.build();
  const client = await startClient(t, cluster, topology, {
    processingHandler: (error) => {
      asked.push(error);
      return 'continue';
    },
  });
  await drained(cluster, topology);
  const letters = (): string[] => cluster.read(`${app}-dead-letters`, 0).map(({ value }) => text(value));
  return { cluster, client, asked, letters };
}

test('nodes beside one that fails get the record all the same; it has one letter', async (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts);
  stream.mapValues(unlessBad).to('out', texts);
  stream.to('out-2', texts);
  const { cluster, asked, letters } = await going(t, builder, ['bad', 'good']);
  t.deepEqual(messages(cluster, 'out'), ['k=good']);
  t.deepEqual(messages(cluster, 'out-2'), ['k=bad', 'k=good']);
  t.deepEqual(letters(), ['bad']);
  t.deepEqual(
    asked.map(({ details }) => details.offset),
    [0],
  );
});

test('of several records made of one those that do not fail go on', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .flatMapValues((value) => value.split(' '))
    .mapValues(unlessBad)
    .to('out', texts);
  const { cluster, letters } = await going(t, builder, ['1 bad bad 3']);
  t.deepEqual(messages(cluster, 'out'), ['k=1', 'k=3']);
  t.deepEqual(letters(), ['1 bad bad 3']);
});

for (const asynchronous of [false, true])
  test(`a processor goes on after it has forwarded what a node below refuses${asynchronous ? ', later too' : ''}`, async (t) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .process<string, string>(() => {
        let context: ProcessorContext<string, string>;
        const both = (record: Record<string, string>): void => {
          context.forward(record.withValue('bad'));
          context.forward(record.withValue('after'));
        };
        return {
          init(given) {
            context = given;
          },
          process: (record) =>
            asynchronous ? new Promise<void>((done) => setImmediate(done)).then(() => both(record)) : both(record),
        };
      })
      .mapValues(unlessBad)
      .to('out', texts);
    const { cluster, letters } = await going(t, builder, ['v', 'w']);
    t.deepEqual(messages(cluster, 'out'), ['k=after', 'k=after']);
    t.deepEqual(letters(), ['v', 'w']);
  });

for (const caching of [false, true])
  test(`a grouping of a table follows all of its changes, whatever fails beside it ${caching ? 'at a commit' : 'at once'}`, async (t) => {
    const builder = new StreamsBuilder();
    const table = builder.table('in', { name: 'table', caching, ...texts });
    table.toStream().mapValues(unlessBad).to('out', texts);
    table
      .groupBy((_key, value) => ['all', Number(value.replace('bad', ''))], {
        name: 'by-all',
        keySerde: Serdes.string,
        valueSerde: Serdes.int64,
      })
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        { name: 'sums' },
      );
    const { cluster, client } = await going(t, builder, ['1', 'bad2']);
    t.deepEqual(await rowsOf([client], 'sums'), ['all 2']);
    cluster.write('in', 0, [{ key: 'k', value: '4', timestamp: 30 }]);
    await until(async () => messages(cluster, 'out').includes('k=4'), 'the last record is through');
    await drained(cluster, builder.build());
    t.deepEqual(await rowsOf([client], 'sums'), ['all 4']);
  });

test('a row leaves its group, and enters one again, though its key between them has no bytes', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .table('in', { name: 'table', caching: false, ...texts })
    .groupBy((_key, value) => [value === '2' ? '\ud800' : 'all', Number(value)], {
      name: 'by-key',
      keySerde: Serdes.string,
      valueSerde: Serdes.int64,
    })
    .reduce(
      (sum, value) => sum + value,
      (sum, value) => sum - value,
      { name: 'sums' },
    );
  const { client, letters } = await going(t, builder, ['1', '2', '3']);
  t.deepEqual(await rowsOf([client], 'sums'), ['all 3']);
  // The second enters a group that cannot be written, and the third leaves it.
  t.deepEqual(letters(), ['2', '3']);
});

for (const asynchronous of [false, true])
  for (const type of ['stream-time', 'wall-clock'] as const)
    test(`a punctuator that fails is asked about, and is the fault of no record: ${type}${asynchronous ? ', later' : ''}`, async (t) => {
      let calls = 0;
      const builder = new StreamsBuilder();
      builder
        .stream('in', texts)
        .process<string, string>(
          () => {
            let context: ProcessorContext<string, string>;
            return {
              init(given) {
                context = given;
                context.schedule(10, type, async () => {
                  calls++;
                  if (asynchronous) await new Promise((done) => setImmediate(done));
                  if (calls === 2) throw new Error('no such meter');
                  if (type === 'stream-time') context.forward(new Record('tick', String(calls), 0));
                });
              },
              process: (record) => context.forward(record),
            };
          },
          { name: 'mine' },
        )
        .to('out', texts);
      const { cluster, client, asked, letters } = await going(t, builder, ['v0', 'v1', 'v2']);
      await until(() => calls >= 3, 'it is called again');
      t.is(client.streams.state, 'RUNNING');
      if (type === 'stream-time') t.deepEqual(messages(cluster, 'out'), ['k=v0', 'tick=1', 'k=v1', 'k=v2', 'tick=3']);
      t.deepEqual(letters(), []);
      t.is(asked.length, 1);
      t.regex(asked[0]!.message, /punctuat.*mine.*no such meter/);
      t.is(asked[0]!.details.offset, undefined);
    });

for (const byKey of [false, true])
  test(`a row that cannot be joined again stays as it is, and others are joined${byKey ? ' (by a key of their own)' : ''}`, async (t) => {
    const builder = new StreamsBuilder();
    const places = builder.globalTable('places', { ...texts, name: 'places' });
    builder
      .table('in', { name: 'table', ...texts })
      .leftJoin(places, (value, place) => `${value}/${unlessBad(place ?? 'nowhere')}`, {
        name: 'joined',
        valueSerde: Serdes.string,
        ...(byKey ? { key: (key: string) => key } : {}),
      });
    const cluster = new MemoryCluster();
    for (const topic of ['in', 'places']) cluster.createTopic(topic);
    for (const key of ['a', 'b']) cluster.write('in', 0, [{ key, value: '1' }]);
    const asked: StreamsError[] = [];
    const processingHandler = (error: StreamsError): 'continue' => {
      asked.push(error);
      return 'continue';
    };
    const topology = builder.build();
    const client = await startClient(t, cluster, topology, { processingHandler });
    await drained(cluster, topology);
    cluster.write('places', 0, [
      { key: 'a', value: 'bad' },
      { key: 'b', value: 'Lyon' },
    ]);
    await until(
      async () => client.uncaught.length > 0 || String(await rowsOf([client], 'joined')) === 'a 1/nowhere,b 1/Lyon',
      'both are joined again',
    );
    t.deepEqual(client.uncaught, []);
    t.is(asked.length, 1);
    t.regex(asked[0]!.message, /after a change of global table places: node joined failed: no such meter/);
  });
