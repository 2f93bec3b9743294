import { spawnSync } from 'node:child_process';
import test from 'ava';
import { Histogram, type HistogramValue } from '../../src/common/histogram.ts';
import { kafkaCollector } from '../../src/observability/kafka-collector.ts';
import { engineMetrics, kafkaMetrics } from '../../src/observability/metric-names.ts';
import { createMetrics } from '../../src/observability/registry.ts';
import { type KafkaStats, type KafkaTaskStats, restoreBounds } from '../../src/runtime/kafka/kafka-stats.ts';
import { engineStats, exposedNames } from './fake-stats.ts';
import { withoutApplication } from './scrapes.ts';

/** An active task that reads one partition and has been restored. */
function activeTask(taskId: string, more: Partial<KafkaTaskStats> = {}): KafkaTaskStats {
  const partition = Number(taskId.split('_')[1]);
  const input = {
    topic: 'events',
    partition,
    position: 90,
    stableEnd: 100,
    lag: 10,
    buffered: 4,
  };
  return {
    taskId,
    kind: 'active',
    thread: 'counts-1-StreamThread-1',
    status: 'running',
    inputs: [input],
    commitPaceMs: 100,
    restore: { restored: 700, total: 1000, seconds: 1.5 },
    ...more,
  };
}

const standby: KafkaTaskStats = {
  taskId: '1_1',
  kind: 'standby',
  thread: 'counts-1-StreamThread-1',
  status: 'running',
  inputs: [],
  standbyLag: 12,
};

/** One restore that took so long. */
function restores(seconds: number): HistogramValue {
  const durations = new Histogram(restoreBounds);
  durations.observe(seconds);
  return durations.value;
}

function kafkaStats(more: Partial<KafkaStats> = {}): KafkaStats {
  const tasks = more.tasks ?? [activeTask('0_0'), standby];
  return {
    clientId: 'one',
    clusterId: 'abc',
    processingGuarantee: 'exactly_once',
    generation: 7,
    rebalances: 3,
    threads: [
      { name: 'counts-1-StreamThread-1', number: 1, active: 1, standby: 1 },
      { name: 'counts-1-StreamThread-2', number: 2, active: 0, standby: 0 },
    ],
    tasks,
    work: Object.fromEntries(
      tasks.map(({ taskId, restore }) => [
        taskId,
        { restored: restore?.restored ?? 0, restores: restores(restore?.seconds ?? 0) },
      ]),
    ),
    consumed: { 'events-0': 50, 'events-3': 7 },
    globals: [
      { topic: 'park', partition: 0, position: 50, lag: 5 },
      { topic: 'park', partition: 1, position: 60, lag: 6 },
    ],
    unread: [{ topic: 'events', partition: 9, lag: 4 }],
    instances: [],
    commitFailures: 1,
    transactionsAborted: 2,
    tasksMigrated: 4,
    outputs: [{ topic: 'changelog', records: 20, bytes: 640 }],
    deadLetters: { deserialization: 8, 'message-too-large': 1 },
    lateLetters: 9,
    committedEventTimeMs: 1_513_292_400_500,
    storeBytes: { 'day-equipment': 4096 },
    ...more,
  };
}

async function text(stats: KafkaStats): Promise<string> {
  const collectors = [kafkaCollector(() => stats)];
  const metrics = createMetrics({ stats: () => engineStats(), version: '1', collectors, processMetrics: false });
  return withoutApplication((await metrics.text()).body);
}

