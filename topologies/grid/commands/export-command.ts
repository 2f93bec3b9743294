import { join } from 'node:path';
import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { safeCsvOption } from '../../../src/cli/option-spec.ts';
import { withSource } from '../../../src/cli/read-source.ts';
import { allSourceSettings, sourceOptions, sourceSettings } from '../../../src/cli/source-options.ts';
import { withCleanup } from '../../../src/cli/with-cleanup.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { openTarget } from '../../../src/sink/open-target.ts';
import { gridSpec } from '../application-spec.ts';
import { namesOption } from './names-option.ts';

/** The one file of `--format openmetrics`. */
const historyFile = 'history.om';

/** `export`: the 24 statistics as CSV files, or closed windows as a history for Prometheus. */
export const exportCommand: CommandSpec = defineCommand({
  name: 'export',
  summary: 'write the 24 statistics as files',
  description:
    'Writes day_type.csv to year_region.csv: open windows too, sorted by their columns as text. With --out a file replaces an older one when it is whole; with --to all files appear together, ' +
    `in a folder, in HDFS or in S3, _SUCCESS last. With --format openmetrics it writes ${historyFile} instead: the closed windows with their times, to fill a Prometheus with the past.`,
  examples: [
    'weir export --out out',
    'weir export --state /var/lib/weir --out /srv/statistics',
    'weir export --url http://127.0.0.1:8080 --out out',
    'weir export --names --out out',
    'weir export --to s3://statistics/20180131 --format parquet',
    'weir export --format openmetrics --out out',
  ],
  options: [
    ...sourceOptions,
    { flags: '--out <dir>', description: 'folder that gets the files, in the place of older ones' },
    {
      flags: '--to <place>',
      description:
        'where no export is yet: a folder, hdfs://[user@]namenode:9870/path, or s3://bucket/prefix; all files or none appear',
    },
    {
      flags: '--format <name>',
      description: 'of the files',
      choices: ['csv', 'jsonl', 'parquet', 'openmetrics'],
      default: 'csv',
    },
    safeCsvOption,
    namesOption,
    {
      flags: '--label <name=value>',
      description:
        'label of each sample of openmetrics; as your Prometheus has them (default: job=weir, instance=history)',
      parse: labelOf,
      repeatable: true,
    },
  ],
  kind: 'batch',
  settings: [...allSourceSettings, 'task.timeout.ms'],
  settingsFor: (options, config) => [
    ...sourceSettings(options, config),
    ...(options.to === undefined ? [] : (['task.timeout.ms'] as const)),
  ],
  run: ({ options, config, signal, logger }) =>
    withSource(gridSpec, { options, config, signal }, async (source) => {
      const { statisticSource } = await import('../application.ts');
      const statistics = statisticSource(source);
      const { out, to, format, safeCsv } = options;
      if ((out === undefined) === (to === undefined)) throw usage('give --out or --to, and not both');
      if (format === 'openmetrics') {
        if (out === undefined) throw usage('--format openmetrics writes one file: give its folder with --out');
        const { exportHistory } = await import('../statistics/open-metrics.ts');
        const labels = { job: 'weir', instance: 'history', ...Object.fromEntries(options.label) };
        const samples = await exportHistory(statistics, join(out, historyFile), { labels, signal });
        logger.info({ out, samples }, 'exported the history');
        return;
      }
      const { exportStatistics, exportStatisticsTo } = await import('../statistics/export-statistics.ts');
      const names = options.names ? statistics.names?.() : undefined;
      const how = { ...(names === undefined ? {} : { names }), format, safeCsv, signal };
      const { stores, zone } = statistics;
      const files = await withCleanup(async (defer) => {
        if (out !== undefined) return exportStatistics(stores, out, zone, how);
        const target = await openTarget(to!, { timeoutMs: config.get('task.timeout.ms'), logger });
        defer(() => target.close());
        return exportStatisticsTo(stores, target, zone, how);
      });
      const rows = files.reduce((sum, file) => sum + file.rows, 0);
      logger.info({ to: out ?? to, files: files.length, rows }, 'exported the statistics');
    }),
});

function usage(message: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', `${message}.`);
}

function labelOf(text: string): readonly [string, string] {
  const match = /^([a-zA-Z_]\w*)=(.*)$/.exec(text);
  if (match === null) throw new Error('expected name=value, such as job=weir');
  return [match[1]!, match[2]!];
}
