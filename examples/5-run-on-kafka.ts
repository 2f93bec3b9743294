// A topology on Kafka: words counted exactly once, by two instances that share the partitions.
//
// Here Kafka is a cluster in memory, so that the example needs nothing. With a real one the only other line is
// `openKafkaBroker({ bootstrapServers: ['localhost:9092'], clientId: 'counts' })` from 'weir-streams' instead of `cluster.connect()`.
//
//     node --import tsx examples/5-run-on-kafka.ts

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaStreams, Serdes, StreamsBuilder } from '../src/index.ts';
import { MemoryCluster } from '../src/testing.ts';

const cluster = new MemoryCluster();
cluster.createTopic('lines', 2);
cluster.createTopic('counts', 1);

const builder = new StreamsBuilder();
builder
  .stream('lines', { keySerde: Serdes.string, valueSerde: Serdes.string })
  .flatMapValues((line) => line.split(' '))
  .groupBy((_key, word) => word, { name: 'by-word', keySerde: Serdes.string, valueSerde: Serdes.string })
  .count({ name: 'words' })
  .toStream()
  .to('counts', { keySerde: Serdes.string, valueSerde: Serdes.int64 });
const topology = builder.build();

cluster.write('lines', 0, [{ key: 'a', value: 'to be or not to be', timestamp: 1 }]);
cluster.write('lines', 1, [{ key: 'b', value: 'or to see', timestamp: 2 }]);

const folder = await mkdtemp(join(tmpdir(), 'weir-example-'));
const brokers = [cluster.connect({ clientId: 'one' }), cluster.connect({ clientId: 'two' })];
const instances = brokers.map(
  (broker, i) => new KafkaStreams(topology, { broker, applicationId: 'counts', stateDir: join(folder, String(i)) }),
);
await Promise.all(instances.map((streams) => streams.start()));

// Words with an even hash are counted by one task, the others by the other: both write to one topic.
const counts = new Map<string, number>();
const total = (): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
while (total() < 9) {
  await delay(50);
  for (const { key, value } of cluster.read('counts', 0))
    counts.set(Serdes.string.deserialize(key!), Serdes.int64.deserialize(value!));
}
for (const word of [...counts.keys()].sort()) console.log(word, counts.get(word));

await Promise.all(instances.map((streams) => streams.close()));
await Promise.all(brokers.map((broker) => broker.close()));
await rm(folder, { recursive: true });
