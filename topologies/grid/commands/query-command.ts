import type { CommandContext, CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { jsonOption } from '../../../src/cli/option-spec.ts';
import { withSource } from '../../../src/cli/read-source.ts';
import { allSourceSettings, sourceOptions, sourceSettings } from '../../../src/cli/source-options.ts';
import { formatTable } from '../../../src/cli/table.ts';
import { gridSpec } from '../application-spec.ts';
import type { StatisticRow } from '../statistics/query-statistics.ts';
import { eventTypes, groupings, periods } from '../statistics/statistic.ts';
import type { StatisticQuery } from '../statistics/statistic-query.ts';
import { namesOption } from './names-option.ts';

const columns = ['window_start', 'window_end', 'key', 'name', 'type_evt', 'n', 'final'] as const;

/** Rows that are laid out together: a query may give millions. */
const rowsPerPage = 10_000;

/** `query`: counts of one of the 24 statistics. */
export const queryCommand: CommandSpec = defineCommand({
  name: 'query',
  summary: 'print counts of a statistic',
  description:
    'Prints the counts of one of the 24 statistics, by window, key and type; counts of 0 are absent. A row is final when its window takes no more ' +
    'events. Windows are chosen by their first day.',
  examples: [
    'weir query day type --from 2018-01-01 --to 2018-01-08',
    'weir query month equipment --key C:8 --json',
    'weir query year region --type ev_K',
    'weir query month region --names',
    'weir query day type --url http://127.0.0.1:8080',
  ],
  arguments: [
    { name: 'period', description: 'length of the windows', choices: periods },
    { name: 'grouping', description: 'what is counted apart', choices: groupings },
  ],
  options: [
    { flags: '--key <key>', description: 'one group only: C:8 for equipment, the plain id for places' },
    { flags: '--type <type>', description: 'one type of event only', choices: eventTypes },
    { flags: '--from <date>', description: 'windows whose first day is this date or later' },
    { flags: '--to <date>', description: 'windows whose first day is before this date' },
    namesOption,
    jsonOption,
    ...sourceOptions,
  ],
  kind: 'batch',
  settings: allSourceSettings,
  settingsFor: sourceSettings,
  async run(context) {
    const { options, args, config, signal } = context;
    const { parseStatisticQuery } = await import('../statistics/statistic-query.ts');
    const query = parseStatisticQuery({ ...args, ...options });
    await withSource(gridSpec, { options, config, signal }, async (source) => {
      const { queryStatistics } = await import('../statistics/query-statistics.ts');
      const { statisticSource } = await import('../application.ts');
      const rows = queryStatistics(statisticSource(source), query);
      await (options.json ? writeJson(rows, context) : writeTable(rows, query, context));
    });
  },
});

async function writeTable(
  rows: AsyncIterable<StatisticRow>,
  { names, grouping }: StatisticQuery,
  { stdout, signal }: CommandContext,
): Promise<void> {
  const { namedLevel } = await import('../statistics/name-lookup.ts');
  const shown = columns.filter((column) => column !== 'name' || (names === true && namedLevel(grouping) !== undefined));
  let page: StatisticRow[] = [];
  let pages = 0;
  const write = async (): Promise<void> => {
    const text = formatTable(
      shown,
      page.map((row) => shown.map((column) => row[column] ?? '')),
    );
    stdout.write(pages++ === 0 ? text : text.slice(text.indexOf('\n') + 1));
    page = [];
    await stdout.flush();
  };
  for await (const row of rows) {
    if (page.push(row) < rowsPerPage) continue;
    await write();
    if (signal.aborted) return;
  }
  if (page.length > 0 || pages === 0) await write();
}

/** One object a line. */
async function writeJson(rows: AsyncIterable<StatisticRow>, { stdout, signal }: CommandContext): Promise<void> {
  let text = '[';
  let count = 0;
  for await (const row of rows) {
    text += `${count === 0 ? '' : ','}\n${JSON.stringify(row)}`;
    if (++count % rowsPerPage !== 0) continue;
    stdout.write(text);
    text = '';
    await stdout.flush();
    if (signal.aborted) return;
  }
  stdout.write(`${text}${count === 0 ? '' : '\n'}]\n`);
}
