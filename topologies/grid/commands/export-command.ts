import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { withState } from '../../../src/cli/read-state.ts';
import { stateOption } from '../../../src/cli/state-options.ts';
import { gridSpec } from '../application-spec.ts';

/** `export`: the 24 statistics as CSV files. */
export const exportCommand: CommandSpec = defineCommand({
  name: 'export',
  summary: 'write the 24 statistics as CSV files',
  description: `Writes day_type.csv to year_region.csv: open windows too, sorted by their columns as text. A file replaces an older one when it is whole.`,
  examples: ['weir export --out out', 'weir export --state /var/lib/weir --out /srv/statistics'],
  options: [stateOption, { flags: '--out <dir>', description: 'folder that gets the files', required: true }],
  kind: 'batch',
  settings: true,
  run: ({ options, config, signal, logger }) =>
    withState(gridSpec, { directory: options.state, config }, async (state) => {
      const { exportStatistics } = await import('../statistics/export-statistics.ts');
      const { statisticSource } = await import('../application.ts');
      const { stores, zone } = statisticSource(state);
      const files = await exportStatistics(stores, options.out, zone, { signal });
      const rows = files.reduce((sum, file) => sum + file.rows, 0);
      logger.info({ out: options.out, files: files.length, rows }, 'exported the statistics');
    }),
});
