import test from 'ava';
import { StreamsError } from '../../../../src/common/errors.ts';
import {
  newestKeys,
  queryStatistics,
  type StatisticRow,
} from '../../../../topologies/grid/statistics/query-statistics.ts';
import {
  parseStatisticQuery,
  type StatisticQueryText,
} from '../../../../topologies/grid/statistics/statistic-query.ts';
import { FakeStores } from './fake-stores.ts';
import { goldenFile, goldenStores, hasGolden } from './golden.ts';

const zone = 'Europe/Paris';
const withGolden = hasGolden || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

function stores(): FakeStores {
  const all = new FakeStores(zone);
  for (const [day, n] of [
    ['2018-03-24', 1],
    ['2018-03-25', 2],
    ['2018-03-26', 3],
  ] as const) {
    all.add('day', 'type', day, 'all', 'ev_C', n);
    all.add('day', 'type', day, 'all', 'ev_N', 1);
    for (const key of ['C:2', 'C:10']) all.add('day', 'equipment', day, key, 'ev_C', n);
  }
  return all;
}

async function query(
  from: FakeStores,
  text: StatisticQueryText,
  finalUntilMs: number = Number.NEGATIVE_INFINITY,
): Promise<StatisticRow[]> {
  const rows: StatisticRow[] = [];
  const source = { stores: from.get, zone: from.zone, finalUntilMs: () => finalUntilMs };
  for await (const row of queryStatistics(source, parseStatisticQuery(text))) rows.push(row);
  return rows;
}

test('rows have civil dates, and are final where the caller says so', async (t) => {
  const endOf25th = Date.parse('2018-03-25T22:00:00Z');
  t.deepEqual(await query(stores(), { period: 'day', grouping: 'type', type: 'ev_C' }, endOf25th), [
    { window_start: '2018-03-24', window_end: '2018-03-25', key: 'all', type_evt: 'ev_C', n: 1, final: true },
    { window_start: '2018-03-25', window_end: '2018-03-26', key: 'all', type_evt: 'ev_C', n: 2, final: true },
    { window_start: '2018-03-26', window_end: '2018-03-27', key: 'all', type_evt: 'ev_C', n: 3, final: false },
  ]);
});

test('a window that is closed while rows are read is not final in them: more may have counted since', async (t) => {
  const from = stores();
  let finalUntilMs = Date.parse('2018-03-24T23:00:00Z');
  const source = { stores: from.get, zone, finalUntilMs: () => finalUntilMs };
  const finals: boolean[] = [];
  for await (const { final } of queryStatistics(source, { period: 'day', grouping: 'type', type: 'ev_C' })) {
    finals.push(final);
    finalUntilMs = Number.POSITIVE_INFINITY;
  }
  t.deepEqual(finals, [true, false, false]);
});

test('from is included, to is not, and both are dates of the zone', async (t) => {
  const rows = await query(stores(), { period: 'day', grouping: 'type', from: '2018-03-25', to: '2018-03-26' });
  t.deepEqual(
    rows.map(({ window_start, type_evt, n }) => [window_start, type_evt, n]),
    [
      ['2018-03-25', 'ev_C', 2],
      ['2018-03-25', 'ev_N', 1],
    ],
  );
});

test('a window belongs to the date it starts on: a week of December is not asked for by January', async (t) => {
  const all = new FakeStores(zone);
  for (const [monday, n] of [
    ['2017-12-25', 1],
    ['2018-01-01', 2],
    ['2018-01-29', 3],
  ] as const) {
    all.add('week', 'type', monday, 'all', 'ev_C', n);
  }
  const rows = await query(all, { period: 'week', grouping: 'type', from: '2017-12-26', to: '2018-01-29' });
  t.deepEqual(
    rows.map(({ window_start, window_end, n }) => [window_start, window_end, n]),
    [['2018-01-01', '2018-01-08', 2]],
  );
});

test('one key reads that key only', async (t) => {
  const all = stores();
  const rows = await query(all, { period: 'day', grouping: 'equipment', key: 'C:10', from: '2018-03-25' });
  t.deepEqual(
    rows.map(({ key, n }) => [key, n]),
    [
      ['C:10', 2],
      ['C:10', 3],
    ],
  );
  t.is(all.get('day-equipment').given, 2);
  t.is(all.get('day-type').given, 0);
});

test('a key without events has no rows', async (t) => {
  t.deepEqual(await query(stores(), { period: 'day', grouping: 'region', key: '99' }), []);
});

withGolden('a query without filters gives the rows of the golden file in its order', async (t) => {
  for (const [period, grouping] of [
    ['day', 'equipment'],
    ['week', 'commune'],
    ['month', 'region'],
    ['year', 'type'],
  ] as const) {
    const rows = await query(goldenStores(), { period, grouping });
    const lines = rows.map(({ window_start, key, type_evt, n }) =>
      [window_start, ...(grouping === 'type' ? [] : [key.replace(':', ',')]), type_evt, n].join(','),
    );
    t.is(`${lines.join('\n')}\n`, goldenFile(`${period}_${grouping}.csv`).replace(/^.*\n/, ''));
  }
});

test('keys to choose from are those of the newest window, in natural order', async (t) => {
  const all = stores();
  all.add('day', 'equipment', '2018-03-24', 'C:3', 'ev_C', 1);
  t.deepEqual(await newestKeys({ stores: all.get }, { period: 'day', grouping: 'equipment' }, 10), ['C:2', 'C:10']);
  t.deepEqual(await newestKeys({ stores: all.get }, { period: 'day', grouping: 'equipment' }, 1), ['C:10']);
  t.deepEqual(await newestKeys({ stores: all.get }, { period: 'year', grouping: 'equipment' }, 10), []);
});

const good = { period: 'day', grouping: 'type' };
for (const [text, message] of [
  [{ ...good, period: 'hour' }, 'period must be one of day, week, month, year, not "hour"'],
  [
    { ...good, grouping: 'town' },
    'grouping must be one of type, equipment, commune, departement, pdk, region, not "town"',
  ],
  [{ ...good, type: 'ev_X' }, 'type must be one of ev_C, ev_K, ev_N, not "ev_X"'],
  [{ ...good, from: '2018-02-30' }, 'from must be a date such as 2018-01-31, not "2018-02-30"'],
  [{ ...good, to: 'today' }, 'to must be a date such as 2018-01-31, not "today"'],
  [
    { ...good, from: '2018-01-02', to: '2018-01-02' },
    'from 2018-01-02 is not before to 2018-01-02: from is included, to is not',
  ],
  [
    { period: 'day', grouping: 'equipment', key: '8' },
    'a key of equipment is its type and id, such as C:8 or K:1, not "8"',
  ],
  [{ ...good, key: '1' }, 'the statistics by type have one group, all: leave the key out (not "1")'],
] as const) {
  test(`a bad question is a usage error: ${message}`, (t) => {
    const error = t.throws(() => parseStatisticQuery(text), { message });
    t.true(StreamsError.is(error) && error.code === 'STREAMS_USAGE');
  });
}
