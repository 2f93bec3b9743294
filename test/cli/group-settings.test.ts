import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Application, ApplicationSpec, ReplaySettings } from '../../src/cli/application.ts';
import { describeCommand } from '../../src/cli/describe-command.ts';
import { changelogSource } from '../../src/cli/kafka-sources.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { CalendarWindows } from '../../src/dsl/calendar-windows.ts';
import { StreamsBuilder } from '../../src/dsl/streams-builder.ts';
import { KafkaStreams } from '../../src/runtime/kafka/kafka-streams.ts';
import { stringSerde } from '../../src/serde/serdes.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { CountsWorld, counts, countsSpec } from './fixtures/counted.ts';

const hour = 3_600_000;

/** Counts words by day; and all of them, in windows that no setting concerns. */
function daily({ zone, graceMs }: Pick<ReplaySettings, 'zone' | 'graceMs'>): Topology {
  const builder = new StreamsBuilder();
  const words = builder.stream('words', { keySerde: stringSerde, valueSerde: stringSerde }).groupByKey();
  words.windowedBy(CalendarWindows.year('UTC').grace(hour)).count({ name: 'by-year' });
  words.windowedBy(CalendarWindows.day(zone).grace(graceMs)).count({ name: 'by-day' });
  return builder.build();
}

const application: Application = {
  topology: daily,
  format: () => {
    throw new Error('it reads no files');
  },
};
const spec: ApplicationSpec = { ...countsSpec, tables: [], load: async () => application };

const ran = { zone: 'Asia/Tokyo', graceMs: 48 * hour };

/** An application that ran with settings of its own: the last word is of 24 h after the day of the first one has ended in Tokyo. */
async function world(t: ExecutionContext): Promise<CountsWorld> {
  const made = new CountsWorld(t);
  for (const partition of [0, 1])
    made.say(partition, ['ant', Date.UTC(2018, 0, 1)], ['ant', Date.UTC(2018, 0, 2, 15) + 1]);
  const streams = new KafkaStreams(daily(ran), {
    broker: made.client(),
    applicationId: 'counts',
    stateDir: made.folder('a'),
    commitIntervalMs: 5,
  });
  t.teardown(() => streams.close());
  await streams.start();
  const { admin } = made.client();
  const inputs = [0, 1].map((partition) => ({ topic: 'words', partition }));
  while ((await admin.committed('counts', inputs)).some((each) => each?.offset !== 2)) await delay(5);
  await streams.close();
  return made;
}

test('describe --diff keeps the stores of an application that runs with another zone and grace than the default ones', async (t) => {
  const { cluster } = await world(t);
  const { code, stdout } = await counts(
    describeCommand(spec, async () => cluster.connect()),
    'describe --diff',
  );
  t.deepEqual([code, stdout], [0, 'keeps    by-year\nkeeps    by-day\n']);
});

test('changelogs are read with the zone and the grace that their application has', async (t) => {
  const made = await world(t);
  const source = await changelogSource(spec, application, loadConfig({ applicationId: 'counts' }), made.client());
  t.like(source.settings, ran);
  // Seen is 2018-01-02T15:00:00.001Z, less two days.
  t.is(source.finalUntilMs(), Date.UTC(2017, 11, 31, 15) + 1);
});
