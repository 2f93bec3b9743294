import { join } from 'node:path';
import type { CommandContext, CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { civilDate, durationMs, ratio, wholeNumber } from '../../../src/cli/option-parsers.ts';
import { jsonOption } from '../../../src/cli/option-spec.ts';
import { folderReason, StreamsError } from '../../../src/common/errors.ts';
import { makeFolder } from '../../../src/common/make-folder.ts';
import { withPackages } from '../../../src/common/optional-packages.ts';
import { parseCivilDate } from '../../../src/common/time/civil.ts';
import { gridSpec } from '../application-spec.ts';
import { type FaultName, faultNames } from '../generator/park-faults.ts';
import { importSettings } from '../import/import-settings.ts';
import type { SourceAddress } from '../import/source-url.ts';
import { databaseNeed } from '../packages.ts';
import { generateShown } from './generate-shown.ts';

/** `generate`: a data set with the statistics that it must give. */
export const generateCommand: CommandSpec = defineCommand({
  name: 'generate',
  summary: 'make a data set, with the statistics that it must give',
  description:
    'Makes a data set in the shape of the real one: OUT/events, OUT/park, and OUT/truth with the 24 statistics that the events must give, counted ' +
    'by the generator itself, and the lists of damaged and late rows and of the faults of the park. The same options with the same seed give the same bytes.',
  examples: [
    'weir generate --out data --from 2018-01-01 --days 90 --meters 200 --concentrators 20 --seed 1',
    'weir generate --out data --from 2018-01-01 --days 30 --meters 1000000 --concentrators 9000 --seed 1 --events-per-day 1000000',
    'weir generate --out data --from 2018-01-01 --days 30 --meters 200 --concentrators 20 --seed 1 --late --damage 1%',
    'weir generate --out data --from 2018-01-01 --days 30 --park data/park --seed 1 --traffic bursty --skew 20m --duplicates 1% --too-late 1%',
    'weir generate --out data --from 2018-01-01 --days 1 --meters 1000000 --concentrators 9000 --communes communes.csv --faults all --seed 1 --to mysql://grid@db/parc',
  ],
  options: [
    { flags: '--out <dir>', description: 'folder that gets events, park and truth', required: true },
    { flags: '--from <date>', description: 'first day', required: true, parse: civilDate },
    { flags: '--days <n>', description: 'number of days', required: true, parse: wholeNumber(1) },
    { flags: '--park <dir>', description: 'folder of a park that is there: only events are made, for it' },
    { flags: '--meters <n>', description: 'number of meters of a park that is made', parse: wholeNumber(1) },
    { flags: '--concentrators <n>', description: 'number of its concentrators', parse: wholeNumber(1) },
    {
      flags: '--communes <file>',
      description: "CSV file of the communes that it is made in, with the park's columns (default: made-up ones)",
    },
    {
      flags: '--faults <names>',
      description: `none: a park without faults; all, or some of ${faultNames.join(', ')}: with one of each, which an import must find (default: those that parks grow)`,
      parse: faultList,
    },
    {
      flags: '--to <url>',
      description:
        'write the park into this database too: mysql:// or postgres://, with the password as for park import',
    },
    { flags: '--seed <n>', description: 'decides all that is left to chance', required: true, parse: wholeNumber(0) },
    { flags: '--events-per-day <n>', description: 'events of each day', default: '8640', parse: wholeNumber(1) },
    {
      flags: '--traffic <kind>',
      description:
        'how events are spread: evenly, in bursts at the full hours, or over days that differ by season, weekday and chance',
      choices: ['steady', 'bursty', 'uneven'],
      default: 'steady',
    },
    {
      flags: '--skew <duration>',
      description: 'clocks of equipment are wrong by up to this, at most 55 minutes ahead',
      default: '0',
      parse: durationMs,
    },
    {
      flags: '--duplicates <rate>',
      description: 'share of the rows that come twice within an hour; both count',
      default: '0',
      parse: ratio,
    },
    {
      flags: '--too-late <rate>',
      description: 'share of the rows that come three files after their day, too late to count',
      default: '0',
      parse: ratio,
    },
    { flags: '--late', description: 'shuffle rows within 12 hours of event time' },
    {
      flags: '--damage <rate>',
      description: 'share of the rows that is damaged, such as 0.01 or 1%',
      default: '0',
      parse: ratio,
    },
    { flags: '--zone <name>', description: 'IANA zone of times and dates', default: gridSpec.defaults.zone },
    { ...jsonOption, description: 'print a summary as JSON at the end' },
  ],
  kind: 'batch',
  settings: importSettings,
  settingsFor: ({ to }) => (to === undefined ? [] : importSettings),
  async run(context) {
    const { json, from, traffic, skew, to, ...options } = context.options;
    const address = to === undefined ? undefined : await databaseOf(to, context);
    if (address !== undefined && options.park !== undefined)
      throw new StreamsError('STREAMS_USAGE', '--to writes a park that is made: leave --park out.');
    const plan = {
      from: parseCivilDate(from)!,
      skewSeconds: Math.round(skew / 1000),
      bursty: traffic === 'bursty',
      uneven: traffic === 'uneven',
    };
    await makeFolder(options.out).catch((error: unknown) => {
      const message = `the folder ${options.out} cannot be made: ${folderReason(error)}. Give another one with --out.`;
      throw StreamsError.from(error, 'STREAMS_FILE', message, { file: options.out });
    });
    const made = await generateShown({ ...given(options), ...plan }, context);
    if (address !== undefined) {
      const { writeParkTables } = await withPackages(databaseNeed, () => import('../import/write-park-tables.ts'));
      const dates = options.faults?.includes('bad-date') ? 'varchar(8)' : 'date';
      const { logger, signal } = context;
      await writeParkTables({ park: join(options.out, 'park'), address, dates, logger, signal });
    }
    if (!json) return;
    const { rows, damaged, bytes, daysDone: days } = made;
    context.stdout.write(`${JSON.stringify({ days, rows, damaged, bytes })}\n`);
  },
});

/** The options that were given. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function faultList(text: string): readonly FaultName[] {
  if (text === 'none') return [];
  if (text === 'all') return faultNames;
  return text.split(',').map((name) => {
    const found = faultNames.find((known) => known === name);
    if (found === undefined) throw new Error(`expected none, all, or some of ${faultNames.join(', ')}`);
    return found;
  });
}

async function databaseOf(url: string, { config, env }: CommandContext): Promise<SourceAddress> {
  const { sourceAddresses } = await import('../import/source-url.ts');
  const passwords = { password: config.get('import.password'), file: config.get('import.password.file'), env };
  return sourceAddresses([url], passwords, '--to')[0]!;
}
