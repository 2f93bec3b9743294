import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { freePort } from '../helpers/parts.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { commandLine, exportedFrom, places } from './helpers/kafka-reading.ts';
import { madeData } from './helpers/made-data.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { differences, Recount } from './helpers/recount-statistics.ts';
import { weir } from './helpers/weir.ts';

const seed = Number(process.env['RUN_SEED'] ?? Date.now() % 1_000_000);
const topic = 'grid-events';
let data = '';

const kafka = await KafkaPart.start({ throughProxy: false });

function onKafka(title: string, run: (t: ExecutionContext, broker: Broker) => Promise<void>): void {
  kafka.test(title, (t) => run(t, kafka.connect({ bootstrapServers: [kafka.server.bootstrap] })), test.serial);
}

async function folderOf(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `weir-run-${name}-`));
}

async function truth(): Promise<Record<string, string>> {
  const recount = new Recount(await RecountPark.read(`${data}/park`));
  for (const name of await readdir(`${data}/events`))
    recount.addFile(await readFile(join(data, 'events', name), 'utf8'));
  return recount.files();
}

async function applicationOf(
  t: ExecutionContext,
  broker: Broker,
  settings: readonly string[] = [],
): Promise<KafkaApplication> {
  const application = new KafkaApplication({
    ...{ brokers: kafka.server.bootstrap, broker, applicationId: newName('app'), topic, settings },
    folder: await folderOf('state'),
  });
  t.teardown(() => application.end(t));
  return application;
}

onKafka('the topics of the tests are loaded', async (t) => {
  t.log(`seed ${seed} (RUN_SEED)`);
  data = await madeData({ days: 6, eventsPerDay: 2000, damage: 0, late: true, seed, meters: 60, concentrators: 10 });
  const brokers = ['--brokers', kafka.server.bootstrap];
  await weir(['park', 'load', ...brokers, '--park', `${data}/park`]);
  const dead = ['--dead', join(await folderOf('dead'), 'dead.jsonl')];
  await weir(['produce', ...brokers, '--events', `${data}/events`, '--partitions', '2', ...dead]);
  t.pass();
});

/** The last line that a process wrote for people. */
function verdict(stderr: string): string {
  return stderr.trim().split('\n').at(-1)!;
}

onKafka('without its topic it ends with 1 and says which topic is missing', async (t) => {
  const state = await folderOf('missing');
  const process = new WeirProcess([
    'run',
    '--brokers',
    kafka.server.bootstrap,
    '--state',
    state,
    '--topic',
    'nowhere',
    '--port',
    '0',
  ]);
  t.is(await process.ended(), 1);
  t.regex(verdict(process.stderr), /^STREAMS_MISSING_SOURCE_TOPIC: .*nowhere.*--topic/);
});

onKafka('without a broker it ends with 1 within task.timeout.ms', async (t) => {
  const state = await folderOf('alone');
  const nobody = `127.0.0.1:${await freePort()}`;
  const process = new WeirProcess([
    ...['run', '--brokers', nobody, '--state', state, '--port', '0', '--set', 'task.timeout.ms=1500'],
  ]);
  t.is(await process.ended(), 1);
  t.regex(verdict(process.stderr), /^STREAMS_BROKER: /);
  t.true(verdict(process.stderr).includes(nobody), verdict(process.stderr));
});

onKafka("a state folder is one process's: others end with 3 and are told where else to look", async (t, broker) => {
  const application = await applicationOf(t, broker);
  await application.start(0).ready();
  const state = application.stateOf(0);
  const second = new WeirProcess([
    ...[
      'run',
      '--brokers',
      kafka.server.bootstrap,
      '--state',
      state,
      '--port',
      '0',
      '--application-id',
      application.id,
    ],
  ]);
  t.is(await second.ended(), 3);
  t.regex(verdict(second.stderr), /^STREAMS_STATE_STORE_LOCKED: /);
  t.true(verdict(second.stderr).includes(state));
  for (const command of [['export', '--out', await folderOf('out')], ['digest'], ['query', 'day', 'type']]) {
    const { code, stderr, stdout } = await commandLine([...command, '--state', state]);
    t.is(code, 3);
    t.is(stdout, '');
    t.regex(stderr, /^STREAMS_STATE_STORE_LOCKED: .*--url.*--brokers|^STREAMS_STATE_STORE_LOCKED: .*--brokers.*--url/);
  }
  await application.caughtUp();
  t.is(await application.storesDiffer(0, await truth()), '', 'the first is unharmed');
});

onKafka(
  'SIGTERM commits, leaves the group at once and ends with 0; a restart goes on with nothing to restore',
  async (t, broker) => {
    const application = await applicationOf(t, broker);
    await application.start(0).ready();
    await application.caughtUp();
    t.is(await application.stop(0), 0);
    const group = await broker.admin.describeGroup(application.id);
    t.is(group.state, 'Empty');
    t.deepEqual(group.members, []);
    const processed = async (url: string): Promise<number> => {
      const { tasks } = (await (await fetch(`${url}/tasks`)).json()) as { tasks: { processed: number }[] };
      return tasks.reduce((sum, task) => sum + task.processed, 0);
    };
    const url = await application.start(0).ready();
    const before = await processed(url);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const restored = [...metrics.matchAll(/^streams_restore_records_total\{.*\} (\S+)$/gm)].map(([, n]) => Number(n));
    t.is(restored.length, 12);
    // A position passes over the end of the last transaction too.
    t.true(Math.max(...restored) <= 5, `restored: ${restored}`);
    t.is(await application.storesDiffer(0, await truth()), '');
    t.is(await processed(url), before, 'nothing is processed again');
    // A second signal ends it at once; one that is only slow gets the first.
    t.is(await application.stop(0), 0);
  },
);

