import { of, rateBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** The processes themselves. */
export const processes: Section = {
  title: 'Processes',
  panels: [
    graph({ title: 'Processor', description: 'Cores that each instance keeps busy.', unit: 'short' }, [
      [rateBy('instance', 'process_cpu_seconds_total'), '{{instance}}'],
    ]),
    graph(
      { title: 'Memory', description: 'Resident memory, and the part of it that is the heap in use.', unit: 'bytes' },
      [
        [of('process_resident_memory_bytes'), 'resident {{instance}}'],
        [of('nodejs_heap_size_used_bytes'), 'heap {{instance}}'],
      ],
    ),
    graph(
      {
        title: 'Event loop',
        description: 'How late the 99th percentile of timers ran. Heartbeats of the group run on timers too.',
        unit: 's',
      },
      [[of('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']],
    ),
    graph({ title: 'Garbage collection', description: 'Share of the time that is spent on it.', unit: 'percentunit' }, [
      [rateBy('instance', 'nodejs_gc_duration_seconds_sum'), '{{instance}}'],
    ]),
    graph({ title: 'Open files', description: 'File descriptors, sockets included.', unit: 'short' }, [
      [of('process_open_fds'), '{{instance}}'],
    ]),
    graph(
      {
        title: 'Scrapes',
        description: 'How long a scrape takes, and scrapes in the last hour in which some metrics failed.',
        unit: 's',
      },
      [
        [of('scrape_duration_seconds'), 'seconds {{instance}}'],
        [
          `sum by (instance) (increase(${of('streams_scrape_errors_total')}[1h]))`,
          'failed in the last hour {{instance}}',
        ],
      ],
    ),
  ],
};
