import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import { eventSerde } from '../../topologies/grid/events/event-serde.ts';
import { loadPark } from '../../topologies/grid/park/load-park.ts';
import { parkHistories } from '../../topologies/grid/park/park-history.ts';
import { eventsTopic, gridTopology, parkTable } from '../../topologies/grid/topology.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, readAll } from './helpers/kafka-clients.ts';
import { digestFrom, exportedFrom, places } from './helpers/kafka-reading.ts';
import { madeData } from './helpers/made-data.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { differences, Recount } from './helpers/recount-statistics.ts';
import { digestOf, filesOf, weir } from './helpers/weir.ts';

const golden = process.env['GOLDEN_DATA'] ?? '../shared/data';
const seed = Number(process.env['GOLDEN_SEED'] ?? Date.now() % 1_000_000);
const zone = 'Europe/Paris';
const folder = await mkdtemp(join(tmpdir(), 'weir-kafka-golden-'));
const kafka = await KafkaPart.start({ throughProxy: false });

interface Made {
  readonly data: string;
  readonly topic: string;
  readonly partitions: number;
  readonly words?: readonly string[];
}

/** Produces a data set, runs an application over it until it has caught up, and leaves it running. */
async function atWork({ data, topic, partitions, words = [] }: Made, broker: Broker): Promise<KafkaApplication> {
  const brokers = kafka.server.bootstrap;
  await weir([
    ...['produce', '--brokers', brokers, '--events', `${data}/events`, '--topic', topic],
    ...['--partitions', String(partitions), '--dead', join(folder, `${topic}-dead.jsonl`)],
  ]);
  const applicationId = newName('app');
  const parkTopic = `${topic}-park`;
  const application = new KafkaApplication({
    ...{ brokers, broker, applicationId, topic, folder: await mkdtemp(join(folder, 'app-')) },
    words: ['--park', `${data}/park`, '--park-topic', parkTopic, ...words],
  });
  application.start(0);
  await application.instances[0]!.ready();
  await application.caughtUp();
  return application;
}

async function replayed({ data, partitions, words = [] }: Made): Promise<string> {
  const state = await mkdtemp(join(folder, 'replayed-'));
  const input = ['--events', `${data}/events`, '--park', `${data}/park`, '--partitions', String(partitions)];
  await weir(['replay', ...input, '--state', state, ...words]);
  return state;
}

