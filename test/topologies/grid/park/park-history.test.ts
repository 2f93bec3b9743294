import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { formatCivilDate } from '../../../../src/common/time/civil.ts';
import { Zone } from '../../../../src/common/time/zone.ts';
import { loadPark } from '../../../../topologies/grid/park/load-park.ts';
import { type Park, stillThere } from '../../../../topologies/grid/park/park.ts';
import { parkHistories } from '../../../../topologies/grid/park/park-history.ts';
import { goldenPath, goldenTest } from './golden-data.ts';
import { type ParkFiles, parkFolder } from './park-folder.ts';

const paris = Zone.of('Europe/Paris');

/** Histories as `{ 'C:8': ['2017-01-01 01026/1', '2018-01-01 -'] }`: the day from which on, and commune/pdk. */
function written(park: Park, zone = 'Europe/Paris'): Record<string, string[]> {
  const civil = Zone.of(zone);
  const entries = [...parkHistories(park, zone)].map(([key, versions]) => [
    key,
    versions.map(({ validFromMs, value }) => {
      const day = civil.dayOf(validFromMs);
      if (civil.startOfDay(day) !== validFromMs) throw new Error(`${key} changes in the middle of a day`);
      return `${formatCivilDate(day)} ${value === undefined ? '-' : `${value.commune}/${value.pdk}`}`;
    }),
  ]);
  return Object.fromEntries(entries);
}

async function histories(t: ExecutionContext, files: ParkFiles): Promise<Record<string, string[]>> {
  return written(await loadPark(parkFolder(t, files)));
}

test('an installation holds from its first day to its last day, both included', async (t) => {
  t.deepEqual(await histories(t, { installation_c: ['1,8,20170101,20171231', '2,9,20180101,'] }), {
    'C:8': ['2017-01-01 01026/1', '2018-01-01 -'],
    'C:9': ['2018-01-01 01027/1'],
  });
});

test('a place has the departement and the region of the commune of the delivery point', async (t) => {
  const park = await loadPark(parkFolder(t, { installation_c: ['10,8,20170101,'], installation_k: ['2,8,20170101,'] }));
  const validFromMs = Date.parse('2017-01-01T00:00:00+01:00');
  t.deepEqual(
    [...parkHistories(park, 'Europe/Paris')],
    [
      ['C:8', [{ validFromMs, value: { commune: '97105', departement: '97', pdk: '1', region: '23' } }]],
      ['K:8', [{ validFromMs, value: { commune: '97105', departement: '97', pdk: '2', region: '23' } }]],
    ],
  );
});

test('a meter that moves is nowhere in between, and nowhere is not written where there is no between', async (t) => {
  t.deepEqual(
    await histories(t, {
      installation_c: [
        '1,8,20170101,20170110',
        '2,8,20170120,20170131',
        '3,8,20170201,',
        '2,9,20170101,20170102',
        '1,9,20170103,',
      ],
    }),
    {
      'C:8': ['2017-01-01 01026/1', '2017-01-11 -', '2017-01-20 01027/1', '2017-02-01 01027/2'],
      'C:9': ['2017-01-01 01027/1', '2017-01-03 01026/1'],
    },
  );
});

test('equal neighbours are one version', async (t) => {
  const rows = ['1,8,20170101,20170131', '1,8,20170201,20170228', '1,8,20170215,'];
  t.deepEqual(await histories(t, { installation_c: rows }), { 'C:8': ['2017-01-01 01026/1'] });
});

test('of two that hold the one with the latest date_deb wins, and the older one comes back when it ends', async (t) => {
  const expected = { 'C:8': ['2017-01-01 01026/1', '2017-03-01 01027/1', '2017-04-01 01026/1', '2018-01-01 -'] };
  const rows = ['1,8,20170101,20171231', '2,8,20170301,20170331'];
  t.deepEqual(await histories(t, { installation_c: rows }), expected);
  t.deepEqual(await histories(t, { installation_c: rows.toReversed() }), expected);
});

test('of two from the same day the one with the greater id as a number wins', async (t) => {
  const rows = ['10,8,20170101,20170131', '2,8,20170101,'];
  t.deepEqual(await histories(t, { installation_c: rows }), { 'C:8': ['2017-01-01 97105/1', '2017-02-01 01027/1'] });
  t.deepEqual(await histories(t, { installation_c: rows.toReversed() }), {
    'C:8': ['2017-01-01 97105/1', '2017-02-01 01027/1'],
  });
});

test('an installation that ends before it starts never holds', async (t) => {
  t.deepEqual(
    await histories(t, { installation_c: ['1,8,20170201,20170131', '1,9,20170101,', '2,9,20170201,20170115'] }),
    {
      'C:9': ['2017-01-01 01026/1'],
    },
  );
});

