import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import {
  decodeTaskMetadata,
  encodeTaskMetadata,
  hasClocksOf,
  leastOperatorTimeOf,
  noNames,
  pointedAt,
  pointerTo,
  samePositions,
  streamTimeOf,
  type TaskMetadata,
  type TaskNames,
} from '../../../../src/runtime/kafka/task-metadata.ts';
import type { TaskProgram } from '../../../../src/runtime/kafka/task-program.ts';

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
      punctuations: {},
      processed: 0,
      dropped: noDrops,
      ...task,
    },
    globalPositions,
  };
}

const namesOf = ({ task }: TaskMetadata): TaskNames => ({
  operators: Object.keys(task.operatorTimeMs).reverse(),
  inputs: Object.keys(task.partitionTimeMs).reverse(),
  schedules: Object.entries(task.punctuations).flatMap(([name, times]) => times.map(() => name)),
  stores: [],
});

const timeMs = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 4_102_444_800_000 }));
const name = fc.stringMatching(/^[a-z]{1,8}$/);
const anyMetadata = fc
  .record({
    streamTimeMs: timeMs,
    operatorTimeMs: fc.dictionary(name, timeMs, { maxKeys: 12, noNullPrototype: true }),
    partitionTimeMs: fc.dictionary(name, timeMs, { maxKeys: 3, noNullPrototype: true }),
    punctuations: fc.dictionary(name, fc.array(timeMs, { minLength: 1, maxLength: 2 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
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
  for (const text of ['', 'AgAAAXc=', '5', 'null', '[]', '{}', '{"v":3,"s":5}', '{"v":1}', '{"v":2,"at":"in"}']) {
    t.is(decodeTaskMetadata(text, noNames), undefined, text);
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

const program: TaskProgram = {
  part: 2,
  parts: { 0: ['b'], 2: ['a', 'by-b-repartition'] },
  former: { 1: ['c'] },
  stores: {
    counts: { text: 'key-value, string -> int64', topics: ['a', 'by-b-repartition'] },
    windows: { text: 'window, string -> int64, days in Europe/Paris', topics: ['a'] },
  },
  carried: { 'by-b-repartition': 'string -> string' },
};

const withProgram: TaskMetadata = {
  ...metadata({
    streamTimeMs: 50,
    operatorTimeMs: { windows: 40, older: 30 },
    partitionTimeMs: { 'by-b-repartition': 20, a: 50 },
    punctuations: { timer: [100, 200], alarm: [60] },
  }),
  basis: { positions: { 'by-b-repartition': 7, a: 9 }, reached: { windows: 3, counts: 4 }, topics: '' },
  program,
};

test('a program that has none of the names reads the clocks, the positions and the stores under their names', (t) => {
  t.deepEqual(decodeTaskMetadata(encodeTaskMetadata(withProgram), noNames), withProgram);
});

test('where there is no room for the program, clocks and positions stay, and only the same names read them', (t) => {
  // Nothing that deflates: names that are digests.
  const stores = Object.fromEntries(
    Array.from({ length: 120 }, (_, i) => [
      createHash('sha256').update(`${i}`).digest('hex'),
      { text: '', topics: [] },
    ]),
  );
  const text = encodeTaskMetadata({ ...withProgram, program: { ...program, stores } });
  t.true(Buffer.byteLength(text) <= 4096);
  const names = { ...namesOf(withProgram), stores: ['windows', 'counts'] };
  const { program: _, ...rest } = withProgram;
  t.true(hasClocksOf(text, names));
  t.deepEqual(decodeTaskMetadata(text, names), rest);
  for (const other of [
    { ...names, operators: ['windows'] },
    { ...names, inputs: ['a'] },
    { ...names, schedules: ['timer', 'alarm'] },
  ])
    t.false(hasClocksOf(text, other));
});

test('what version 1 wrote is read by the order of the names that it had', (t) => {
  const text =
    '{"v":1,"s":50,"o":[-20,1,-10,1],"p":[100,60],"i":[0,-30],"n":5,"d":[1,0,0,0,0,0],"g":{"park":[3]},"w":"2b3ba4d6","q":[7,9],"c":[4,3],"t":""}';
  const names: TaskNames = {
    operators: ['windows', 'older'],
    inputs: ['by-b-repartition', 'a'],
    schedules: ['timer', 'alarm'],
    stores: ['counts', 'windows'],
  };
  t.like(decodeTaskMetadata(text, names), {
    task: {
      streamTimeMs: 50,
      operatorTimeMs: { older: 30, windows: 40 },
      partitionTimeMs: { a: 50, 'by-b-repartition': 20 },
      punctuations: [100, 60],
      processed: 5,
    },
    globalPositions: { park: [3] },
    basis: { positions: { 'by-b-repartition': 7, a: 9 }, reached: { counts: 4, windows: 3 }, topics: '' },
  });
  t.false(hasClocksOf(text, names), 'its mark is of other names');
  // Of a program with another number of stores none of the numbers is known.
  t.deepEqual(decodeTaskMetadata(text, { ...names, stores: ['counts'] })?.basis?.reached, {});
});

test('the other inputs say where the metadata stands', (t) => {
  t.is(pointedAt(pointerTo('app-by-b-repartition')), 'app-by-b-repartition');
  for (const text of ['', '{}', 'null', '{"v":1,"at":"in"}', encodeTaskMetadata(withProgram)])
    t.is(pointedAt(text), undefined);
});
