import { spawnSync } from 'node:child_process';
import test from 'ava';
import { createMetrics } from '../../../../src/observability/registry.ts';
import { gridMetrics } from '../../../../topologies/grid/statistics/grid-metrics.ts';
import { groupings, periods, storeName } from '../../../../topologies/grid/statistics/statistic.ts';
import { engineStats, feedProgress, storeStats, taskStats } from '../../../observability/fake-stats.ts';
import { withoutApplication } from '../../../observability/scrapes.ts';
import { FakeStores, fakePark } from './fake-stores.ts';

const zone = 'Europe/Paris';
const endOf = (localMidnight: string) => Date.parse(`${localMidnight}T00:00:00+01:00`);

/** Three days by type; regions and departements of the last two. */
function stores(): FakeStores {
  const all = new FakeStores(zone);
  for (const [day, n] of [
    ['2018-01-29', 10],
    ['2018-01-30', 20],
    ['2018-01-31', 30],
  ] as const) {
    all.add('day', 'type', day, 'all', 'ev_C', n);
    all.add('day', 'type', day, 'all', 'ev_N', 1);
    all.add('day', 'region', day, '93', 'ev_C', n);
    all.add('day', 'departement', day, '13', 'ev_C', n);
  }
  for (const year of ['2017-01-01', '2018-01-01']) {
    all.add('year', 'type', year, 'all', 'ev_C', 1000);
    all.add('year', 'type', year, 'all', 'ev_K', 100);
    all.add('year', 'pdk', year, 'unknown', 'ev_C', 7);
    all.add('year', 'pdk', year, '3', 'ev_C', 500);
  }
  return all;
}

interface Options {
  readonly owns?: (store: string, key: string) => boolean;
  readonly stores?: FakeStores;
  readonly finalUpTo?: () => number;
  readonly park?: ReturnType<typeof fakePark>;
  readonly now?: () => number;
}

function metricsOf({
  stores: all = stores(),
  finalUpTo = () => endOf('2018-01-31'),
  park = fakePark({}),
  now,
  owns,
}: Options) {
  const collector = gridMetrics({
    stores: all.get,
    park: () => park,
    finalUntilMs: finalUpTo,
    ...(now && { now }),
    ...(owns && { owns }),
  });
  return createMetrics({ stats: () => engineStats(), version: '1', collectors: [collector], processMetrics: false });
}

async function gridLines(metrics: ReturnType<typeof metricsOf>): Promise<string[]> {
  return withoutApplication((await metrics.text()).body)
    .split('\n')
    .filter((line) => line.startsWith('grid_'));
}

test('events are summed over the years, those without a place too', async (t) => {
  const lines = await gridLines(metricsOf({}));
  t.true(lines.includes('grid_events{type_evt="ev_C"} 2000'));
  t.true(lines.includes('grid_events{type_evt="ev_K"} 200'));
  t.true(lines.includes('grid_events{type_evt="ev_N"} 0'));
  t.true(lines.includes('grid_unattached_events 14'));
});

test('regions and departements whose events are shown have their names, or their ids where there are none', async (t) => {
  let reads = 0;
  const park = fakePark({ 'region:93': [{ validFromMs: 0, value: { name: 'PROVENCE "SUD"' } }] });
  let now = 0;
  const { get } = park;
  const counted = { ...park, get: (key: string) => get(key).finally(() => reads++) };
  const metrics = metricsOf({ park: counted, now: () => now });
  const named = (lines: string[]): string[] => lines.filter((line) => line.includes('_info{'));
  const expected = [
    String.raw`grid_region_info{region="93",name="PROVENCE \"SUD\""} 1`,
    'grid_departement_info{departement="13",name="13"} 1',
  ];
  t.deepEqual(named(await gridLines(metrics)), expected);
  t.deepEqual(named(await gridLines(metrics)), expected);
  t.is(reads, 2);
  now += 60_000;
  await gridLines(metrics);
  t.is(reads, 4);
});

test('the newest open and the newest closed window of each period are shown', async (t) => {
  const lines = await gridLines(metricsOf({}));
  for (const line of [
    'grid_window_events{period="day",state="open",type_evt="ev_C"} 30',
    'grid_window_events{period="day",state="closed",type_evt="ev_C"} 20',
    'grid_window_events{period="day",state="closed",type_evt="ev_K"} 0',
    'grid_window_events{period="year",state="open",type_evt="ev_C"} 1000',
    `grid_window_start_timestamp_seconds{period="day"} ${endOf('2018-01-31') / 1000}`,
    'grid_region_events{period="day",region="93",type_evt="ev_C"} 20',
    'grid_departement_events{period="day",departement="13",type_evt="ev_C"} 20',
  ]) {
    t.true(lines.includes(line), line);
  }
  t.false(lines.some((line) => /period="(week|month)"/.test(line)));
});

test('what another instance has is shown there only, and each shows the places that it has', async (t) => {
  const lines = await gridLines(metricsOf({ owns: (store) => store === 'year-pdk' }));
  t.deepEqual(
    lines.filter((line) => !line.startsWith('grid_park_size')),
    [
      'grid_region_events{period="day",region="93",type_evt="ev_C"} 20',
      'grid_region_events{period="day",region="93",type_evt="ev_K"} 0',
      'grid_region_events{period="day",region="93",type_evt="ev_N"} 0',
      'grid_departement_events{period="day",departement="13",type_evt="ev_C"} 20',
      'grid_departement_events{period="day",departement="13",type_evt="ev_K"} 0',
      'grid_departement_events{period="day",departement="13",type_evt="ev_N"} 0',
      'grid_region_info{region="93",name="93"} 1',
      'grid_departement_info{departement="13",name="13"} 1',
      'grid_unattached_events 14',
    ],
  );
});