test('a chain that is broken at the delivery point, the substation or the commune leads nowhere', async (t) => {
  t.deepEqual(
    await histories(t, {
      pdc: ['1,1,01026', '2,7,01026', '3,1,99999', '5,6,01026'],
      pdk: ['1,01026', '6,99999'],
      installation_c: ['1,1,20170101,', '2,2,20170101,', '3,3,20170101,', '4,4,20170101,', '5,5,20170101,'],
      installation_k: ['1,1,20170101,', '6,2,20170101,', '7,3,20170101,'],
    }),
    // A meter's commune is its delivery point's: that its substation's is unknown does not matter.
    { 'C:1': ['2017-01-01 01026/1'], 'C:5': ['2017-01-01 01026/6'], 'K:1': ['2017-01-01 01026/1'] },
  );
});

test('a newer installation whose chain is broken still hides an older one', async (t) => {
  t.deepEqual(await histories(t, { installation_c: ['1,8,20170101,', '99,8,20170301,20170331'] }), {
    'C:8': ['2017-01-01 01026/1', '2017-03-01 -', '2017-04-01 01026/1'],
  });
});

test('days are those of the zone, one without midnight and one that is not there included', async (t) => {
  const folder = parkFolder(t, {
    installation_c: ['1,8,20181104,20181104', '1,9,20111230,20111230', '2,9,20111229,20120101'],
  });
  const park = await loadPark(folder);
  const saoPaulo = new Map(parkHistories(park, 'America/Sao_Paulo'));
  t.is(saoPaulo.get('C:8')![0]!.validFromMs, Date.parse('2018-11-04T01:00:00-02:00'));
  // On Samoa there was no 30 December 2011: an installation for that day alone never held.
  t.deepEqual(written(park, 'Pacific/Apia')['C:9'], ['2011-12-29 01027/1', '2012-01-02 -']);
});

test('every day has the place that a plain search through the rows finds', (t) => {
  const row = fc.record({
    place: fc.constantFrom(1, 2, 10, 3, 99),
    first: fc.nat(14),
    length: fc.integer({ min: -1, max: 8 }),
    open: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 7 }), (rows) => {
      const base = 17_500;
      const firstDay = rows.map(({ first }) => base + first);
      const lastDay = rows.map(({ first, length, open }) => (open ? stillThere : base + first + length));
      const park = parkOf(
        rows.map(({ place }) => place),
        firstDay,
        lastDay,
      );
      const versions = [...parkHistories(park, 'Europe/Paris')][0]?.[1] ?? [];
      for (let day = base - 1; day < base + 26; day++) {
        const held = rows
          .map(({ place, first }, i) => ({ place, first, i }))
          .filter(({ i }) => firstDay[i]! <= day && day <= lastDay[i]!)
          .sort((a, b) => b.first - a.first || b.place - a.place);
        const expected = held.length === 0 ? undefined : park.deliveryPoints.get(held[0]!.place)?.commune;
        const found = versions.findLast(({ validFromMs }) => validFromMs <= paris.startOfDay(day));
        t.is(found?.value?.commune, expected);
      }
      for (let i = 0; i < versions.length; i++) {
        t.true(i === 0 || versions[i]!.validFromMs > versions[i - 1]!.validFromMs);
        t.not(versions[i]!.value, versions[i - 1]?.value);
      }
    }),
    { numRuns: 1000 },
  );
});

/** Meter 8 at some delivery points, each of which has its number as its commune; 99 is not there. */
function parkOf(place: number[], firstDay: number[], lastDay: number[]): Park {
  const points = [1, 2, 10, 3].map((pdc) => [pdc, { pdk: 1, commune: String(pdc) }] as const);
  const none = { equipment: [], place: [], firstDay: [], lastDay: [] };
  return {
    meterInstallations: { equipment: place.map(() => 8), place, firstDay, lastDay },
    concentratorInstallations: none,
    deliveryPoints: new Map(points),
    substations: new Map([[1, '1']]),
    communes: new Map(points.map(([pdc]) => [String(pdc), { name: '', departement: '1', region: '1' }])),
    departementNames: new Map(),
    regionNames: new Map(),
    meterManufacturers: new Map(),
    concentratorManufacturers: new Map(),
  };
}

goldenTest('the golden park has thirty equipments, five of which end and five begin at the turn of 2020', async (t) => {
  const all = written(await loadPark(goldenPath('park')));
  t.is(Object.keys(all).length, 30);
  t.deepEqual(all['C:1'], ['2017-01-01 93048/1']);
  t.deepEqual(all['C:16'], ['2017-01-01 93027/1', '2021-01-01 -']);
  t.deepEqual(all['C:21'], ['2021-01-01 93027/1']);
  t.deepEqual(all['K:1'], ['2017-01-01 75101/1']);
});
