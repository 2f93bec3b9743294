import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type InFlight, KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { type FaultPlace, faults, isInFlight } from './helpers/kafka-faults.ts';
import { ProducedFiles } from './helpers/kafka-produced.ts';
import { digestFrom, exportedFrom, places } from './helpers/kafka-reading.ts';
import { madeData, seededRandom } from './helpers/made-data.ts';
import { RecountPark } from './helpers/recount-park.ts';
import { differences, Recount } from './helpers/recount-statistics.ts';
import { digestOf, weir } from './helpers/weir.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 32);
const partitions = 2;
const sessionTimeoutMs = 2000;

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });

/** Every fault equally often, in an order of chance. */
function faultsInOrder(random: () => number): readonly string[] {
  const names = Object.keys(faults);
  const all = Array.from({ length: rounds }, (_, i) => names[i % names.length]!);
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

kafka.test('counts are exact whatever is killed, stopped, deleted or put back, as often as it happens', async (t) => {
  t.timeout(30 * 60_000);
  const random = seededRandom(seed);
  t.log(`seed ${seed} (CHAOS_SEED), ${rounds} rounds (CHAOS_ROUNDS)`);
  const folder = await mkdtemp(join(tmpdir(), 'weir-chaos-'));
  const data = await madeData({
    days: rounds,
    eventsPerDay: 8640,
    damage: 0,
    late: true,
    seed,
    meters: 60,
    concentrators: 10,
  });
  const brokers = kafka.server.bootstrap;
  await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`]);
  const truth = new Recount(await RecountPark.read(`${data}/park`));
  const produced = await ProducedFiles.start(
    ['--brokers', brokers, '--partitions', String(partitions), '--speed', '60000x'],
    folder,
    truth,
  );
  t.teardown(() => produced.process.signal('SIGKILL'));
  const broker = kafka.connect({ bootstrapServers: [brokers] });
  const application = new KafkaApplication({
    ...{ brokers, broker, applicationId: 'chaos', folder },
    settings: [`session.timeout.ms=${sessionTimeoutMs}`, 'heartbeat.interval.ms=300', 'commit.interval.ms=50'],
  });
  t.teardown(() => application.end());
  while ((await broker.admin.partitionCounts(['grid-events'])).size === 0) await delay(50);

  const files = (await readdir(`${data}/events`)).sort();
  const seen: InFlight[] = [];
  for (const [round, name] of faultsInOrder(random).entries()) {
    const count = 2 + (Math.floor(round / 4) % 2);
    for (let i = count; i < application.instances.length; i++)
      if (application.instances[i] !== undefined) t.is(await application.stop(i), 0);
    await application.allReady(count);
    const log = (text: string): void => t.log(`round ${round + 1}, ${name}: ${text}`);
    const place: FaultPlace = { application, server: kafka.server, produced, count, sessionTimeoutMs, random, log };
    const file = await produced.hand(join(data, 'events', files[round]!));
    await delay(random() * 900);
    seen.push(...(await faults[name]!(place)));
    for (let i = 0; i < count; i++) if (application.instances[i]?.running !== true) application.start(i);
    await produced.committed(file);
    await application.caughtUp();
    const expected = truth.files();
    t.is(
      await application.changelogsDiffer(expected),
      '',
      `changelogs after round ${round + 1} (seed ${seed}, ${name})`,
    );
    const asked = Math.floor(random() * count);
    t.is(
      await application.storesDiffer(asked, expected),
      '',
      `stores after round ${round + 1} (seed ${seed}, ${name})`,
    );
  }

  const states = application.instances.map((_, i) => application.stateOf(i));
  for (const [i, instance] of application.instances.entries())
    if (instance !== undefined) t.is(await application.stop(i), 0);
  t.is(differences(await exportedFrom(places.folders(states)), truth.files()), '', `folders at the end (seed ${seed})`);
  const replayed = join(folder, 'replayed');
  await weir(['replay', '--events', `${data}/events`, '--park', `${data}/park`, '--state', replayed]);
  const digest = await digestOf(replayed);
  t.is(await digestFrom(places.folders(states)), digest);
  t.is(await digestFrom(places.changelogs(brokers, application.id)), digest);
  t.is(await produced.process.stop(), 0);

  const inside = seen.filter(isInFlight).length;
  t.log(`${truth.rows} events; ${seen.length} times something was broken, ${inside} times with records in flight`);
  t.true(inside >= (seen.length * 2) / 3, 'two thirds of the faults hit records in flight');
  await rm(folder, { recursive: true, force: true });
});
