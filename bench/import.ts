/** How fast a large park is imported from a database, and in how much memory: all of it, again without a change, and with one of a hundred meters moved. */
import { join } from 'node:path';
import { databasePassword, startMariaDb, startPostgres } from '../test/helpers/databases.ts';
import { startKafka } from '../test/helpers/kafka-broker.ts';
import { printConditions } from './lib/conditions.ts';
import { lineOf } from './lib/figures.ts';
import { freshFolder } from './lib/folders.ts';
import { makeImportTables, moveMeters } from './lib/import-tables.ts';
import { readOptions } from './lib/options.ts';
import { root, runNode } from './lib/run-child.ts';

const { meters, database, into } = readOptions({ meters: 1_000_000, database: 'mariadb', into: 'state' });
const starts: Readonly<Record<string, typeof startMariaDb>> = { mariadb: startMariaDb, postgres: startPostgres };
const start = starts[database];
if (start === undefined || !['state', 'topic'].includes(into))
  throw new TypeError('--database is mariadb or postgres, --into is state or topic');

printConditions();
process.env['WEIR_IMPORT_PASSWORD'] = databasePassword;
const server = await start();
const kafka = into === 'topic' ? await startKafka() : undefined;
try {
  makeImportTables(server, meters);
  const folder = await freshFolder('imported');
  const faults = ['--faults', join(folder, 'faults.csv')];
  const target = kafka === undefined ? ['--state', folder] : ['--brokers', kafka.bootstrap, ...faults];
  await importOnce('first import', target, { installed: meters + Math.ceil(meters / 100) });
  await importOnce('again, nothing changed', target, { unchanged: meters + Math.ceil(meters / 100) });
  moveMeters(server);
  await importOnce('again, 1 % of the meters moved', target, { moved: Math.floor(meters / 100) });
} finally {
  await kafka?.stop();
  await server.stop();
}

async function importOnce(
  title: string,
  target: readonly string[],
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  const words = ['park', 'import', '--from', server.url('grid'), ...target, '--json'];
  const { stdout, ...usage } = await runNode(join(root, 'dist/topologies/grid/main.js'), words);
  const { difference } = JSON.parse(stdout) as { readonly difference: Readonly<Record<string, number>> };
  for (const [change, count] of Object.entries(expected))
    if (difference[change] !== count) throw new Error(`${title}: ${change} is ${difference[change]}, not ${count}`);
  console.log(lineOf({ title, count: meters, perSecond: meters / usage.wallSeconds, ...usage }));
}
