/**
 * A million meters at an even rate: counts by equipment in four windows, exactly once, commits of 100 ms; weir beside Kafka Streams in turn on one broker. Each meter has a row
 * before it begins. CPU and bytes written of engine and broker while events come, and how long an event takes from the producer's hands to a committed row of its own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { eventsTopic } from '../../topologies/grid/topology.ts';
import { printConditions } from '../lib/conditions.ts';
import { freshFolder } from '../lib/folders.ts';
import { readOptions } from '../lib/options.ts';
import type { ChildRun } from '../lib/run-child.ts';
import { forget, freshTopic, openBenchBroker } from './lib/bench-broker.ts';
import { buildPeer, buildWeir, runPeer, runProgram } from './lib/measured.ts';
import { type ProbeSent, watchProbes } from './lib/probe-watch.ts';
import { type ProcessUsage, usageBetween, usageOf } from './lib/process-usage.ts';
import { percentilesText } from './lib/watch.ts';

const options = readOptions({
  meters: 1_000_000,
  'per-second': 5000,
  seconds: 60,
  'warm-up': 10,
  'commit-interval': 100,
  partitions: 2,
  threads: 2,
  contenders: 'weir,dsl,processor',
  'java-options': '-Xmx1g',
});
const { meters, seconds, partitions, threads } = options;
const perSecond = options['per-second'];
const records = meters + perSecond * seconds;
const javaOptions = options['java-options'].split(' ').filter((option) => option !== '');

await buildWeir();
buildPeer();
const broker = await openBenchBroker('');
printConditions();
try {
  for (const name of options.contenders.split(',')) await measure(name);
} finally {
  await broker.close();
}

/** What engine and broker had taken at a moment. */
interface Sample {
  /** ms since the epoch. */
  readonly atMs: number;
  readonly engine: ProcessUsage;
  readonly broker: ProcessUsage;
}

async function measure(name: string): Promise<void> {
  const applicationId = `steady-${name}-${process.pid}`;
  await freshTopic(broker, eventsTopic, partitions);
  await send(0, () => {});
  let pid = 0;
  let ended: ChildRun | undefined;
  const state = await freshFolder('kafka-state');
  const running = run(name, applicationId, state, (given) => {
    pid = given;
  }).then((all) => {
    ended = all;
  });
  const store = name === 'processor' ? 'counts' : 'day-equipment';
  await Promise.race([untilCommitted(applicationId, meters), failedEarly(running)]);
  const watch = await watchProbes(broker.client, `${applicationId}-${store}-changelog`);
  await delay(3000);
  const samples: Sample[] = [];
  const sent: ProbeSent[] = [];
  await send(perSecond, (probe) => {
    sent.push(probe);
    const sinceMs = probe.atMs - sent[0]!.atMs;
    // The engine ends when it has processed all, so the last second is left out.
    if (sent.length === 1 || (samples.length === 1 && sinceMs >= 1000 * (seconds - 1)))
      samples.push({ atMs: probe.atMs, engine: usageOf(pid)!, broker: usageOf(broker.pid!)! });
  });
  await running;
  await untilCommitted(applicationId, records);
  await delay(1000);
  await watch.close();
  const delays = sent
    .filter(({ atMs }) => atMs >= sent[0]!.atMs + 1000 * options['warm-up'])
    .map(({ probe, atMs }) => {
      const seenMs = watch.seen.get(probe);
      if (seenMs === undefined) throw new Error(`${name}: no row of probe ${probe} was committed`);
      return seenMs - atMs;
    });
  console.log(`${name}: ${perSecond} events/s of ${meters.toLocaleString('en-US')} meters for ${seconds} s`);
  const [first, last] = samples as [Sample, Sample];
  const wallSeconds = (last.atMs - first.atMs) / 1000;
  tell('engine', usageBetween(first.engine, last.engine), wallSeconds);
  tell('broker', usageBetween(first.broker, last.broker), wallSeconds);
  console.log(`  committed after ${percentilesText(delays)}; rss ${Math.round(ended!.peakRssBytes / 1e6)} MB`);
  await forget(broker, applicationId);
  await freshFolder('kafka-state');
}

function tell(what: string, { cpuSeconds, writtenBytes }: ProcessUsage, wallSeconds: number): void {
  const percent = ((100 * cpuSeconds) / wallSeconds).toFixed(0);
  console.log(`  ${what}: ${percent} % of a core, ${(writtenBytes / wallSeconds / 1e6).toFixed(2)} MB/s written`);
}

async function send(rate: number, onProbe: (sent: ProbeSent) => void): Promise<void> {
  const args = [broker.bootstrap, eventsTopic, String(partitions), String(meters), String(rate), String(seconds)];
  await runProgram('send-meters', args, { onLine: (line) => onProbe(line as ProbeSent) });
}

function run(name: string, applicationId: string, state: string, onPid: (pid: number) => void): Promise<ChildRun> {
  const commit = String(options['commit-interval']);
  if (name === 'weir') {
    const args = [broker.bootstrap, applicationId, state, 'roll-ups', 'exactly_once', commit, String(records)];
    return runProgram('run-per-equipment', args, { onPid });
  }
  const common = { brokers: broker.bootstrap, application: applicationId, state, guarantee: 'exactly_once' };
  const work = { do: 'run', peer: name, records: String(records), threads: String(threads), commit };
  return runPeer({ ...work, ...common }, { javaOptions, onPid });
}

/** Waits until the group has committed so many events of the topic. */
async function untilCommitted(applicationId: string, count: number): Promise<void> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: eventsTopic, partition }));
  for (;;) {
    const committed = await broker.client.admin.committed(applicationId, all);
    if (committed.reduce((sum, at) => sum + (at?.offset ?? 0), 0) >= count) return;
    await delay(200);
  }
}

async function failedEarly(running: Promise<void>): Promise<never> {
  await running;
  throw new Error('the engine has ended before its work began');
}
