import { of } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Event time: how far it is, and how evenly. */
export const time: Section = {
  title: 'Event time',
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
        title: 'Observed time of windows',
        description: 'The least observed event time of each windowed operator: it decides which windows are closed.',
        unit: 'dateTimeAsIso',
      },
      [[`min by (node) (${of('streams_node_stream_timestamp_seconds')}) * 1000`, '{{node}}']],
      { fromZero: false },
    ),
  ],
};
