import { growthBy, of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Commits, and the stores that they write. */
export const state: Section = {
  title: 'Commits and state',
  panels: [
    graph({ title: 'Commits', description: 'Commits in a second, over the tasks of each instance.', unit: 'ops' }, [
      [rateBy('instance', 'streams_task_commits_total'), '{{instance}}'],
    ]),
    graph(
      {
        title: 'Time of a commit',
        description:
          'How long a commit takes, on average, and how far those of a task are apart at most: further while it is far behind.',
        unit: 's',
      },
      [
        [
          `${rateBy('instance', 'streams_task_commit_seconds_total')} / ${rateBy('instance', 'streams_task_commits_total')}`,
          '{{instance}}',
        ],
        [`max by (instance) (${of('streams_task_commit_interval_seconds')})`, '{{instance}}, interval'],
      ],
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
      { title: 'Stores on disk', description: 'Bytes of each store on disk, over all instances.', unit: 'bytes' },
      [[totalBy('store', 'streams_store_size_bytes'), '{{store}}']],
      { stacked: true },
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
        title: 'Reads answered by the cache',
        description: 'Share of the reads that needed no look at the disk, since the process began.',
        unit: 'percentunit',
      },
      [[`avg by (store) (${of('streams_store_cache_hit_ratio')})`, '{{store}}']],
    ),
    graph(
      { title: 'Rows in the cache', description: 'Rows that the caches hold, clean and changed.', unit: 'short' },
      [[totalBy('store', 'streams_store_cache_entries'), '{{store}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Operations of stores',
        description: 'Reads and writes of stores by processors, in a second.',
        unit: 'ops',
      },
      [[rateBy('operation', 'streams_store_operations_total'), '{{operation}}']],
    ),
    graph(
      {
        title: 'Commits that did not happen',
        description:
          'Within one step of the graph: failed commits, transactions given up, tasks that another instance owned already.',
        unit: 'short',
      },
      [
        [growthBy('', 'streams_task_commit_failures_total'), 'failed commits'],
        [growthBy('', 'streams_transactions_aborted_total'), 'aborted transactions'],
        [growthBy('', 'streams_tasks_migrated_total'), 'migrated tasks'],
      ],
    ),
  ],
};
