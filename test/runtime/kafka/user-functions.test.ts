import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { type KStream, Serdes, StreamsBuilder, type StreamsError } from '../../../src/index.ts';
import { app, drained, messages, startClient, text } from './kit.ts';
import { texts } from './topologies.ts';

/** Fails for the bad record, else gives the result. */
function unlessBad<T>(value: unknown, result: T): T {
  if (value === 'bad') throw new Error('no such meter');
  return result;
}

/** A function without types, as of a program in JavaScript: for the bad record it gives what it must not. */
const untyped = <F>(value: unknown, otherwise: (value: string) => unknown): F =>
  ((a: string, b: string) => ([a, b].includes('bad') ? value : otherwise(a === 'k' ? b : a))) as F;

type Make = (stream: KStream<string, string>) => KStream<string, string>;

/** What a program may do with a record, with the words in which its failure is told. */
const functions: Readonly<Record<string, readonly [Make, RegExp]>> = {
  filter: [(stream) => stream.filter((_key, value) => unlessBad(value, true), { name: 'mine' }), /no such meter/],
  map: [(stream) => stream.map((key, value) => unlessBad(value, [key, value]), { name: 'mine' }), /no such meter/],
  'map that gives null': [
    (stream) =>
      stream.map(
        untyped(null, (value) => ['k', value]),
        { name: 'mine' },
      ),
    /gave null instead of \[key, value\]/,
  ],
  'map that gives a text': [
    (stream) =>
      stream.map(
        untyped('k=v', (value) => ['k', value]),
        { name: 'mine' },
      ),
    /gave "k=v" instead of \[key, value\]/,
  ],
  'flatMap that gives null': [
    (stream) =>
      stream.flatMap(
        untyped(null, (value) => [['k', value]]),
        { name: 'mine' },
      ),
    /gave null instead of an array/,
  ],
  'flatMap that gives no pairs': [
    (stream) =>
      stream.flatMap(
        untyped([undefined], (value) => [['k', value]]),
        { name: 'mine' },
      ),
    /gave undefined instead of \[key, value\]/,
  ],
  'flatMapValues that gives nothing': [
    (stream) =>
      stream.flatMapValues(
        untyped(undefined, (value) => [value]),
        { name: 'mine' },
      ),
    /gave undefined instead of an array/,
  ],
  selectKey: [(stream) => stream.selectKey((key, value) => unlessBad(value, key), { name: 'mine' }), /no such meter/],
  peek: [(stream) => stream.peek((_key, value) => unlessBad(value, undefined), { name: 'mine' }), /no such meter/],
  'peek that promises': [
    (stream) => stream.peek(async (_key, value) => unlessBad(value, undefined), { name: 'mine' }),
    /no such meter/,
  ],
  aggregate: [
    (stream) =>
      stream
        .groupByKey()
        .aggregate(
          () => '',
          (_key, value, _all: string) => unlessBad(value, value),
          { name: 'mine', valueSerde: Serdes.string },
        )
        .toStream(),
    /no such meter/,
  ],
};

for (const [name, [make, words]] of Object.entries(functions))
  test(`a record at which a function fails has a letter with its place, and others go on: ${name}`, async (t) => {
    const cluster = new MemoryCluster();
    for (const topic of ['in', 'out']) cluster.createTopic(topic);
    for (const value of ['good', 'bad', 'better']) cluster.write('in', 0, [{ key: 'k', value }]);
    const builder = new StreamsBuilder();
    make(builder.stream('in', texts)).to('out', texts);
    const topology = builder.build();
    const asked: StreamsError[] = [];
    const processingHandler = (error: StreamsError): 'continue' => {
      asked.push(error);
      return 'continue';
    };
    await startClient(t, cluster, topology, { processingHandler, deadLetterTopic: `${app}-dead-letters` });
    await drained(cluster, topology);
    t.true(messages(cluster, 'out').includes('k=better'));
    t.is(asked.length, 1);
    t.like(asked[0]!.details, { topic: 'in', partition: 0, offset: 1, nodeName: 'mine' });
    t.regex(asked[0]!.message, words);
    const letters = cluster.read(`${app}-dead-letters`, 0);
    t.deepEqual(
      letters.map(({ value }) => text(value)),
      ['bad'],
    );
    t.regex(letters[0]!.headers.map(({ value }) => text(value ?? undefined)).join(), words);
  });

for (const which of ['timestampExtractor', 'arrivalTime'] as const)
  test(`a record whose ${which} fails has a letter with its place, and others go on`, async (t) => {
    const cluster = new MemoryCluster();
    for (const topic of ['in', 'out']) cluster.createTopic(topic);
    for (const value of ['good', 'bad', 'better', undefined])
      cluster.write('in', 0, [{ key: 'k', value, timestamp: 5 }]);
    const builder = new StreamsBuilder();
    // A record without a value is met too: the type says so.
    const time = ({ value }: { readonly value: string | undefined }): number => unlessBad(value, value?.length ?? 3);
    builder.stream('in', { ...texts, name: 'source', [which]: time }).to('out', texts);
    const topology = builder.build();
    const asked: StreamsError[] = [];
    const processingHandler = (error: StreamsError): 'continue' => {
      asked.push(error);
      return 'continue';
    };
    await startClient(t, cluster, topology, { processingHandler, deadLetterTopic: `${app}-dead-letters` });
    await drained(cluster, topology);
    t.deepEqual(messages(cluster, 'out'), ['k=good', 'k=better', 'k=-']);
    t.is(asked.length, 1);
    t.like(asked[0]!.details, { topic: 'in', partition: 0, offset: 1, nodeName: 'source' });
    t.regex(asked[0]!.message, /no such meter/);
    t.is(cluster.read(`${app}-dead-letters`, 0).length, 1);
  });
