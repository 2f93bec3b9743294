import { rateBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Records that did not count. */
export const letters: Section = {
  title: 'Late and dead records',
  panels: [
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
