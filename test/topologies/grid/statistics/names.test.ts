import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'csv-parse/sync';
import { good, temporary } from '../commands/weir.ts';
import { goldenPath, goldenTest } from '../park/golden-data.ts';
import { parkFolder } from '../park/park-folder.ts';

type Row = Readonly<Record<string, string>>;

/** Names by id, out of a file of the golden park. */
function namesIn(file: string, id: string, name: string): Map<string, string> {
  const rows: Row[] = parse(readFileSync(join(goldenPath('park'), file)), { columns: true, bom: true });
  return new Map(rows.map((row) => [row[id]!, row[name]!]));
}

goldenTest('--names adds a column of names to three groupings, and files without it are the golden ones', async (t) => {
  const folder = await temporary(t);
  await good(t, `replay --events ${goldenPath('events')} --park ${goldenPath('park')} --state ${folder}/state`);
  await good(t, `export --state ${folder}/state --out ${folder}/plain`);
  await good(t, `export --names --state ${folder}/state --out ${folder}/named`);
  const names: Readonly<Record<string, Map<string, string>>> = {
    commune: namesIn('communes.csv', 'Code INSEE', 'libelle_commune'),
    departement: namesIn('departements.csv', 'id_departement', 'libelle_departement'),
    region: namesIn('region.csv', 'id_region', 'libelle_region'),
  };
  for (const file of readdirSync(goldenPath('statistics'))) {
    const golden = readFileSync(join(goldenPath('statistics'), file), 'utf8');
    t.is(readFileSync(join(folder, 'plain', file), 'utf8'), golden, file);
    const grouping = file.slice(file.indexOf('_') + 1, -4);
    const known = names[grouping];
    const wide: Row[] = parse(readFileSync(join(folder, 'named', file)), { columns: true });
    const expected = (parse(golden, { columns: true }) as Row[]).map((row) =>
      known === undefined ? row : { ...row, [`${grouping}_name`]: known.get(row[grouping]!) ?? '' },
    );
    t.deepEqual(wide, expected, file);
  }
  t.regex(await good(t, `query year region --names --state ${folder}/state`), /^window_start +window_end +key +name /);
});

test('departements that share an id share a name, in the order of their regions', async (t) => {
  const folder = await temporary(t);
  const park = parkFolder(t, {
    communes: ['1,97,23,97105,ISLE', '2,97,22,97305,WOOD', '3,97,24,97400,UNUSED'],
    departements: ['97,24,NOWHERE', '97,23,ISLES', '97,22,FOREST'],
    region: ['22,WEST', '23,OVERSEAS', '24,EAST'],
    pdc: ['1,1,97105', '2,1,97305'],
    pdk: ['1,97105'],
    installation_c: ['1,8,20170101,', '2,9,20170101,'],
  });
  mkdirSync(join(folder, 'events'));
  const row = (id: number): string => `20180101000000,2018-01-01 00:00:00,2018-01-01 12:00:00,ev_C,C,${id},`;
  const header = 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div';
  writeFileSync(join(folder, 'events/1.csv'), `${[header, row(8), row(9), row(10)].join('\n')}\n`);
  await good(t, `replay --events ${folder}/events --park ${park} --state ${folder}/state`);
  const rows = JSON.parse(await good(t, `query day departement --names --json --state ${folder}/state`)) as Row[];
  t.deepEqual(
    rows.map(({ key, name, n }) => [key, name, n]),
    [
      ['97', 'FOREST / ISLES', 2],
      ['unknown', '', 1],
    ] as unknown as typeof rows,
  );
});
