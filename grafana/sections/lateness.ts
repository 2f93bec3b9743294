import { of, rateBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Event time, how far records lie behind it, and those that did not count. */
export const lateness: Section = {
  title: 'Time, late and dead records',
  panels: [
    graph(
      {
        title: 'Event time by task',
        description: 'The highest event time that each task has seen. A task whose partition is silent stands still.',
        unit: 'dateTimeAsIso',
      },
      [[`max by (task_id) (${of('streams_task_stream_timestamp_seconds')}) * 1000`, 'task {{task_id}}']],
      { fromZero: false },
    ),
    graph(
      {
        title: 'Speed of event time',
        description:
          'Seconds of event time that pass in a second: 1 where events are as they happen, more while catching up.',
        unit: 'short',
      },
      [
        [
          `max by (topology) (deriv(${of('streams_task_stream_timestamp_seconds')}[$__rate_interval]))`,
          'sub-topology {{topology}}',
        ],
      ],
    ),
    graph(
      {
        title: 'Spread of event time',
        description:
          'Between the task furthest ahead and the one furthest behind. Above the grace, repartitioned records may be late.',
        unit: 's',
      },
      [
        [
          `max by (topology) (${of('streams_task_stream_timestamp_seconds')}) - min by (topology) (${of('streams_task_stream_timestamp_seconds')})`,
          'sub-topology {{topology}}',
        ],
      ],
    ),
    graph(
      {
        title: 'Average lateness',
        description: 'How far processed records lay behind the event time of their task, on average.',
        unit: 's',
      },
      [
        [
          `${rateBy('topology', 'streams_task_record_lateness_seconds_total')} / ${rateBy('topology', 'streams_task_records_processed_total')}`,
          'sub-topology {{topology}}',
        ],
      ],
    ),
    graph(
      {
        title: 'Age of the newest committed event',
        description:
          'Wall clock minus the highest committed event time: what a reader of the results has to wait. Large by nature when old events are replayed.',
        unit: 's',
      },
      [[`time() - max(${of('streams_committed_event_timestamp_seconds')})`, 'age']],
    ),
    graph(
      {
        title: 'Observed time of windows',
        description: 'The least observed event time of each windowed operator: it decides which windows are closed.',
        unit: 'dateTimeAsIso',
      },
      [[`min by (node) (${of('streams_node_stream_timestamp_seconds')}) * 1000`, '{{node}}']],
      { fromZero: false },
    ),
    graph(
      {
        title: 'Records dropped',
        description: 'Records in a second that did not count, by reason. late: their window had closed.',
        unit: 'recps',
      },
      [[rateBy('reason', 'streams_task_records_dropped_total'), '{{reason}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Dead letters',
        description: 'Records in a second that went to the dead letters, by reason.',
        unit: 'recps',
      },
      [
        [
          `${rateBy('reason', 'streams_dead_letter_records_total')} or ${rateBy('reason', 'streams_feed_dead_records_total')}`,
          '{{reason}}',
        ],
      ],
      { stacked: true },
    ),
    graph(
      {
        title: 'Late letters',
        description: 'Records in a second that were kept because they came too late.',
        unit: 'recps',
      },
      [
        [
          `${rateBy('', 'streams_late_letter_records_total')} or ${rateBy('', 'streams_feed_late_records_total')}`,
          'late',
        ],
      ],
    ),
  ],
};
