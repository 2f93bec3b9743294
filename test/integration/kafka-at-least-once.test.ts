import { Chaos } from './helpers/kafka-chaos.ts';
import { KafkaPart } from './helpers/kafka-clients.ts';
import { exportedFrom, places } from './helpers/kafka-reading.ts';
import { countsOf, type Files } from './helpers/recount-statistics.ts';

const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 7);

const kafka = await KafkaPart.start({ properties: { 'group.min.session.timeout.ms': '300' }, throughProxy: false });

/** Counts below the truth. */
function below(actual: Files, expected: Files, file: string): readonly string[] {
  const counts = countsOf(actual[file]!);
  return [...countsOf(expected[file]!)]
    .filter(([row, n]) => (counts.get(row) ?? 0) < n)
    .map(([row, n]) => `${row}: ${counts.get(row) ?? 0} in place of ${n}`);
}

function total(text: string): number {
  return [...countsOf(text).values()].reduce((sum, n) => sum + n, 0);
}

kafka.test(
  'at least once: no event is missing in the counts of the days and equipments, whatever happens',
  async (t) => {
    t.timeout(60 * 60_000);
    const settings = ['processing.guarantee=at_least_once', 'commit.interval.ms=200'];
    const chaos = await Chaos.start(t, kafka, { seed, rounds, partitions: 2, settings });
    const { application, truth } = chaos;
    let files: Files = {};
    for (let round = 0; round < rounds; round++) {
      chaos.count = round < rounds / 2 ? 2 : 3;
      const after = await chaos.round(round);
      files = await exportedFrom(places.changelogs(kafka.server.bootstrap, application.id));
      t.deepEqual(below(files, truth.files(), 'day_equipment.csv'), [], after);
    }
    const dropped = application.logged('is dropped').length;
    t.log(`${dropped} times a task was dropped and taken again`);
    const expected = truth.files();
    for (const file of Object.keys(expected)) {
      const [is, should] = [total(files[file]!), total(expected[file]!)];
      const low = below(files, expected, file).length;
      t.log(
        `${file}: ${is - should} of ${should} too many (${(((is - should) / should) * 100).toFixed(2)} %), ${low} rows too low`,
      );
    }
    chaos.judge();
  },
);