async function lines(stats: KafkaStats): Promise<string[]> {
  return (await text(stats)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('plain fields of the runtime on Kafka become samples', async (t) => {
  const all = await lines(kafkaStats());
  for (const line of [
    'streams_kafka_client_info{client_id="one",cluster_id="abc",processing_guarantee="exactly_once"} 1',
    'streams_group_generation 7',
    'streams_rebalances_total 3',
    'streams_thread_tasks{thread="1",kind="active"} 1',
    'streams_thread_tasks{thread="1",kind="standby"} 1',
    'streams_thread_tasks{thread="2",kind="active"} 0',
    'streams_task_state{topology="0",task_id="0_0",kind="active",state="running"} 1',
    'streams_task_state{topology="1",task_id="1_1",kind="standby",state="running"} 1',
    'streams_task_commit_failures_total 1',
    'streams_transactions_aborted_total 2',
    'streams_tasks_migrated_total 4',
    'streams_consumer_lag_records{topic="events",partition="0"} 10',
    'streams_consumer_lag_records{topic="events",partition="9"} 4',
    'streams_consumer_position_offset{topic="events",partition="0"} 90',
    'streams_consumer_records_total{topic="events",partition="0"} 50',
    'streams_consumer_buffered_records{topic="events",partition="0"} 4',
    'streams_global_lag_records{topic="park"} 11',
    'streams_records_produced_total{topic="changelog"} 20',
    'streams_bytes_produced_total{topic="changelog"} 640',
    'streams_dead_letter_records_total{reason="deserialization"} 8',
    'streams_dead_letter_records_total{reason="message-too-large"} 1',
    'streams_dead_letter_records_total{reason="future"} 0',
    'streams_late_letter_records_total 9',
    'streams_task_commit_interval_seconds{topology="0",task_id="0_0"} 0.1',
    'streams_task_lag_records{topology="0",task_id="0_0"} 10',
    'streams_committed_event_timestamp_seconds 1513292400.5',
    'streams_restore_records_total{topology="0",task_id="0_0"} 700',
    'streams_restore_remaining_records{topology="0",task_id="0_0"} 300',
    'streams_restore_duration_seconds_bucket{le="1"} 1',
    'streams_restore_duration_seconds_bucket{le="2.5"} 2',
    'streams_restore_duration_seconds_sum 1.5',
    'streams_standby_lag_records{topology="1",task_id="1_1"} 12',
    'streams_store_size_bytes{store="day-equipment"} 4096',
  ]) {
    t.true(all.includes(line), line);
  }
});

test('every metric of the table is exposed beside those of the engine, and no name stands in both tables', async (t) => {
  const exposed = new Set((await lines(kafkaStats())).map((line) => line.split(/[{ ]/)[0]));
  const names = [...engineMetrics, ...kafkaMetrics].flatMap(exposedNames);
  t.deepEqual([...exposed].sort(), names.sort());
  t.is(new Set(names).size, names.length);
});

test('a task that had nothing to restore has nothing left to restore, and a standby has no restore', async (t) => {
  const { restore: _, ...fresh } = activeTask('0_1');
  const all = await lines(kafkaStats({ tasks: [fresh, standby] }));
  t.deepEqual(
    all.filter((line) => /^streams_restore_(records|remaining)/.test(line)),
    [
      'streams_restore_records_total{topology="0",task_id="0_1"} 0',
      'streams_restore_remaining_records{topology="0",task_id="0_1"} 0',
    ],
  );
});

test('a restore that read more than was there at its start has nothing left', async (t) => {
  const tasks = [activeTask('0_0', { restore: { restored: 11, total: 10, seconds: 1 } })];
  t.true(
    (await lines(kafkaStats({ tasks }))).includes('streams_restore_remaining_records{topology="0",task_id="0_0"} 0'),
  );
});

test('what is not known yet is absent, not 0', async (t) => {
  const body = await text(kafkaStats({ committedEventTimeMs: undefined, clusterId: undefined }));
  t.notRegex(body, /^streams_committed_event_timestamp_seconds/m);
  t.regex(body, /^streams_kafka_client_info\{client_id="one",cluster_id="",/m);
  // The end of the topic was not heard of yet.
  const input = { topic: 'events', partition: 0, position: 99, stableEnd: -1, lag: 0, buffered: 0 };
  const starting = await text(kafkaStats({ tasks: [activeTask('0_0', { inputs: [input] })], unread: [] }));
  t.notRegex(starting, /^streams_(consumer|task)_lag_records/m);
  t.regex(starting, /^streams_consumer_position_offset\{.*\} 99$/m);
  // It does not know yet how much there is to restore.
  const { restore: _, ...unknown } = activeTask('0_0', { status: 'restoring', inputs: [] });
  t.notRegex(await text(kafkaStats({ tasks: [unknown], unread: [] })), /^streams_restore_remaining_records/m);
  // It reads its changelogs, and nothing else yet.
  const restoring = activeTask('0_0', { status: 'restoring', inputs: [] });
  t.notRegex(await text(kafkaStats({ tasks: [restoring], unread: [] })), /^streams_(consumer|task)_lag_records/m);
});

test('of a partition that two tasks read, the position further behind is shown, and what all tasks have taken', async (t) => {
  const input = { topic: 'events', partition: 0, stableEnd: 100, buffered: 1 };
  const tasks = [
    activeTask('0_0', { inputs: [{ ...input, position: 99, lag: 1 }] }),
    activeTask('2_0', { inputs: [{ ...input, position: 60, lag: 40 }] }),
  ];
  const all = await lines(kafkaStats({ tasks, unread: [], consumed: { 'events-0': 20 } }));
  t.deepEqual(
    all.filter((line) => line.startsWith('streams_consumer_')),
    [
      'streams_consumer_lag_records{topic="events",partition="0"} 40',
      'streams_consumer_position_offset{topic="events",partition="0"} 60',
      'streams_consumer_records_total{topic="events",partition="0"} 20',
      'streams_consumer_buffered_records{topic="events",partition="0"} 2',
    ],
  );
});

test('every metric has a help text and the form of its name', (t) => {
  for (const { name, type, help } of kafkaMetrics) {
    t.regex(name, /^streams_[a-z_]+$/);
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.regex(help, /^\S.*[^.]$/, name);
  }
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;
const whenPromtool = promtool || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

whenPromtool('promtool finds no fault with the names', async (t) => {
  const input = await text(kafkaStats());
  const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  t.is(`${stdout}${stderr}`, '');
  t.is(status, 0);
});
