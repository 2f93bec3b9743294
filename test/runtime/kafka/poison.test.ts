import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import {
  type Record,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  TimeWindows,
  type Topology,
} from '../../../src/index.ts';
import {
  app,
  type ClientOptions,
  changelogRows,
  drained,
  messages,
  newClient,
  rowsOf,
  running,
  sleep,
  startClient,
  stop,
  text,
  until,
} from './kit.ts';
import { copies, texts, windowedCounts } from './topologies.ts';

const dead = `${app}-dead-letters`;
const late = `${app}-late`;

function clusterOf(): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic);
  return cluster;
}

interface Letter {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
  /** By name, without the prefix. */
  readonly headers: Readonly<globalThis.Record<string, string>>;
}

function letters(cluster: MemoryCluster, topic: string): readonly Letter[] {
  return cluster.read(topic, 0).map(({ key, value, timestamp, headers }) => ({
    key: text(key),
    value: text(value),
    timestamp,
    headers: Object.fromEntries(
      headers.map((header) => [header.key.replace('__streams.errors.', ''), text(header.value ?? undefined)]),
    ),
  }));
}

/** Sums of the int64 values of each key of `in`. */
function sums(complete = false): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.int64, complete })
    .groupByKey()
    .reduce((sum, value) => sum + value, { name: 'sums' });
  return builder.build();
}

const number = (value: number): Uint8Array => Serdes.int64.serialize(value);

test('a record that cannot be read goes to the dead letters as it came, with its place and why', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [
    { key: 'a', value: number(1), timestamp: 5 },
    { key: 'a', value: 'seven b', timestamp: 6, headers: [{ key: 'id', value: Buffer.from('x') }] },
    { key: 'a', value: number(2), timestamp: 7 },
  ]);
  const client = await startClient(t, cluster, sums());
  await drained(cluster, sums());
  t.deepEqual(await rowsOf([client], 'sums'), ['a 3']);
  const [letter, ...more] = letters(cluster, dead);
  t.deepEqual(more, []);
  t.like(letter, { key: 'a', value: 'seven b', timestamp: 6 });
  t.like(letter!.headers, {
    id: 'x',
    code: 'STREAMS_DESERIALIZATION',
    topic: 'in',
    partition: '0',
    offset: '1',
    node: 'KSTREAM-SOURCE-0000000000',
  });
  t.regex(letter!.headers.message!, /int64/);
  t.is(client.streams.kafkaStats().deadLetters.deserialization, 1);
});

test('where a record must be complete, one without key or value cannot be read either', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [
    { value: number(1), timestamp: 1 },
    { key: 'a', timestamp: 2 },
    { key: 'a', value: number(3), timestamp: 3 },
  ]);
  const client = await startClient(t, cluster, sums(true));
  await drained(cluster, sums(true));
  t.deepEqual(await rowsOf([client], 'sums'), ['a 3']);
  t.deepEqual(
    letters(cluster, dead).map(({ key, value, headers }) => [key === '-', value === '-', headers.code]),
    [
      [true, false, 'STREAMS_DESERIALIZATION'],
      [false, true, 'STREAMS_DESERIALIZATION'],
    ],
  );
});

test('without that they are dropped by the node that needs them, with a letter that names it', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [{ value: number(1) }, { key: 'a' }, { key: 'a', value: number(3) }]);
  const client = await startClient(t, cluster, sums());
  await drained(cluster, sums());
  t.deepEqual(await rowsOf([client], 'sums'), ['a 3']);
  t.deepEqual(
    letters(cluster, dead).map(({ headers }) => [headers.code, headers.offset, headers.node]),
    [
      ['NULL_KEY', '0', 'sums'],
      ['NULL_KEY', '1', 'sums'],
    ],
  );
  t.is(client.streams.stats().tasks[0]!.dropped.null_key, 2);
  t.deepEqual(client.streams.kafkaStats().deadLetters, { null_key: 2 });
});

test('a record from the future goes to the dead letters and moves no clock', async (t) => {
  const cluster = clusterOf();
  const builder = new StreamsBuilder();
  builder
    .stream('in', { ...texts, arrivalTime: (record) => Number(record.value) })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 0))
    .count({ name: 'counts' });
  const topology = builder.build();
  cluster.write('in', 0, [
    { key: 'a', value: '5', timestamp: 5 },
    { key: 'a', value: '6', timestamp: 5000 },
    { key: 'a', value: '7', timestamp: 7 },
    // Its arrival is of that time too: it is believed.
    { key: 'b', value: '5000', timestamp: 5000 },
  ]);
  const client = await startClient(t, cluster, topology, { maxFutureMs: 1000 });
  await drained(cluster, topology);
  t.deepEqual(await rowsOf([client], 'counts'), ['a@0 2', 'b@5000 1']);
  t.deepEqual(
    letters(cluster, dead).map(({ value, timestamp, headers }) => [value, timestamp, headers.code, headers.offset]),
    [['6', 5000, 'FUTURE', '1']],
  );
});

