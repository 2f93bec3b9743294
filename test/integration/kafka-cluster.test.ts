import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { openKafkaBroker } from '../../src/clients/kafka/kafka-broker.ts';
import { KafkaStreams, Serdes, StreamsBuilder, type StreamsError } from '../../src/index.ts';
import { KafkaCluster } from '../helpers/kafka-cluster.ts';
import { PartMissing, skipWithout } from '../helpers/parts.ts';
import { AtWork } from './helpers/at-work.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { newName, newProducer, readAll, until } from './helpers/kafka-clients.ts';
import { ProducedFiles } from './helpers/kafka-produced.ts';
import { madeData } from './helpers/made-data.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { Recount } from './helpers/recount-statistics.ts';
import { weir } from './helpers/weir.ts';

const seed = Number(process.env['CLUSTER_SEED'] ?? Date.now() % 1_000_000);

const cluster = await KafkaCluster.start().catch((error: unknown) => {
  if (error instanceof PartMissing) return error;
  throw error;
});
test.after.always(async () => {
  if (cluster instanceof KafkaCluster) await cluster.stop();
});

/** A test that needs the three brokers: one of them is killed at a time, so one test after the other. */
function onCluster(title: string, run: (t: ExecutionContext, cluster: KafkaCluster) => Promise<void>): void {
  test.serial(title, async (t) => {
    if (cluster instanceof PartMissing) return skipWithout(t, cluster);
    t.timeout(10 * 60_000);
    await cluster.untilInSync();
    await run(t, cluster);
  });
}

function connect(t: ExecutionContext, { bootstrap }: KafkaCluster): Broker {
  const broker = openKafkaBroker({
    bootstrapServers: bootstrap.split(','),
    clientId: newName('client'),
    timeoutMs: 60_000,
  });
  t.teardown(() => broker.close());
  return broker;
}

onCluster(
  'each of three brokers is killed and comes back: no transaction, reader or member hears of it',
  async (t, of) => {
    const work = await AtWork.start(connect(t, of));
    for (const server of of.servers) {
      await work.goesOn();
      await server.kill('SIGKILL');
      // Two are enough.
      await work.goesOn();
      await server.start();
      await of.untilInSync();
    }
    await work.goesOn();
    await work.end(t);
    t.deepEqual(work.failures, []);
  },
);

