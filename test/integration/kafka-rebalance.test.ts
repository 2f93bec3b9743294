import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { ProducedFiles } from './helpers/kafka-produced.ts';
import { RestlessReader } from './helpers/kafka-reader.ts';
import { madeData, seededRandom } from './helpers/made-data.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { Recount } from './helpers/recount-statistics.ts';
import { weir } from './helpers/weir.ts';

const seed = Number(process.env['REBALANCE_SEED'] ?? Date.now() % 1_000_000);
const sessionTimeoutMs = 1500;

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });

interface Setting {
  readonly application: KafkaApplication;
  readonly broker: Broker;
  readonly truth: Recount;
  /** Sends the next day of events; returns when it is on its way. */
  readonly load: () => Promise<void>;
  /** Waits until all that was sent is counted. */
  readonly counted: () => Promise<void>;
}

async function prepared(t: ExecutionContext, days: number, settings: readonly string[] = []): Promise<Setting> {
  t.log(`seed ${seed} (REBALANCE_SEED)`);
  const data = await madeData({ days, eventsPerDay: 8640, damage: 0, late: true, seed, meters: 60, concentrators: 10 });
  const brokers = kafka.server.bootstrap;
  const broker = kafka.connect({ bootstrapServers: [brokers] });
  const topic = newName('events');
  const folder = await mkdtemp(join(tmpdir(), 'weir-rebalance-'));
  const truth = new Recount(await RecountPark.read(`${data}/park`));
  const words = ['--brokers', brokers, '--topic', topic, '--partitions', '2', '--speed', '100000x'];
  const produced = await ProducedFiles.start(words, folder, truth);
  t.teardown(() => produced.process.signal('SIGKILL'));
  const application = new KafkaApplication({
    ...{ brokers, broker, applicationId: newName('app'), folder, topic },
    settings: [`session.timeout.ms=${sessionTimeoutMs}`, 'heartbeat.interval.ms=300', ...settings],
    words: ['--park-topic', `${topic}-park`],
  });
  t.teardown(() => application.end(t));
  await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`, '--topic', `${topic}-park`]);
  await until('the topic is there', async () => (await broker.admin.partitionCounts([topic])).size > 0);
  const files = (await readdir(`${data}/events`)).sort();
  let last = '';
  return {
    ...{ application, broker, truth },
    load: async () => {
      last = await produced.hand(join(data, 'events', files.shift()!));
      await delay(200);
    },
    counted: async () => {
      await produced.committed(last);
      await application.caughtUp();
    },
  };
}

const year = '/statistics/year';

kafka.test(
  'instances come and go under load: counts are exact, and no answer meanwhile is older than one before it',
  async (t) => {
    const { application, truth, load, counted } = await prepared(t, 9);
    await application.allReady(1);
    const questions = ['/type', '/equipment?key=C:8', '/equipment?key=C:9', '/equipment?key=K:1', '/region'];
    const reader = new RestlessReader(
      application,
      questions.map((question) => year + question),
      seededRandom(seed),
    );
    t.teardown(() => reader.stop());
    const changes: readonly (() => Promise<unknown>)[] = [
      async () => application.start(1),
      async () => application.start(2),
      () => application.stop(0),
      async () => Promise.all([application.stop(1), application.start(0)]),
      async () => Promise.all([application.kill(2), application.start(1)]),
    ];
    for (const change of changes) {
      const before = reader.answered;
      await load();
      const done = change();
      await counted();
      const codes = [await done].flat().filter((code) => typeof code === 'number');
      t.true(
        codes.every((code) => code === 0),
        `clean ends: ${codes}`,
      );
      await until('it is answered again', () => reader.answered > before + 20);
    }
    await application.allReady(2);
    await load();
    await counted();
    for (const instance of [0, 1]) t.is(await application.storesDiffer(instance, truth.files()), '');
    t.is(await application.changelogsDiffer(truth.files()), '');
    await reader.stop();
    t.log(`${reader.answered} answers, ${reader.refused} times asked for patience`);
    t.deepEqual(reader.wrong, []);
  },
  test.serial,
);

/** Values of a metric by task. */
async function byTask(url: string, metric: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = [...text.matchAll(new RegExp(`^${metric}\\{(.*)\\} (\\S+)$`, 'gm'))];
  return new Map(lines.map(([, labels, value]) => [/task_id="([^"]+)"/.exec(labels!)![1]!, Number(value)]));
}

kafka.test(
  'a standby takes over with only the tail to restore; before that it answers where old answers will do',
  async (t) => {
    const { application, broker, truth, load, counted } = await prepared(t, 5, ['num.standby.replicas=1']);
    await application.allReady(2);
    for (let i = 0; i < 3; i++) await load();
    await counted();
    const url = application.instances[1]!.url!;
    await until('the standbys have caught up', async () => {
      const lags = [...(await byTask(url, 'streams_standby_lag_records')).values()];
      return lags.length > 0 && lags.every((lag) => lag === 0);
    });
    const standbys = [...(await byTask(url, 'streams_standby_lag_records')).keys()];

    // The owner does not answer now, and is not yet known to be gone.
    await application.instances[0]!.signal('SIGSTOP');
    const expected = truth.files()['year_type.csv']!;
    const copies = await fetch(`${url}${year}/type?format=csv&stale=ok`);
    t.is(copies.status, 200);
    t.is(await copies.text(), expected);
    const strict = await fetch(`${url}${year}/type?format=csv`);
    if (strict.status === 503) t.is(strict.headers.get('retry-after'), '1');
    else t.is(await strict.text(), expected, 'after the takeover the answer is whole');
    await application.instances[0]!.signal('SIGCONT');
    await load();
    await application.kill(0);
    await counted();
    await application.instances[1]!.ready();

    const restored = await byTask(url, 'streams_restore_records_total');
    const moved = standbys.map((task) => restored.get(task) ?? Number.NaN);
    const changelogs = (await broker.admin.listTopics()).filter(
      (topic) => topic.startsWith(`${application.id}-`) && topic.endsWith('-changelog'),
    );
    const partitions = changelogs.flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })));
    const total = (await broker.admin.offsets(partitions, 'stable')).reduce((sum, end) => sum + end, 0);
    const read = moved.reduce((sum, n) => sum + n, 0);
    t.log(`${standbys.length} tasks moved, ${read} records restored; the changelogs of all tasks hold ${total}`);
    t.true(read < total / 20, 'only the tail is restored');
    t.is(await application.storesDiffer(1, truth.files()), '');
  },
  test.serial,
);

kafka.test(
  'every instance answers for all keys, wherever they are',
  async (t) => {
    const { application, truth, load, counted } = await prepared(t, 3);
    await application.allReady(2);
    for (let i = 0; i < 3; i++) await load();
    await counted();
    t.is(await application.storesDiffer(0, truth.files()), '');
    const days = truth
      .files()
      ['day_equipment.csv']!.split('\n')
      .slice(1, -1)
      .map((row) => row.split(','));
    const keys = [...new Set(days.map(([, type, id]) => `${type}:${id}`))];
    t.true(keys.length > 50);
    const [one, other] = application.instances.map((instance) => instance!.url!);
    const owners = await Promise.all([one, other].map((url) => byTask(url!, 'streams_task_records_processed_total')));
    t.true(
      owners.every((tasks) => tasks.size > 0),
      'both have tasks',
    );
    for (const key of keys) {
      const path = `/stores/day-equipment/windows/${key}`;
      const [first, second] = await Promise.all([one, other].map(async (url) => (await fetch(url + path)).text()));
      t.is(first, second, path);
      const rows = first!
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { value: Record<string, number> });
      const sum = rows.reduce((all, { value }) => all + Object.values(value).reduce((a, b) => a + b, 0), 0);
      const own = days.filter(([, type, id]) => `${type}:${id}` === key);
      t.is(
        sum,
        own.reduce((all, row) => all + Number(row.at(-1)), 0),
        path,
      );
    }
    const whole = await Promise.all(
      [one, other].map(async (url) => (await fetch(`${url}/stores/day-equipment`)).text()),
    );
    t.is(whole[0], whole[1]);
    t.true(whole[0]!.split('\n').length > keys.length);
  },
  test.serial,
);

kafka.test(
  'an owner that was stopped and wakes up when another has its tasks gives no old answer',
  async (t) => {
    const { application, truth, load, counted } = await prepared(t, 4);
    await application.allReady(2);
    await load();
    await load();
    await counted();
    t.is(await application.storesDiffer(0, truth.files()), '');
    const [sleeper, other] = application.instances.map((instance) => instance!);
    await sleeper!.signal('SIGSTOP');
    await load();
    await delay(sessionTimeoutMs);
    await counted();
    t.is(await application.storesDiffer(1, truth.files()), '', 'the other has taken over');
    const days = truth
      .files()
      ['year_equipment.csv']!.split('\n')
      .slice(1, -1)
      .map((row) => row.split(','));
    const wanted = new Map<string, number>();
    for (const [, type, id, , n] of days) wanted.set(`${type}:${id}`, (wanted.get(`${type}:${id}`) ?? 0) + Number(n));
    let refused = 0;
    const ask = async (key: string): Promise<void> => {
      const answer = await fetch(`${sleeper!.url}${year}/equipment?key=${key}`);
      if (answer.status === 503) {
        refused++;
        t.is(answer.headers.get('retry-after'), '1');
        return;
      }
      const rows = (await answer.json()) as { n: number }[];
      t.is(
        rows.reduce((sum, { n }) => sum + n, 0),
        wanted.get(key)!,
        `${key}, answered by the one that slept`,
      );
    };
    const asked = [...wanted.keys()].map(ask);
    await delay(100);
    await sleeper!.signal('SIGCONT');
    await Promise.all(asked);
    t.log(`${wanted.size} keys asked for, ${refused} times asked for patience`);
    t.true(refused > 0, 'it was asked before it knew its new tasks');
    t.true(other!.running);
    await load();
    await counted();
    for (const instance of [0, 1]) t.is(await application.storesDiffer(instance, truth.files()), '');
  },
  test.serial,
);
