// The example of the README, which has the same lines with 'weir-streams' in place of '../src/index.ts' and 'weir-streams/testing' in place of '../src/testing.ts'.
//
//     node --import tsx examples/readme.ts

import { CalendarWindows, Serdes, StreamsBuilder } from '../src/index.ts';
import { TopologyTestDriver } from '../src/testing.ts';

const builder = new StreamsBuilder();
builder
  .stream('readings', { name: 'readings', keySerde: Serdes.string, valueSerde: Serdes.int64 })
  .groupByKey()
  .windowedBy(CalendarWindows.day('Europe/Paris').grace(86_400_000))
  .reduce((sum, wh) => sum + wh, { name: 'wh-per-day' });

const driver = await TopologyTestDriver.create(builder.build());
await driver.inputTopic<string, number>('readings').pipeInput('C:8', 1200, Date.UTC(2018, 0, 31, 22, 59));
await driver.inputTopic<string, number>('readings').pipeInput('C:8', 300, Date.UTC(2018, 0, 31, 23, 0)); // The next day in Paris
for (const { key, value } of await driver.rows('wh-per-day')) console.log(String(key), value);
await driver.close();
