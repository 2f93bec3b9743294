import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import {
  decodeTaskMetadata,
  encodeTaskMetadata,
  leastOperatorTimeOf,
  samePositions,
  streamTimeOf,
  type TaskMetadata,
} from '../../../../src/runtime/kafka/task-metadata.ts';

const noDrops = { late: 0, null_key: 0, invalid_timestamp: 0, processing: 0, future: 0, deserialization: 0 };

function metadata(
  task: Partial<TaskMetadata['task']>,
  globalPositions: TaskMetadata['globalPositions'] = {},
): TaskMetadata {
  return {
    task: {
      streamTimeMs: -1,
      operatorTimeMs: {},
      partitionTimeMs: {},
      punctuations: [],
      processed: 0,
      dropped: noDrops,
      ...task,
    },
    globalPositions,
  };
}

const namesOf = ({ task }: TaskMetadata) => ({
  operators: Object.keys(task.operatorTimeMs).reverse(),
  topics: Object.keys(task.partitionTimeMs).reverse(),
});

const timeMs = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 4_102_444_800_000 }));
const name = fc.stringMatching(/^[a-z]{1,8}$/);
const anyMetadata = fc
  .record({
    streamTimeMs: timeMs,
    operatorTimeMs: fc.dictionary(name, timeMs, { maxKeys: 12, noNullPrototype: true }),
    partitionTimeMs: fc.dictionary(name, timeMs, { maxKeys: 3, noNullPrototype: true }),
    punctuations: fc.array(timeMs, { maxLength: 3 }),
    processed: fc.nat(),
    dropped: fc.record({
      late: fc.nat(),
      null_key: fc.nat(),
      invalid_timestamp: fc.nat(),
      processing: fc.nat(),
      future: fc.nat(),
      deserialization: fc.nat(),
    }),
    globals: fc.dictionary(name, fc.array(fc.nat(), { maxLength: 3 }), { maxKeys: 2, noNullPrototype: true }),
  })
  .map(({ globals, dropped, ...task }) => metadata({ ...task, dropped: { ...dropped } }, globals));

test('what is written is read again, whatever the order of the names', (t) => {
  fc.assert(
    fc.property(anyMetadata, (given) => {
      assert.deepEqual(decodeTaskMetadata(encodeTaskMetadata(given), namesOf(given)), given);
    }),
  );
  t.pass();
});

test('500 operators that have seen the same time fit beside a position', (t) => {
  const operatorTimeMs = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`operator-${i}`, 1_700_000_000_000]),
  );
  const text = encodeTaskMetadata(metadata({ streamTimeMs: 1_700_000_000_000, operatorTimeMs }));
  t.true(Buffer.byteLength(text) <= 4096);
});

test('more distinct clocks than fit are refused, with what to do', (t) => {
  const operatorTimeMs = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`operator-${i}`, 1_700_000_000_000 - 1_000_000_007 * i]),
  );
  const error = t.throws(() => encodeTaskMetadata(metadata({ streamTimeMs: 1_700_000_000_000, operatorTimeMs })), {
    code: 'STREAMS_TOPOLOGY',
  });
  t.regex(error.message, /4096.*Split the sub-topology/);
});

test('the text of another program is none', (t) => {
  for (const text of ['', 'AgAAAXc=', '5', 'null', '[]', '{}', '{"v":2,"s":5}', '{"v":1}']) {
    t.is(decodeTaskMetadata(text, { operators: [], topics: [] }), undefined, text);
    t.is(leastOperatorTimeOf(text), -1, text);
    t.is(streamTimeOf(text), undefined, text);
  }
});

test('the least time of its operators is read without their names', (t) => {
  const of = (streamTimeMs: number, operatorTimeMs: Record<string, number>): number =>
    leastOperatorTimeOf(encodeTaskMetadata(metadata({ streamTimeMs, operatorTimeMs })));
  t.is(of(900, { a: 900, b: 700, c: 800 }), 700);
  t.is(of(900, { a: 900, b: -1 }), -1);
  t.is(of(900, {}), Number.POSITIVE_INFINITY);
});

test('the stream time is read, unless nothing was seen', (t) => {
  t.is(streamTimeOf(encodeTaskMetadata(metadata({ streamTimeMs: 0 }))), 0);
  t.is(streamTimeOf(encodeTaskMetadata(metadata({ streamTimeMs: -1 }))), undefined);
});

test('positions are the same where those not named are 0', (t) => {
  t.true(samePositions({ a: [1, 0] }, { a: [1], b: [0] }));
  t.false(samePositions({ a: [1] }, { a: [2] }));
  t.false(samePositions({}, { b: [0, 3] }));
});
