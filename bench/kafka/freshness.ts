/**
 * How long an event takes from the producer's hands to an answer over HTTP that counts it: by equipment (one commit), and by commune (two: through a repartition
 * topic). `weir run`, exactly once, while events come at an even rate.
 *
 * One equipment, the probe, has an event in each small batch; its counts are asked for again and again. A delay ends when an answer that tells the event is there,
 * so up to one interval between two questions is added to it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../test/helpers/parts.ts';
import { eventsTopic, parkTable } from '../../topologies/grid/topology.ts';
import { printConditions } from '../lib/conditions.ts';
import { freshFolder } from '../lib/folders.ts';
import { gridData } from '../lib/grid-data.ts';
import { readOptions } from '../lib/options.ts';
import { freshTopic, openBenchBroker } from './lib/bench-broker.ts';
import { buildWeir, runProgram, runWeir } from './lib/measured.ts';
import { placedMeters, type Sent, steadyDate } from './lib/steady-events.ts';
import { delaysOf, percentilesText, type Seen, watch } from './lib/watch.ts';

const options = readOptions({
  seconds: 40,
  'warm-up': 10,
  'per-second': 5000,
  meters: 5000,
  concentrators: 100,
  partitions: 2,
  'poll-interval': 5,
  set: '',
  brokers: '',
});
const { seconds, meters, concentrators, partitions, set, brokers } = options;
const everyMs = options['poll-interval'];

const { park } = await gridData({ days: 1, meters, concentrators });
await buildWeir();
const broker = await openBenchBroker(brokers);
let weirPid = 0;
try {
  await freshTopic(broker, eventsTopic, partitions);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const common = ['--brokers', broker.bootstrap, '--application-id', `freshness-${process.pid}`];
  const tables = ['--park', park, '--park-topic', `${parkTable}-freshness-${process.pid}`];
  const settings = (set === '' ? [] : set.split(',')).flatMap((setting) => ['--set', setting]);
  const state = await freshFolder('kafka-state');
  const args = ['run', ...common, ...tables, '--state', state, '--port', String(port), ...settings];
  const onPid = (pid: number): void => {
    weirPid = pid;
  };
  const weir = runWeir(args, { onPid });
  await Promise.race([untilReady(url), weir.then(() => Promise.reject(new Error('weir run has ended')))]);

  const [probe, place] = [...(await placedMeters(park))][0]!;
  const window = `from=${steadyDate}&to=2014-01-02`;
  let last: Sent['sent'] | undefined;
  let sending = true;
  const sent: Sent['sent'][] = [];
  const onLine = (line: unknown): void => {
    last = (line as Sent).sent;
    sent.push(last);
  };
  printConditions();
  const before = broker.cpuSeconds();
  const startedAt = performance.now();
  const rate = [String(options['per-second']), String(seconds)];
  const producing = runProgram('send-steadily', [broker.bootstrap, eventsTopic, String(partitions), park, ...rate], {
    onLine,
  }).then(() => {
    sending = false;
  });
  const watching = (address: string, wanted: 'ofProbe' | 'ofCommune'): Promise<readonly Seen[]> =>
    watch({ url: address, everyMs, more: (count) => sending || count < last![wanted] });
  const [equipment, commune, all] = await Promise.all([
    watching(`${url}/statistics/day/equipment?key=${probe}&${window}`, 'ofProbe'),
    watching(`${url}/statistics/day/commune?key=${place.commune}&${window}`, 'ofCommune'),
    producing.then(() => watch({ url: `${url}/statistics/day/type?${window}`, everyMs, more: (n) => n < last!.all })),
  ]);
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const brokerSeconds = before === undefined ? undefined : broker.cpuSeconds()! - before;
  process.kill(weirPid, 'SIGTERM');
  weirPid = 0;
  const { cpuSeconds, peakRssBytes } = await weir;

  if (all.at(-1)?.count !== last!.all) throw new Error(`${all.at(-1)?.count} events were counted, not ${last!.all}`);
  const counted = sent.filter(({ atMs }) => atMs >= sent[0]!.atMs + 1000 * options['warm-up']);
  const of = (which: 'ofProbe' | 'ofCommune'): Seen[] => counted.map((at) => ({ atMs: at.atMs, count: at[which] }));
  const perSecond = Math.round(last!.all / seconds).toLocaleString('en-US');
  console.log(`${perSecond} events a second of ${meters.toLocaleString('en-US')} meters for ${seconds} s`);
  console.log(`  by equipment: ${percentilesText(delaysOf(of('ofProbe'), equipment))}`);
  console.log(`  by commune:   ${percentilesText(delaysOf(of('ofCommune'), commune))}`);
  const percent = (taken: number): string => `${((100 * taken) / wallSeconds).toFixed(0)} % of a core`;
  const brokerText = brokerSeconds === undefined ? '' : `, broker ${percent(brokerSeconds)}`;
  console.log(`  weir ${percent(cpuSeconds)}, start included, rss ${Math.round(peakRssBytes / 1e6)} MB${brokerText}`);
  await freshFolder('kafka-state');
} finally {
  if (weirPid > 0) process.kill(weirPid, 'SIGKILL');
  await broker.close();
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const ready = await fetch(`${url}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (ready) return;
    await delay(100);
  }
}
