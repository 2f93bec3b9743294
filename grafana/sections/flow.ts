import { of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { bars, graph } from '../panels.ts';

/** Records on their way: read, processed, written. */
export const flow: Section = {
  title: 'Lag and throughput',
  panels: [
    graph(
      {
        title: 'Lag by topic',
        description: 'Records before the end of each topic that are not processed yet, over its partitions.',
        unit: 'short',
      },
      [[totalBy('topic', 'streams_consumer_lag_records'), '{{topic}}']],
    ),
    graph(
      {
        title: 'Lag of the partition furthest behind',
        description: 'One partition far behind the others has a hot key, or a task that is stuck.',
        unit: 'short',
      },
      [[`max by (topic) (${of('streams_consumer_lag_records')})`, '{{topic}}']],
    ),
    graph(
      {
        title: 'Records processed',
        description: 'Records processed in a second by each sub-topology.',
        unit: 'recps',
      },
      [[rateBy('topology', 'streams_task_records_processed_total'), 'sub-topology {{topology}}']],
      { stacked: true },
    ),
    graph(
      { title: 'Records read', description: 'Records read from each topic in a second.', unit: 'recps' },
      [
        [
          `${rateBy('topic', 'streams_consumer_records_total')} or ${rateBy('topic', 'streams_records_consumed_total')}`,
          '{{topic}}',
        ],
      ],
      { stacked: true },
    ),
    graph(
      {
        title: 'Records written',
        description: 'Records written in a second to each changelog, repartition and output topic.',
        unit: 'recps',
      },
      [[rateBy('topic', 'streams_records_produced_total'), '{{topic}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Bytes written',
        description: 'Bytes written in a second to all topics, before compression.',
        unit: 'Bps',
      },
      [[rateBy('instance', 'streams_bytes_produced_total'), '{{instance}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Records waiting in tasks',
        description:
          'Records fetched and not processed yet. Fetching of a partition pauses at buffered.records.per.partition.',
        unit: 'short',
      },
      [
        [totalBy('topology', 'streams_task_buffered_records'), 'sub-topology {{topology}}'],
        [totalBy('', 'streams_consumer_buffered_records'), 'all partitions'],
      ],
    ),
    graph(
      {
        title: 'Position in each topic',
        description:
          'Sum of the positions over the partitions: flat while nothing is processed, and it falls after a reset.',
        unit: 'short',
      },
      [[totalBy('topic', 'streams_consumer_position_offset'), '{{topic}}']],
    ),
    bars(
      {
        title: 'Newest errors',
        description: 'Codes of the errors of the last hour. docs/errors.md explains each.',
        unit: 'short',
      },
      [[`topk(5, sum by (code) (increase(${of('streams_errors_total')}[1h])))`, '{{code}}']],
    ),
  ],
};
