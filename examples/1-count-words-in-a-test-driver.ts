// Counts words: lines come in, each word's count goes out.
//
// The topology is tried in a test driver: no broker, no files, no waiting. Each line is processed to its end before the next one is piped in, and every
// change of a count leaves at once.
//
//     node --import tsx examples/1-count-words-in-a-test-driver.ts

import { Serdes, StreamsBuilder } from '../src/index.ts';
import { TopologyTestDriver } from '../src/testing.ts';

const builder = new StreamsBuilder();
builder
  .stream('lines', { name: 'lines', keySerde: Serdes.string, valueSerde: Serdes.string })
  .flatMapValues((line) => line.toLowerCase().split(' '), { name: 'words' })
  // A new key: the words go through a repartition topic, so that one task sees all of a word.
  .groupBy((_key, word) => word, { name: 'by-word', keySerde: Serdes.string, valueSerde: Serdes.string })
  .count({ name: 'counts' })
  .toStream({ name: 'changes' })
  .to('counts', { name: 'out' });
const topology = builder.build();
console.log(String(topology.describe()));

const driver = await TopologyTestDriver.create(topology);
const lines = driver.inputTopic<string, string>('lines');
const counts = driver.outputTopic('counts', Serdes.string, Serdes.int64);

await lines.pipeInput('1', 'A weir is a low dam', 0);
await lines.pipeInput('2', 'a dam', 1000);
for (const { key, value, timestamp } of counts.readAll()) console.log(`${key} ${value} @${timestamp}`);

console.log(`the store says: a ${driver.keyValue<string, number>('counts', 'a')?.value}`);
await driver.close();
