/**
 * How long a client takes to RUNNING, from the start of its process: with a store of many keys whose folder is gone, and with the folder as kill -9 left it in the
 * midst of work, exactly once. weir and Kafka Streams in turn on one broker. At the end it is checked that each has counted every record once.
 *
 * After a kill the restart waits until the group has thrown the killed member out and the broker has given up its transaction: that says nothing about a restore.
 * With `--at-once` it does not wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { printConditions } from '../lib/conditions.ts';
import { freshFolder } from '../lib/folders.ts';
import { readOptions } from '../lib/options.ts';
import { expectCommitted, freshTopic, openBenchBroker, untilEmpty } from './lib/bench-broker.ts';
import { inTurn, type KafkaFigures } from './lib/in-turn.ts';
import { sendKeys } from './lib/key-records.ts';
import { buildPeer, buildWeir } from './lib/measured.ts';
import { javaClient, type RestoreClient, weirClient } from './lib/restore-clients.ts';
import type { Running } from './lib/run-counted-keys.ts';
import { keysTopic } from './topologies/counted-keys.ts';

const options = readOptions({
  keys: 1_000_000,
  tail: 100_000,
  runs: 3,
  partitions: 2,
  contenders: 'weir,java',
  threads: 2,
  'at-once': false,
  'java-options': '-Xmx512m',
  brokers: '',
});
const { keys, tail, runs, partitions, threads, brokers } = options;
const javaOptions = options['java-options'].split(' ').filter((option) => option !== '');
/** The least that a broker takes. */
const sessionMs = 6000;
/** Kafka Streams' transactions end by then. */
const transactionMs = 11_000;
/** Records a second while somebody is killed. */
const tailPerSecond = 50_000;

await buildWeir();
buildPeer();
const broker = await openBenchBroker(brokers);
try {
  await freshTopic(broker, keysTopic, partitions);
  await sendKeys(broker, { count: keys, keys, partitions });
  const clientOptions = { broker, partitions, sessionMs, threads, javaOptions };
  const clients = options.contenders
    .split(',')
    .map((name) => (name === 'weir' ? weirClient(clientOptions) : javaClient(clientOptions)));
  for (const client of clients) {
    await client.lose();
    await client.run(false);
  }
  printConditions();
  await inTurn(
    clients.flatMap((client) => [
      { title: `${client.name}, lost: to RUNNING`, run: () => startLost(client) },
      { title: `${client.name}, killed: to RUNNING`, run: () => startKilled(client) },
    ]),
    runs,
  );
  for (const client of clients) await client.run(false);
  for (const client of clients) await check(client, keys + tail * runs * clients.length);
  for (const client of clients) await client.lose();
  await freshFolder('kafka-out');
} finally {
  await broker.close();
}

/** The folder is gone. */
async function startLost(client: RestoreClient): Promise<KafkaFigures> {
  await client.lose();
  await untilEmpty(broker, client.applicationId);
  return start(client, 'lost');
}

/** Killed while records come, by when it has written the whole store itself, as a process has that has been at work for long. */
async function startKilled(client: RestoreClient): Promise<KafkaFigures> {
  await client.lose();
  await untilEmpty(broker, client.applicationId);
  let pid = 0;
  await new Promise<void>((resolve, reject) => {
    const onPid = (id: number): void => {
      pid = id;
    };
    // It ends by the kill only: by then nobody listens.
    client.run(true, { onPid, onLine: () => resolve() }).then(() => reject(new Error('it ended by itself')), reject);
  });
  const sending = sendKeys(broker, { count: tail, keys, partitions, perSecond: tailPerSecond });
  await delay((500 * tail) / tailPerSecond);
  process.kill(pid, 'SIGKILL');
  await sending;
  if (!options['at-once']) await Promise.all([delay(transactionMs), untilEmpty(broker, client.applicationId)]);
  return start(client, 'killed');
}

/** A start until RUNNING; the process then goes on until all is committed. */
async function start(client: RestoreClient, how: string): Promise<KafkaFigures> {
  const before = broker.cpuSeconds();
  const startedAt = performance.now();
  let wallSeconds = 0;
  let brokerCpuSeconds: number | undefined;
  let found: Running['running'] | undefined;
  const { peakRssBytes } = await client.run(false, {
    onLine(line) {
      wallSeconds = (performance.now() - startedAt) / 1000;
      const after = broker.cpuSeconds();
      if (before !== undefined && after !== undefined) brokerCpuSeconds = after - before;
      found = (line as Running).running;
    },
  });
  await expectCommitted(broker, client.applicationId, keysTopic);
  const { restored, sinceStart, cpuSeconds } = found!;
  const records = `${restored.toLocaleString('en-US')} records restored`;
  console.log(`  ${client.name}, ${how}: ${records}, ${sinceStart.toFixed(2)} s from start() to RUNNING`);
  const figures = { count: keys, perSecond: keys / wallSeconds, wallSeconds, cpuSeconds, peakRssBytes };
  return { title: `${client.name}, ${how}: to RUNNING`, ...figures, brokerCpuSeconds };
}

/** @throws Error unless every record was counted once. */
async function check(client: RestoreClient, sent: number): Promise<void> {
  const [count, sum] = await client.totals();
  if (count !== keys || sum !== sent)
    throw new Error(`${client.name} has ${count} keys with ${sum} records, not ${keys} with ${sent}`);
}