onKafka('--until-caught-up ends with 0 when all instances together are done', async (t, broker) => {
  const application = await applicationOf(t, broker);
  const both = [0, 1].map((i) => application.start(i, ['--until-caught-up']));
  t.deepEqual(await Promise.all(both.map((process) => process.ended())), [0, 0]);
  t.is(await application.changelogsDiffer(await truth()), '');
  const folders = places.folders([0, 1].map((i) => application.stateOf(i)));
  t.is(differences(await exportedFrom(folders), await truth()), '');
  // Nothing to do: it says so at once.
  t.is(await application.start(0, ['--until-caught-up']).ended(), 0);
});

onKafka(
  'two stream threads share the tasks of a process, and all of its commands see them as one',
  async (t, broker) => {
    const application = await applicationOf(t, broker, ['num.stream.threads=2', 'group.instance.id=node']);
    const url = await application.start(0).ready();
    await application.caughtUp();
    const group = await broker.admin.describeGroup(application.id);
    t.is(group.members.length, 2);
    t.true(group.members.every(({ partitions }) => partitions.length > 0));
    const names = group.members.map(({ memberId }) => memberId.slice(0, 'node-1'.length));
    t.deepEqual(names.sort(), ['node-1', 'node-2']);
    t.is(await application.storesDiffer(0, await truth()), '');
    const { tasks } = (await (await fetch(`${url}/tasks`)).json()) as { tasks: { taskId: string }[] };
    t.is(new Set(tasks.map(({ taskId }) => taskId)).size, 12);
    t.is(await application.stop(0), 0);
    // Named members keep their places.
    t.is((await broker.admin.describeGroup(application.id)).members.length, 2);
    t.is(differences(await exportedFrom(places.folders([application.stateOf(0)])), await truth()), '');
  },
);

onKafka(
  'an instance with two stream threads that is told to stop at any moment of its start ends with 0',
  async (t, broker) => {
    const application = await applicationOf(t, broker, ['num.stream.threads=2']);
    for (let afterMs = 0; afterMs < 1200; afterMs += 100) {
      const { stderr } = application.start(0);
      // The further thread begins when the first one has.
      await until('the first thread starts', () => application.instances[0]!.stderr.length > stderr.length);
      await delay(afterMs);
      t.is(await application.stop(0), 0, `${afterMs} ms after the start of the first thread`);
    }
  },
);

onKafka(
  'instances with names are back in their places after a stop or a kill, in the same generation; a double ends them',
  async (t, broker) => {
    const application = await applicationOf(t, broker);
    const ports = [await freePort(), await freePort(), await freePort()];
    const named = (instance: number, name = instance): WeirProcess =>
      application.start(instance, ['--port', `${ports[instance]}`, '--set', `group.instance.id=node-${name}`]);
    // One after the other: a task that is taken and given away in the same moment may cost a generation more.
    await named(0).ready();
    await named(1).ready();
    await application.caughtUp();
    const members = async (): Promise<readonly (string | undefined)[]> =>
      (await broker.admin.describeGroup(application.id)).members.map(
        ({ memberId }) => /^node-\d-\d/.exec(memberId)?.[0],
      );
    const both = ['node-0-1', 'node-1-1'];
    t.deepEqual([...(await members())].sort(), both);
    const generations = (): number[] =>
      application.logged('tasks assigned').map((line) => (JSON.parse(line) as { generation: number }).generation);
    const told = generations();
    const last = Math.max(...told);
    t.is(await application.stop(0), 0);
    t.deepEqual([...(await members())].sort(), both);
    await named(0).ready();
    await application.kill(1);
    await named(1).ready();
    t.deepEqual(generations().sort(), [...told, last, last].sort());
    t.is(await application.storesDiffer(0, await truth()), '');

    const former = application.instances[1]!;
    // A folder of its own, and the name of another.
    await named(2, 1).ready();
    t.is(await former.ended(), 1);
    t.regex(verdict(former.stderr), /^STREAMS_FENCED_INSTANCE_ID: .*node-1-1.*group\.instance\.id/);
    t.is(await application.storesDiffer(2, await truth()), '');
  },
);

onKafka('a port that is taken ends it with an error that names it', async (t, broker) => {
  const application = await applicationOf(t, broker);
  const url = await application.start(0).ready();
  const { port } = new URL(url);
  const second = application.start(1, ['--port', port]);
  t.is(await second.ended(), 1);
  t.regex(verdict(second.stderr), /^STREAMS_\w+: /);
  t.true(verdict(second.stderr).includes(port), verdict(second.stderr));
});
