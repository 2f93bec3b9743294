import { bucketsOf, of, quantileBy, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph, heatmap } from '../panels.ts';

/** Commits: how often, how long, how large. */
export const commits: Section = {
  title: 'Commits',
  panels: [
    graph({ title: 'Commits', description: 'Commits in a second, over the tasks of each instance.', unit: 'ops' }, [
      [rateBy('instance', 'streams_task_commits_total'), '{{instance}}'],
    ]),
    graph(
      { title: 'Time of a commit', description: 'How long a commit takes: half of them, and 99 of 100.', unit: 's' },
      [
        [quantileBy(0.5, 'instance', 'streams_task_commit_duration_seconds'), 'p50 {{instance}}'],
        [quantileBy(0.99, 'instance', 'streams_task_commit_duration_seconds'), 'p99 {{instance}}'],
      ],
    ),
    heatmap(
      { title: 'Spread of commits', description: 'How many commits took how long.', unit: 's' },
      bucketsOf('streams_task_commit_duration_seconds'),
    ),
    graph(
      { title: 'Rows of a commit', description: 'Rows of stores that a commit writes, on average.', unit: 'short' },
      [
        [
          `${rateBy('instance', 'streams_task_committed_rows_total')} / ${rateBy('instance', 'streams_task_commits_total')}`,
          '{{instance}}',
        ],
      ],
    ),
    graph(
      {
        title: 'Bytes to be committed',
        description:
          'Bytes of changed rows that wait for the next commit. Half of statestore.cache.max.bytes forces one.',
        unit: 'bytes',
      },
      [[totalBy('store', 'streams_store_dirty_bytes'), '{{store}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Age of the last commit',
        description:
          'How long ago each instance committed last. It grows while there is nothing to commit, and while a commit does not get through.',
        unit: 's',
      },
      [[`time() - max by (instance) (${of('streams_task_last_commit_timestamp_seconds')})`, '{{instance}}']],
    ),
  ],
};
