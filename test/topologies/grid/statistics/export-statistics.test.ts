import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import { StreamsError } from '../../../../src/common/errors.ts';
import { exportStatistics, fileNameOf } from '../../../../topologies/grid/statistics/export-statistics.ts';
import { groupings, periods } from '../../../../topologies/grid/statistics/statistic.ts';
import { FakeStores } from './fake-stores.ts';
import { goldenFile, goldenStores, hasGolden } from './golden.ts';

const test = anyTest as TestFn<{ out: string }>;
const zone = 'Europe/Paris';
const withGolden = hasGolden || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

test.beforeEach(async (t) => {
  t.context.out = await mkdtemp(join(tmpdir(), 'weir-export-'));
});
test.afterEach.always((t) => rm(t.context.out, { recursive: true, force: true }));

withGolden('the golden statistics come out byte for byte', async (t) => {
  const exported = await exportStatistics(goldenStores().get, t.context.out, zone);
  t.is(exported.length, 24);
  const names = periods.flatMap((period) => groupings.map((grouping) => fileNameOf(period, grouping)));
  t.deepEqual((await readdir(t.context.out)).sort(), names.sort());
  for (const { file, rows } of exported) {
    const text = await readFile(file, 'utf8');
    const golden = goldenFile(file.slice(t.context.out.length + 1));
    t.is(text, golden, file);
    t.is(rows, golden.split('\n').length - 2, file);
  }
});

test('rows are sorted column by column as text, in byte order', async (t) => {
  const stores = new FakeStores(zone);
  const day = '2018-01-01';
  for (const key of ['K:1', 'C:2', 'C:10', 'C:\ue000', 'C:😀']) stores.add('day', 'equipment', day, key, 'ev_C', 1);
  await exportStatistics(stores.get, t.context.out, zone, { periods: ['day'], groupings: ['equipment'] });
  t.is(
    await readFile(join(t.context.out, 'day_equipment.csv'), 'utf8'),
    [
      'window_start,type_equipement,id_equipement,type_evt,n',
      '2018-01-01,C,10,ev_C,1',
      '2018-01-01,C,2,ev_C,1',
      '2018-01-01,C,\ue000,ev_C,1',
      '2018-01-01,C,😀,ev_C,1',
      '2018-01-01,K,1,ev_C,1',
      '',
    ].join('\n'),
  );
});

test('counts of 0 are absent, and a cell that holds a comma or a quote is quoted', async (t) => {
  const stores = new FakeStores(zone);
  stores.add('week', 'type', '2018-01-01', 'all', 'ev_K', 3);
  stores.add('week', 'pdk', '2018-01-01', 'a,"b"', 'ev_K', 3);
  stores.add('week', 'equipment', '2018-01-01', 'C:1,2:3', 'ev_K', 3);
  stores.add('week', 'pdk', '2018-01-01', 'b', 'ev_N', 0);
  await exportStatistics(stores.get, t.context.out, zone, {
    periods: ['week'],
    groupings: ['pdk', 'type', 'equipment'],
  });
  t.is(
    await readFile(join(t.context.out, 'week_pdk.csv'), 'utf8'),
    'window_start,pdk,type_evt,n\n2018-01-01,"a,""b""",ev_K,3\n',
  );
  t.regex(await readFile(join(t.context.out, 'week_equipment.csv'), 'utf8'), /^2018-01-01,C,"1,2:3",ev_K,3$/m);
  t.is(await readFile(join(t.context.out, 'week_type.csv'), 'utf8'), 'window_start,type_evt,n\n2018-01-01,ev_K,3\n');
});

test('stores without events give files with a header only', async (t) => {
  await exportStatistics(new FakeStores(zone).get, t.context.out, zone);
  t.is((await readdir(t.context.out)).length, 24);
  t.is(await readFile(join(t.context.out, 'year_region.csv'), 'utf8'), 'window_start,region,type_evt,n\n');
});

test('days that begin without a midnight have their own date', async (t) => {
  const stores = new FakeStores('America/Sao_Paulo');
  for (const day of ['2018-11-03', '2018-11-04', '2018-11-05']) stores.add('day', 'type', day, 'all', 'ev_C', 1);
  await exportStatistics(stores.get, t.context.out, 'America/Sao_Paulo', { periods: ['day'], groupings: ['type'] });
  t.is(
    await readFile(join(t.context.out, 'day_type.csv'), 'utf8'),
    'window_start,type_evt,n\n2018-11-03,ev_C,1\n2018-11-04,ev_C,1\n2018-11-05,ev_C,1\n',
  );
});

test('an export that is stopped leaves the old file as it was, and nothing beside it', async (t) => {
  const file = join(t.context.out, 'day_type.csv');
  await writeFile(file, 'old');
  const stores = new FakeStores(zone);
  stores.add('day', 'type', '2018-01-01', 'all', 'ev_C', 1);
  const signal = AbortSignal.abort(new Error('stop'));
  await t.throwsAsync(exportStatistics(stores.get, t.context.out, zone, { signal }), { message: 'stop' });
  t.is(await readFile(file, 'utf8'), 'old');
  t.deepEqual(await readdir(t.context.out), ['day_type.csv']);
});

test('a folder that cannot be written is an error that names the file', async (t) => {
  const out = join(t.context.out, 'file');
  await writeFile(out, '');
  const error = await t.throwsAsync(exportStatistics(new FakeStores(zone).get, join(out, 'sub'), zone));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_FILE');
  t.regex(error!.message, /^cannot write .*\/file\/sub: /);
});
