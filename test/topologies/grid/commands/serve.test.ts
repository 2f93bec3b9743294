import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { addressOf, dataSet, digestOf, eventFile, good, startWeir, temporary, until, weir } from './weir.ts';

async function smallState(t: ExecutionContext): Promise<string> {
  const folder = await temporary(t);
  await mkdir(join(folder, 'events'));
  await writeFile(join(folder, 'events/1.csv'), eventFile('2018-01-30', ['10:00:00,ev_C,10', '11:00:00,ev_K,2']));
  await good(t, `replay --events ${folder}/events --state ${folder}/state`);
  return folder;
}

interface Row {
  readonly n: number;
  readonly type_evt: string;
}

async function countsAt(url: string): Promise<number> {
  const response = await fetch(`${url}/statistics/year/type`);
  return ((await response.json()) as Row[]).reduce((sum, { n }) => sum + n, 0);
}

test('serve answers for a state without input until the signal, and ends with 0', async (t) => {
  const folder = await smallState(t);
  const running = startWeir(`serve --state ${folder}/state --port 0`);
  const url = await addressOf(running);
  t.is((await fetch(`${url}/readyz`)).status, 200);
  t.is(await countsAt(url), 2);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  t.regex(metrics, /^grid_events\{type_evt="ev_C",application_id="grid"\} 1$/m);
  t.regex(metrics, /^streams_client_info\{application_id="grid",version="\d+\.\d+\.\d+",/m);
  t.regex(await (await fetch(`${url}/topology`)).text(), /^store day-equipment: window/m);
  t.regex(await (await fetch(url)).text(), /<title>Grid statistics<\/title>/);
  const second = await weir(`serve --state ${folder}/state --port 0`);
  t.is(second.code, 3);
  t.true(second.stderr.includes(`STREAMS_STATE_STORE_LOCKED: state folder ${folder}/state`), second.stderr);
  running.signal('SIGINT');
  t.is((await running.ended).code, 0);
  await t.throwsAsync(fetch(url));
  t.is((await weir(`digest --state ${folder}/state`)).code, 0);
});

test('a port that is in use is told, and the state is free again', async (t) => {
  const folder = await smallState(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  for (const line of ['serve', `replay --events ${folder}/events --serve`]) {
    const { code, stdout, stderr } = await weir(`${line} --state ${folder}/state --port ${port}`);
    t.is(code, 1, line);
    t.true(stderr.includes(`STREAMS_PORT: port ${port} of 127.0.0.1 is in use`), stderr);
    t.is(stdout, '');
  }
  t.is((await weir(`digest --state ${folder}/state`)).code, 0);
});

test('replay --serve serves during the replay and after it, exports, and ends with 0 at the signal', async (t) => {
  const folder = await temporary(t);
  await dataSet(folder);
  const line = `replay --events ${folder}/events --park ${folder}/park --state ${folder}/state --out ${folder}/out`;
  const running = startWeir(`${line} --serve --port 0`);
  const url = await addressOf(running);
  await until(async () => (await countsAt(url)) === 6000);
  t.is((await fetch(`${url}/readyz`)).status, 200);
  running.signal('SIGTERM');
  t.is((await running.ended).code, 0);
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${folder}/other`);
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/other`));
});

test('with --json the address goes to stderr, and a summary alone to stdout', async (t) => {
  const folder = await smallState(t);
  const running = startWeir(`replay --events ${folder}/events --state ${folder}/other --serve --port 0 --json`);
  await until(() => running.stdout.text !== '');
  t.is(JSON.parse(running.stdout.text).rows, 2);
  t.regex(running.stderr.text, /^serving http:\/\/127\.0\.0\.1:\d+$/m);
  running.signal('SIGTERM');
  t.is((await running.ended).code, 0);
});

test('replay --follow takes files that grow and new ones, and commits at the signal', async (t) => {
  const folder = await smallState(t);
  const events = join(folder, 'events');
  const line = `replay --events ${events} --state ${folder}/state --follow --serve --port 0 --out ${folder}/out`;
  const running = startWeir(`${line} --set commit.interval.ms=20`);
  const url = await addressOf(running);
  const row = (time: string): string => `20180130120000,2018-01-30 ${time},2018-01-30 23:59:59,ev_C,C,10,`;
  await appendFile(join(events, '1.csv'), `${row('12:00:00')}\n${row('12:00:10').slice(0, 30)}`);
  await until(async () => (await countsAt(url)) === 3);
  await appendFile(join(events, '1.csv'), `${row('12:00:10').slice(30)}\n`);
  await until(async () => (await countsAt(url)) === 4);
  await writeFile(join(events, '2.csv'), eventFile('2018-01-31', ['10:00:00,ev_C,10']));
  await until(async () => (await countsAt(url)) === 5);
  running.signal('SIGTERM');
  const { code, stderr } = await running.ended;
  t.is(code, 0, stderr);
  t.is(JSON.parse(await good(t, `query year equipment --key C:10 --json --state ${folder}/state`))[0].n, 4);
  await good(t, `replay --events ${events} --state ${folder}/fresh --out ${folder}/fresh/out`);
  t.is(await digestOf(t, `${folder}/state`), await digestOf(t, `${folder}/fresh`));
});
