import { of, rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Stores and their caches. */
export const stores: Section = {
  title: 'Stores',
  panels: [
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
        title: 'Operations by store',
        description: 'Reads and writes of each store by processors, in a second.',
        unit: 'ops',
      },
      [[rateBy('store', 'streams_store_operations_total'), '{{store}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Rows expired',
        description: 'Rows that each store removes in a second because their retention is over.',
        unit: 'ops',
      },
      [[rateBy('store', 'streams_store_expired_windows_total'), '{{store}}']],
    ),
  ],
};
