// Two ways to join with reference data that changes over time: where each meter was installed, and from when on.
//
// A stream's join takes the place that was known for the event's time when the event arrived, and never looks back. A windowed table's join is a table: when the
// reference data is corrected, the rows that the correction covers are joined again, and what was grouped by place moves with them.
//
//     node --import tsx examples/3-join-with-a-versioned-table.ts

import { Serdes, StreamsBuilder, TimeWindows, type Version, type Windowed } from '../src/index.ts';
import { TopologyTestDriver } from '../src/testing.ts';

interface Placed {
  readonly n: number;
  readonly place: string;
}

const hourMs = 3_600_000;
const builder = new StreamsBuilder();
// Each record of the topic is the whole history of a meter.
const places = builder.globalHistoryTable('places', {
  name: 'places',
  keySerde: Serdes.string,
  valueSerde: Serdes.string,
});
const events = builder.stream('events', { name: 'events', keySerde: Serdes.string, valueSerde: Serdes.string });

events
  .leftJoin(places, (event, place = 'unknown') => `${event} in ${place}`, { name: 'as-known-at-arrival' })
  .to('placed-events', { name: 'out', valueSerde: Serdes.string });

events
  .groupByKey()
  .windowedBy(TimeWindows.ofSizeAndGrace(hourMs, 0))
  .count({ name: 'per-hour' })
  .leftJoin(places, (n, place = 'unknown'): Placed => ({ n, place }), {
    name: 'per-hour-placed',
    valueSerde: Serdes.json<Placed>(),
  })
  .groupBy((_key: Windowed<string>, { n, place }) => [place, n], {
    name: 'by-place',
    keySerde: Serdes.string,
    valueSerde: Serdes.int64,
  })
  .aggregate(
    () => 0,
    (_place, n, sum) => sum + n,
    (_place, n, sum) => (sum === n ? undefined : sum - n),
    { name: 'per-place', valueSerde: Serdes.int64 },
  );

const driver = await TopologyTestDriver.create(builder.build());
const history = driver.inputTopic<string, readonly Version<string>[]>('places');
const input = driver.inputTopic<string, string>('events');
const placed = driver.outputTopic('placed-events', Serdes.string, Serdes.string);

async function show(title: string): Promise<void> {
  console.log(title);
  for (const { key, value } of placed.readAll()) console.log(`  event of meter ${key}: ${value}`);
  for (const { key, value } of await driver.rows<string, number>('per-place')) console.log(`  ${key}: ${value} events`);
}

await history.pipeInput('8', [{ validFromMs: 0, value: 'Lyon' }], 0);
await input.pipeInput('8', 'first', 0.5 * hourMs);
await input.pipeInput('8', 'second', 1.5 * hourMs);
await input.pipeInput('8', 'third', 1.6 * hourMs);
await input.pipeInput('9', 'fourth', 1.7 * hourMs);
await show('meter 8 is in Lyon, meter 9 is not known:');

await history.pipeInput(
  '8',
  [
    { validFromMs: 0, value: 'Lyon' },
    { validFromMs: hourMs, value: 'Nice' },
  ],
  0,
);
await history.pipeInput('9', [{ validFromMs: 0, value: 'Nice' }], 0);
await input.pipeInput('8', 'fifth', 2.5 * hourMs);
await show('a correction: meter 8 was moved to Nice at 1 h, and meter 9 was there all the time:');
await driver.close();
