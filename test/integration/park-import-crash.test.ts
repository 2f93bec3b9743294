import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { withoutApplication } from '../observability/scrapes.ts';
import { changedPark, engines, golden, importWorld } from './helpers/import-world.ts';
import { until } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { killedImports } from './helpers/killed-imports.ts';
import { digestOf, weir } from './helpers/weir.ts';

if (existsSync(golden)) {
  test.serial('imports into a state that are killed 30 times change it whole or not at all', async (t) => {
    const world = await importWorld(t, engines['PostgreSQL']!);
    if (world === undefined) return;
    const digestWith = async (name: string, park: string): Promise<string> => {
      const state = join(world.folder, name);
      await weir(['replay', '--events', `${golden}/events`, '--park', park, '--state', state]);
      return digestOf(state);
    };
    const other = changedPark(join(world.folder, 'other'), { installation_c: [['3,3,20170101,', '11,3,20170101,']] });
    const state = join(world.folder, 'state');
    await weir(['park', 'import', ...world.from, '--state', state]);
    await weir(['replay', '--events', `${golden}/events`, '--state', state]);
    await killedImports(t, {
      ...{ world, target: ['--state', state], inForce: () => digestOf(state) },
      golden: await digestWith('golden', `${golden}/park`),
      other: await digestWith('changed', other),
    });
  });

  test.serial('a copy of the tables appears whole or not at all when its import is killed', async (t) => {
    const world = await importWorld(t, engines['PostgreSQL']!);
    if (world === undefined) return;
    const copies = join(world.folder, 'copies');
    const importing = ['park', 'import', ...world.from, '--state', join(world.folder, 'state'), '--copy-to', copies];
    for (let kill = 1; kill <= 5; kill++) {
      const child = new WeirProcess([...importing, '--log-level', 'info']);
      await until('tables are read', () => !child.running || child.stderr.split('read a table').length > 2 * kill - 1);
      await child.signal('SIGKILL');
      const seen = (await readdir(copies)).filter((name) => !name.startsWith('.'));
      for (const name of seen) t.is((await readdir(join(copies, name))).length, 9);
    }
    await weir(importing);
    const seen = (await readdir(copies)).filter((name) => /^\d{8}(_\d+)?$/.test(name));
    t.true(seen.length > 0);
    await weir(['replay', '--park', join(copies, seen.at(-1)!), '--state', join(world.folder, 'from-copy')]);
  });

  test.serial(
    'a schedule imports one after the other, goes on when the database is back, tells /metrics, and ends with 0 at SIGTERM',
    async (t) => {
      const world = await importWorld(t, engines['MariaDB']!);
      if (world === undefined) return;
      const state = join(world.folder, 'state');
      const words = [
        'park',
        'import',
        ...world.from,
        '--state',
        state,
        '--schedule',
        '* * * * * *',
        '--zone',
        'Europe/Paris',
      ];
      const child = new WeirProcess([...words, '--port', '0', '--log-level', 'info']);
      t.teardown(() => child.signal('SIGKILL'));
      const metric = async (name: string): Promise<number> => {
        const text = withoutApplication(await (await fetch(`${child.url}/metrics`)).text());
        return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
      };
      await until('it serves', () => child.url !== undefined);
      const success = 'grid_park_import_attempts_total{outcome="success"}';
      await until('two imports succeeded', async () => (await metric(success)) >= 2);
      t.is(await metric('grid_park_import_rows{table="communes"}'), 36_742);
      t.is(await metric('grid_park_import_equipments{change="unchanged"}'), 30);
      t.true(Math.abs((await metric('grid_park_import_last_success_timestamp_seconds')) - Date.now() / 1000) < 600);
      await world.server.kill('SIGKILL');
      await until(
        'an import failed',
        async () => (await metric('grid_park_import_attempts_total{outcome="failure"}')) >= 1,
      );
      const before = await metric(success);
      await world.server.start();
      await until('it imports again', async () => (await metric(success)) > before);
      await world.server.kill('SIGSTOP');
      t.is(await child.stop(), 0, 'also while the database hangs');
      await world.server.kill('SIGCONT');
      t.regex(child.stdout, /30 installed/);
      const read = child.stderr.match(/"table":"\w+"|table=\w+/g) ?? [];
      t.true(read.length > 0);
    },
  );
} else {
  test('golden data', (t) => {
    t.log(`${golden} is not there: set GOLDEN_DATA`);
    t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
  });
}
