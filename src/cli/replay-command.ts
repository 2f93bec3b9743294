import type { ApplicationSpec } from './application.ts';
import type { CommandContext, CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';
import { engineSettings } from './engine-settings.ts';
import { accessSettings } from './http-access.ts';
import { civilDate, durationMs, wholeNumber } from './option-parsers.ts';
import type { OptionSpec } from './option-spec.ts';
import { formatOption, jsonOption } from './option-spec.ts';
import { keyOf } from './read-options.ts';
import type { ReplayRequest } from './replay.ts';
import { accessOptionsOf, hostOption, portOption, stateOption } from './state-options.ts';
import { writeAddress } from './write-address.ts';

/** Options of `replay` by their keys, those for tables aside. */
interface ReplayOptions {
  readonly events: readonly string[];
  readonly state: string;
  readonly out: string | undefined;
  readonly follow: boolean;
  readonly serve: boolean;
  readonly final: boolean;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly zone: string | undefined;
  readonly grace: number | undefined;
  readonly partitions: number | undefined;
  readonly format: string | undefined;
  readonly dead: string | undefined;
  readonly late: string | undefined;
  readonly verify: boolean;
  readonly rebuild: readonly string[];
  readonly port: number;
  readonly host: string;
  readonly json: boolean;
}

/** `replay`: takes folders of files into a state, goes on where the last run stopped. For any application. */
export function replayCommand(spec: ApplicationSpec): CommandSpec {
  const tables = spec.tables.map(({ flags, description }): OptionSpec => ({ flags, description }));
  return defineCommand({
    name: 'replay',
    summary: 'take files into a state',
    description: descriptionOf(spec),
    examples: [
      `${spec.name} replay --events data/events${tables.map(exampleOf).join('')} --out out`,
      `${spec.name} replay --events incoming --state /var/lib/${spec.name} --follow --serve`,
      `${spec.name} replay --events data/events --rebuild counts-by-day`,
      `${spec.name} replay --events a --events b --grace 48h --partitions 4 --set commit.interval.ms=200`,
    ],
    options: optionsOf(spec, tables),
    kind: 'batch',
    commits: true,
    kindFor: ({ follow, serve }) => (follow || serve ? 'continuous' : 'batch'),
    settings: [...engineSettings, ...accessSettings],
    settingsFor: ({ serve }) => (serve === true ? [...engineSettings, ...accessSettings] : engineSettings),
    async run(context) {
      const { replay } = await import('./replay.ts');
      const { stdout, options } = context;
      const { json } = options as unknown as ReplayOptions;
      await replay(spec, requestOf(spec, context), context, {
        serving: (url) => writeAddress(context, url, json),
        done: (_state, summary) => {
          if (json) stdout.write(`${JSON.stringify(summary)}\n`);
        },
      });
    },
  });
}

function optionsOf({ defaults }: ApplicationSpec, tables: readonly OptionSpec[]): readonly OptionSpec[] {
  const kept = 'kept with the state';
  return [
    {
      flags: '--events <dir>',
      description: 'folder of files (.csv, .csv.gz, .csv.zst); each is a topic',
      repeatable: true,
    },
    formatOption,
    ...tables,
    stateOption,
    { flags: '--out <dir>', description: 'export the results to this folder at the end' },
    { flags: '--follow', description: 'wait for more files and for files that grow, until SIGINT or SIGTERM' },
    { flags: '--serve', description: 'serve over HTTP meanwhile and afterwards, until SIGINT or SIGTERM' },
    { flags: '--final', description: 'close all windows at the end: the state takes no more input' },
    { flags: '--from <date>', description: `skip what happened before this civil date; ${kept}`, parse: civilDate },
    { flags: '--to <date>', description: `skip what happened on this civil date and later; ${kept}`, parse: civilDate },
    { flags: '--zone <name>', description: `IANA zone of times and dates; ${kept} (default: ${defaults.zone})` },
    {
      flags: '--grace <duration>',
      description: `how long after its end a window takes late records; ${kept} (default: ${defaults.grace})`,
      parse: durationMs,
    },
    {
      flags: '--partitions <n>',
      description: `partitions of the topics, as lateness depends on them; ${kept} (default: 1)`,
      parse: wholeNumber(1, 1024),
    },
    {
      flags: '--on-error <what>',
      description: 'continue: bad rows go to the dead letters; fail: stop at the first',
      setting: 'deserialization.exception.handler',
    },
    { flags: '--dead <file>', description: 'where bad rows go (default: dead.jsonl in the state folder)' },
    {
      flags: '--late <file>',
      description: 'where rows go that came too late (default: late.jsonl in the state folder)',
    },
    {
      flags: '--rebuild <store>',
      description:
        'first make this store anew, and those that it feeds, out of all that was read of --events: for a store that has changed, or is new',
      repeatable: true,
    },
    { flags: '--verify', description: 'compare all of each file read before, not only its ends' },
    { ...portOption, needs: '--serve' },
    { ...hostOption, needs: '--serve' },
    ...accessOptionsOf('--serve'),
    { ...jsonOption, description: 'print a summary as JSON at the end' },
  ];
}

function descriptionOf({ tables }: ApplicationSpec): string {
  const flags = ['--events', ...tables.map((table) => table.flags.split(' ')[0])].join(' or ');
  return (
    'Takes files into a state: each row counts exactly once, whatever interrupts the command, and a later run goes on where the last one ' +
    `stopped. Files that were read are not read again; a file that grew is read on. At least ${flags} is needed.`
  );
}

function exampleOf({ flags }: OptionSpec): string {
  const name = flags.split(' ')[0]!;
  return ` ${name} data/${name.slice(2)}`;
}

function requestOf(spec: ApplicationSpec, context: CommandContext): ReplayRequest {
  const { from, to, zone, grace, partitions, ...others } = context.options as unknown as ReplayOptions;
  const tables = new Map<string, string>();
  for (const table of spec.tables) {
    const directory = context.options[keyOf(table)];
    if (typeof directory === 'string') tables.set(table.store, directory);
  }
  return { ...others, tables, settings: { from, to, zone, graceMs: grace, partitions } };
}
