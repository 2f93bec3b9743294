import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { changedPark, engines, golden, importWorld } from './helpers/import-world.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { differences, type Files, Recount } from './helpers/recount-statistics.ts';
import { exported, filesOf, tryWeir, weir } from './helpers/weir.ts';

/** Meter 3 moves to delivery point 11 on the 11th of January, meter 5 ends on Christmas Eve, meter 8 has always been at point 12. */
const changes = {
  installation_c: [
    ['3,3,20170101,', '3,3,20170101,20180110\n11,3,20180111,'],
    ['5,5,20170101,', '5,5,20170101,20171224'],
    ['8,8,20170101,', '12,8,20170101,'],
  ],
} as const;

/** What the golden events give with a park, counted in the plainest way. */
async function recounted(park: string): Promise<Files> {
  const recount = new Recount(await RecountPark.read(park));
  for (const file of await readdir(`${golden}/events`))
    recount.addFile(await readFile(join(golden, 'events', file), 'utf8'));
  return recount.files();
}

if (existsSync(golden)) {
  for (const [name, start] of Object.entries(engines)) {
    test(`the golden park out of ${name} and the golden events give the golden files, and a meter that moves counts at both places`, async (t) => {
      const world = await importWorld(t, start);
      if (world === undefined) return;
      const { from, folder } = world;
      const state = join(folder, 'state');
      const copies = join(folder, 'copies');
      const report = JSON.parse(
        await weir(['park', 'import', ...from, '--state', state, '--json', '--copy-to', copies]),
      );
      t.deepEqual(report.difference, { installed: 30, ended: 0, moved: 0, corrected: 0, unchanged: 0 });
      t.is(report.rows.communes, 36_742);
      await weir(['replay', '--events', `${golden}/events`, '--state', state]);
      t.deepEqual(await exported(state, join(folder, 'out')), await filesOf(`${golden}/statistics`));

      const again = JSON.parse(await weir(['park', 'import', ...from, '--state', state, '--json']));
      t.deepEqual(again.difference, { installed: 0, ended: 0, moved: 0, corrected: 0, unchanged: 30 });
      t.deepEqual(again.windows, { day: [], week: [], month: [], year: [] });

      // What was kept is a park like the one that was imported.
      const kept = join(folder, 'kept');
      await weir(['replay', '--events', `${golden}/events`, '--park', report.copy, '--state', kept]);
      t.deepEqual(await exported(kept, join(folder, 'kept-out')), await filesOf(`${golden}/statistics`));

      const moved = changedPark(join(folder, 'moved'), changes);
      world.write(moved);
      const tried = JSON.parse(await weir(['park', 'import', ...from, '--state', state, '--json', '--dry-run']));
      t.deepEqual(tried.difference, { installed: 0, ended: 1, moved: 1, corrected: 1, unchanged: 27 });
      t.deepEqual(await exported(state, join(folder, 'tried')), await filesOf(`${golden}/statistics`));
      const done = JSON.parse(await weir(['park', 'import', ...from, '--state', state, '--json']));
      t.deepEqual(done.difference, tried.difference);
      t.deepEqual(done.windows.day, [{ from: '2017-01-01', to: null }]);
      t.is(differences(await exported(state, join(folder, 'moved-out')), await recounted(moved)), '');
    });

    test(`what is wrong with ${name} is told with what to do, and the last good park stays in force`, async (t) => {
      const world = await importWorld(t, start);
      if (world === undefined) return;
      const { from, folder, server } = world;
      const state = join(folder, 'state');
      const importing = ['park', 'import', ...from, '--state', state];
      await weir(importing);
      await weir(['replay', '--events', `${golden}/events`, '--state', state]);
      const refused = async (code: number, words: readonly RegExp[], more: readonly string[] = []): Promise<void> => {
        const { code: found, stdout, stderr } = await tryWeir([...importing, ...more]);
        t.is(found, code, stderr);
        t.is(stdout, '');
        for (const word of words) t.regex(stderr, word);
        t.false(stderr.includes('hushed'), 'no password in it');
      };
      const wrong = join(folder, 'wrong-password');
      await writeFile(wrong, 'hushed\n');
      await refused(
        1,
        [/^STREAMS_DATABASE: /, /refuses the user or the password/, /WEIR_IMPORT_PASSWORD/],
        ['--from', `${server.url('other')}?password-file=${wrong}`],
      );

      const quote = server.kind === 'mysql' ? '`' : '"';
      server.run(`alter table ${quote}pdk${quote} rename to pdk_old`, 'reseaux');
      await refused(3, [/^STREAMS_INPUT_REFUSED: /, /table pdk is missing/, /--map/]);
      server.run('alter table pdk_old rename to pdk', 'reseaux');
      server.run('alter table pdc rename column id_pdk to substation', 'reseaux');
      await refused(3, [/column id_pdk is missing in \w+\.pdc, which has id_pdc, substation/]);
      server.run('alter table pdc rename column substation to id_pdk', 'reseaux');
      server.run(
        server.kind === 'mysql'
          ? 'alter table pdc modify column code_insee_commune int'
          : 'alter table pdc alter column code_insee_commune type int using code_insee_commune::int',
        'reseaux',
      );
      await refused(3, [/column code_insee_commune of \w+\.pdc is int/, /leading zeros/]);
      world.write(`${golden}/park`);
      server.run('delete from installation_c where id_pdc > 12', 'reseaux');
      await refused(3, [/installation_c: the table has 12 rows and had 25: it lost 52 %, more than --max-shrink 20/]);
      world.write(`${golden}/park`);
      server.run('update pdc set id_pdk = 77 where id_pdc = 4', 'reseaux');
      await refused(3, [
        /pdc id_pdc=4: id_pdk 77 is not in pdk/,
        /installation_c id_compteur=4 id_pdc=4 /,
        /--quarantine/,
      ]);
      t.is((await readFile(join(state, 'park-faults.csv'), 'utf8')).split('\n').length, 4);
      await server.kill('SIGKILL');
      await refused(1, [/^STREAMS_DATABASE: /, /cannot be reached/]);
      t.deepEqual(await exported(state, join(folder, 'out')), await filesOf(`${golden}/statistics`));

      await server.start();
      await weir([...importing, '--quarantine']);
      const without = changedPark(join(folder, 'without'), {
        installation_c: [['4,4,20170101,\n5,5,20170101,', '5,5,20170101,']],
      });
      t.is(differences(await exported(state, join(folder, 'quarantined')), await recounted(without)), '');
    });
  }
} else {
  test('golden data', (t) => {
    t.log(`${golden} is not there: set GOLDEN_DATA`);
    t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
  });
}
