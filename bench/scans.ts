/**
 * What scans over HTTP cost everybody else: `/readyz` is asked again and again while so many clients read a whole store at once, and the memory of the process is watched.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
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

async function measure(state: string, scans: number, slow: boolean): Promise<void> {
  const server = spawn(process.execPath, [main, 'serve', '--state', state, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const url = /http:\S+/.exec(line.toString())![0];
    await ask(`${url}/readyz`);
    const before = await memoryOf(server.pid!);
    let left = true;
    const answers = Promise.all(
      Array.from({ length: scans }, () => ask(url + options.path, slow).catch(() => undefined)),
    );
    void answers.then(() => {
      left = false;
    });
    const times: number[] = [];
    for (
      const end = Date.now() + 60_000, least = Date.now() + 3000;
      Date.now() < end && (Date.now() < least || (left && !slow));
    ) {
      times.push((await ask(`${url}/readyz`)).ms);
      await delay(10);
    }
    const { peak } = await memoryOf(server.pid!);
    const codes = slow ? [] : (await answers).map((answer) => answer?.status ?? 0);
    const count = (code: number): number => codes.filter((each) => each === code).length;
    times.sort((a, b) => a - b);
    const at = (share: number): string =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))]!.toFixed(1);
    const title = `${scans} scans${slow ? ', nobody reads' : ''}`;
    const cells = [at(0.5), at(0.99), at(1), before.now.toFixed(0), peak.toFixed(0), count(200), count(503), count(0)];
    console.log(title.padEnd(26) + cells.map((cell) => String(cell).padStart(9)).join(''));
  } finally {
    server.kill('SIGKILL');
  }
}

printConditions();
const data = await freshFolder('scans');
await weir(
  ...['generate', '--out', `${data}/made`, '--from', '2018-01-01', '--days', options.days, '--meters', options.meters],
  ...['--concentrators', '500', '--events-per-day', options['events-per-day'], '--seed', '3'],
);
await weir('replay', '--events', `${data}/made/events`, '--park', `${data}/made/park`, '--state', `${data}/state`);
console.log(
  ''.padEnd(26) +
    ['p50 ms', 'p99 ms', 'most ms', 'MB', 'peak MB', '200', '503', 'cut'].map((head) => head.padStart(9)).join(''),
);
for (const scans of options.scans.split(',')) await measure(`${data}/state`, Number(scans), false);
await measure(`${data}/state`, 150, true);
await freshFolder('scans');
process.exit(0);
