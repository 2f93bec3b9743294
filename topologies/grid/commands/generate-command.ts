import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { civilDate, ratio, wholeNumber } from '../../../src/cli/option-parsers.ts';
import { jsonOption } from '../../../src/cli/option-spec.ts';
import { parseCivilDate } from '../../../src/common/time/civil.ts';
import { gridSpec } from '../application-spec.ts';
import { generateShown } from './generate-shown.ts';

/** `generate`: a data set with the statistics that it must give. */
export const generateCommand: CommandSpec = defineCommand({
  name: 'generate',
  summary: 'make a data set, with the statistics that it must give',
  description:
    'Makes a data set in the shape of the real one: OUT/events, OUT/park, and OUT/truth with the 24 statistics that the events must give, counted ' +
    'by the generator itself, and the list of damaged rows. The same options with the same seed give the same bytes.',
  examples: [
    'weir generate --out data --from 2018-01-01 --days 90 --meters 200 --concentrators 20 --seed 1',
    'weir generate --out data --from 2018-01-01 --days 30 --meters 1000000 --concentrators 9000 --seed 1 --events-per-day 1000000',
    'weir generate --out data --from 2018-01-01 --days 30 --meters 200 --concentrators 20 --seed 1 --late --damage 1%',
  ],
  options: [
    { flags: '--out <dir>', description: 'folder that gets events, park and truth', required: true },
    { flags: '--from <date>', description: 'first day', required: true, parse: civilDate },
    { flags: '--days <n>', description: 'number of days', required: true, parse: wholeNumber(1) },
    { flags: '--meters <n>', description: 'number of meters', required: true, parse: wholeNumber(1) },
    { flags: '--concentrators <n>', description: 'number of concentrators', required: true, parse: wholeNumber(1) },
    { flags: '--seed <n>', description: 'decides all that is left to chance', required: true, parse: wholeNumber(0) },
    { flags: '--events-per-day <n>', description: 'events of each day', default: '8640', parse: wholeNumber(1) },
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
  async run(context) {
    const { json, from, ...options } = context.options;
    const made = await generateShown({ ...options, from: parseCivilDate(from)! }, context);
    if (!json) return;
    const { rows, damaged, bytes, daysDone: days } = made;
    context.stdout.write(`${JSON.stringify({ days, rows, damaged, bytes })}\n`);
  },
});
