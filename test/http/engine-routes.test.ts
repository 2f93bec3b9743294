import test from 'ava';
import type { StreamsState } from '../../src/runtime/engine-stats.ts';
import { engineStats, kafkaStats, taskStats } from '../observability/fake-stats.ts';
import { asking } from './asking.ts';
import { fakeEngine, keyValueStore } from './fake-engine.ts';

const inState = (state: StreamsState) => asking({ engine: fakeEngine([], () => engineStats({ state })) });

test('/metrics gives the text of the metrics with their content type', async (t) => {
  const { status, text, type } = await asking()('/metrics');
  t.is(status, 200);
  t.is(text, 'up 1\n');
  t.is(type, 'text/plain; version=0.0.4; charset=utf-8');
});

test('/healthz is 503 in state ERROR only', async (t) => {
  for (const state of ['CREATED', 'REBALANCING', 'RUNNING', 'PENDING_SHUTDOWN', 'NOT_RUNNING'] as const) {
    const answer = await inState(state)('/healthz');
    t.is(answer.status, 200);
    t.deepEqual(answer.json(), { state });
  }
  const { status, type, json } = await inState('ERROR')('/healthz');
  t.is(status, 503);
  t.is(type, 'application/problem+json');
  t.is(json().state, 'ERROR');
});

test('/readyz is 200 in state RUNNING only, and lists the tasks either way', async (t) => {
  const tasks = [
    { taskId: '0_0', topics: ['events'], partition: 0, streamTime: '2017-12-14T23:00:00.500Z', bufferedRecords: 3 },
  ];
  const ready = await inState('RUNNING')('/readyz');
  t.is(ready.status, 200);
  t.deepEqual(ready.json(), { state: 'RUNNING', tasks });
  for (const state of ['CREATED', 'REBALANCING', 'PENDING_SHUTDOWN', 'NOT_RUNNING', 'ERROR'] as const) {
    const answer = await inState(state)('/readyz');
    t.is(answer.status, 503);
    t.deepEqual(answer.json(), {
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: `The engine is in state ${state}, not RUNNING.`,
      code: 'HTTP_NOT_READY',
      state,
      tasks,
    });
  }
});

test('/topology is written as text unless another format is asked for', async (t) => {
  const ask = asking();
  t.is((await ask('/topology')).text, 'topology as text');
  t.is((await ask('/topology?format=mermaid')).text, 'topology as mermaid');
  const json = await ask('/topology?format=json');
  t.is(json.type, 'application/json');
  t.deepEqual(json.json(), { sub: [] });
});

test('/tasks shows tasks, inputs and commits, and null for what has not happened', async (t) => {
  const stats = engineStats({
    tasks: [taskStats('0_0'), taskStats('1_0', { streamTimeMs: -1 })],
    lastCommitAtMs: undefined,
  });
  const { status, json } = await asking({ engine: fakeEngine([], () => stats) })('/tasks');
  t.is(status, 200);
  const view = json();
  t.is(view.applicationId, 'test');
  t.is(view.final, false);
  t.deepEqual(view.commits, { count: 6, seconds: 0.75, rows: 60, lastAtMs: null, lastAt: null });
  t.deepEqual(view.errors, { STREAMS_FILE: 1 });
  t.deepEqual(view.feeds, JSON.parse(JSON.stringify(stats.feeds)));
  const [first, second] = view.tasks as Record<string, unknown>[];
  t.like(first, { taskId: '0_0', streamTimeMs: 1_513_292_400_500, streamTime: '2017-12-14T23:00:00.500Z' });
  t.deepEqual(first!.operatorTimeMs, { 'day-equipment': 1_513_292_400_000 });
  t.like(second, { taskId: '1_0', streamTimeMs: null, streamTime: null });
});

test('/tasks of an engine on a broker tells how far its global tables are', async (t) => {
  t.false('globals' in (await asking()('/tasks')).json(), 'nobody else does');
  const globals = [{ topic: 'park', partition: 0, position: 7, lag: 2 }];
  const { json } = await asking({ engine: { ...fakeEngine(), kafka: () => kafkaStats({ globals }) } })('/tasks');
  t.deepEqual(json().globals, [{ topic: 'park', partition: 0, position: 7, lag: 2 }]);
  t.is(json().applicationId, 'test');
});

test('/stores lists all stores, those without figures too', async (t) => {
  const engine = fakeEngine([keyValueStore('day-equipment', {}), keyValueStore('other', {})]);
  const { stores } = (await asking({ engine })('/stores')).json() as { stores: Record<string, unknown>[] };
  t.like(stores[0], { name: 'day-equipment', kind: 'window', puts: 7, dirtyBytes: 640 });
  t.deepEqual(stores[1], { name: 'other', kind: 'key-value' });
});

test('on Kafka /tasks has letters, positions, instances, and what this instance has read of the topics of the application', async (t) => {
  const input = (topic: string, lag: number) => ({
    topic,
    partition: 1,
    position: 40,
    stableEnd: 43,
    lag,
    buffered: 0,
  });
  const instances = [{ endpoint: '10.0.0.7:8080', own: true, active: ['0_0', '0_1'], standby: ['0_2'] }];
  const stats = kafkaStats({
    deadLetters: { date: 2, future: 1 },
    lateLetters: 4,
    consumed: { 'events-0': 30, 'events-1': 12, 'app-by-type-repartition-1': 100 },
    instances,
    tasks: [
      {
        taskId: '0_1',
        kind: 'active',
        thread: 'counts-1-StreamThread-1',
        status: 'running',
        inputs: [input('events', 3), { ...input('more', 0), stableEnd: -1 }],
      },
    ],
  });
  const { json } = await asking({ engine: { ...fakeEngine(), kafka: () => stats } })('/tasks');
  t.deepEqual(json().kafka, {
    read: 42,

    consumed: { 'events-0': 30, 'events-1': 12, 'app-by-type-repartition-1': 100 },
    outputs: [],
    deadLetters: { date: 2, future: 1 },
    lateLetters: 4,
    instances,
    tasks: [{ taskId: '0_1', kind: 'active', thread: 'counts-1-StreamThread-1', status: 'running' }],
    threads: [],
    inputs: [
      { taskId: '0_1', topic: 'events', partition: 1, position: 40, end: 43, lag: 3 },
      { taskId: '0_1', topic: 'more', partition: 1, position: 40, end: null, lag: null },
    ],
    unread: [],
  });
});

test('/letters has those of files and of Kafka, newest first, or those of one kind', async (t) => {
  const about = { reason: 'date', message: 'not a date', topic: 'events', offset: 7, text: 'row' };
  const dead = { ...about, kind: 'dead' as const, file: 'a.csv', line: 3, atMs: 1000 };
  const late = { ...about, kind: 'late' as const, partition: 1, key: 'C:8', atMs: 2000 };
  const engine = { ...fakeEngine(), letters: () => [dead], kafka: () => kafkaStats({ letters: [late] }) };
  t.deepEqual((await asking({ engine })('/letters')).json(), { applicationId: 'test', letters: [late, dead] });
  t.deepEqual((await asking({ engine })('/letters?kind=dead')).json(), { applicationId: 'test', letters: [dead] });
  t.deepEqual((await asking()('/letters')).json(), { applicationId: 'test', letters: [] });
  t.is((await asking()('/letters?kind=odd')).status, 400);
});
