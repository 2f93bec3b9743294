/**
 * A measured process of bench/kafka/restore: `run-counted-keys BROKERS APPLICATION STATE GUARANTEE SESSION-MS HOLD` counts keys. It tells when it is RUNNING; then
 * it goes on until everything is committed and ends, or with HOLD true until it is killed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { ApplicationProgress } from '../../../src/runtime/kafka/application-progress.ts';
import { KafkaStreams } from '../../../src/runtime/kafka/kafka-streams.ts';
import { tellParent } from '../../lib/tell-parent.ts';
import { countedKeys } from '../topologies/counted-keys.ts';

/** Told when the process is RUNNING. */
export interface Running {
  readonly running: {
    /** Since the call of `start`. */
    readonly sinceStart: number;
    /** Of the process so far. */
    readonly cpuSeconds: number;
    /** Changelog records read. */
    readonly restored: number;
  };
}

const [bootstrap, applicationId, stateDir, guarantee, sessionText, holdText] = process.argv.slice(2);
const broker = openKafkaBroker({ bootstrapServers: [bootstrap!], clientId: 'counted-keys' });
const topology = countedKeys();
const streams = new KafkaStreams(topology, {
  broker,
  applicationId: applicationId!,
  stateDir: stateDir!,
  guarantee: guarantee as 'exactly_once' | 'at_least_once',
  sessionTimeoutMs: Number(sessionText),
});
const running = new Promise<void>((resolve, reject) => {
  streams.onStateChange((state) => {
    if (state === 'RUNNING') resolve();
    if (state === 'ERROR') reject(streams.failure);
  });
});
const startedAt = performance.now();
await Promise.all([streams.start(), running]);
tellRunning();
if (holdText === 'true') await new Promise(() => {});
await new ApplicationProgress(broker.admin, topology, streams.applicationId).untilCaughtUp(async () => {
  if (streams.state === 'ERROR') throw streams.failure;
  await delay(50);
});
await streams.close();
await broker.close();

function tellRunning(): void {
  const sinceStart = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage();
  const restored = streams.kafkaStats().tasks.reduce((sum, { restore }) => sum + (restore?.restored ?? 0), 0);
  tellParent({ running: { sinceStart, cpuSeconds: (user + system) / 1e6, restored } } satisfies Running);
}
