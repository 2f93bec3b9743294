import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Ran } from '../../../cli/fixtures/run.ts';
import { typescript } from '../../../helpers/typescript-child.ts';
import { dataSet, digestOf, good, startWeir, temporary, until, weir } from './weir.ts';

const main = fileURLToPath(new URL('../../../../topologies/grid/main.ts', import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly ran: Ran;
  readonly ended: Promise<Ran>;
}

/** Starts `weir` as a process of its own. */
function start(line: string, cwd?: string): Started {
  const child = spawn(process.execPath, [...typescript, main, ...line.split(' ')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const ran = { code: -1, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    ran.stdout += String(data);
  });
  child.stderr.on('data', (data) => {
    ran.stderr += String(data);
  });
  const ended = once(child, 'close').then(([code]) => ({ ...ran, code: code as number }));
  return { child, ran, ended };
}

test('a replay stopped by SIGTERM commits, ends with 143, and the next one goes on from there to the same results', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder, { days: 25, eventsPerDay: 8640 });
  const line = `replay --events ${folder}/events --park ${folder}/park --json`;
  const whole = JSON.parse(await good(t, `${line} --state ${folder}/whole`));
  const running = startWeir(`${line} --state ${folder}/state --out ${folder}/out --log-level info`);
  await until(() => running.stderr.text.includes('"to":"RUNNING"'));
  running.signal('SIGTERM');
  const { code, stdout, stderr } = await running.ended;
  t.is(code, 143, stderr);
  t.is(stdout, '');
  t.regex(stderr, /the next run goes on from here/);
  const rest = JSON.parse(await good(t, `${line} --state ${folder}/state`));
  t.true(rest.rows > 0 && rest.rows < whole.rows, String(rest.rows));
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/whole`));
});

test('a second process on a state folder is refused at once, and the first one goes on', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder);
  const line = `replay --events ${folder}/events --park ${folder}/park --state ${folder}/state`;
  const first = start(`${line} --follow --log-level info`);
  await until(() => first.ran.stderr.includes('"to":"RUNNING"'));
  for (const other of [line, `digest --state ${folder}/state`]) {
    const { code, stderr } = await weir(other);
    t.is(code, 3);
    t.true(stderr.includes(`STREAMS_STATE_STORE_LOCKED: state folder ${folder}/state`), stderr);
  }
  first.child.kill('SIGINT');
  const { code, stderr } = await first.ended;
  t.is(code, 0, stderr);
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${folder}/other`);
  await good(t, line);
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/other`));
});

test('the program ends with the code of its command, and writes results to stdout alone', async (t) => {
  const [version, wrong] = await Promise.all([start('--version').ended, start('--versoin').ended]);
  t.like(version, { code: 0, stderr: '' });
  t.regex(version.stdout, /^\d+\.\d+\.\d+\n$/);
  t.like(wrong, { code: 2, stdout: '' });
  t.regex(wrong.stderr, /^STREAMS_USAGE: unknown option '--versoin'\. Did you mean --version\?/);
});

test('the demonstration makes its data once, prints results, serves them, and ends with 0; where its port is taken it takes the next, but not for one that was asked for', async (t) => {
  const folder = await temporary(t);
  const taken = createServer();
  // Whoever has it already does as well.
  taken.on('error', () => {});
  await new Promise<void>((resolve) => {
    taken.once('error', () => resolve());
    taken.listen(8080, '127.0.0.1', () => resolve());
  });
  t.teardown(() => taken.close());
  const tables: string[] = [];
  for (const line of ['demo --port 0', 'demo']) {
    const demo = start(line, folder);
    await until(() => /until Ctrl-C/.test(demo.ran.stdout));
    const [, table, url] = /^([\s\S]*)\nserving (\S+) until Ctrl-C\n/.exec(demo.ran.stdout)!;
    const { hostname, port } = new URL(url!);
    t.is(hostname, '127.0.0.1');
    t.not(port, '8080');
    t.is((await fetch(`${url}/readyz`)).status, 200);
    demo.child.kill('SIGINT');
    const { code, stderr } = await demo.ended;
    t.is(code, 0, stderr);
    t.is(/^generate: 90\/90 files/m.test(stderr), tables.length === 0);
    t.regex(stderr, /^replay: 90\/90 files, 839,770 rows/m);
    tables.push(table!);
  }
  t.regex(tables[0]!, /^\nA demonstration: made-up events .*\nOf 839,770 rows \d+ are damaged on purpose.*dead\.jsonl/);
  t.regex(tables[0]!, /\nEvents by month\nmonth +ev_C +ev_K +ev_N +all\n2023-12 /);
  t.is(tables[1], tables[0]);
  const { code, stdout, stderr } = await start('demo --port 8080', folder).ended;
  t.is(code, 1);
  t.regex(stdout, /^Events by month$/m);
  t.regex(stderr, /^STREAMS_PORT: /m);
});
