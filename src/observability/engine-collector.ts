import { type StreamsErrorCode, streamsErrors } from '../common/errors.ts';
import { deadReasons } from '../files/row-format.ts';
import type { EngineStats, StoreStats, StreamsState, TaskStats, TaskWork } from '../runtime/engine-stats.ts';
import { type FeedProgress, progressByTopic, refusedFiles } from '../runtime/feed.ts';
import { addedTimes, type RecordTimes } from '../runtime/record-times.ts';
import type { MetricCollector, SetMetric } from './metric-collector.ts';
import { engineMetrics } from './metric-names.ts';

const states: readonly StreamsState[] = [
  'CREATED',
  'REBALANCING',
  'RUNNING',
  'PENDING_SHUTDOWN',
  'NOT_RUNNING',
  'ERROR',
];

/** The engine's plain fields as metrics. `scrapeErrors` gives the count of scrapes in which some collector failed. */
export function engineCollector(
  stats: () => EngineStats,
  version: string,
  scrapeErrors: () => number,
): MetricCollector {
  return {
    metrics: engineMetrics,
    collect(set) {
      const now = stats();
      setClient(set, now, version);
      set('streams_scrape_errors_total', {}, scrapeErrors());
      setCommits(set, now);
      for (const [topology, times] of timesByTopology(now)) setTimes(set, topology, times);
      for (const task of now.tasks) setTask(set, task, now.work[task.taskId]!);
      for (const topic of progressByTopic(now.feeds)) setFeed(set, topic);
      for (const topic of progressByTopic(now.feedWork)) setFeedWork(set, topic);
      for (const store of now.stores) setStore(set, store);
    },
  };
}

function setClient(set: SetMetric, stats: EngineStats, version: string): void {
  const { applicationId, state, tasks, errors } = stats;
  set('streams_client_info', { application_id: applicationId, version, node_version: process.version }, 1);
  for (const each of states) set('streams_client_state', { state: each }, each === state ? 1 : 0);
  set('streams_client_final', {}, stats.final ? 1 : 0);
  set('streams_tasks', { kind: 'active' }, tasks.length);
  // All codes are there from the start, so that the first error of a kind is an increase that alerts can see.
  const codes = new Set<string>([...(Object.keys(streamsErrors) as StreamsErrorCode[]), ...Object.keys(errors)]);
  for (const code of codes) set('streams_errors_total', { code }, errors[code] ?? 0);
}

function setCommits(set: SetMetric, stats: EngineStats): void {
  set('streams_task_commits_total', {}, stats.commits);
  set('streams_task_commit_duration_seconds', {}, stats.commitDurations);
  set('streams_task_committed_rows_total', {}, stats.committedRows);
  if (stats.lastCommitAtMs !== undefined) {
    set('streams_task_last_commit_timestamp_seconds', {}, stats.lastCommitAtMs / 1000);
  }
}

/** Of all tasks that this process had, so that none falls when one leaves. */
function timesByTopology({ work }: EngineStats): ReadonlyMap<string, RecordTimes> {
  const sums = new Map<string, RecordTimes>();
  for (const [taskId, { times }] of Object.entries(work)) {
    const topology = topologyOf(taskId);
    const before = sums.get(topology);
    sums.set(topology, before === undefined ? times : addedTimes(before, times));
  }
  return sums;
}

function setTimes(set: SetMetric, topology: string, { lateness, droppedLateness, age, delay }: RecordTimes): void {
  set('streams_record_lateness_seconds', { topology }, lateness);
  set('streams_dropped_record_lateness_seconds', { topology }, droppedLateness);
  set('streams_record_age_seconds', { topology }, age);
  set('streams_record_delay_seconds', { topology }, delay);
}

/** The sub-topology of a task. */
function topologyOf(taskId: string): string {
  return taskId.slice(0, taskId.indexOf('_'));
}

function setTask(set: SetMetric, task: TaskStats, work: TaskWork): void {
  const labels = { topology: topologyOf(task.taskId), task_id: task.taskId };
  set('streams_task_records_processed_total', labels, work.processed);
  for (const [reason, count] of Object.entries(work.dropped)) {
    set('streams_task_records_dropped_total', { ...labels, reason }, count);
  }
  set('streams_task_punctuations_total', labels, work.punctuations);
  set('streams_task_buffered_records', labels, task.bufferedRecords);
  if (task.streamTimeMs >= 0) set('streams_task_stream_timestamp_seconds', labels, task.streamTimeMs / 1000);
  for (const [node, timeMs] of Object.entries(task.operatorTimeMs)) {
    if (timeMs >= 0) set('streams_node_stream_timestamp_seconds', { node, task_id: task.taskId }, timeMs / 1000);
  }
}

function setFeed(set: SetMetric, feed: FeedProgress): void {
  const { topic } = feed;
  set('streams_feed_remaining_bytes', { topic }, Math.max(0, feed.bytesTotal - feed.bytes));
  set('streams_feed_files', { topic, state: 'done' }, feed.filesDone);
  const refused = refusedFiles(feed);
  set('streams_feed_files', { topic, state: 'pending' }, Math.max(0, feed.filesTotal - feed.filesDone - refused));
  set('streams_feed_files', { topic, state: 'refused' }, refused);
}

/** Counters of this process: with what was read before it they would jump at its start, and fall after kill -9. */
function setFeedWork(set: SetMetric, feed: FeedProgress): void {
  const { topic } = feed;
  set('streams_records_consumed_total', { topic }, feed.rows);
  set('streams_bytes_consumed_total', { topic }, feed.bytes);
  // Reasons that are known are there from the start, so that the first letter is an increase that alerts can see.
  for (const reason of new Set<string>([...deadReasons, ...Object.keys(feed.deadByReason)]))
    set('streams_feed_dead_records_total', { topic, reason }, feed.deadByReason[reason] ?? 0);
  set('streams_feed_late_records_total', { topic }, feed.late);
  set('streams_feed_skipped_records_total', { topic }, feed.skipped);
}

function setStore(set: SetMetric, stats: StoreStats): void {
  const { store, hits, misses } = stats;
  set('streams_store_operations_total', { store, operation: 'get' }, hits + misses);
  set('streams_store_operations_total', { store, operation: 'put' }, stats.puts);
  if (hits + misses > 0) set('streams_store_cache_hit_ratio', { store }, hits / (hits + misses));
  set('streams_store_cache_entries', { store }, stats.cachedEntries);
  set('streams_store_dirty_bytes', { store }, stats.dirtyBytes);
  set('streams_store_expired_windows_total', { store }, stats.expired);
}
