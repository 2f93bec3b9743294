import { averageBy, bucketsOf, rateBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph, heatmap } from '../panels.ts';

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
    heatmap(
      {
        title: 'Lateness of records',
        description:
          'How far processed records lie behind the event time of their task; those in order are below 0 s. What windows lose lies above their grace.',
        unit: 's',
      },
      bucketsOf('streams_record_lateness_seconds'),
    ),
    heatmap(
      {
        title: 'Lateness of dropped records',
        description:
          'How far records that were dropped as late lay behind the event time of their operator: how much more grace would have kept them.',
        unit: 's',
      },
      bucketsOf('streams_dropped_record_lateness_seconds'),
    ),
    graph(
      {
        title: 'Average lateness',
        description: 'How far processed records lay behind the event time of their task, on average.',
        unit: 's',
      },
      [[averageBy('topology', 'streams_record_lateness_seconds'), 'sub-topology {{topology}}']],
    ),
  ],
};
