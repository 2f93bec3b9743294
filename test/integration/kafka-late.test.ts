import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, readAll } from './helpers/kafka-clients.ts';
import { ProducedFiles } from './helpers/kafka-produced.ts';
import { digestFrom, places } from './helpers/kafka-reading.ts';
import { madeData, seededRandom } from './helpers/made-data.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { differences, Recount } from './helpers/recount-statistics.ts';
import { digestOf, tryWeir, weir } from './helpers/weir.ts';

const seed = Number(process.env['LATE_SEED'] ?? Date.now() % 1_000_000);
const hour = 3_600_000;
const header = 'id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div';

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });

/** Which rows of a topic are late, told from the topic alone: a clock for each partition, which the records of that partition move. All times are summer times of Paris. */
async function judged(
  broker: Broker,
  topic: string,
  partitions: number,
  graceMs: number,
): Promise<{ readonly counted: readonly string[]; readonly late: readonly string[] }> {
  const [counted, late]: [string[], string[]] = [[], []];
  for (let partition = 0; partition < partitions; partition++) {
    let clock = 0;
    for (const row of await readAll(broker, topic, partition)) {
      const occurred = row!.split(',')[1]!;
      clock = Math.max(clock, Date.parse(`${occurred.replace(' ', 'T')}+02:00`));
      const dayEnd = Date.parse(`${occurred.slice(0, 10)}T00:00:00+02:00`) + 24 * hour;
      (dayEnd <= clock - graceMs ? late : counted).push(row!);
    }
  }
  return { counted, late };
}

/** Splits event files into punctual rows and stragglers, which are files of their own. */
async function splitFiles(
  data: string,
): Promise<{ readonly punctual: readonly string[]; readonly late: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-stragglers-'));
  const random = seededRandom(seed);
  const [punctual, late]: [string[], string[]] = [[], []];
  for (const name of (await readdir(`${data}/events`)).sort()) {
    const rows = (await readFile(join(data, 'events', name), 'utf8')).trim().split('\n').slice(1);
    const held = new Set(rows.filter(() => random() < 0.2));
    const write = async (to: string[], file: string, own: readonly string[]): Promise<void> => {
      await writeFile(join(folder, file), [header, ...own, ''].join('\n'));
      to.push(join(folder, file));
    };
    await write(
      punctual,
      name,
      rows.filter((row) => !held.has(row)),
    );
    await write(late, name.replace('.csv', '-late.csv'), [...held]);
  }
  return { punctual, late };
}

