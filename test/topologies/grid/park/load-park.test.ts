import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { loadPark } from '../../../../topologies/grid/park/load-park.ts';
import { departementKey, stillThere } from '../../../../topologies/grid/park/park.ts';
import { parkFolder } from './park-folder.ts';

test('a park holds the rows of its nine files', async (t) => {
  const park = await loadPark(
    parkFolder(t, { installation_c: ['1,8,20170101,', '2,8,20170301,20171231'], installation_k: ['1,1,20160229,'] }),
  );
  t.deepEqual(park.meterInstallations, {
    equipment: [8, 8],
    place: [1, 2],
    firstDay: [17_167, 17_226],
    lastDay: [stillThere, 17_531],
  });
  t.deepEqual(park.concentratorInstallations, {
    equipment: [1],
    place: [1],
    firstDay: [16_860],
    lastDay: [stillThere],
  });
  t.deepEqual(park.deliveryPoints.get(10), { pdk: 1, commune: '97105' });
  t.is(park.substations.get(2), '97105');
  t.deepEqual(park.communes.get('01026'), { name: 'NEAR', departement: '01', region: '4' });
  t.is(park.communes.get('1026'), undefined);
  t.is(park.departementNames.get(departementKey('97', '23')), 'ISLES');
  t.is(park.regionNames.get('4'), 'RHONE');
  t.is(park.meterManufacturers.get(8), '2');
  t.is(park.concentratorManufacturers.get(1), '4');
});

test('ids are text: a leading zero makes another id', async (t) => {
  const park = await loadPark(parkFolder(t, { pdk: ['7,01026', '007,01027', 'a,97105', '1234567890123456,01026'] }));
  t.deepEqual([...park.substations.keys()], [7, '007', 'a', '1234567890123456']);
});

test('manufacturers are left out if nobody wants them', async (t) => {
  const park = await loadPark(parkFolder(t), { manufacturers: false });
  t.is(park.meterManufacturers.size + park.concentratorManufacturers.size, 0);
});

test('each of the nine files must be there', async (t) => {
  const names = 'communes compteurs concentrateurs departements installation_c installation_k pdc pdk region';
  for (const name of names.split(' ')) {
    const folder = parkFolder(t);
    rmSync(join(folder, `${name}.csv`));
    const loading = loadPark(folder, { manufacturers: false });
    await t.throwsAsync(loading, { code: 'STREAMS_FILE', message: new RegExp(`${name}\\.csv is not there`) });
  }
});

test('a date that is none is refused with file, line and column', async (t) => {
  const cases: [string, RegExp][] = [
    ['1,8,2017-01-01,', /installation_c\.csv, line 2: column "date_deb": "2017-01-01" is no date\. Write .* YYYYMMDD/],
    ['1,8,,', /column "date_deb": "" is no date/],
    ['1,8,20170101,20170230', /column "date_fin": "20170230" is no date/],
    ['1,8,20170101,0', /column "date_fin": "0" is no date/],
  ];
  for (const [row, message] of cases) {
    await t.throwsAsync(loadPark(parkFolder(t, { installation_c: [row] })), { code: 'STREAMS_FILE', message }, row);
  }
});

test('the data has two spellings of a concentrator, and both are asked for', async (t) => {
  const folder = parkFolder(t);
  writeFileSync(join(folder, 'concentrateurs.csv'), 'id_concentrateur,constructeur_id\n');
  await t.throwsAsync(loadPark(folder), { message: /column "id_consentrateur" is missing/ });
});

test('of two rows with one id the last one counts', async (t) => {
  const park = await loadPark(parkFolder(t, { pdk: ['1,01026', '1,01027'] }));
  t.is(park.substations.get(1), '01027');
});
