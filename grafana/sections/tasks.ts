import { growthBy, of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Who works on what, and how local copies of the state come about. */
export const tasks: Section = {
  title: 'Tasks, restore and rebalances',
  panels: [
    graph(
      {
        title: 'Tasks by state',
        description: 'Active tasks process; standby ones keep a copy of the state. Restoring tasks do not process yet.',
        unit: 'short',
      },
      [[totalBy('kind, state', 'streams_task_state'), '{{kind}} {{state}}']],
      { stacked: true, steps: true },
    ),
    graph(
      { title: 'Tasks of each instance', description: 'Active tasks that each instance owns.', unit: 'short' },
      [[totalBy('instance, kind', 'streams_tasks'), '{{instance}} {{kind}}']],
      { stacked: true, steps: true },
    ),
    graph(
      {
        title: 'Rebalances',
        description: 'Assignments received within one step of the graph.',
        unit: 'short',
      },
      [[growthBy('instance', 'streams_rebalances_total'), '{{instance}}']],
    ),
    graph(
      {
        title: 'Generation of the group',
        description: 'All instances are in the same one; an instance that stays behind is not a member any more.',
        unit: 'short',
      },
      [[`max by (instance) (${of('streams_group_generation')})`, '{{instance}}']],
      { steps: true, fromZero: false },
    ),
    graph(
      {
        title: 'Left to restore',
        description:
          'Changelog records that restoring tasks have still to read. A restart restores only the missing tail.',
        unit: 'short',
      },
      [[totalBy('instance', 'streams_restore_remaining_records'), '{{instance}}']],
    ),
    graph({ title: 'Records restored', description: 'Changelog records read back in a second.', unit: 'recps' }, [
      [rateBy('instance', 'streams_restore_records_total'), '{{instance}}'],
    ]),
    graph(
      {
        title: 'Longest restore',
        description: 'How long the latest restore of a task took, the longest of each instance.',
        unit: 's',
      },
      [[`max by (instance) (${of('streams_restore_duration_seconds')})`, '{{instance}}']],
    ),
    graph(
      {
        title: 'Standbys behind',
        description:
          'Changelog records that standbys have not read yet: what a takeover would have to restore. 0 without standbys.',
        unit: 'short',
      },
      [[`${totalBy('instance', 'streams_standby_lag_records')} or on () vector(0)`, '{{instance}}']],
    ),
    graph(
      {
        title: 'Global tables behind',
        description:
          'Records of the topics of global tables, such as the park, that the slowest instance has not applied yet.',
        unit: 'short',
      },
      [[`max by (topic) (${of('streams_global_lag_records')})`, '{{topic}}']],
    ),
  ],
};