kafka.test(
  'a late record meets the same fate after a takeover without the local state',
  async (t) => {
    t.log(`seed ${seed} (LATE_SEED)`);
    const topic = 'stragglers';
    const partitions = 2;
    const data = await madeData({ days: 9, eventsPerDay: 1000, damage: 0, late: true, seed, from: '2018-06-25' });
    const { punctual, late } = await splitFiles(data);
    const brokers = kafka.server.bootstrap;
    const broker = kafka.connect({ bootstrapServers: [brokers] });
    await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`]);
    const folder = await mkdtemp(join(tmpdir(), 'weir-late-'));
    const application = new KafkaApplication({
      ...{ brokers, broker, applicationId: newName('late'), folder, topic },
      settings: ['session.timeout.ms=1500'],
      words: ['--grace', '1h'],
    });
    t.teardown(() => application.end(t));
    const inbox = join(folder, 'inbox');
    await mkdir(inbox);
    const send = async (files: readonly string[]): Promise<void> => {
      for (const file of files) await writeFile(join(inbox, file.split('/').at(-1)!), await readFile(file));
      const words = ['--topic', topic, '--partitions', String(partitions), '--dead', join(folder, 'dead.jsonl')];
      await weir(['produce', '--brokers', brokers, '--events', inbox, ...words]);
    };
    // Each instance after the first takes over what it has nothing of: its first records are late ones.
    await send(punctual.slice(0, 3));
    application.start(0);
    await application.caughtUp();
    await application.kill(0);
    await application.deleteState(0);
    await send(late.slice(0, 2));
    application.start(1);
    await application.caughtUp();
    await send([...punctual.slice(3, 6), ...late.slice(2, 3)]);
    await application.caughtUp();
    t.is(await application.stop(1), 0);
    await application.deleteState(1);
    await send(late.slice(3, 5));
    application.start(0);
    application.start(2);
    await send([...punctual.slice(6), ...late.slice(5)]);
    await application.caughtUp();

    const truth = await judged(broker, topic, partitions, hour);
    t.log(`${truth.counted.length} rows count, ${truth.late.length} are late`);
    t.true(truth.late.length > 1000);
    const recount = new Recount(await RecountPark.read(`${data}/park`));
    for (const row of truth.counted) recount.add(row);
    t.is(await application.storesDiffer(0, recount.files()), '');
    const lateTopic = `${application.id}-late`;
    const told = [];
    for (let partition = 0; partition < partitions; partition++)
      told.push(...(await readAll(broker, lateTopic, partition)));
    t.true(told.sort().join() === [...truth.late].sort().join(), `${told.length} late letters`);
    t.is(await lateInMetrics(application), truth.late.length, 'the counter goes on where the last owner stopped');
  },
  test.serial,
);

/** The sum over all instances of what they say was late. */
async function lateInMetrics(application: KafkaApplication): Promise<number> {
  let sum = 0;
  for (const instance of application.instances) {
    if (instance === undefined) continue;
    const { tasks } = (await (await fetch(`${instance.url}/tasks`)).json()) as {
      tasks: { dropped: { late: number } }[];
    };
    for (const { dropped } of tasks) sum += dropped.late;
  }
  return sum;
}

/** A park in which the meters stand at each other's places, some nowhere, and some move in between. */
async function wrongPark(data: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-wrong-park-'));
  for (const name of await readdir(`${data}/park`))
    await writeFile(join(folder, name), await readFile(join(data, 'park', name)));
  const [columns, ...rows] = (await readFile(join(folder, 'installation_c.csv'), 'utf8')).trim().split('\n');
  const places = rows.map((row) => row.split(',')[0]!);
  const wrong = rows.flatMap((row, i) => {
    const [, meter, from, to] = row.split(',');
    if (i % 7 === 3) return [];
    const place = places[(i + 5) % places.length]!;
    if (i % 5 === 1 && to === '') return [`${place},${meter},${from},20180627`, `${places[i]},${meter},20180628,`];
    return [`${place},${meter},${from},${to}`];
  });
  await writeFile(join(folder, 'installation_c.csv'), [columns, ...wrong, ''].join('\n'));
  return folder;
}

kafka.test(
  'a park corrected while events flow on two instances leads where a fresh replay with it leads, even if one is killed meanwhile',
  async (t) => {
    t.log(`seed ${seed} (LATE_SEED)`);
    const data = await madeData({ days: 8, eventsPerDay: 8640, damage: 0, late: true, seed, from: '2018-06-25' });
    const brokers = kafka.server.bootstrap;
    const broker = kafka.connect({ bootstrapServers: [brokers] });
    const wrong = await wrongPark(data);
    const topic = 'corrected';
    const park = ['park', 'load', '--brokers', brokers, '--topic', 'corrected-park'];
    await weir([...park, '--park', wrong]);
    const folder = await mkdtemp(join(tmpdir(), 'weir-corrected-'));
    const truth = new Recount(await RecountPark.read(`${data}/park`));
    const wrongly = new Recount(await RecountPark.read(wrong));
    const words = ['--brokers', brokers, '--topic', topic, '--partitions', '2', '--speed', '100000x'];
    const produced = await ProducedFiles.start(words, folder, truth);
    t.teardown(() => produced.process.signal('SIGKILL'));
    const application = new KafkaApplication({
      ...{ brokers, broker, applicationId: newName('corrected'), folder, topic },
      settings: ['session.timeout.ms=1500'],
      words: ['--park-topic', 'corrected-park'],
    });
    t.teardown(() => application.end(t));
    const files = (await readdir(`${data}/events`)).sort().map((name) => join(data, 'events', name));
    for (const file of files.slice(0, 2)) {
      const name = await produced.hand(file);
      wrongly.addFile(await readFile(file, 'utf8'));
      await produced.committed(name);
    }
    await application.allReady(2);
    await application.caughtUp();
    t.is(await application.storesDiffer(0, wrongly.files()), '', 'with the wrong park');

    // Right, wrong, right, each while a day of events flows; an instance dies at the second change and at the third.
    for (const [i, folderOfPark] of [`${data}/park`, wrong, `${data}/park`].entries()) {
      const name = await produced.hand(files[2 + i]!);
      await delay(300);
      const wait = i === 0 ? ['--wait', '--application-id', application.id] : [];
      await weir([...park, '--park', folderOfPark, ...wait]);
      if (i > 0) await application.kill(i % 2);
      await produced.committed(name);
      await application.allReady(2);
    }
    const last = await produced.hand(files[5]!);
    await produced.committed(last);
    await weir([...park, '--park', `${data}/park`, '--wait', '--application-id', application.id]);
    await application.caughtUp();
    t.is(await application.storesDiffer(0, truth.files()), '', 'corrected, instance 0');
    t.is(await application.storesDiffer(1, truth.files()), '', 'corrected, instance 1');
    const states = [0, 1].map((i) => application.stateOf(i));
    for (const i of [0, 1]) t.is(await application.stop(i), 0);
    const fresh = join(folder, 'fresh');
    await weir(['replay', '--events', produced.done, '--park', `${data}/park`, '--state', fresh]);
    t.is(await digestFrom(places.folders(states)), await digestOf(fresh));
    t.is(differences(truth.files(), wrongly.files()) === '', false);
  },
  test.serial,
);

kafka.test(
  'when a load of the park has been waited for, every instance answers from it, although none has had a record',
  async (t) => {
    const data = await madeData({ days: 1, eventsPerDay: 10, damage: 0, late: false, seed });
    const wrong = await wrongPark(data);
    const brokers = kafka.server.bootstrap;
    const broker = kafka.connect({ bootstrapServers: [brokers] });
    const topic = 'unheard';
    await broker.admin.createTopics([{ topic, partitions: 2, replicationFactor: 1, configs: {} }]);
    const park = ['park', 'load', '--brokers', brokers, '--topic', 'unheard-park', '--park'];
    await weir([...park, wrong]);
    const application = new KafkaApplication({
      ...{ brokers, broker, applicationId: newName('unheard'), topic },
      folder: await mkdtemp(join(tmpdir(), 'weir-unheard-')),
      words: ['--park-topic', 'unheard-park'],
    });
    t.teardown(() => application.end(t));
    await application.allReady(3);
    const answers: string[] = [];
    for (const folder of [`${data}/park`, wrong, `${data}/park`]) {
      await weir([...park, folder, '--wait', '--timeout', '30s', '--application-id', application.id]);
      const all = await Promise.all(
        application.instances.map(async (instance) => {
          const answer = await fetch(`${instance?.url}/stores/grid-park`);
          t.is(answer.status, 200);
          return answer.text();
        }),
      );
      t.is(new Set(all).size, 1, 'three instances with one voice');
      answers.push(all[0]!);
    }
    t.is(answers[2], answers[0]);
    t.not(answers[1], answers[0]);
    const frozen = application.instances[1]!;
    await frozen.signal('SIGSTOP');
    const wait = ['--wait', '--application-id', application.id];
    const { code, stderr } = await tryWeir([...park, wrong, ...wait, '--timeout', '1s']);
    await frozen.signal('SIGCONT');
    t.is(code, 1);
    t.true(stderr.includes(`instance ${new URL(frozen.url!).host} cannot be asked`), stderr);
    await weir([...park, wrong, ...wait]);
    t.is(await (await fetch(`${frozen.url}/stores/grid-park`)).text(), answers[1]!);
    for (const i of [0, 1, 2]) t.is(await application.stop(i), 0);
  },
  test.serial,
);
