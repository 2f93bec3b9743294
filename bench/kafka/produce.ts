/**
 * Rows of files to a topic, from the start of the process to its end: `weir produce`, which sends each row exactly once and remembers how far it is, and a short
 * Java program with Kafka's own producer, which does neither. Both topics must then hold the same.
 */
import { join } from 'node:path';
import { printConditions } from '../lib/conditions.ts';
import { cacheFolder, freshFolder } from '../lib/folders.ts';
import { gridData } from '../lib/grid-data.ts';
import { readOptions } from '../lib/options.ts';
import { freshTopic, openBenchBroker } from './lib/bench-broker.ts';
import { beside, type Contender, inTurn } from './lib/in-turn.ts';
import { buildPeer, buildWeir, runPeer, runWeir } from './lib/measured.ts';
import { digestTopic, type TopicDigest } from './lib/topic-digest.ts';

const options = readOptions({
  days: 1462,
  runs: 3,
  partitions: 2,
  contenders: 'weir,java',
  'java-options': '-Xmx512m',
  set: '',
  brokers: '',
});
const { days, runs, partitions, set, brokers } = options;
const javaOptions = options['java-options'].split(' ').filter((option) => option !== '');
const settings = (set === '' ? [] : set.split(',')).flatMap((setting) => ['--set', setting]);

const data = await gridData({ days, meters: 25, concentrators: 5 });
await buildWeir();
buildPeer();
const broker = await openBenchBroker(brokers);
let expected: TopicDigest | undefined;
try {
  printConditions();
  await inTurn(
    options.contenders.split(',').map((name) => contender(name)),
    runs,
  );
} finally {
  await broker.close();
}

function contender(name: string): Contender {
  let run = 0;
  const title = name === 'weir' ? 'weir produce' : 'java, no transactions';
  return {
    title,
    async run() {
      const topic = `produced-${name}-${process.pid}-${run++}`;
      await freshTopic(broker, topic, partitions);
      const figures = await beside(broker, title, data.rows, () => (name === 'weir' ? weir(topic) : java(topic)));
      await check(name, topic);
      const { admin } = broker.client;
      await admin.deleteTopics((await admin.listTopics()).filter((other) => other.startsWith(topic)));
      return figures;
    },
  };
}

async function weir(topic: string): ReturnType<typeof runWeir> {
  const dead = join(cacheFolder, `${topic}-dead.jsonl`);
  const args = ['produce', '--brokers', broker.bootstrap, '--events', data.events, '--topic', topic];
  const run = await runWeir([...args, '--dead', dead, ...settings]);
  await freshFolder(`${topic}-dead.jsonl`);
  return run;
}

function java(topic: string): ReturnType<typeof runPeer> {
  return runPeer({ do: 'load', brokers: broker.bootstrap, topic, events: data.events }, { javaOptions });
}

/** @throws Error unless the topic holds all rows, in each partition in the order of the files: the same as the others'. */
async function check(name: string, topic: string): Promise<void> {
  const found = await digestTopic(broker, topic);
  if (found.records !== data.rows) throw new Error(`${name} sent ${found.records} records, not ${data.rows}`);
  expected ??= found;
  if (found.hashes !== expected.hashes) throw new Error(`${name} sent other records than the first contender`);
}
