import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { madeData } from './helpers/made-data.ts';

const installed = spawnSync('promtool', ['--version']).status === 0;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until the answer has a result, half a minute at the most. */
async function query(
  url: string,
  expression: string,
): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]> {
  for (let i = 0; i < 60; i++) {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`).catch(() => undefined);
    // Until it has read its data, Prometheus answers with 503 and a text.
    const body = (answer?.ok === true ? await answer.json() : undefined) as
      | { data?: { result: { metric: Record<string, string>; value: [number, string] }[] } }
      | undefined;
    if (body?.data !== undefined && body.data.result.length > 0) return body.data.result;
    await delay(500);
  }
  throw new Error(`no result of ${expression}`);
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
}

if (installed) {
  test('a Prometheus that scrapes a running weir has its counts, and promtool finds no fault with its metrics', async (t) => {
    const data = await madeData({ days: 10, eventsPerDay: 1000, damage: 0, late: false, seed: 7 });
    const args = [
      'replay',
      '--events',
      `${data}/events`,
      '--park',
      `${data}/park`,
      '--state',
      join(data, 'state'),
      '--serve',
      '--port',
      '0',
    ];
    const weir = spawn(process.execPath, ['dist/topologies/grid/main.js', ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(weir.stdout, 'data')) as [Buffer];
    const url = /http:\/\/[0-9.:]+/.exec(line.toString())![0];
    const folder = await mkdtemp(join(tmpdir(), 'weir-prometheus-'));
    const target = url.slice('http://'.length);
    const config = join(folder, 'prometheus.yml');
    await writeFile(
      config,
      `scrape_configs: [{job_name: weir, scrape_interval: 1s, static_configs: [{targets: ['${target}']}]}]\n`,
    );
    const port = await freePort();
    const options = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}/tsdb`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ];
    const prometheus = spawn('prometheus', options, { stdio: 'ignore' });
    try {
      const api = `http://127.0.0.1:${port}`;
      const events = await query(api, 'sum(grid_events) == 10000');
      t.is(events[0]!.value[1], '10000');
      const processed = await query(api, 'streams_task_records_processed_total{task_id="0_0"}');
      t.is(processed[0]!.value[1], '10000');
      const windows = await query(api, 'grid_window_events{period="day",state="open"}');
      t.deepEqual(windows.map(({ metric }) => metric['type_evt']).sort(), ['ev_C', 'ev_K', 'ev_N']);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      // promtool has something to say about names that prom-client gives the process's own metrics.
      const own = metrics.split('\n').filter((text) => !/^(# (HELP|TYPE) )?nodejs_/.test(text));
      const check = spawnSync('promtool', ['check', 'metrics'], { input: own.join('\n') });
      t.is(check.stderr.toString(), '');
      t.is(check.status, 0);
      t.true(own.filter((text) => text !== '' && !text.startsWith('#')).length < 1000);
    } finally {
      await stopped(prometheus);
      await stopped(weir);
    }
  });
} else {
  test('Prometheus', (t) => {
    t.log('promtool is not installed: apt-get install prometheus');
    t.is(process.env['REQUIRE_PARTS'], undefined, 'Prometheus is required here');
  });
}
