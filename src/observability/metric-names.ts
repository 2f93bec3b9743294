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
    help: 'Records processed since the process began, those that are processed again too',
    labels: task,
    kafkaStreams: 'process-total',
  },
  {
    name: 'streams_task_records_dropped_total',
    type: 'counter',
    help: 'Drops of records after their source since the process began: a record that is late for several windows or stores counts once for each',
    labels: [...task, 'reason'],
    kafkaStreams: 'dropped-records-total',
  },
  {
    name: 'streams_task_punctuations_total',
    type: 'counter',
    help: 'Punctuator calls since the process began',
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
    help: 'Commits since the process began',
    labels: [],
    kafkaStreams: 'commit-total',
  },
  {
    name: 'streams_task_commit_duration_seconds',
    type: 'histogram',
    help: 'How long commits took, since the process began; buckets from 1 ms to 30 s',
    labels: [],
    kafkaStreams: 'commit-latency-avg',
  },
  {
    name: 'streams_task_committed_rows_total',
    type: 'counter',
    help: 'Rows written by commits since the process began',
    labels: [],
  },
  {
    name: 'streams_task_last_commit_timestamp_seconds',
    type: 'gauge',
    help: 'Wall clock of the last commit, seconds since the epoch',
    labels: [],
  },
];

const topology = ['topology'];

/** How late and how old records are. */
const recordMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_record_lateness_seconds',
    type: 'histogram',
    help: 'How far each processed record lay behind the stream time of its task: 0 for one in order',
    labels: topology,
    kafkaStreams: 'record-lateness-avg, record-lateness-max',
  },
  {
    name: 'streams_dropped_record_lateness_seconds',
    type: 'histogram',
    help: 'How far each record that was dropped as late lay behind the stream time of the operator that dropped it',
    labels: topology,
  },
  {
    name: 'streams_record_age_seconds',
    type: 'histogram',
    help: 'Wall clock minus event time when a committed record was processed, to 10 ms; 0 for an event time ahead of the clock; a sample as for the delay',
    labels: topology,
    kafkaStreams: 'record-e2e-latency-avg, -min, -max of source nodes',
  },
  {
    name: 'streams_record_delay_seconds',
    type: 'histogram',
    help: 'From the event time of a record until the commit that made its results visible had ended; of more than 1,024 records of a task and a commit a sample, in which each stands for several',
    labels: topology,
    kafkaStreams: 'record-e2e-latency-avg, -min, -max of terminal nodes',
  },
];

/** Inputs. */
const inputMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_records_consumed_total',
    type: 'counter',
    help: 'Records read since the process began, refused ones included',
    labels: ['topic'],
    kafkaStreams: 'records-consumed-total',
  },
  {
    name: 'streams_bytes_consumed_total',
    type: 'counter',
    help: 'Bytes read since the process began',
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
    help: 'Rows that went to the dead letters since the process began',
    labels: ['topic', 'reason'],
  },
  {
    name: 'streams_feed_late_records_total',
    type: 'counter',
    help: 'Rows that went to the late letters since the process began',
    labels: ['topic'],
  },
  {
    name: 'streams_feed_skipped_records_total',
    type: 'counter',
    help: 'Rows outside the asked dates, since the process began',
    labels: ['topic'],
  },
];

/** Stores and their caches. */
const storeMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_store_operations_total',
    type: 'counter',
    help: 'Reads and writes of a store by the processors since the process began',
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
    help: 'Rows removed because their retention ended, since the process began',
    labels: ['store'],
  },
];

/** The engine's metrics: the one table of their names, which the documentation and the dashboards are checked against. */
export const engineMetrics: readonly MetricSpec[] = [
  ...clientMetrics,
  ...taskMetrics,
  ...recordMetrics,
  ...inputMetrics,
  ...storeMetrics,
];

/** The instance as a member of its group. */
const memberMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_kafka_client_info',
    type: 'gauge',
    help: 'Always 1; the client and its cluster are its labels',
    labels: ['client_id', 'cluster_id', 'processing_guarantee'],
    kafkaStreams: 'application-id, cluster-id',
  },
  {
    name: 'streams_thread_tasks',
    type: 'gauge',
    help: 'Tasks of a stream thread of this instance, by the number of the thread: one that is not alive has none',
    labels: ['thread', 'kind'],
    kafkaStreams: 'alive-stream-threads',
  },
  {
    name: 'streams_group_generation',
    type: 'gauge',
    help: 'Generation of the group in which the tasks were assigned; -1 without one',
    labels: [],
  },
  {
    name: 'streams_rebalances_total',
    type: 'counter',
    help: 'Assignments received since the process began',
    labels: [],
    kafkaStreams: 'rebalance-total',
  },
  {
    name: 'streams_task_state',
    type: 'gauge',
    help: 'Always 1; the state that a task is in is a label',
    labels: [...task, 'kind', 'state'],
    kafkaStreams: 'state',
  },
  {
    name: 'streams_task_commit_failures_total',
    type: 'counter',
    help: 'Commits that failed or whose outcome was not known, since the process began',
    labels: [],
  },
  {
    name: 'streams_transactions_aborted_total',
    type: 'counter',
    help: 'Transactions given up since the process began',
    labels: [],
    kafkaStreams: 'txn-abort-time-ns-total',
  },
  {
    name: 'streams_tasks_migrated_total',
    type: 'counter',
    help: 'Tasks dropped because another instance owned them already, since the process began',
    labels: [],
  },
];

