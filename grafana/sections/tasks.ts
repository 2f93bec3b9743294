import { rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Each task for itself: one that is stuck does not show in a sum. */
export const tasks: Section = {
  title: 'Tasks',
  panels: [
    graph(
      {
        title: 'Records processed by task',
        description:
          'Records that each task processes in a second. One at 0 beside others that work is stuck, or its partition is silent.',
        unit: 'recps',
      },
      [[rateBy('task_id', 'streams_task_records_processed_total'), 'task {{task_id}}']],
    ),
    graph(
      {
        title: 'Records waiting by task',
        description: 'Records that each task has read and not processed yet.',
        unit: 'short',
      },
      [[totalBy('task_id', 'streams_task_buffered_records'), 'task {{task_id}}']],
    ),
    graph(
      {
        title: 'Punctuations by task',
        description: 'Calls of punctuators in a second. 0 where the topology has none.',
        unit: 'ops',
      },
      [[rateBy('task_id', 'streams_task_punctuations_total'), 'task {{task_id}}']],
    ),
    graph(
      { title: 'Tasks of each instance', description: 'Active tasks that each instance owns.', unit: 'short' },
      [[totalBy('instance, kind', 'streams_tasks'), '{{instance}} {{kind}}']],
      { stacked: true, steps: true },
    ),
  ],
};
