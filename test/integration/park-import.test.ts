import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type DatabaseServer, startMariaDb, startPostgres } from '../helpers/databases.ts';
import { parcTables, parkTables, reseauxTables, writeTables } from '../helpers/park-tables.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { exported, filesOf, weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
process.env['WEIR_IMPORT_PASSWORD'] = 'grid';

for (const [name, start] of [
  ['MariaDB', startMariaDb],
  ['PostgreSQL', startPostgres],
] as const)
  test(`the golden park out of ${name} and the golden events give the golden files, byte for byte`, async (t) => {
    if (!existsSync(golden)) return t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
    const server = await started(start).catch((error: unknown) => {
      if (error instanceof PartMissing) return skipWithout(t, error);
      throw error;
    });
    if (server === undefined) return;
    t.teardown(() => server.stop());
    const folder = await mkdtemp(join(tmpdir(), 'weir-import-'));
    const tables = parkTables(`${golden}/park`);
    server.run('create database parc');
    server.run('create database reseaux');
    writeTables(server, 'parc', tables, parcTables);
    writeTables(server, 'reseaux', tables, reseauxTables);
    const from = ['--from', server.url('parc'), '--from', server.url('reseaux')];
    const state = join(folder, 'state');
    const report = JSON.parse(await weir(['park', 'import', ...from, '--state', state, '--json']));
    t.deepEqual(report.difference, { installed: 30, ended: 0, moved: 0, corrected: 0, unchanged: 0 });
    await weir(['replay', '--events', `${golden}/events`, '--state', state]);
    t.deepEqual(await exported(state, join(folder, 'out')), await filesOf(`${golden}/statistics`));
    const again = JSON.parse(await weir(['park', 'import', ...from, '--state', state, '--json']));
    t.deepEqual(again.difference, { installed: 0, ended: 0, moved: 0, corrected: 0, unchanged: 30 });
    t.deepEqual(again.windows, { day: [], week: [], month: [], year: [] });
  });

function started(start: () => Promise<DatabaseServer>): Promise<DatabaseServer> {
  return start();
}
