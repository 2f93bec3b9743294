import test from 'ava';
import { NameLookup } from '../../../../topologies/grid/statistics/name-lookup.ts';
import { statisticsRoutes } from '../../../../topologies/grid/statistics/statistics-routes.ts';
import { asking } from '../../../http/asking.ts';
import { FakeStores, fakePark } from './fake-stores.ts';
import { goldenFile, goldenStores, hasGolden } from './golden.ts';

const withGolden = hasGolden || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

function small(): FakeStores {
  const stores = new FakeStores('Europe/Paris');
  for (const [month, n] of [
    ['2018-01-01', 5],
    ['2018-02-01', 6],
  ] as const) {
    stores.add('month', 'type', month, 'all', 'ev_K', n);
    stores.add('month', 'equipment', month, 'K:1', 'ev_K', n);
  }
  return stores;
}

const ask = (stores: FakeStores) =>
  asking({
    routes: statisticsRoutes({
      stores: stores.get,
      zone: stores.zone,
      finalUntilMs: () => Date.parse('2018-02-01T00:00:00Z'),
    }),
  });

test('a copy that lags behind is read only if that is said to be good enough', async (t) => {
  const stores = small();
  const asked: unknown[] = [];
  const ask = asking({
    routes: statisticsRoutes({
      stores(name, options) {
        asked.push(options?.stale ?? false);
        return stores.get(name);
      },
      zone: stores.zone,
      finalUntilMs: () => Number.POSITIVE_INFINITY,
    }),
  });
  for (const path of ['/statistics/month/type', '/statistics/month/equipment/keys']) {
    asked.length = 0;
    t.is((await ask(path)).status, 200);
    t.false(asked.includes(true), path);
    asked.length = 0;
    t.is((await ask(`${path}?stale=ok`)).status, 200);
    t.false(asked.includes(false), path);
  }
  const finals = async (query: string): Promise<boolean[]> =>
    ((await ask(`/statistics/month/type?type=ev_K${query}`)).json() as unknown as { final: boolean }[]).map(
      ({ final }) => final,
    );
  t.false((await finals('')).includes(false));
  t.false((await finals('&stale=ok')).includes(true), 'what has closed the window may be missing in the copy');
});

test('statistics are an array of objects unless CSV is asked for', async (t) => {
  const answer = await ask(small())('/statistics/month/equipment?key=K:1&type=ev_K&from=2018-01-01&to=2018-12-31');
  t.is(answer.status, 200);
  t.is(answer.type, 'application/json');
  const row = { key: 'K:1', type_evt: 'ev_K' };
  t.deepEqual(answer.json() as unknown, [
    { window_start: '2018-01-01', window_end: '2018-02-01', ...row, n: 5, final: true },
    { window_start: '2018-02-01', window_end: '2018-03-01', ...row, n: 6, final: false },
  ]);
});

test('no rows are an empty array, or a header', async (t) => {
  const empty = ask(small());
  t.deepEqual((await empty('/statistics/day/region')).json() as unknown, []);
  t.is((await empty('/statistics/day/region?format=csv')).text, 'window_start,region,type_evt,n\n');
});

test('names stand beside ids where they are asked for', async (t) => {
  const stores = new FakeStores('Europe/Paris');
  for (const region of ['4', '5']) stores.add('month', 'region', '2018-01-01', region, 'ev_K', 5);
  stores.add('month', 'pdk', '2018-01-01', '7', 'ev_K', 5);
  stores.add('month', 'type', '2018-01-01', 'all', 'ev_K', 5);
  const park = fakePark({ 'region:4': [{ validFromMs: 0, value: { name: 'RHONE, ALPES' } }] });
  const names = () => new NameLookup(park);
  const ask = asking({
    routes: statisticsRoutes({
      stores: stores.get,
      zone: stores.zone,
      finalUntilMs: () => Number.POSITIVE_INFINITY,
      names,
    }),
  });
  const text = async (path: string): Promise<string> => (await ask(`/statistics/month/${path}`)).text;
  t.deepEqual(
    JSON.parse(await text('region?names=true')).map((row: { name: string }) => row.name),
    ['RHONE, ALPES', ''],
  );
  t.is(
    await text('region?names=true&format=csv'),
    'window_start,region,region_name,type_evt,n\n2018-01-01,4,"RHONE, ALPES",ev_K,5\n2018-01-01,5,,ev_K,5\n',
  );
  t.is(await text('pdk?names=true&format=csv'), 'window_start,pdk,type_evt,n\n2018-01-01,7,ev_K,5\n');
  t.is(await text('pdk?names=true'), await text('pdk'));
  t.is(await text('region?names=false'), await text('region'));
  t.deepEqual(JSON.parse(await text('region/keys?names=true')), [
    { key: '4', name: 'RHONE, ALPES' },
    { key: '5', name: '' },
  ]);
});

withGolden('CSV is the exported file', async (t) => {
  const golden = ask(goldenStores());
  for (const [period, grouping] of [
    ['day', 'equipment'],
    ['year', 'type'],
  ]) {
    const { text, type } = await golden(`/statistics/${period}/${grouping}?format=csv`);
    t.is(type, 'text/csv; charset=utf-8');
    t.is(text, goldenFile(`${period}_${grouping}.csv`));
  }
});

test('keys are offered for a chart', async (t) => {
  const answer = await ask(small())('/statistics/month/equipment/keys');
  t.deepEqual(answer.json() as unknown, ['K:1']);
});

for (const [path, detail] of [
  ['/statistics/hour/type', 'period must be one of day, week, month, year, not "hour"'],
  ['/statistics/day/town', 'grouping must be one of type, equipment, commune, departement, pdk, region, not "town"'],
  [
    '/statistics/day/town/keys',
    'grouping must be one of type, equipment, commune, departement, pdk, region, not "town"',
  ],
  ['/statistics/day/type?type=ev_X', 'type must be one of ev_C, ev_K, ev_N, not "ev_X".'],
  ['/statistics/day/type?from=1', 'from must be a date such as 2018-01-31, not "1"'],
  ['/statistics/day/type?form=2018-01-01', '"form" is not a query parameter here: did you mean "from"?'],
  ['/statistics/day/type?format=xml', 'format must be one of json, csv, not "xml".'],
] as const) {
  test(`a bad question is 400 problem JSON: ${path}`, async (t) => {
    const answer = await ask(small())(path);
    t.is(answer.status, 400);
    t.is(answer.type, 'application/problem+json');
    t.like(answer.json(), { code: 'STREAMS_USAGE', detail });
  });
}
