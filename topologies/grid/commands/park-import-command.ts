import { join } from 'node:path';
import type { CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { jsonOption } from '../../../src/cli/option-spec.ts';
import { stateOption } from '../../../src/cli/state-options.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { gridSpec } from '../application-spec.ts';

/** `park import`: the park out of databases. */
export const parkImportCommand: CommandSpec = defineCommand({
  name: 'park import',
  summary: 'import the park from databases',
  description:
    'Reads the tables of the park out of MySQL, MariaDB or PostgreSQL, judges them, and writes the equipments whose places differ from what is there, into a state folder. Faulty tables change nothing. Past statistics move to where they belong.',
  examples: [
    'weir park import --from mysql://grid@db/parc --from mysql://grid@db/reseaux --state data/state',
    'weir park import --from postgres://grid@db/grid --state data/state --dry-run',
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
    {
      flags: '--zone <name>',
      description: `IANA zone whose days installations begin and end on (default: that of the state, else ${gridSpec.defaults.zone})`,
    },
    { flags: '--map <file>', description: 'YAML file that says what tables and columns are called in the databases' },
    { flags: '--quarantine', description: 'leave faulty rows out instead of refusing the whole' },
    {
      flags: '--faults <file>',
      description: 'CSV file that names all faults (default: park-faults.csv in the state folder)',
    },
    {
      flags: '--max-shrink <percent>',
      description: 'part of its rows that a table may have lost since the last import',
      default: '20',
      parse: percent,
    },
    { flags: '--copy-to <dir>', description: 'keep the tables as they were read, as CSV in a folder of the day' },
    { flags: '--dry-run', description: 'print the difference and change nothing' },
    { ...jsonOption, description: 'print the difference as JSON' },
  ],
  kind: 'batch',
  settings: true,
  async run({ options, config, logger, signal, stdout, env }) {
    const [{ importPark }, { sourceAddresses }, { openSource }, { Faults }, { importText }] = await Promise.all([
      import('../import/import-park.ts'),
      import('../import/source-url.ts'),
      import('../import/open-source.ts'),
      import('../import/faults.ts'),
      import('../import/import-text.ts'),
    ]);
    const { StateTarget } = await import('../import/state-target.ts');
    const { readTableMap } = await import('../import/table-map.ts');
    const { CsvCopies } = await import('../import/csv-copies.ts');
    const { civilToday } = await import('../import/civil-today.ts');
    const { state: directory, zone } = options;
    if (options.from.length === 0) throw new StreamsError('STREAMS_USAGE', 'give --from.');
    const addresses = sourceAddresses(options.from, {
      password: config.get('import.password'),
      file: config.get('import.password.file'),
      env,
    });
    const target = new StateTarget({ directory, zone, config, logger });
    const report = await importPark({
      sources: addresses.map((address) => openSource(address, signal)),
      target,
      map: options.map === undefined ? new Map() : readTableMap(options.map),
      faults: new Faults(options.faults ?? join(directory, 'park-faults.csv')),
      quarantine: options.quarantine,
      maxShrink: options.maxShrink,
      dryRun: options.dryRun,
      ...(options.copyTo === undefined
        ? {}
        : { copies: new CsvCopies(options.copyTo, civilToday(zone ?? gridSpec.defaults.zone)) }),
      logger,
      signal,
    });
    stdout.write(options.json ? `${JSON.stringify(report)}\n` : importText(report));
  },
});

function percent(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 100) throw new Error('expected a percentage from 0 to 100');
  return value;
}