/** What is read from and written to a broker, since the process began. */
const brokerMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_consumer_lag_records',
    type: 'gauge',
    help: 'Records before the end of a partition that are not processed yet',
    labels: ['topic', 'partition'],
    kafkaStreams: 'records-lag',
  },
  {
    name: 'streams_consumer_position_offset',
    type: 'gauge',
    help: 'Offset of the next record of a partition',
    labels: ['topic', 'partition'],
  },
  {
    name: 'streams_consumer_records_total',
    type: 'counter',
    help: 'Records taken from a partition since the process began',
    labels: ['topic', 'partition'],
    kafkaStreams: 'records-consumed-total',
  },
  {
    name: 'streams_consumer_buffered_records',
    type: 'gauge',
    help: 'Records of a partition fetched and not yet processed',
    labels: ['topic', 'partition'],
    kafkaStreams: 'active-buffer-count',
  },
  {
    name: 'streams_global_lag_records',
    type: 'gauge',
    help: "Records of a global table's topic that are not applied yet",
    labels: ['topic'],
  },
  {
    name: 'streams_records_produced_total',
    type: 'counter',
    help: 'Records written to a topic since the process began, aborted ones included',
    labels: ['topic'],
    kafkaStreams: 'records-produced-total',
  },
  {
    name: 'streams_bytes_produced_total',
    type: 'counter',
    help: 'Bytes written to a topic since the process began, before compression',
    labels: ['topic'],
    kafkaStreams: 'bytes-produced-total',
  },
  {
    name: 'streams_dead_letter_records_total',
    type: 'counter',
    help: 'Records sent to the dead-letter topic since the process began',
    labels: ['reason'],
  },
  {
    name: 'streams_late_letter_records_total',
    type: 'counter',
    help: 'Records sent to the topic of late ones since the process began',
    labels: [],
  },
  {
    name: 'streams_task_commit_interval_seconds',
    type: 'gauge',
    help: 'Time between two commits of a task now: longer than commit.interval.ms while it is far behind',
    labels: task,
  },
  {
    name: 'streams_task_lag_records',
    type: 'gauge',
    help: 'Records before the end of the inputs of a task that are not processed yet',
    labels: task,
    kafkaStreams: 'records-lag',
  },
  {
    name: 'streams_committed_event_timestamp_seconds',
    type: 'gauge',
    help: 'Highest event time among the committed records, seconds since the epoch',
    labels: [],
  },
];

/** Local copies of the state: how they come about, and how large they are. */
const copyMetrics: readonly MetricSpec[] = [
  {
    name: 'streams_restore_records_total',
    type: 'counter',
    help: 'Records read back by restores of a task since the process began',
    labels: task,
    kafkaStreams: 'restore-total',
  },
  {
    name: 'streams_restore_remaining_records',
    type: 'gauge',
    help: 'Records that the restore of a task has still to read; 0 when it is done',
    labels: task,
    kafkaStreams: 'restore-remaining-records-total',
  },
  {
    name: 'streams_restore_duration_seconds',
    type: 'histogram',
    help: 'How long restores took that ended well, since the process began; buckets from 0.1 s to an hour',
    labels: [],
    kafkaStreams: 'restore-latency-avg',
  },
  {
    name: 'streams_standby_lag_records',
    type: 'gauge',
    help: 'Changelog records that a standby has not read yet',
    labels: task,
  },
  {
    name: 'streams_store_size_bytes',
    type: 'gauge',
    help: 'Bytes of a store on disk, over the tasks of the instance',
    labels: ['store'],
    kafkaStreams: 'total-sst-files-size',
  },
];

/** What the runtime on Kafka adds to the engine's metrics, in the same one table. */
export const kafkaMetrics: readonly MetricSpec[] = [...memberMetrics, ...brokerMetrics, ...copyMetrics];

/** The file system of the state folder. */
export const diskMetricSpecs: readonly MetricSpec[] = [
  {
    name: 'streams_state_disk_size_bytes',
    type: 'gauge',
    help: 'Size of the file system that holds the state folder',
    labels: [],
  },
  {
    name: 'streams_state_disk_free_bytes',
    type: 'gauge',
    help: 'Bytes of that file system that this process may still write',
    labels: [],
  },
];

/** The server. */
export const httpMetricSpecs: readonly MetricSpec[] = [
  {
    name: 'streams_http_request_duration_seconds',
    type: 'histogram',
    help: 'From a request until its answer begins, by the path as declared and the status; buckets from 1 ms to 10 s',
    labels: ['route', 'code'],
  },
];

/** What a server adds to the metrics of the client that it serves. */
export const serverMetricSpecs: readonly MetricSpec[] = [...diskMetricSpecs, ...httpMetricSpecs];
