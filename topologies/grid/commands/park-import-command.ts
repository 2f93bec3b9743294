import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { engineSettings } from '../../../src/cli/engine-settings.ts';
import { accessSettings } from '../../../src/cli/http-access.ts';
import { brokerSettings, brokersOption } from '../../../src/cli/open-broker.ts';
import { jsonOption } from '../../../src/cli/option-spec.ts';
import { accessOptionsOf, hostOption, portOption, stateOption } from '../../../src/cli/state-options.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { withPackages } from '../../../src/common/optional-packages.ts';
import type { Config } from '../../../src/config/config.ts';
import type { SettingName } from '../../../src/config/settings.ts';
import { gridSpec } from '../application-spec.ts';
import type { ImportReport } from '../import/import-park.ts';
import { importSettings } from '../import/import-settings.ts';
import { databaseNeed } from '../packages.ts';

const topicSettings: readonly SettingName[] = [...brokerSettings, 'replication.factor'];

/** `park import`: the park out of databases. */
export const parkImportCommand: CommandSpec = defineCommand({
  name: 'park import',
  summary: 'import the park from databases',
  description:
    'Reads the tables of the park out of MySQL, MariaDB or PostgreSQL, judges them, and writes the equipments whose places differ from what is there, into a state folder. Faulty tables change nothing. Past statistics move to where they belong.',
  examples: [
    'weir park import --from mysql://grid@db/parc --from mysql://grid@db/reseaux --state data/state',
    'weir park import --from postgres://grid@db/grid --brokers localhost:9092 --dry-run',
    'weir park import --from postgres://grid@db/grid --brokers localhost:9092 --schedule "0 5 * * *" --zone Europe/Paris',
  ],
  options: [
    {
      flags: '--from <url>',
      description:
        'database with tables of the park: mysql://USER@HOST:PORT/DATABASE or postgres://; the password comes from WEIR_IMPORT_PASSWORD, WEIR_IMPORT_PASSWORD_FILE or ?password-file=',
      repeatable: true,
      required: true,
    },
    { ...stateOption, description: 'folder of the state to import into' },
    { ...brokersOption, description: 'import into the topic of the park at these brokers instead' },
    { flags: '--topic <name>', description: 'topic of the park', default: 'grid-park' },
    {
      flags: '--zone <name>',
      description: `IANA zone whose days installations begin and end on (default: that of the state, else ${gridSpec.defaults.zone})`,
    },
    { flags: '--map <file>', description: 'YAML file that says what tables and columns are called in the databases' },
    { flags: '--quarantine', description: 'leave faulty rows out instead of refusing the whole' },
    {
      flags: '--faults <file>',
      description: 'CSV file that names all faults (default: park-faults.csv in the state folder, with --brokers here)',
    },
    {
      flags: '--max-shrink <percent>',
      description: 'part of its rows that a table may have lost since the last import',
      default: '20',
      parse: percent,
    },
    {
      flags: '--copy-to <place>',
      description:
        'keep the tables as they were read in a folder of the day: of a folder, hdfs://[user@]namenode:9870/path, or s3://bucket/prefix',
    },
    {
      flags: '--copy-format <name>',
      description: 'of the tables that are kept',
      choices: ['csv', 'parquet'],
      default: 'csv',
    },
    {
      flags: '--schedule <pattern>',
      description: 'import at these times until SIGINT or SIGTERM: "0 5 * * *" is each day at five, in --zone',
    },
    {
      ...portOption,
      description: 'with --schedule: port to serve /metrics at; 0 takes any free one and prints it',
      needs: '--schedule',
    },
    { ...hostOption, needs: '--schedule' },
    ...accessOptionsOf('--schedule'),
    { flags: '--dry-run', description: 'print the difference and change nothing' },
    { ...jsonOption, description: 'print the difference as JSON' },
  ],
  kind: 'batch',
  commits: true,
  kindFor: ({ schedule }) => (schedule === undefined ? 'batch' : 'continuous'),
  settings: [...engineSettings, ...topicSettings, ...accessSettings, ...importSettings, 'task.timeout.ms'],
  settingsFor: ({ schedule, copyTo }, config) => [
    ...importSettings,
    ...(intoOf(config) === 'state' ? engineSettings : topicSettings),
    ...(schedule === undefined ? [] : accessSettings),
    ...(copyTo === undefined ? [] : (['task.timeout.ms'] as const)),
  ],
  async run(context) {
    const { options, config, stdout } = context;
    const [{ ImportJob }, { importText }, { serveImports }] = await withPackages(databaseNeed, () =>
      Promise.all([
        import('../import/import-job.ts'),
        import('../import/import-text.ts'),
        import('../import/serve-imports.ts'),
      ]),
    );
    const job = new ImportJob({ ...options, into: intoOf(config) }, context);
    const print = async (report: ImportReport): Promise<void> => {
      stdout.write(options.json ? `${JSON.stringify(report)}\n` : importText(report));
      await stdout.flush();
    };
    if (options.schedule === undefined) return print(await job.run());
    if (options.dryRun) throw usage('--dry-run changes nothing, and --schedule repeats it: give one of them');
    const { schedule: pattern, zone = gridSpec.defaults.zone, port, host, json } = options;
    await serveImports(job, { pattern, zone, port, host, json, print }, context);
  },
});

/** Brokers are meant wherever they are named, unless a state is named on the command line. */
function intoOf(config: Config): 'state' | 'topic' {
  const isFlag = (name: SettingName): boolean => config.origin(name).source === 'flag';
  if (isFlag('state.dir') && isFlag('bootstrap.servers'))
    throw usage('--state and --brokers each say what is imported into: give one of them');
  return isFlag('state.dir') || config.get('bootstrap.servers').length === 0 ? 'state' : 'topic';
}

function usage(message: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', `${message}.`);
}

function percent(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 100) throw new Error('expected a percentage from 0 to 100');
  return value;
}
