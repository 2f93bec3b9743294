import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { EmbeddedStreams, KafkaStreams, Serdes, StreamsBuilder, type Topology } from '../../src/index.ts';

function topology(): Topology {
  const builder = new StreamsBuilder();
  builder.stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string }).groupByKey().count({ name: 'counts' });
  return builder.build();
}

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-kind-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'state');
}

async function replayed(stateDir: string): Promise<void> {
  const streams = await EmbeddedStreams.open(topology(), { stateDir, applicationId: 'app' });
  await streams.run([]);
  await streams.close();
}

async function ran(stateDir: string): Promise<void> {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const broker = cluster.connect();
  const streams = new KafkaStreams(topology(), { broker, applicationId: 'app', stateDir });
  try {
    await streams.start();
  } finally {
    await streams.close();
    await broker.close();
  }
}

const refused = { code: 'STREAMS_STATE_INCOMPATIBLE' };

test('an instance on Kafka refuses the folder of a replay, and leaves it as it is', async (t) => {
  const stateDir = folderOf(t);
  await replayed(stateDir);
  const error = await t.throwsAsync(ran(stateDir), refused);
  t.true(error!.message.includes(`${stateDir} holds the state of a replay`));
  t.regex(error!.message, /another folder with --state \(in a program: stateDir\)/);
  await replayed(stateDir);
});

test('a replay refuses the folder of an instance on Kafka, and leaves it as it is', async (t) => {
  const stateDir = folderOf(t);
  await ran(stateDir);
  const error = await t.throwsAsync(replayed(stateDir), refused);
  t.true(error!.message.includes(`${stateDir} holds the state of an instance on Kafka`));
  await ran(stateDir);
});

test('a folder that holds both, as earlier versions let happen, is refused by both', async (t) => {
  const [one, other] = [folderOf(t), folderOf(t)];
  await replayed(one);
  await ran(other);
  cpSync(join(other, 'global'), join(one, 'global'), { recursive: true });
  for (const open of [replayed, ran]) {
    const error = await t.throwsAsync(open(one), refused);
    t.regex(error!.message, /of a replay and that of an instance on Kafka/);
  }
});

test('an empty folder is taken by either', async (t) => {
  for (const open of [replayed, ran]) {
    const stateDir = folderOf(t);
    mkdirSync(stateDir);
    await open(stateDir);
    await open(stateDir);
    t.pass();
  }
});
