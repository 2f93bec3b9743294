import test from 'ava';
import { Histogram, type HistogramValue } from '../../../../src/common/histogram.ts';
import type { EngineStats, StoreStats } from '../../../../src/runtime/engine-stats.ts';
import { commitBounds } from '../../../../src/runtime/engine-stats.ts';
import { decodeAssignmentData, decodeMemberData, encodeData } from '../../../../src/runtime/kafka/member-data.ts';
import { mergedEngineStats, mergedKafkaStats, pastWork } from '../../../../src/runtime/kafka/merge-stats.ts';
import { noWork } from '../../../../src/runtime/kafka/slot-work.ts';
import { Wake } from '../../../../src/runtime/wake.ts';
import { kafkaStats } from '../../../observability/fake-stats.ts';

const store = (name: string, puts: number): StoreStats => ({
  store: name,
  kind: 'window',
  hits: puts + 1,
  misses: puts + 2,
  puts,
  cachedEntries: puts + 3,
  dirtyBytes: puts + 4,
  expired: puts + 5,
});

const durations = (...seconds: number[]): HistogramValue => {
  const all = new Histogram(commitBounds);
  for (const each of seconds) all.observe(each);
  return all.value;
};

const engine = (stats: Partial<EngineStats> = {}): EngineStats => ({
  applicationId: 'app',
  state: 'RUNNING',
  tasks: [],
  stores: [],
  feeds: [],
  work: {},
  feedWork: [],
  commits: 0,
  commitDurations: noWork.commitDurations,
  committedRows: 0,
  lastCommitAtMs: undefined,
  errors: {},
  final: false,
  ...stats,
});

test('threads of a process look like one that did all their work', (t) => {
  const first = engine({
    commits: 2,
    commitDurations: durations(0.2, 0.3),
    committedRows: 10,
    errors: { A: 1 },
    stores: [store('s', 1)],
  });
  const second = engine({
    commits: 3,
    commitDurations: durations(0.05, 0.1, 0.1),
    committedRows: 5,
    lastCommitAtMs: 77,
    errors: { A: 2, B: 1 },
    stores: [store('s', 10), store('only here', 4)],
  });
  t.like(mergedEngineStats([first, second]), {
    commits: 5,
    commitDurations: durations(0.05, 0.1, 0.1, 0.2, 0.3),
    committedRows: 15,
    lastCommitAtMs: 77,
    errors: { A: 3, B: 1 },
  });
  t.deepEqual(mergedEngineStats([first, second]).stores, [
    { ...store('s', 11), hits: 13, misses: 15, cachedEntries: 17, dirtyBytes: 19, expired: 21 },
    store('only here', 4),
  ]);
  // The threads' own numbers are theirs.
  t.is(first.stores[0]!.puts, 1);
  t.is(mergedEngineStats([first]), first);
});

test('what only Kafka knows is summed where threads share it out, and not where each has all', (t) => {
  const global = { topic: 'g', partition: 0, position: 17, lag: 3 };
  const other = { topic: 'h', partition: 0, position: 5, lag: 0 };
  const merged = mergedKafkaStats([
    kafkaStats({
      generation: 4,
      rebalances: 2,
      commitFailures: 1,
      lateLetters: 1,
      globals: [global, other],
      outputs: [{ topic: 'out', records: 2, bytes: 20 }],
      deadLetters: { late: 1 },
      storeBytes: { s: 100 },
      committedEventTimeMs: 50,
    }),
    kafkaStats({
      generation: 5,
      rebalances: 2,
      tasksMigrated: 1,
      transactionsAborted: 2,
      lateLetters: 4,
      // It does not follow the other topic yet.
      globals: [{ ...global, position: 11, lag: 9 }],
      outputs: [
        { topic: 'out', records: 1, bytes: 5 },
        { topic: 'log', records: 1, bytes: 1 },
      ],
      deadLetters: { late: 2, future: 1 },
      storeBytes: { s: 11 },
      committedEventTimeMs: 40,
    }),
  ]);
  t.like(merged, {
    generation: 5,
    rebalances: 2,
    commitFailures: 1,
    tasksMigrated: 1,
    transactionsAborted: 2,
    lateLetters: 5,
    committedEventTimeMs: 50,
  });
  t.deepEqual(merged.globals, [
    { ...global, position: 11, lag: 9 },
    { ...other, position: 0 },
  ]);
  t.deepEqual(merged.outputs, [
    { topic: 'out', records: 3, bytes: 25 },
    { topic: 'log', records: 1, bytes: 1 },
  ]);
  t.deepEqual(merged.deadLetters, { late: 3, future: 1 });
  t.deepEqual(merged.storeBytes, { s: 111 });
  t.is(mergedKafkaStats([kafkaStats(), kafkaStats()]).committedEventTimeMs, undefined);
});

test('of a thread that is no more the counters stay, of the stores that are here, and no times of its last commits', (t) => {
  const ended = pastWork([
    {
      engine: engine({
        commits: 3,
        lastCommitAtMs: 77,
        stores: [store('s', 10)],
        formerStores: [store('s', 1), store('gone', 4)],
      }),
      kafka: kafkaStats({ committedEventTimeMs: 50, lateLetters: 4 }),
    },
  ]);
  const alone = mergedEngineStats([engine({ commits: 1 }), ended.engine]);
  t.like(alone, { commits: 4, lastCommitAtMs: undefined, stores: [] });
  const merged = mergedEngineStats([engine({ stores: [store('s', 100)] }), ended.engine]);
  t.like(merged.stores, [{ store: 's', puts: 111, cachedEntries: 103, dirtyBytes: 104 }] as never);
  t.is(merged.stores.length, 1);
  t.like(mergedKafkaStats([kafkaStats()], [ended.kafka]), { lateLetters: 4, committedEventTimeMs: undefined });
});

test('members tell the leader what they have, and the leader tells them what to do', (t) => {
  const member = { processId: 'p', endpoint: 'h:1', tasks: { '0_0': null, '0_1': 12 }, shutdown: false };
  t.like(decodeMemberData(encodeData(member)), member);
  const assignment = {
    active: ['0_0'],
    standby: ['0_1'],
    hosts: [{ processId: 'p', endpoint: 'h:1', active: ['0_0'], standby: ['0_1'] }],
    shutdown: true,
  };
  t.like(decodeAssignmentData(encodeData(assignment)), assignment);
});

test('what another program, or a later version, says is not guessed at', (t) => {
  const say = (text: string): Uint8Array => Buffer.from(text);
  for (const text of ['{}', '{"v":2,"processId":"p","tasks":{}}', '{"v":1,"processId":"p"}'])
    t.throws(() => decodeMemberData(say(text)), { message: /another program, or a newer version/ }, text);
  t.throws(() => decodeAssignmentData(say('{"v":1,"active":[],"standby":[]}')), { message: /another program/ });
  t.throws(() => decodeMemberData(say('\u0000\u0001')));
});

test('a call ends a wait, and one while nobody waits ends the next', async (t) => {
  const wake = new Wake();
  const hour = 3_600_000;
  const waiting = wake.wait(hour);
  wake.call();
  await waiting;
  wake.call();
  wake.call();
  await wake.wait(hour);
  // Both calls were for that wait: this one ends by its time, or never if it were an hour.
  let ended = false;
  const next = wake.wait(hour).then(() => {
    ended = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.false(ended);
  wake.call();
  await next;
  await wake.wait(1);
  await wake.wait(-5);
  t.true(ended);
});