onCluster(
  'each of three brokers is killed under an application at work: counts are exact, no process ends',
  async (t, of) => {
    t.log(`seed ${seed} (CLUSTER_SEED)`);
    const data = await madeData({
      days: 7,
      eventsPerDay: 8640,
      damage: 0,
      late: true,
      seed,
      meters: 60,
      concentrators: 10,
    });
    const brokers = of.bootstrap;
    const broker = connect(t, of);
    const topic = newName('events');
    const folder = await mkdtemp(join(tmpdir(), 'weir-cluster-'));
    const truth = new Recount(await RecountPark.read(`${data}/park`));
    const words = ['--brokers', brokers, '--topic', topic, '--partitions', '2', '--speed', '20000x'];
    const produced = await ProducedFiles.start(words, folder, truth);
    t.teardown(() => produced.process.signal('SIGKILL'));
    const application = new KafkaApplication({
      ...{ brokers, broker, applicationId: newName('app'), folder, topic },
      settings: ['session.timeout.ms=20000', 'heartbeat.interval.ms=300'],
      words: ['--park-topic', `${topic}-park`],
    });
    t.teardown(() => application.end(t));
    await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`, '--topic', `${topic}-park`]);
    await until('the topic is there', async () => (await broker.admin.partitionCounts([topic])).size > 0);
    await application.allReady(2);
    const files = (await readdir(`${data}/events`)).sort();
    const load = async (): Promise<string> => produced.hand(join(data, 'events', files.shift()!));
    const counted = async (name: string): Promise<void> => {
      await produced.committed(name);
      await application.caughtUp();
    };
    for (const server of of.servers) {
      await load();
      await delay(500);
      await server.kill('SIGKILL');
      // Two are enough.
      await counted(await load());
      await server.start();
      await of.untilInSync();
    }
    await counted(await load());
    for (const instance of [0, 1]) t.is(await application.storesDiffer(instance, truth.files()), '');
    t.is(await application.changelogsDiffer(truth.files()), '');
    t.deepEqual(
      application.instances.map((instance) => instance?.running),
      [true, true],
    );
    for (const instance of [0, 1]) t.is(await application.stop(instance), 0);
  },
);

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** An application that copies a topic, each record once. */
async function copying(t: ExecutionContext, of: KafkaCluster, partitions: number) {
  const broker = connect(t, of);
  const [input, output] = [newName('in'), newName('out')];
  const configs = { 'retention.ms': '-1' };
  await broker.admin.createTopics([
    { topic: input, partitions, replicationFactor: -1, configs },
    { topic: output, partitions: 1, replicationFactor: -1, configs },
  ]);
  const builder = new StreamsBuilder();
  builder
    .stream(input, texts)
    .map((_key, value): readonly [string, string] => ['all', value], { name: 'one-key' })
    .to(output, texts);
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-cluster-copy-'));
  const applicationId = newName('copy');
  const streams = new KafkaStreams(builder.build(), {
    broker,
    applicationId,
    stateDir,
    metadataMaxAgeMs: 300,
    commitIntervalMs: 50,
  });
  t.teardown(() => streams.close({ timeoutMs: 2000 }));
  await streams.start();
  const sent: string[] = [];
  const write = async (partition: number, count: number): Promise<void> => {
    const producer = await newProducer(broker, { transactional: false });
    for (let i = 0; i < count; i++) {
      const value = `${partition}:${sent.length}`;
      producer.append(input, partition, Date.now(), Buffer.from('k'), Buffer.from(value));
      sent.push(value);
    }
    await producer.commit();
    await producer.close();
  };
  const copied = async (): Promise<void> => {
    const all = async (): Promise<readonly (string | undefined)[]> => readAll(broker, output);
    await until(`${sent.length} records are copied`, async () => (await all()).length >= sent.length);
    t.deepEqual([...(await all())].sort(), [...sent].sort());
  };
  return { broker, streams, input, output, write, copied };
}

onCluster('leaders that move without a death are followed, by readers, writers and coordinators', async (t, of) => {
  const { input, output, write, copied } = await copying(t, of, 2);
  await write(0, 20);
  await write(1, 20);
  await copied();
  for (let round = 0; round < 3; round++) {
    await of.moveLeaders([input, output, '__consumer_offsets', '__transaction_state']);
    await write(0, 20);
    await write(1, 20);
    await copied();
  }
});

onCluster('partitions that are added while a broker is away are read from their beginning', async (t, of) => {
  const { streams, input, write, copied } = await copying(t, of, 2);
  for (const [i, server] of of.servers.entries()) {
    await server.kill('SIGKILL');
    await of.growTopic(input, 3 + i);
    await write(2 + i, 20);
    await write(0, 20);
    await copied();
    await server.start();
    await of.untilInSync();
  }
  t.is(streams.state, 'RUNNING');
});

onCluster(
  'a topic that is another one under the same name ends the client, whichever broker tells it',
  async (t, of) => {
    const { broker, streams, input, write, copied } = await copying(t, of, 2);
    await write(0, 20);
    await copied();
    await broker.admin.deleteTopics([input]);
    await broker.admin.createTopics([{ topic: input, partitions: 2, replicationFactor: -1, configs: {} }]);
    await streams.untilEnded();
    t.is(streams.state, 'ERROR');
    t.regex((streams.failure as StreamsError).code, /^STREAMS_(INPUT_REFUSED|MISSING_SOURCE_TOPIC)$/);
  },
);
