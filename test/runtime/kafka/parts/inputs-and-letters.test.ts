import test from 'ava';
import { recordsOf, type SimpleRecord } from '../../../../src/clients/memory/records-of.ts';
import { Serdes } from '../../../../src/index.ts';
import type { DropReason } from '../../../../src/processor/drop-reason.ts';
import { InputBuffer, type InputReader, rangeReader } from '../../../../src/runtime/kafka/input-buffer.ts';
import { type LetterTopics, LetterWriter } from '../../../../src/runtime/kafka/letter-topics.ts';
import { OutputCounts } from '../../../../src/runtime/kafka/output-counts.ts';
import type { TaskSource } from '../../../../src/runtime/task.ts';
import { fakeProducer } from './fake-producer.ts';

function inputAt(offset: number): InputBuffer {
  const source = { spec: { keySerde: Serdes.string } } as unknown as TaskSource;
  const reader = { source, valueSerde: Serdes.int32, mostBuffered: 2 } as unknown as InputReader;
  return new InputBuffer(reader, { topic: 'in', partition: 0, offset });
}

function passTo(input: InputBuffer, at: number): void {
  input.at = at;
  input.accept();
}

const recordsAt = (...offsets: readonly number[]): SimpleRecord[] => offsets.map((offset) => ({ key: 'a', offset }));

test('an input without records stands where fetching does, and knows no lag before the first fetch', (t) => {
  const input = inputAt(7);
  t.is(input.position, 7);
  t.is(input.lag, -1);
  // Only markers and aborted records: the position passes over them.
  input.push(recordsOf('in', 0, [], 12, 15));
  t.is(input.position, 12);
  t.is(input.lag, 3);
  t.is(input.at, input.end);
});

test('the position is that of the next record, over chunks and gaps', (t) => {
  const input = inputAt(0);
  input.push(recordsOf('in', 0, recordsAt(2, 5), 8, 20));
  input.push(recordsOf('in', 0, recordsAt(9), 10, 20));
  t.is(input.buffered, 3);
  t.is(input.position, 2);
  t.is(input.lag, 18);
  input.headMs = 99;
  passTo(input, 1);
  t.is(input.position, 5);
  t.is(input.headMs, Number.NaN);
  passTo(input, 2);
  t.is(input.position, 9);
  t.is(input.buffered, 1);
  passTo(input, 1);
  t.is(input.position, 10);
  t.is(input.lag, 10);
  t.is(input.consumed, 3);
  t.is(input.buffered, 0);
  t.is(input.at, input.end);
});

test('an input is not fetched while more wait than it may hold, and again when they have been taken', (t) => {
  const input = inputAt(0);
  const told: string[] = [];
  input.flow = {
    pause: ({ topic }) => told.push(`pause ${topic}`),
    resume: ({ offset }) => told.push(`resume at ${offset}`),
  };
  input.push(recordsOf('in', 0, recordsAt(0, 1), 2));
  t.deepEqual(told, []);
  input.push(recordsOf('in', 0, recordsAt(2, 3), 4));
  t.deepEqual(told, ['pause in']);
  passTo(input, 1);
  t.deepEqual(told, ['pause in']);
  passTo(input, 2);
  t.deepEqual(told, ['pause in', 'resume at 4']);
});

test('records end the time in which an input was empty, an empty fetch does not', (t) => {
  const input = inputAt(0);
  input.emptySinceMs = 5;
  input.push(recordsOf('in', 0, [], 1));
  t.is(input.emptySinceMs, 5);
  input.push(recordsOf('in', 0, recordsAt(1)));
  t.true(input.emptySinceMs === undefined);
});

test('values are read out of the middle, whether the serde can do so itself or not', (t) => {
  const bytes = Buffer.from('..ab..');
  t.is(rangeReader(Serdes.string)(bytes, 2, 4), 'ab');
  t.is(
    rangeReader({ name: 'plain', serialize: Serdes.string.serialize, deserialize: (b) => Buffer.from(b).toString() })(
      bytes,
      2,
      4,
    ),
    'ab',
  );
});

const topics: LetterTopics = {
  dead: { topic: 'dead', partitions: 2, maxBytes: 1_000_000 },
  late: undefined,
};
const text = (bytes: Uint8Array | string | null | undefined): string | undefined =>
  bytes === undefined || bytes === null ? undefined : Buffer.from(bytes as Uint8Array).toString();

function letters(records: readonly SimpleRecord[], to = topics, i = 0, reason: DropReason = 'deserialization') {
  const { producer, appended } = fakeProducer();
  const outputs = new OutputCounts();
  const writer = new LetterWriter(to, producer, outputs);
  writer.send(recordsOf('in', 5, records), i, { reason, message: 'no number', nodeName: 'readings' });
  const waiting = writer.takeWaiting();
  const before = [outputs.lateLetters, ...Object.values(outputs.deadLetters)];
  writer.committed(waiting);
  return { appended, counted: outputs.all(), before, outputs };
}

test('a letter has the record as it came, and headers that say why it was not processed', (t) => {
  const own = [{ key: 'trace', value: Buffer.from('1') }];
  const records = [{ key: 'x' }, { key: 'k', value: 'v', timestamp: 77, headers: own, offset: 40 }];
  const { appended, counted } = letters(records, topics, 1);
  const [letter] = appended;
  t.is(appended.length, 1);
  t.like(letter, { topic: 'dead', partition: 1, timestamp: 77 });
  t.is(text(letter!.key), 'k');
  t.is(text(letter!.value), 'v');
  t.deepEqual(
    letter!.headers!.map(({ key, value }) => `${key}=${text(value)}`),
    [
      'trace=1',
      '__streams.errors.code=STREAMS_DESERIALIZATION',
      '__streams.errors.message=no number',
      '__streams.errors.topic=in',
      '__streams.errors.partition=5',
      '__streams.errors.offset=40',
      '__streams.errors.node=readings',
    ],
  );
  t.deepEqual(counted, [{ topic: 'dead', records: 1, bytes: 2 }]);
});

test('a record without key, value or time is a letter too', (t) => {
  const { appended } = letters([{ timestamp: -1 }]);
  t.is(appended[0]!.key, undefined);
  t.is(appended[0]!.value, undefined);
  t.is(appended[0]!.timestamp, 0);
});

test('a value that the topic does not take is left out, and its length told', (t) => {
  const small = { ...topics, dead: { topic: 'dead', partitions: 1, maxBytes: 20_000 } };
  const omitted = (length: number): string | undefined => {
    const { appended } = letters([{ key: 'k', value: 'v'.repeat(length) }], small);
    const header = appended[0]!.headers!.find(({ key }) => key === '__streams.errors.omitted');
    t.is(appended[0]!.value === undefined, header !== undefined);
    return text(header?.value);
  };
  t.is(omitted(20_000), '20000');
  t.is(omitted(10_000), undefined);
});

test('without a topic a letter goes nowhere', (t) => {
  const { appended, counted } = letters([{ key: 'k' }], topics, 0, 'late');
  t.deepEqual(appended, []);
  t.deepEqual(counted, []);
});

test('a letter counts once its commit is made, with a topic or without', (t) => {
  const late = letters([{ key: 'k' }], topics, 0, 'late');
  t.deepEqual(late.before, [0]);
  t.is(late.outputs.lateLetters, 1);
  const dead = letters([{ key: 'k' }], topics, 0, 'null_key');
  t.deepEqual(dead.before, [0]);
  t.deepEqual({ ...dead.outputs.deadLetters }, { null_key: 1 });
});
