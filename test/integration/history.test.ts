import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { ChildPart } from '../helpers/child-part.ts';
import { freePort, PartMissing, skipWithout } from '../helpers/parts.ts';
import { weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const daySeconds = 86_400;

/** The counts of each day and type, of the file that another engine made. */
async function goldenDays(): Promise<Map<string, number>> {
  const lines = (await readFile(`${golden}/statistics/day_type.csv`, 'utf8')).trimEnd().split('\n').slice(1);
  return new Map(lines.map((line) => line.split(',')).map(([day, type, n]) => [`${day} ${type}`, Number(n)]));
}

if (existsSync(golden)) {
  test('a Prometheus that is filled with the history answers each day of the past with its count', async (t) => {
    if (spawnSync('promtool', ['--version']).status !== 0)
      return skipWithout(t, new PartMissing('promtool is not installed: apt-get install prometheus.'));
    const folder = await mkdtemp(join(tmpdir(), 'weir-history-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const state = join(folder, 'state');
    const paris = ['--zone', 'Europe/Paris'];
    await weir([
      'replay',
      '--events',
      `${golden}/events`,
      '--park',
      `${golden}/park`,
      '--state',
      state,
      '--final',
      ...paris,
    ]);
    await weir(['export', '--state', state, '--format', 'openmetrics', '--out', folder]);
    const tsdb = join(folder, 'tsdb');
    const made = spawnSync(
      'promtool',
      ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'history.om'), tsdb],
      { encoding: 'utf8' },
    );
    t.is(made.status, 0, made.stderr);
    const port = await freePort();
    const config = join(folder, 'prometheus.yml');
    await writeFile(config, 'scrape_configs: []\n');
    const prometheus = new ChildPart('prometheus', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${tsdb}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    t.teardown(() => prometheus.kill());
    const url = `http://127.0.0.1:${port}`;
    await prometheus.until(
      'it was ready',
      async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true,
    );
    const days = await goldenDays();
    // No clock was changed in these 48 days: days end at 23:00 UTC.
    const first = Date.UTC(2017, 11, 15, 23) / 1000;
    const query = new URLSearchParams({
      query: 'grid_window_events{period="day",state="closed",job="weir"}',
      start: String(first),
      end: String(first + 47 * daySeconds),
      step: String(daySeconds),
    });
    type Answer = { data: { result: { metric: { type_evt: string }; values: [number, string][] }[] } };
    let answer: Answer | undefined;
    for (let i = 0; i < 40 && (answer?.data.result.length ?? 0) === 0; i++, await delay(250))
      answer = (await (await fetch(`${url}/api/v1/query_range?${query}`)).json()) as Answer;
    const found = new Map<string, number>();
    for (const { metric, values } of answer!.data.result) {
      for (const [end, value] of values) {
        const day = new Date((end - daySeconds + 3600) * 1000).toISOString().slice(0, 10);
        if (Number(value) > 0) found.set(`${day} ${metric.type_evt}`, Number(value));
      }
    }
    t.is(days.size > 48, true);
    t.deepEqual(new Map([...found].sort()), new Map([...days].sort()));

    const regions = (await readFile(`${golden}/park/region.csv`, 'utf8')).trimEnd().split('\n').slice(1);
    const byName = new URLSearchParams({
      query:
        'max by (region) (grid_region_events) * on (region) group_left (name) topk by (region) (1, max by (region, name) (grid_region_info))',
      time: String(first),
    });
    type Joined = { data: { result: { metric: { region: string; name: string } }[] } };
    const joined = ((await (await fetch(`${url}/api/v1/query?${byName}`)).json()) as Joined).data.result;
    t.true(joined.length > 3, JSON.stringify(joined));
    for (const { metric } of joined)
      t.true(regions.includes(`${metric.region},${metric.name}`), JSON.stringify(metric));
  });
}
