import { Histogram, type HistogramValue } from '../../src/common/histogram.ts';
import type { MetricSpec } from '../../src/observability/metric-collector.ts';
import { commitBounds, type EngineStats, type StoreStats, type TaskStats } from '../../src/runtime/engine-stats.ts';
import type { FeedProgress } from '../../src/runtime/feed.ts';
import type { KafkaStats } from '../../src/runtime/kafka/kafka-stats.ts';
import { noTimes } from '../../src/runtime/record-times.ts';

/** Stats of a task that has processed 100 records. */
export function taskStats(taskId: string, more: Partial<TaskStats> = {}): TaskStats {
  return {
    taskId,
    topics: ['events'],
    partition: Number(taskId.split('_')[1]),
    processed: 100,
    dropped: { late: 2, null_key: 0, invalid_timestamp: 0, processing: 0, future: 1, deserialization: 0 },
    streamTimeMs: 1_513_292_400_500,
    operatorTimeMs: { 'day-equipment': 1_513_292_400_000 },
    bufferedRecords: 3,
    punctuations: 4,
    ...more,
  };
}

/** Stats of a window store. */
export function storeStats(store: string, more: Partial<StoreStats> = {}): StoreStats {
  return {
    store,
    kind: 'window',
    hits: 30,
    misses: 10,
    puts: 7,
    cachedEntries: 5,
    dirtyBytes: 640,
    expired: 0,
    ...more,
  };
}

/** Progress of a folder of events. */
export function feedProgress(topic: string, more: Partial<FeedProgress> = {}): FeedProgress {
  return {
    topic,
    filesDone: 2,
    filesTotal: 5,
    rows: 110,
    bytes: 4000,
    bytesRead: 4000,
    bytesTotal: 10_000,
    dead: 3,
    late: 2,
    skipped: 0,
    deadByReason: { date: 2, future: 1 },
    ...more,
  };
}

/** Stats of a small running engine. */
export function engineStats(more: Partial<EngineStats> = {}): EngineStats {
  return {
    applicationId: 'test',
    state: 'RUNNING',
    tasks: [taskStats('0_0')],
    stores: [storeStats('day-equipment')],
    feeds: [feedProgress('events')],
    work: Object.fromEntries(
      (more.tasks ?? [taskStats('0_0')]).map((task) => [task.taskId, { ...task, times: noTimes }]),
    ),
    feedWork: more.feeds ?? [feedProgress('events')],
    commits: 6,
    commitDurations: commits(),
    committedRows: 60,
    lastCommitAtMs: 1_700_000_000_000,
    errors: { STREAMS_FILE: 1 },
    final: false,
    ...more,
  };
}

/** Stats of an instance on Kafka that has nothing yet. */
export function kafkaStats(more: Partial<KafkaStats> = {}): KafkaStats {
  return {
    clientId: 'weir',
    clusterId: 'cluster',
    processingGuarantee: 'exactly_once',
    generation: 1,
    rebalances: 1,
    threads: [],
    tasks: [],
    work: {},
    consumed: {},
    globals: [],
    unread: [],
    instances: [],
    commitFailures: 0,
    transactionsAborted: 0,
    tasksMigrated: 0,
    outputs: [],
    deadLetters: {},
    lateLetters: 0,
    committedEventTimeMs: undefined,
    storeBytes: {},
    ...more,
  };
}

/** Six commits, of 0.1 s two and of 0.1375 s four: 0.75 s. */
function commits(): HistogramValue {
  const durations = new Histogram(commitBounds);
  for (const seconds of [0.1, 0.1, 0.1375, 0.1375, 0.1375, 0.1375]) durations.observe(seconds);
  return durations.value;
}

/** The names under which a metric is exposed: a histogram has three. */
export function exposedNames({ name, type }: MetricSpec): readonly string[] {
  return type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name];
}
