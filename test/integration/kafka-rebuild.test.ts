import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { WeirProcess } from './helpers/kafka-process.ts';
import { digestFrom, places } from './helpers/kafka-reading.ts';
import { madeData, seededRandom } from './helpers/made-data.ts';
import { tryWeir, weir } from './helpers/weir.ts';

const seed = Number(process.env['REBUILD_SEED'] ?? Date.now() % 1_000_000);
const kafka = await KafkaPart.start({ throughProxy: false });

async function folderOf(t: ExecutionContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `weir-rebuild-${name}-`));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An application over the events of a topic. */
class Application {
  readonly id = newName('app');
  readonly #topic: string;

  constructor(topic: string) {
    this.#topic = topic;
  }

  words(state: string, more: readonly string[]): readonly string[] {
    return [
      ...['run', '--brokers', kafka.server.bootstrap, '--application-id', this.id, '--topic', this.#topic],
      ...['--state', state, '--port', '0', '--set', 'session.timeout.ms=6000', ...more],
    ];
  }

  run(state: string, ...more: string[]): Promise<string> {
    return weir(this.words(state, ['--until-caught-up', ...more]));
  }

  digest(): Promise<string> {
    return digestFrom(places.changelogs(kafka.server.bootstrap, this.id));
  }

  /** How many letters it has written: ends of their partitions. */
  async letters(broker: Broker): Promise<readonly number[]> {
    const topics = [`${this.id}-dead-letters`, `${this.id}-late`];
    const counts = await broker.admin.partitionCounts(topics);
    return broker.admin.offsets(
      topics.flatMap((topic) =>
        Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
      ),
      'latest',
    );
  }

  /** Waits until the session of one that was killed is over. */
  async alone(broker: Broker): Promise<void> {
    await until('nobody is a member', async () => (await broker.admin.describeGroup(this.id)).members.length === 0);
  }
}

kafka.test(
  'stores with another grace are made anew while the command is killed again and again: the digest of a fresh run, in older folders too, and no letter twice',
  async (t) => {
    t.timeout(600_000);
    t.log(`seed ${seed} (REBUILD_SEED)`);
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const random = seededRandom(seed);
    const brokers = ['--brokers', kafka.server.bootstrap];
    const data = await madeData({
      days: 5,
      eventsPerDay: 2000,
      damage: 0,
      late: true,
      seed,
      meters: 60,
      concentrators: 10,
    });
    t.teardown(() => rm(data, { recursive: true, force: true }));
    const topic = newName('events');
    await weir(['park', 'load', ...brokers, '--park', `${data}/park`]);
    const dead = join(await folderOf(t, 'dead'), 'dead.jsonl');
    await weir([
      'produce',
      ...brokers,
      '--events',
      `${data}/events`,
      '--topic',
      topic,
      '--partitions',
      '2',
      '--dead',
      dead,
    ]);
    const fresh = new Application(topic);
    await fresh.run(await folderOf(t, 'fresh'), '--grace', '1h');
    const expected = await fresh.digest();

    const application = new Application(topic);
    const [first, second] = [await folderOf(t, 'first'), await folderOf(t, 'second')];
    await application.run(first, '--grace', '240h');
    await application.run(second, '--grace', '240h');
    t.not(await application.digest(), expected, 'the grace makes a difference');
    const letters = await application.letters(broker);
    for (const state of [first, await folderOf(t, 'none')]) {
      const refused = await tryWeir(application.words(state, ['--grace', '1h', '--until-caught-up']));
      t.is(refused.code, 3);
      t.regex(refused.stderr, /^STREAMS_STATE_INCOMPATIBLE: .*grace.*weir run --rebuild day-equipment/m);
    }
    const anew = ['--grace', '1h', '--rebuild', 'day-equipment'];
    let killed = 0;
    for (let round = 0; round < 5; round++) {
      const process = new WeirProcess(application.words(first, anew));
      const begun = Date.now();
      const most = 400 + random() * 3000;
      while (process.url === undefined && process.running && Date.now() < begun + most) await delay(10);
      await process.signal('SIGKILL');
      killed++;
      await application.alone(broker);
    }
    t.is(killed, 5);
    await application.run(first, ...anew);
    t.is(await application.digest(), expected);
    t.deepEqual(await application.letters(broker), letters, 'no letter is written a second time');
    await application.run(second, '--grace', '1h');
    t.is(await application.digest(), expected, 'a folder of the program before is brought up to date');
  },
);
