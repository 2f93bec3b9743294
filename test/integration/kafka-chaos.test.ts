import { join } from 'node:path';
import { Chaos } from './helpers/kafka-chaos.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { digestFrom, exportedFrom, places } from './helpers/kafka-reading.ts';
import { differences } from './helpers/recount-statistics.ts';
import { digestOf, weir } from './helpers/weir.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 30);

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });

kafka.test('counts are exact whatever is killed, stopped, deleted or put back, as often as it happens', async (t) => {
  t.timeout(60 * 60_000);
  // Half of the seeds each: two threads, standbys; and one in four has a third partition.
  const [threads, standbys] = [1 + (seed % 2), (seed >> 1) % 2];
  const partitions = seed % 4 === 3 ? 3 : 2;
  const settings = ['commit.interval.ms=50', `num.stream.threads=${threads}`, `num.standby.replicas=${standbys}`];
  const chaos = await Chaos.start(t, kafka, { seed, rounds, partitions, settings });
  const { application, truth, data } = chaos;
  for (let round = 0; round < rounds; round++) {
    chaos.count = round < rounds / 2 ? 2 : 3;
    const after = await chaos.round(round);
    const expected = truth.files();
    const [changelogs, stores] = await Promise.all([
      application.changelogsDiffer(expected),
      application.storesDiffer(chaos.someInstance(), expected),
    ]);
    t.is(changelogs, '', `changelogs ${after}`);
    t.is(stores, '', `stores ${after}`);
  }

  const states = application.instances.map((_, i) => application.stateOf(i));
  for (let i = 0; i < chaos.count; i++) t.is(await application.stop(i), 0);
  const folders = places.folders(states);
  t.is(differences(await exportedFrom(folders), truth.files()), '', `folders at the end (seed ${seed})`);
  // A second judge, of what no statistic shows too: a replay of the files that were sent.
  const replayed = join(chaos.folder, 'replayed');
  await weir(['replay', '--events', chaos.done, '--park', `${data}/park`, '--state', replayed]);
  const digest = await digestOf(replayed);
  t.is(await digestFrom(folders), digest);
  t.is(await digestFrom(places.changelogs(kafka.server.bootstrap, application.id)), digest);
  chaos.judge();
});
