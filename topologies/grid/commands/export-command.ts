import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { withSource } from '../../../src/cli/read-source.ts';
import { sourceOptions } from '../../../src/cli/source-options.ts';
import { gridSpec } from '../application-spec.ts';

/** `export`: the 24 statistics as CSV files. */
export const exportCommand: CommandSpec = defineCommand({
  name: 'export',
  summary: 'write the 24 statistics as CSV files',
  description: `Writes day_type.csv to year_region.csv: open windows too, sorted by their columns as text. A file replaces an older one when it is whole.`,
  examples: [
    'weir export --out out',
    'weir export --state /var/lib/weir --out /srv/statistics',
    'weir export --url http://127.0.0.1:8080 --out out',
  ],
  options: [...sourceOptions, { flags: '--out <dir>', description: 'folder that gets the files', required: true }],
  kind: 'batch',
  settings: true,
  run: ({ options, config, signal, logger }) =>
    withSource(gridSpec, { options, config }, async (source) => {
      const { exportStatistics } = await import('../statistics/export-statistics.ts');
      const { statisticSource } = await import('../application.ts');
      const { stores, zone } = statisticSource(source);
      const files = await exportStatistics(stores, options.out, zone, { signal });
      const rows = files.reduce((sum, file) => sum + file.rows, 0);
      logger.info({ out: options.out, files: files.length, rows }, 'exported the statistics');
    }),
});
