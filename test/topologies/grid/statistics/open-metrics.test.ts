import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { exportHistory } from '../../../../topologies/grid/statistics/open-metrics.ts';
import { FakeStores } from './fake-stores.ts';

const zone = 'Europe/Paris';

test('a history is whole where the disk takes less at once than it is given', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-history-'));
  const handle = await open(join(folder, 'any'), 'w');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { write } = prototype;
  t.teardown(async () => {
    prototype.write = write;
    await rm(folder, { recursive: true });
  });
  prototype.write = async function (this: typeof handle, data: string | Uint8Array, at = 0) {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    return Reflect.apply(write, this, [bytes, at, Math.min(10, bytes.length - at)]);
  } as typeof write;
  const stores = new FakeStores(zone);
  stores.add('day', 'type', '2018-01-01', 'all', 'ev_C', 3);
  const file = join(folder, 'history.txt');
  await exportHistory({ stores: stores.get, zone, finalUntilMs: () => Number.POSITIVE_INFINITY }, file, { labels: {} });
  const text = await readFile(file, 'utf8');
  t.true(text.includes('grid_window_events{period="day",state="closed",type_evt="ev_C"} 3 1514847600\n'), text);
  t.true(text.endsWith('# EOF\n'));
});
