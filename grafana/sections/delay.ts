import { bucketsOf, quantileBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph, heatmap } from '../panels.ts';

/** How long a record takes: until it is processed, and until its results can be read. */
export const delay: Section = {
  title: 'Age and delay of records',
  panels: [
    heatmap(
      {
        title: 'Age of records',
        description:
          'How old records are when they are processed, by their event time. All above a day: old records are replayed.',
        unit: 's',
      },
      bucketsOf('streams_record_age_seconds'),
    ),
    heatmap(
      {
        title: 'Delay of results',
        description:
          'How long after the event time of a record the commit ended that made its results visible. Where it is far above the age, commits are slow.',
        unit: 's',
      },
      bucketsOf('streams_record_delay_seconds'),
    ),
    graph(
      {
        title: 'Delay by sub-topology',
        description:
          'The delay that half of the records stay below, and that of 99 of 100, in each sub-topology: those behind a repartition wait for the commits before it.',
        unit: 's',
      },
      [
        [quantileBy(0.5, 'topology', 'streams_record_delay_seconds'), 'p50 {{topology}}'],
        [quantileBy(0.99, 'topology', 'streams_record_delay_seconds'), 'p99 {{topology}}'],
      ],
    ),
  ],
};
