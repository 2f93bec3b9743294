import test from 'ava';
import { parquetReadObjects } from 'hyparquet';
import { StreamsError } from '../../../../src/common/errors.ts';
import { MemoryFiles, MemoryTarget } from '../../../../src/sink/memory-target.ts';
import { type ExportOptions, exportStatisticsTo } from '../../../../topologies/grid/statistics/export-statistics.ts';
import { DyingTarget } from '../../../sink/dying-target.ts';
import { FakeStores } from './fake-stores.ts';
import { goldenFile, goldenStores, hasGolden } from './golden.ts';

const zone = 'Europe/Paris';
const withGolden = hasGolden || process.env.REQUIRE_PARTS === '1' ? test : test.skip;

async function written(stores: FakeStores, options: ExportOptions = {}): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  await exportStatisticsTo(stores.get, new MemoryTarget(files), zone, options);
  return files;
}

const textOf = (files: MemoryFiles, path: string): string => Buffer.from(files.visible.get(path)!).toString();

withGolden('at a target the golden statistics are 24 files, the same bytes as in a folder, and _SUCCESS', async (t) => {
  const files = await written(goldenStores());
  t.is(files.visible.size, 25);
  for (const path of files.visible.keys()) t.is(textOf(files, path), path === '_SUCCESS' ? '' : goldenFile(path), path);
});

withGolden('Parquet and JSON lines have the rows of the golden files, with dates and whole numbers', async (t) => {
  const some: ExportOptions = { periods: ['week'], groupings: ['equipment', 'type'] };
  const parquet = await written(goldenStores(), { ...some, format: 'parquet' });
  const jsonl = await written(goldenStores(), { ...some, format: 'jsonl' });
  for (const name of ['week_equipment', 'week_type']) {
    const bytes = new Uint8Array(parquet.visible.get(`${name}.parquet`)!);
    const rows = await parquetReadObjects({ file: bytes.buffer });
    const lines = rows.map(({ window_start: start, ...others }) =>
      [(start as Date).toISOString().slice(0, 10), ...Object.values(others)].join(),
    );
    const [, ...golden] = goldenFile(`${name}.csv`).trimEnd().split('\n');
    t.deepEqual(lines, golden);
    const objects = textOf(jsonl, `${name}.jsonl`).trimEnd().split('\n');
    t.deepEqual(
      objects.map((line) => Object.values(JSON.parse(line) as object).join()),
      golden,
    );
    t.regex(objects[0]!, /^{"window_start":"2017-12-11",.*"n":\d+}$/);
  }
});

test('an export whose process dies at any step is seen whole or without _SUCCESS, and the next one is whole', async (t) => {
  const options: ExportOptions = { periods: ['day'], groupings: ['type', 'pdk', 'region'] };
  const storesOf = (n: number): FakeStores => {
    const stores = new FakeStores(zone);
    for (const grouping of options.groupings!) stores.add('day', grouping, '2018-01-01', 'a', 'ev_C', n);
    return stores;
  };
  let whole = false;
  for (let step = 0; !whole; step++) {
    const files = new MemoryFiles();
    const target = new DyingTarget(files, step);
    const exporting = exportStatisticsTo(storesOf(1).get, target, zone, options);
    whole = await Promise.race([exporting.then(() => true), target.died.then(() => false)]);
    t.is(files.visible.has('_SUCCESS'), files.visible.size === 4, `step ${step}`);
    if (files.visible.has('_SUCCESS')) continue;
    // The state has moved on meanwhile: nothing of the first attempt may stay.
    await exportStatisticsTo(storesOf(2).get, new MemoryTarget(files), zone, options);
    t.deepEqual([...files.visible.keys()].sort(), ['_SUCCESS', 'day_pdk.csv', 'day_region.csv', 'day_type.csv']);
    for (const path of ['day_pdk.csv', 'day_region.csv', 'day_type.csv']) t.regex(textOf(files, path), /ev_C,2\n$/);
    t.is(files.sealed.size, 0);
  }
});

test('a complete export is not replaced, and files of others stay', async (t) => {
  const files = await written(new FakeStores(zone));
  const before = new Map(files.visible);
  const error = await t.throwsAsync(exportStatisticsTo(new FakeStores(zone).get, new MemoryTarget(files), zone));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_INPUT_REFUSED');
  t.deepEqual(files.visible, before);
  files.visible.delete('_SUCCESS');
  files.visible.set('notes.txt', Buffer.from('mine'));
  await exportStatisticsTo(new FakeStores(zone).get, new MemoryTarget(files), zone);
  t.is(textOf(files, 'notes.txt'), 'mine');
});

test('an export that is stopped leaves nothing that is seen, and nothing that waits', async (t) => {
  const files = new MemoryFiles();
  const stores = new FakeStores(zone);
  stores.add('year', 'region', '2018-01-01', 'a', 'ev_C', 1);
  const stop = new AbortController();
  const stopping = new (class extends MemoryTarget {
    override async open(owner: string): ReturnType<MemoryTarget['open']> {
      if (files.sealed.size === 20) stop.abort(new Error('stop'));
      return super.open(owner);
    }
  })(files);
  await t.throwsAsync(exportStatisticsTo(stores.get, stopping, zone, { signal: stop.signal }), { message: 'stop' });
  t.deepEqual([files.visible.size, files.sealed.size], [0, 0]);
});

test('safe CSV keeps a spreadsheet from running the name of a place', async (t) => {
  const stores = new FakeStores(zone);
  stores.add('day', 'region', '2018-01-01', '=1+1', 'ev_C', 1);
  const files = await written(stores, { periods: ['day'], groupings: ['region'], safeCsv: true });
  t.is(textOf(files, 'day_region.csv'), "window_start,region,type_evt,n\n2018-01-01,'=1+1,ev_C,1\n");
});