/** The rows that a replay found to be late. */
async function lateRows(state: string): Promise<readonly string[]> {
  const lines = (await readFile(join(state, 'late.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) =>
    Buffer.from((JSON.parse(line) as { raw: string }).raw, 'base64')
      .toString()
      .trim(),
  );
}

/** The digest that the test driver has after all events of a data set, piped one by one. */
async function drivenDigest(data: string): Promise<string> {
  const serde = eventSerde(zone);
  const driver = await TopologyTestDriver.create(gridTopology({ zone, graceMs: 86_400_000 }));
  const park = driver.inputTopic<string, unknown>(parkTable);
  for (const [key, history] of parkHistories(await loadPark(`${data}/park`), zone))
    await park.pipeInput(key, history, 0);
  const events = driver.inputTopic<string, unknown>(eventsTopic);
  for (const file of (await readdir(`${data}/events`)).sort()) {
    const [, ...rows] = (await readFile(join(data, 'events', file), 'utf8')).split('\n');
    for (const row of rows) {
      if (row === '') continue;
      const [, , , , type, id] = row.split(',');
      const event = serde.deserialize(Buffer.from(row));
      await events.pipeInput(`${type}:${id}`, event, event.occurredAtMs);
    }
  }
  return driver.digest();
}

if (existsSync(golden)) {
  test.serial('the plain recount of the golden events is the golden files', async (t) => {
    const recount = new Recount(await RecountPark.read(`${golden}/park`));
    for (const file of await readdir(`${golden}/events`))
      recount.addFile(await readFile(join(golden, 'events', file), 'utf8'));
    t.is(differences(recount.files(), await filesOf(`${golden}/statistics`)), '');
  });

  kafka.test(
    'the golden events on Kafka give the golden files, byte for byte: from changelogs, a running instance and folders',
    async (t) => {
      const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
      const made = { data: golden, topic: eventsTopic, partitions: 3 };
      const application = await atWork(made, broker);
      t.teardown(() => application.end(t));
      const expected = await filesOf(`${golden}/statistics`);
      const brokers = places.changelogs(kafka.server.bootstrap, application.id);
      const url = places.url(application.instances[0]!.url!);
      t.deepEqual(await exportedFrom(brokers), expected);
      t.is(await application.storesDiffer(0, expected), '');
      const digest = await digestOf(await replayed(made));
      t.is(await digestFrom(brokers), digest);
      t.is(await digestFrom(url), digest);
      t.is(await application.stop(0), 0);
      const folders = places.folders([application.stateOf(0)]);
      t.deepEqual(await exportedFrom(folders), expected);
      t.is(await digestFrom(folders), digest);
    },
    test.serial,
  );
} else {
  test('golden data', (t) => {
    t.log(`${golden} is not there: set GOLDEN_DATA`);
    t.is(process.env['REQUIRE_PARTS'], undefined, 'the golden data are required here');
  });
}

kafka.test(
  'data out of order within its grace gives one digest: in a replay, on Kafka, in the test driver',
  async (t) => {
    t.log(`seed ${seed} (GOLDEN_SEED)`);
    const data = await madeData({ days: 20, eventsPerDay: 2000, damage: 0, late: true, seed });
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const made = { data, topic: 'within', partitions: 2 };
    const application = await atWork(made, broker);
    t.teardown(() => application.end(t));
    const digest = await digestOf(await replayed(made));
    t.is(await drivenDigest(data), digest);
    t.is(
      differences(
        await exportedFrom(places.url(application.instances[0]!.url!)),
        await filesOf(`${data}/truth/statistics`),
      ),
      '',
    );
    t.is(await application.stop(0), 0);
    t.is(await digestFrom(places.folders([application.stateOf(0)])), digest);
    t.is(await digestFrom(places.changelogs(kafka.server.bootstrap, application.id)), digest);
  },
  test.serial,
);

kafka.test(
  'data beyond its grace gives one digest and the same late rows for the same number of partitions',
  async (t) => {
    t.log(`seed ${seed} (GOLDEN_SEED)`);
    const data = await madeData({ days: 20, eventsPerDay: 2000, damage: 0.01, late: true, seed });
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const made = { data, topic: 'beyond', partitions: 3, words: ['--grace', '1h'] };
    const application = await atWork(made, broker);
    t.teardown(() => application.end(t));
    t.is(await application.stop(0), 0);
    const state = await replayed(made);
    t.is(await digestFrom(places.folders([application.stateOf(0)])), await digestOf(state));
    const late = await lateRows(state);
    const topic = `${application.id}-late`;
    const partitions = (await broker.admin.partitionCounts([topic])).get(topic)!;
    const onKafka: (string | undefined)[] = [];
    for (let partition = 0; partition < partitions; partition++)
      onKafka.push(...(await readAll(broker, topic, partition)));
    // Where quotes are needed is another matter in files: the cells before the free text name the row.
    const names = (rows: readonly (string | undefined)[]): string =>
      rows
        .map((row) => row!.split(',', 6).join())
        .sort()
        .join('\n');
    t.true(names(onKafka) === names(late), `${onKafka.length} late rows on Kafka, ${late.length} in the replay`);
    t.true(late.length > 1000, 'there are late rows');
    // One partition sees times that others do not see: its rows have another fate.
    const alone = await replayed({ ...made, partitions: 1 });
    t.not((await lateRows(alone)).length, late.length);
  },
  test.serial,
);