test('a late record goes to the late letters, once, with its place', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [
    { key: 'a', value: 'x', timestamp: 100 },
    { key: 'a', value: 'y', timestamp: 3, headers: [{ key: 'id', value: Buffer.from('x') }] },
  ]);
  const client = await startClient(t, cluster, windowedCounts());
  await drained(cluster, windowedCounts());
  const [letter, ...more] = letters(cluster, late);
  t.deepEqual(more, []);
  t.like(letter, { key: 'a', value: 'y', timestamp: 3 });
  t.like(letter!.headers, { id: 'x', code: 'LATE', topic: 'in', partition: '0', offset: '1' });
  t.is(client.streams.kafkaStats().lateLetters, 1);
});

/** Copies `in` to `out`; fails on `poison`, at once or a little later. */
function failing(later: boolean): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .process<string, string>(
      () => {
        let forward = (_record: Record<string, string>): void => {};
        return {
          init(context) {
            forward = (record) => context.forward(record);
          },
          process(record) {
            if (record.value !== 'poison') return forward(record);
            if (!later) throw new Error('poisoned');
            return new Promise((_resolve, reject) => setImmediate(() => reject(new Error('poisoned'))));
          },
        };
      },
      { name: 'careful' },
    )
    .to('out', texts);
  return builder.build();
}

for (const later of [false, true])
  test(`with a processing handler that continues a record that fails ${later ? 'later' : 'at once'} goes to the dead letters, and the next is taken`, async (t) => {
    const cluster = clusterOf();
    const asked: StreamsError[] = [];
    const client = await startClient(t, cluster, failing(later), {
      processingHandler: (error) => {
        asked.push(error);
        return 'continue';
      },
    });
    cluster.write('in', 0, [
      { key: 'a', value: '1', timestamp: 3 },
      { key: 'b', value: 'poison', timestamp: 4 },
      { key: 'c', value: '3', timestamp: 5 },
    ]);
    await drained(cluster, failing(later));
    t.deepEqual(messages(cluster, 'out'), ['a=1', 'c=3']);
    const found = letters(cluster, dead);
    t.is(found.length, 1);
    t.like(found[0], { key: 'b', value: 'poison', timestamp: 4 });
    t.like(found[0]!.headers, { code: 'STREAMS_PROCESSING', offset: '1', node: 'careful' });
    t.is(asked[0]!.details.offset, 1);
    t.is(client.streams.state, 'RUNNING');
    await stop(client);
  });

test('with a deserialization handler that fails the client ends with the place of the record', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [
    { key: 'a', value: number(1) },
    { key: 'a', value: 'seven b' },
  ]);
  const client = newClient(t, cluster, sums(), { deserializationHandler: () => 'fail' });
  await client.streams.start();
  await client.streams.untilEnded();
  const failure = client.streams.failure as StreamsError;
  t.is(failure.code, 'STREAMS_DESERIALIZATION');
  t.deepEqual([failure.details.topic, failure.details.partition, failure.details.offset], ['in', 0, 1]);
  await stop(client);
  t.deepEqual(letters(cluster, dead), []);
});

test('letters are part of the transaction: what is processed again makes no second letter', async (t) => {
  const cluster = clusterOf();
  const client = await startClient(t, cluster, sums(), { commitIntervalMs: 1 });
  for (let i = 0; i < 3; i++) {
    cluster.cut(client.broker, 'before', 'EndTxn');
    cluster.write('in', 0, [{ key: 'a', value: `bad ${i}` }]);
    await drained(cluster, sums());
  }
  t.deepEqual(
    letters(cluster, dead).map(({ value }) => value),
    ['bad 0', 'bad 1', 'bad 2'],
  );
});

test('without letter topics records are dropped and counted, and no topic is made', async (t) => {
  const cluster = clusterOf();
  cluster.write('in', 0, [{ key: 'a', value: 'bad' }]);
  const client = await startClient(t, cluster, sums(), { deadLetterTopic: '', lateTopic: '' });
  await drained(cluster, sums());
  t.is(client.streams.kafkaStats().deadLetters.deserialization, 1);
  t.throws(() => cluster.read(dead, 0), { code: 'STREAMS_BROKER' });
  t.throws(() => cluster.read(late, 0), { code: 'STREAMS_BROKER' });
});

test('letters of all partitions go to a topic of the user that has fewer', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 3);
  cluster.createTopic('mine', 2);
  for (const partition of [0, 1, 2]) cluster.write('in', partition, [{ key: 'a', value: 'bad' }]);
  await startClient(t, cluster, sums(), { deadLetterTopic: 'mine' });
  await drained(cluster, sums());
  t.is(cluster.read('mine', 0).length + cluster.read('mine', 1).length, 3);
});

