import type { MetricCollector, MetricSpec } from '../observability/metric-collector.ts';
import type { TopicSink } from './topic-sink.ts';

const topic = ['topic'];

/** Metrics of a sink. */
export const sinkMetricSpecs: readonly MetricSpec[] = [
  {
    name: 'streams_sink_rows_total',
    type: 'counter',
    help: 'Rows in files that were made visible since the process began',
    labels: topic,
  },
  {
    name: 'streams_sink_dead_records_total',
    type: 'counter',
    help: 'Records that are not rows, in dead-letter files that were made visible since the process began',
    labels: topic,
  },
  {
    name: 'streams_sink_files_total',
    type: 'counter',
    help: 'Files that were made visible since the process began',
    labels: topic,
  },
  {
    name: 'streams_sink_bytes_total',
    type: 'counter',
    help: 'Bytes of files that were made visible since the process began',
    labels: topic,
  },
  {
    name: 'streams_sink_last_commit_timestamp_seconds',
    type: 'gauge',
    help: 'When files of the partition last became visible, seconds since the epoch; absent before the first',
    labels: ['topic', 'partition'],
  },
  {
    name: 'streams_sink_lag_records',
    type: 'gauge',
    help: 'Offsets of the partition that are not in visible files yet, up to its stable end; absent until that is known',
    labels: ['topic', 'partition'],
  },
];

/** What `/metrics` says of a sink. */
export function sinkMetrics(name: string, sink: Pick<TopicSink, 'stats'>): MetricCollector {
  return {
    metrics: sinkMetricSpecs,
    collect(set) {
      const { rows, dead, files, bytes, partitions } = sink.stats();
      const labels = { topic: name };
      set('streams_sink_rows_total', labels, rows);
      set('streams_sink_dead_records_total', labels, dead);
      set('streams_sink_files_total', labels, files);
      set('streams_sink_bytes_total', labels, bytes);
      for (const { partition, committed, end, lastCommitMs } of partitions) {
        const of = { topic: name, partition: String(partition) };
        if (lastCommitMs !== undefined) set('streams_sink_last_commit_timestamp_seconds', of, lastCommitMs / 1000);
        if (end !== undefined) set('streams_sink_lag_records', of, Math.max(0, end - committed));
      }
    },
  };
}
