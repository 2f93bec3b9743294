import { of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { bars, graph } from '../panels.ts';

/** Records on their way. */
export const throughput: Section = {
  title: 'Throughput and errors',
  panels: [
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
        title: 'Records waiting in tasks',
        description: 'Records read and not processed yet, by sub-topology.',
        unit: 'short',
      },
      [[totalBy('topology', 'streams_task_buffered_records'), 'sub-topology {{topology}}']],
    ),
    bars(
      {
        title: 'Errors of the last hour',
        description: 'The five most frequent codes. docs/errors.md explains each. All at 0: there was none.',
        unit: 'short',
      },
      [[`topk(5, sum by (code) (increase(${of('streams_errors_total')}[1h])))`, '{{code}}']],
      { width: 24 },
    ),
  ],
};
