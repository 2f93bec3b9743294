import { partitionKey } from '../clients/broker.ts';
import { together } from '../common/histogram.ts';
import { dropReasons } from '../processor/drop-reason.ts';
import type { KafkaInputStats, KafkaStats, KafkaTaskStats, KafkaTaskWork } from '../runtime/kafka/kafka-stats.ts';
import type { MetricCollector, SetMetric } from './metric-collector.ts';
import { kafkaMetrics } from './metric-names.ts';

/**
 * What only the runtime on Kafka knows, as metrics of this instance: sums over the instances are those of the application.
 *
 * It goes beside the engine's own collector, which has the state, commits, caches and errors.
 */
export function kafkaCollector(stats: () => KafkaStats): MetricCollector {
  return {
    metrics: kafkaMetrics,
    collect(set) {
      const now = stats();
      setMember(set, now);
      setLetters(set, now);
      const restores = Object.values(now.work).map((work) => work.restores);
      if (restores.length > 0) set('streams_restore_duration_seconds', {}, restores.reduce(together));
      for (const task of now.tasks) setTask(set, task, now.work[task.taskId]!);
      setInputs(
        set,
        now.tasks.flatMap((task) => task.inputs),
        now,
      );
      setGlobals(set, now);
      for (const { topic, records, bytes } of now.outputs) {
        set('streams_records_produced_total', { topic }, records);
        set('streams_bytes_produced_total', { topic }, bytes);
      }
      for (const [store, bytes] of Object.entries(now.storeBytes)) set('streams_store_size_bytes', { store }, bytes);
    },
  };
}

function setMember(set: SetMetric, stats: KafkaStats): void {
  const { clientId, clusterId = '', processingGuarantee } = stats;
  const client = { client_id: clientId, cluster_id: clusterId, processing_guarantee: processingGuarantee };
  set('streams_kafka_client_info', client, 1);
  for (const { number, active, standby } of stats.threads) {
    set('streams_thread_tasks', { thread: String(number), kind: 'active' }, active);
    set('streams_thread_tasks', { thread: String(number), kind: 'standby' }, standby);
  }
  set('streams_group_generation', {}, stats.generation);
  set('streams_rebalances_total', {}, stats.rebalances);
  set('streams_task_commit_failures_total', {}, stats.commitFailures);
  set('streams_transactions_aborted_total', {}, stats.transactionsAborted);
  set('streams_tasks_migrated_total', {}, stats.tasksMigrated);
  if (stats.committedEventTimeMs !== undefined) {
    set('streams_committed_event_timestamp_seconds', {}, stats.committedEventTimeMs / 1000);
  }
}

function setLetters(set: SetMetric, { deadLetters, lateLetters }: KafkaStats): void {
  // Reasons that are known are there from the start, so that the first letter is an increase that alerts can see.
  const reasons = new Set<string>([...dropReasons.filter((reason) => reason !== 'late'), ...Object.keys(deadLetters)]);
  for (const reason of reasons) set('streams_dead_letter_records_total', { reason }, deadLetters[reason] ?? 0);
  set('streams_late_letter_records_total', {}, lateLetters);
}

function setTask(set: SetMetric, task: KafkaTaskStats, work: KafkaTaskWork): void {
  const { taskId, kind, status, restore } = task;
  const labels = { topology: taskId.slice(0, taskId.indexOf('_')), task_id: taskId };
  set('streams_task_state', { ...labels, kind, state: status }, 1);
  if (kind === 'standby') {
    if (task.standbyLag !== undefined) set('streams_standby_lag_records', labels, task.standbyLag);
    return;
  }
  if (task.commitPaceMs !== undefined) set('streams_task_commit_interval_seconds', labels, task.commitPaceMs / 1000);
  set('streams_restore_records_total', labels, work.restored);
  // A task that had nothing to restore says so, instead of saying nothing; one that does not know yet says nothing.
  const { restored, total } = restore ?? { restored: 0, total: 0 };
  if (restore !== undefined || status === 'running')
    set('streams_restore_remaining_records', labels, Math.max(0, total - restored));
  // Not known of all, or not begun: absent, not too little.
  if (task.inputs.length > 0 && task.inputs.every(({ stableEnd }) => stableEnd >= 0))
    set(
      'streams_task_lag_records',
      labels,
      task.inputs.reduce((sum, { lag }) => sum + lag, 0),
    );
}

function setInputs(set: SetMetric, inputs: readonly KafkaInputStats[], { consumed, unread }: KafkaStats): void {
  // A topic that two sub-topologies read has two positions: what is shown is the one further behind, and what all tasks have taken.
  const byPartition = new Map<string, KafkaInputStats>();
  for (const input of inputs) {
    const key = partitionKey(input.topic, input.partition);
    const other = byPartition.get(key);
    byPartition.set(key, other === undefined ? input : furtherBehind(other, input));
  }
  for (const [key, { topic, partition, position, stableEnd, lag, buffered }] of byPartition) {
    const labels = { topic, partition: String(partition) };
    if (stableEnd >= 0) set('streams_consumer_lag_records', labels, lag);
    set('streams_consumer_position_offset', labels, position);
    set('streams_consumer_records_total', labels, consumed[key] ?? 0);
    set('streams_consumer_buffered_records', labels, buffered);
  }
  for (const { topic, partition, lag } of unread)
    if (!byPartition.has(partitionKey(topic, partition)))
      set('streams_consumer_lag_records', { topic, partition: String(partition) }, lag);
}

function furtherBehind(a: KafkaInputStats, b: KafkaInputStats): KafkaInputStats {
  const behind = a.lag >= b.lag ? a : b;
  return { ...behind, buffered: a.buffered + b.buffered };
}

function setGlobals(set: SetMetric, { globals }: KafkaStats): void {
  const byTopic = new Map<string, number>();
  for (const { topic, lag } of globals) byTopic.set(topic, (byTopic.get(topic) ?? 0) + lag);
  for (const [topic, lag] of byTopic) set('streams_global_lag_records', { topic }, lag);
}
