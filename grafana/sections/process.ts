import { bucketsOf, of, quantileBy, rateBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph, heatmap } from '../panels.ts';

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
        title: 'Disk of the state',
        description: 'Bytes of the file system that holds the state folder: those that are free, and all.',
        unit: 'bytes',
      },
      [
        [of('streams_state_disk_free_bytes'), 'free {{instance}}'],
        [of('streams_state_disk_size_bytes'), 'size {{instance}}'],
      ],
    ),
    graph({ title: 'Requests', description: 'Requests in a second, by path and status.', unit: 'reqps' }, [
      [rateBy('route, code', 'streams_http_request_duration_seconds_count'), '{{route}} {{code}}'],
    ]),
    graph(
      { title: 'Slow requests', description: 'Within this time 99 of 100 answers had begun, by path.', unit: 's' },
      [[quantileBy(0.99, 'route', 'streams_http_request_duration_seconds'), '{{route}}']],
    ),
    heatmap(
      { title: 'Time of requests', description: 'How long requests took until their answers began.', unit: 's' },
      bucketsOf('streams_http_request_duration_seconds'),
    ),
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