for (const response of ['fail', 'continue'] as const)
  test(`a record that the broker refuses is ${response === 'fail' ? 'the end of the client' : 'left out'} if the handler says ${response}`, async (t) => {
    const cluster = new MemoryCluster();
    cluster.createTopic('in');
    cluster.createTopic('out', 1, { 'max.message.bytes': '1000' });
    cluster.write('in', 0, [
      { key: 'a', value: 'small' },
      { key: 'b', value: 'x'.repeat(2000) },
      { key: 'c', value: 'small' },
    ]);
    const refused: StreamsError[] = [];
    const client = newClient(t, cluster, copies(), {
      productionHandler: (error) => {
        refused.push(error);
        return response;
      },
    });
    await client.streams.start();
    if (response === 'continue') {
      await drained(cluster, copies());
      await running(client);
      t.deepEqual(messages(cluster, 'out'), ['a=small', 'c=small']);
    } else {
      await client.streams.untilEnded();
      t.deepEqual(messages(cluster, 'out'), []);
      t.is((client.streams.failure as StreamsError).code, 'STREAMS_PRODUCTION');
    }
    t.is(refused[0]!.details.topic, 'out');
    t.regex(refused[0]!.message, /MESSAGE_TOO_LARGE/);
    await stop(client);
  });

test('a row that the broker refuses for a changelog is the end whatever the handler says, and nothing of its record is committed', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const changelog = `${app}-all-changelog`;
  const anyTime = '9223372036854775807';
  cluster.createTopic(changelog, 1, {
    ...{ 'cleanup.policy': 'compact', 'max.message.bytes': '1000' },
    ...{ 'message.timestamp.before.max.ms': anyTime, 'message.timestamp.after.max.ms': anyTime },
  });
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .groupByKey()
    .reduce((all, value) => all + value, { name: 'all' });
  const topology = builder.build();
  cluster.write('in', 0, [{ key: 'a', value: 'x'.repeat(600) }]);
  const asked: unknown[] = [];
  const options: ClientOptions = {
    productionHandler: (error) => {
      asked.push(error);
      return 'continue';
    },
  };
  const client = await startClient(t, cluster, topology, options);
  await drained(cluster, topology);
  cluster.write('in', 0, [{ key: 'a', value: 'y'.repeat(600) }]);
  await client.streams.untilEnded();
  const { code, message } = client.streams.failure as StreamsError;
  t.is(code, 'STREAMS_PRODUCTION');
  t.regex(message, /all-changelog .*MESSAGE_TOO_LARGE.*Change the topic's limits\.$/);
  t.deepEqual(asked, []);
  await stop(client);
  // As if nothing of it had been read: who starts again with other limits counts it.
  t.deepEqual(await changelogRows(cluster, topology, 'all'), [`a ${'x'.repeat(600)}`]);
  const [position] = await cluster.connect().admin.committed(app, [{ topic: 'in', partition: 0 }]);
  t.is(position!.offset, 1);
});

test('a node that fails later, for a record at which another one has failed at once, is no failure of the process', async (t) => {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic);
  const builder = new StreamsBuilder();
  const records = builder.stream('in', texts);
  let failed = false;
  records.process(() => ({
    process: async () => {
      await sleep(20);
      failed = true;
      throw new Error('later');
    },
  }));
  records.peek(() => {
    throw new Error('at once');
  });
  cluster.write('in', 0, [{ key: 'k', value: 'v' }]);
  const client = newClient(t, cluster, builder.build());
  await client.streams.start();
  await client.streams.untilEnded();
  t.regex(String(client.streams.failure), /at once/);
  // An unhandled rejection would be the end of the process.
  await until(() => failed, 'the other one has failed too');
  await sleep(5);
});

test('a value that its serde does not give back is refused with store, key and offset, whatever the commit interval', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string })
    .mapValues((value) => (value === 'bad' ? Number.NaN : Number(value)))
    .groupByKey({ keySerde: Serdes.string, valueSerde: Serdes.json<number>() })
    .reduce((sum, value) => sum + value, { name: 'sums' });
  const topology = builder.build();
  for (const commitIntervalMs of [1, 1000]) {
    const cluster = clusterOf();
    const none = { key: 'none', value: null };
    const empty = { key: 'empty', value: Buffer.alloc(0) };
    cluster.write(
      'in',
      0,
      ['1', '2', 'bad', '4', '8'].map((value, timestamp) => ({ key: 'a', value, timestamp, headers: [none, empty] })),
    );
    const client = await startClient(t, cluster, topology, { commitIntervalMs, processingHandler: () => 'continue' });
    await drained(cluster, topology);
    t.deepEqual(await rowsOf([client], 'sums'), ['a 15']);
    const [letter, ...more] = cluster.read(dead, 0);
    t.deepEqual(more, []);
    const [first, second, ...about] = letter!.headers;
    t.deepEqual([first, second], [none, { ...empty, value: second!.value }]);
    t.is(second!.value?.length, 0);
    const told = Object.fromEntries(about.map(({ key, value }) => [key.split('.').pop()!, text(value ?? undefined)]));
    t.like(told, { code: 'STREAMS_SERIALIZATION', offset: '2', node: 'sums' });
    t.regex(told['message']!, /store sums.*key "a".*NaN/);
    await stop(client);
  }
});
