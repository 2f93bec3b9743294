import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { parseCivilDate } from '../../../../src/common/time/civil.ts';
import { loadPark } from '../../../../topologies/grid/park/load-park.ts';
import { parkInformation } from '../../../../topologies/grid/park/park-information.ts';
import { goldenPath, goldenTest } from './golden-data.ts';
import { type ParkFiles, parkFolder } from './park-folder.ts';

async function table(t: ExecutionContext, files: ParkFiles, at?: string): Promise<Record<string, string>[]> {
  const park = await loadPark(parkFolder(t, files));
  const day = at === undefined ? undefined : parseCivilDate(at);
  return parse([...parkInformation(park, day)].join(''), { columns: true });
}

const pair = ({ meter, meter_from, concentrator, concentrator_from }: Record<string, string>): string =>
  `${meter} ${meter_from} ${concentrator} ${concentrator_from}`;

test('a row has both installations with their places, manufacturers and dates', async (t) => {
  const rows = await table(t, { installation_c: ['10,8,20170101,20171231'], installation_k: ['1,1,20160101,'] });
  t.deepEqual(rows, [
    {
      meter: '8',
      meter_manufacturer: '2',
      meter_from: '2017-01-01',
      meter_to: '2017-12-31',
      delivery_point: '10',
      meter_commune: '97105',
      meter_commune_name: 'ISLE',
      meter_departement: '97',
      meter_departement_name: 'ISLES',
      meter_region: '23',
      meter_region_name: 'OVERSEAS',
      substation: '1',
      substation_commune: '01026',
      substation_commune_name: 'NEAR',
      substation_departement: '01',
      substation_departement_name: 'AIN',
      substation_region: '4',
      substation_region_name: 'RHONE',
      concentrator: '1',
      concentrator_manufacturer: '4',
      concentrator_from: '2016-01-01',
      concentrator_to: '',
    },
  ]);
});

test('installations of one substation pair if they overlap by a day at least', async (t) => {
  const rows = await table(t, {
    installation_c: ['1,8,20170101,20170131', '3,9,20170101,'],
    installation_k: [
      '1,1,20160101,20161231',
      '1,2,20160101,20170101',
      '1,3,20170131,',
      '1,4,20170201,',
      '2,5,20170101,',
    ],
  });
  t.deepEqual(rows.map(pair), ['8 2017-01-01 2 2016-01-01', '8 2017-01-01 3 2017-01-31', '9 2017-01-01 5 2017-01-01']);
});

test('rows are sorted by meter as a number, meter_from and concentrator_from', async (t) => {
  const rows = await table(t, {
    installation_c: ['2,10,20170101,', '1,9,20170301,', '2,9,20170101,', '1,9,20170101,'],
    installation_k: ['1,11,20170201,', '1,2,20170201,', '1,3,20160101,'],
  });
  t.deepEqual(
    rows.map((row) => `${pair(row)} ${row.delivery_point}`),
    [
      '9 2017-01-01 3 2016-01-01 1',
      '9 2017-01-01 3 2016-01-01 2',
      '9 2017-01-01 2 2017-02-01 1',
      '9 2017-01-01 11 2017-02-01 1',
      '9 2017-01-01 2 2017-02-01 2',
      '9 2017-01-01 11 2017-02-01 2',
      '9 2017-03-01 3 2016-01-01 1',
      '9 2017-03-01 2 2017-02-01 1',
      '9 2017-03-01 11 2017-02-01 1',
      '10 2017-01-01 3 2016-01-01 2',
      '10 2017-01-01 2 2017-02-01 2',
      '10 2017-01-01 11 2017-02-01 2',
    ],
  );
});

test('a day asks for the rows of which both installations hold on it', async (t) => {
  const files = {
    installation_c: ['1,8,20170101,20170131', '1,9,20170201,'],
    installation_k: ['1,1,20170115,', '1,2,20160101,20170114'],
  };
  const at = async (day: string): Promise<string[]> => (await table(t, files, day)).map(pair);
  t.deepEqual(await at('2016-12-31'), []);
  t.deepEqual(await at('2017-01-14'), ['8 2017-01-01 2 2016-01-01']);
  t.deepEqual(await at('2017-01-15'), ['8 2017-01-01 1 2017-01-15']);
  t.deepEqual(await at('2017-02-01'), ['9 2017-02-01 1 2017-01-15']);
});

test('a departement is named by itself and its region, and rows do not multiply', async (t) => {
  const rows = await table(t, { installation_c: ['10,8,20170101,'], installation_k: ['1,1,20170101,'] });
  t.deepEqual(
    rows.map((row) => row.meter_departement_name),
    ['ISLES'],
  );
});

test('what a reference leads to and is not there stays empty; a meter at an unknown delivery point has no substation and no row', async (t) => {
  const rows = await table(t, {
    installation_c: ['1,7,20170101,', '99,8,20170101,', '2,9,20180101,20170101'],
    installation_k: ['1,6,20170101,'],
    pdc: ['1,1,00000'],
    pdk: [],
  });
  t.is(rows.length, 1);
  t.deepEqual(
    Object.entries(rows[0]!).filter(([, value]) => value !== ''),
    [
      ['meter', '7'],
      ['meter_from', '2017-01-01'],
      ['delivery_point', '1'],
      ['meter_commune', '00000'],
      ['substation', '1'],
      ['concentrator', '6'],
      ['concentrator_from', '2017-01-01'],
    ],
  );
});

test('names with commas and quotes are quoted', async (t) => {
  const rows = await table(t, {
    communes: ['1,01,4,01026,"NEAR, ""BY"""'],
    installation_c: ['1,8,20170101,'],
    installation_k: ['1,1,20170101,'],
  });
  t.is(rows[0]!.meter_commune_name, 'NEAR, "BY"');
});

goldenTest('the table of the golden park is park_information.csv, byte for byte', async (t) => {
  const park = await loadPark(goldenPath('park'));
  t.is([...parkInformation(park)].join(''), readFileSync(goldenPath('park_information.csv'), 'utf8'));
  t.is([...parkInformation(park, parseCivilDate('2017-12-15'))].length, 21);
});
