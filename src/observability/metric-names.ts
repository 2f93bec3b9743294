import type { MetricSpec } from './metric-collector.ts';

const task = ['topology', 'task_id'];

/** The engine as a whole. */
const clientMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_client_info',
    type: 'gauge',
    help: 'Always 1; application and versions are its labels',
    labels: ['application_id', 'version', 'node_version'],
    kafkaStreams: 'version, application-id',
  },
  {
    name: 'streams_client_state',
    type: 'gauge',
    help: '1 for the state the client is in, 0 for the others',
    labels: ['state'],
    kafkaStreams: 'client-state',
  },
  {
    name: 'streams_client_final',
    type: 'gauge',
    help: '1 when all windows were closed for good and no more input is taken',
    labels: [],
  },
  {
    name: 'streams_tasks',
    type: 'gauge',
    help: 'Tasks owned',
    labels: ['kind'],
    kafkaStreams: 'task-created-total minus task-closed-total',
  },
  {
    name: 'streams_errors_total',
    type: 'counter',
    help: 'Errors by their stable code',
    labels: ['code'],
  },
  {
    name: 'streams_scrape_errors_total',
    type: 'counter',
    help: 'Scrapes in which a metric collector failed, so that its metrics are missing',
    labels: [],
  },
];

/** Tasks: what was processed, how far event time is. */
const taskMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_task_records_processed_total',
    type: 'counter',
    help: 'Records processed',
    labels: task,
    kafkaStreams: 'process-total',
  },
  {
    name: 'streams_task_records_dropped_total',
    type: 'counter',
    help: 'Records dropped after their source',
    labels: [...task, 'reason'],
    kafkaStreams: 'dropped-records-total',
  },
  {
    name: 'streams_task_punctuations_total',
    type: 'counter',
    help: 'Punctuator calls',
    labels: task,
    kafkaStreams: 'punctuate-total',
  },
  {
    name: 'streams_task_stream_timestamp_seconds',
    type: 'gauge',
    help: 'Highest event time seen by the task, seconds since the epoch',
    labels: task,
  },
  {
    name: 'streams_node_stream_timestamp_seconds',
    type: 'gauge',
    help: 'Observed stream time of a windowed operator, seconds since the epoch',
    labels: ['node', 'task_id'],
  },
  {
    name: 'streams_task_buffered_records',
    type: 'gauge',
    help: 'Records read and not yet processed',
    labels: task,
    kafkaStreams: 'active-buffer-count',
  },
  {
    name: 'streams_task_commits_total',
    type: 'counter',
    help: 'Commits since the state began',
    labels: [],
    kafkaStreams: 'commit-total',
  },
  {
    name: 'streams_task_commit_seconds_total',
    type: 'counter',
    help: 'Time spent in commits since the process began',
    labels: [],
    kafkaStreams: 'commit-latency-avg',
  },
  {
    name: 'streams_task_committed_rows_total',
    type: 'counter',
    help: 'Rows written by commits since the state began',
    labels: [],
  },
  {
    name: 'streams_task_last_commit_timestamp_seconds',
    type: 'gauge',
    help: 'Wall clock of the last commit, seconds since the epoch',
    labels: [],
  },
];

/** Inputs: rows since the state began, not since the process began. */
const inputMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_records_consumed_total',
    type: 'counter',
    help: 'Records read since the state began, refused ones included',
    labels: ['topic'],
    kafkaStreams: 'records-consumed-total',
  },
  {
    name: 'streams_bytes_consumed_total',
    type: 'counter',
    help: 'Bytes read since the state began',
    labels: ['topic'],
    kafkaStreams: 'bytes-consumed-total',
  },
  {
    name: 'streams_feed_remaining_bytes',
    type: 'gauge',
    help: 'Bytes known to be there and not yet read',
    labels: ['topic'],
    kafkaStreams: 'records-lag',
  },
  {
    name: 'streams_feed_files',
    type: 'gauge',
    help: 'Files of a topic that is read from files',
    labels: ['topic', 'state'],
  },
  {
    name: 'streams_feed_dead_records_total',
    type: 'counter',
    help: 'Rows in the dead letters',
    labels: ['topic', 'reason'],
  },
  {
    name: 'streams_feed_late_records_total',
    type: 'counter',
    help: 'Rows in the late letters',
    labels: ['topic'],
  },
  {
    name: 'streams_feed_skipped_records_total',
    type: 'counter',
    help: 'Rows outside the asked dates',
    labels: ['topic'],
  },
];

/** Stores and their caches. */
const storeMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_store_operations_total',
    type: 'counter',
    help: 'Reads and writes of a store by the processors',
    labels: ['store', 'operation'],
    kafkaStreams: 'get-rate, put-rate',
  },
  {
    name: 'streams_store_cache_hit_ratio',
    type: 'gauge',
    help: 'Reads answered by the cache, from 0 to 1, since the process began',
    labels: ['store'],
    kafkaStreams: 'hit-ratio-avg',
  },
  {
    name: 'streams_store_cache_entries',
    type: 'gauge',
    help: 'Entries in the cache',
    labels: ['store'],
  },
  {
    name: 'streams_store_dirty_bytes',
    type: 'gauge',
    help: 'Bytes of entries that wait for the next commit',
    labels: ['store'],
  },
  {
    name: 'streams_store_expired_windows_total',
    type: 'counter',
    help: 'Rows removed because their retention ended',
    labels: ['store'],
  },
];

/** The engine's metrics: the one table of their names, which the documentation and the dashboards are checked against. */
export const engineMetrics: readonly MetricSpec[] = [
  ...clientMetrics,
  ...taskMetrics,
  ...inputMetrics,
  ...storeMetrics,
];