test('while no day is closed nothing is said of regions', async (t) => {
  const lines = await gridLines(metricsOf({ finalUpTo: () => 0 }));
  t.false(lines.some((line) => /region|departement|closed/.test(line)));
  t.true(lines.includes('grid_window_events{period="day",state="open",type_evt="ev_C"} 30'));
});

test('after the end of input the newest window is closed and none is open', async (t) => {
  const lines = await gridLines(metricsOf({ finalUpTo: () => Number.POSITIVE_INFINITY }));
  t.true(lines.includes('grid_window_events{period="day",state="closed",type_evt="ev_C"} 30'));
  t.false(lines.some((line) => line.includes('state="open"')));
});

test('a scrape reads the newest windows only, and follows when windows close', async (t) => {
  const all = stores();
  let finalUpTo = endOf('2018-01-31');
  const metrics = metricsOf({ stores: all, finalUpTo: () => finalUpTo });
  await metrics.text();
  const days = all.get('day-type');
  const regions = all.get('day-region');
  days.given = 0;
  regions.given = 0;
  await metrics.text();
  t.is(days.given, 2);
  t.is(regions.given, 2, 'the closed day, and the first row of the open one');
  all.add('day', 'type', '2018-02-01', 'all', 'ev_C', 40);
  finalUpTo = endOf('2018-02-01');
  const lines = await gridLines(metrics);
  t.true(lines.includes('grid_window_events{period="day",state="closed",type_evt="ev_C"} 30'));
  t.true(lines.includes('grid_window_events{period="day",state="open",type_evt="ev_C"} 40'));
});

test('the park is counted by type of equipment, as of now, at most once a minute', async (t) => {
  let now = 5000;
  const installed = { validFromMs: 1000, value: {} };
  const park = fakePark({
    'C:1': [installed],
    'C:2': [installed, { validFromMs: 2000, value: undefined }],
    'C:3': [installed, { validFromMs: 90_000, value: undefined }],
    'K:1': [{ validFromMs: 30_000, value: {} }],
  });
  const metrics = metricsOf({ park, now: () => now });
  const sizes = async () => (await gridLines(metrics)).filter((line) => line.startsWith('grid_park_size'));
  const first = ['grid_park_size{equipment="C"} 2', 'grid_park_size{equipment="K"} 0'];
  t.deepEqual(await sizes(), first);
  now = 64_999;
  t.deepEqual(await sizes(), first);
  t.is(park.scans, 1);
  now = 65_000;
  // The count is recreated beside the scrape, which does not wait for it.
  t.deepEqual(await sizes(), first);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(await sizes(), ['grid_park_size{equipment="C"} 2', 'grid_park_size{equipment="K"} 1']);
  t.is(park.scans, 2);
});

/** France: 18 regions, 101 departements, and the unknown place. */
function france(): FakeStores {
  const all = new FakeStores(zone);
  for (const period of periods) {
    for (const start of ['2018-01-01']) {
      for (const type of ['ev_C', 'ev_K', 'ev_N'] as const) {
        all.add(period, 'type', start, 'all', type, 9);
        for (let region = 0; region < 19; region++) all.add(period, 'region', start, `r${region}`, type, 1);
        for (let departement = 0; departement < 102; departement++) {
          all.add(period, 'departement', start, `d${departement}`, type, 1);
        }
      }
    }
  }
  all.add('day', 'type', '2018-01-02', 'all', 'ev_C', 9);
  return all;
}

test('at default settings there are under 1,250 series, the process included', async (t) => {
  const stores = [
    ...periods.flatMap((period) => groupings.map((grouping) => storeName(period, grouping))),
    'grid-park',
    'day-place',
  ];
  const stats = engineStats({
    tasks: [0, 1, 2, 3, 4, 5].map((task) =>
      taskStats(`${task}_0`, { operatorTimeMs: Object.fromEntries(stores.slice(0, 4).map((name) => [name, 1])) }),
    ),
    stores: stores.map((name) => storeStats(name)),
    feeds: ['events', 'park'].map((topic) =>
      feedProgress(topic, {
        deadByReason: Object.fromEntries(
          ['columns', 'date', 'event-type', 'equipment-type', 'id', 'utf8', 'future', 'too-long', 'quote'].map((r) => [
            r,
            1,
          ]),
        ),
      }),
    ),
  });
  const collector = gridMetrics({
    stores: france().get,
    park: () => fakePark({ 'C:1': [{ validFromMs: 0, value: {} }], 'K:1': [{ validFromMs: 0, value: {} }] }),
    finalUntilMs: () => endOf('2018-01-02'),
  });
  const { body } = await createMetrics({ stats: () => stats, version: '1', collectors: [collector] }).text();
  const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  t.log(`${series} series`);
  t.true(series > 500 && series < 1250, `${series} series`);
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;
const whenPromtool = promtool || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

whenPromtool('promtool finds no fault with the metrics of the grid', async (t) => {
  const park = fakePark({ 'C:1': [{ validFromMs: 0, value: {} }] });
  const { body } = await metricsOf({ park }).text();
  const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
  t.is(`${stdout}${stderr}`, '');
  t.is(status, 0);
});
