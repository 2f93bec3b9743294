/**
 * What scans over HTTP cost everybody else: `/readyz` is asked again and again while so many clients read a whole store at once, and the memory of the process is watched.
 *
 * A process that does nothing else asks, and says how late its own timers were: that much is the machine's. How late those of the server were, its metrics say.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm } from 'node:fs/promises';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { printConditions } from './lib/conditions.ts';
import { freshFolder } from './lib/folders.ts';
import { readOptions } from './lib/options.ts';

const options = readOptions({
  scans: '0,1,16,150',
  days: '10',
  meters: '20000',
  'events-per-day': '30000',
  path: '/stores/day-equipment',
});
const main = 'dist/topologies/grid/main.js';
/** Set for the process that asks: what it asks. */
const asked = process.env['SCANS_ASK'];

interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly ms: number;
}

/** Asks and reads to the end, or stops to read after the head. */
function ask(url: string, slow = false): Promise<Answer> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const request: ClientRequest = get(url, { agent: false }, (response: IncomingMessage) => {
      let bytes = 0;
      const done = (): void => resolve({ status: response.statusCode!, bytes, ms: performance.now() - started });
      response.on('error', reject);
      response.on('end', done);
      if (slow && response.statusCode === 200) return;
      response.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
    });
    request.on('error', reject);
  });
}

async function weir(...words: string[]): Promise<void> {
  const child = spawn(process.execPath, [main, ...words], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`weir ${words[0]} ended with ${code}`);
}

async function memoryOf(pid: number): Promise<{ readonly now: number; readonly peak: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)![1]) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

/** Times of answers and delays of timers, ms. */
interface Asked {
  readonly times: readonly number[];
  /** 99 of 100 timers of the asking process were late by less. */
  readonly lateMs: number;
}

/** The process that asks: until it is told to stop. */
async function keepAsking(url: string): Promise<void> {
  const late = monitorEventLoopDelay({ resolution: 10 });
  const times: number[] = [];
  let over = false;
  process.once('message', () => {
    over = true;
  });
  await ask(url);
  late.enable();
  while (!over) {
    times.push((await ask(url)).ms);
    await delay(10);
  }
  times.sort((a, b) => a - b);
  process.send!({ times, lateMs: late.percentile(99) / 1e6 - 10 } satisfies Asked);
  process.disconnect();
}

/** How late the server's timers were since it was asked last, ms: 99 of 100 by less, and all of them. */
async function serverLateMs(url: string): Promise<readonly [p99: number, most: number]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const of = (name: string): number =>
    1000 * Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)![1]) - 10;
  return [of('p99'), of('max')];
}

async function measure(state: string, scans: number, slow: boolean): Promise<void> {
  const server = spawn(process.execPath, [main, 'serve', '--state', state, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const url = /http:\S+/.exec(line.toString())![0];
    await ask(`${url}/readyz`);
    const before = await memoryOf(server.pid!);
    const asking = fork(process.argv[1]!, { env: { ...process.env, SCANS_ASK: `${url}/readyz` } });
    const result = once(asking, 'message') as Promise<[Asked]>;
    await delay(1000);
    await serverLateMs(url);
    const started = Date.now();
    const answers = Promise.all(
      Array.from({ length: scans }, () => ask(url + options.path, slow).catch(() => undefined)),
    );
    if (!slow) await Promise.race([answers, delay(60_000)]);
    await delay(Math.max(0, 3000 - (Date.now() - started)));
    asking.send('stop');
    const [[{ times, lateMs }], serverMs] = [await result, await serverLateMs(url)];
    const { peak } = await memoryOf(server.pid!);
    const codes = slow ? [] : (await answers).map((answer) => answer?.status ?? 0);
    const count = (code: number): number => codes.filter((each) => each === code).length;
    const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
    const title = `${scans} scans${slow ? ', nobody reads' : ''}`;
    const ms = [at(0.5), at(0.99), at(1), ...serverMs, lateMs].map((each) => each.toFixed(1));
    const cells = [...ms, before.now.toFixed(0), peak.toFixed(0), count(200), count(503), count(0)];
    console.log(title.padEnd(26) + cells.map((cell) => String(cell).padStart(9)).join(''));
  } finally {
    server.kill('SIGKILL');
  }
}

/** Rows a second that a replay takes while so many clients read a store again and again. */
async function takenBeside(scans: number): Promise<void> {
  const folder = `${data}/beside`;
  await rm(folder, { recursive: true, force: true });
  await cp(`${data}/state`, folder, { recursive: true });
  const words = ['replay', '--events', `${data}/more/events`, '--state', folder, '--serve', '--port', '0'];
  const child = spawn(process.execPath, [main, ...words, '--partitions', '1', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [line] = (await once(child.stderr, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString())![0];
  let over = false;
  const reading = Array.from({ length: scans }, async () => {
    while (!over) await ask(url + options.path).catch(() => delay(10));
  });
  const [summary] = (await once(child.stdout, 'data')) as [Buffer];
  over = true;
  child.kill('SIGTERM');
  await Promise.all([once(child, 'exit'), ...reading]);
  const { rows, seconds } = JSON.parse(summary.toString()) as { rows: number; seconds: number };
  const perSecond = Math.round(rows / seconds).toLocaleString('en');
  console.log(`${`replay beside ${scans} scans`.padEnd(26)}${perSecond.padStart(9)} rows/s`);
}

if (asked !== undefined) {
  await keepAsking(asked);
  process.exit(0);
}
printConditions();
const data = await freshFolder('scans');
await weir(
  ...['generate', '--out', `${data}/made`, '--from', '2018-01-01', '--days', options.days, '--meters', options.meters],
  ...['--concentrators', '500', '--events-per-day', options['events-per-day'], '--seed', '3'],
);
await weir(
  ...['generate', '--out', `${data}/more`, '--park', `${data}/made/park`, '--from', '2018-02-01', '--days', '10'],
  ...['--events-per-day', '200000', '--seed', '4'],
);
await weir('replay', '--events', `${data}/made/events`, '--park', `${data}/made/park`, '--state', `${data}/state`);
console.log(
  ''.padEnd(26) +
    ['p50 ms', 'p99 ms', 'most ms', 'loop p99', 'loop max', 'noise', 'MB', 'peak MB', '200', '503', 'cut']
      .map((head) => head.padStart(9))
      .join(''),
);
for (const scans of options.scans.split(',')) await measure(`${data}/state`, Number(scans), false);
await measure(`${data}/state`, 150, true);
for (const scans of [0, 1, 16]) await takenBeside(scans);
await freshFolder('scans');
process.exit(0);
