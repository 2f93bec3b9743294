import { rateBy, totalBy } from '../expressions.ts';
import type { Section } from '../layout.ts';
import { graph } from '../panels.ts';

/** Of an application that reads files. */
export const files: Section = {
  title: 'Files',
  runsOn: 'files',
  panels: [
    graph(
      {
        title: 'Files: bytes left to read',
        description:
          'Bytes known to be in the files of each topic and not read yet: the lag of an application over files.',
        unit: 'bytes',
      },
      [[totalBy('topic', 'streams_feed_remaining_bytes'), '{{topic}}']],
    ),
    graph(
      {
        title: 'Files: by state',
        description: 'Files of each topic: done, pending (being read or yet to be read), or refused as a whole.',
        unit: 'short',
      },
      [[totalBy('topic, state', 'streams_feed_files'), '{{topic}} {{state}}']],
      { stacked: true, steps: true },
    ),
    graph(
      { title: 'Files: bytes read', description: 'Bytes read from the files of each topic in a second.', unit: 'Bps' },
      [[rateBy('topic', 'streams_bytes_consumed_total'), '{{topic}}']],
      { stacked: true },
    ),
    graph(
      {
        title: 'Files: rows outside the asked dates',
        description: 'Rows of each topic in a second that were skipped because of --from and --to.',
        unit: 'recps',
      },
      [[rateBy('topic', 'streams_feed_skipped_records_total'), '{{topic}}']],
    ),
  ],
};
