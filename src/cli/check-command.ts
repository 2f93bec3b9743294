import type { ApplicationSpec } from './application.ts';
import type { CheckRequest } from './check.ts';
import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { civilDate, durationMs, wholeNumber } from './option-parsers.ts';
import { formatOption, jsonOption, type OptionSpec } from './option-spec.ts';
import { keyOf } from './read-options.ts';

/** `check`: says what a replay would read of folders, and keeps nothing. For any application. */
export function checkCommand(spec: ApplicationSpec): CommandSpec {
  const tables = spec.tables.map(({ flags, description }): OptionSpec => ({ flags, description }));
  return defineCommand({
    name: 'check',
    summary: 'say what of folders would be read',
    description:
      'Reads folders as a replay into a new state would, and says of each file what it is, how many rows it has, from when to when, and which of them are bad; which files ' +
      'cannot be read and why, what is left out, which rows would come too late, and how many windows and keys there would be. Nothing is kept. Ends with 0 if all would be read, ' +
      'with 3 if a file or a table would not.',
    examples: [
      `${spec.name} check data/events`,
      `${spec.name} check --events data/events${tables.map(exampleOf).join('')} --sample`,
      `${spec.name} check exports --format meters.json --json`,
    ],
    arguments: [
      { name: 'folder', description: 'folders of events, before those of --events', optional: true, variadic: true },
    ],
    options: [
      { flags: '--events <dir>', description: 'folder of events; each is a topic', repeatable: true },
      formatOption,
      ...tables,
      { flags: '--from <date>', description: 'skip what happened before this civil date', parse: civilDate },
      { flags: '--to <date>', description: 'skip what happened on this civil date and later', parse: civilDate },
      {
        flags: '--zone <name>',
        description: `IANA zone of times and dates (default: ${spec.defaults.zone})`,
      },
      {
        flags: '--grace <duration>',
        description: `how long after its end a window takes late records (default: ${spec.defaults.grace})`,
        parse: durationMs,
      },
      {
        flags: '--partitions <n>',
        description: 'partitions of the topics, as lateness depends on them (default: 1)',
        parse: wholeNumber(1, 1024),
      },
      {
        flags: '--on-error <what>',
        description: 'continue: bad rows are told; fail: they are what would not be read',
        setting: 'deserialization.exception.handler',
      },
      { flags: '--sample', description: 'read the first MiB of each file alone: late rows are not told' },
      jsonOption,
    ],
    kind: 'batch',
    settings: ['max.future.ms', 'statestore.cache.max.bytes', 'processing.exception.handler'],
    async run(context) {
      const { check } = await import('./check.ts');
      const given = { ...context.options, ...context.args } as unknown as CheckOptions;
      const { folder, events, from, to, zone, grace, partitions, ...others } = given;
      const found = new Map<string, string>();
      for (const table of spec.tables) {
        const directory = context.options[keyOf(table) as keyof typeof context.options] as unknown;
        if (typeof directory === 'string') found.set(table.store, directory);
      }
      const settings = { from, to, zone, graceMs: grace, partitions };
      await check(spec, { ...others, settings, events: [...(folder ?? []), ...events], tables: found }, context);
    },
  });
}

interface CheckOptions extends Omit<CheckRequest, 'tables' | 'settings'> {
  readonly folder: readonly string[] | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly zone: string | undefined;
  readonly grace: number | undefined;
  readonly partitions: number | undefined;
}

function exampleOf({ flags }: OptionSpec): string {
  const name = flags.split(' ')[0]!;
  return ` ${name} data/${name.slice(2)}`;
}
