import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { type Logger, Serdes, StreamsBuilder, silentLogger, TimeWindows, type Topology } from '../../../src/index.ts';
import { startClient, stop, until } from './kit.ts';

/** Keeps what is warned of. */
function listening(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { logger: { ...silentLogger, warn: (_, message) => void lines.push(message) }, lines };
}

function sums(stores: number): Topology {
  const builder = new StreamsBuilder();
  const windows = builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .groupBy((key) => `${key}!`, { keySerde: Serdes.string, valueSerde: Serdes.int64, name: 'by' })
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10));
  for (let i = 0; i < stores; i++) windows.reduce((sum, value) => sum + value, { name: `sums-${i}` });
  return builder.build();
}

const number = (value: number): Uint8Array => Serdes.int64.serialize(value);

test('records that a serde does not read are told in the log, with the first of them and the topic of their letters', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const texts = Array.from({ length: 5 }, (_, i) => ({ key: 'a', value: 'no number', timestamp: i }));
  cluster.write('in', 0, texts);
  const { logger, lines } = listening();
  const client = await startClient(t, cluster, sums(1), { logger });
  await until(() => client.streams.kafkaStats().deadLetters['deserialization'] === 5, 'all letters are committed');
  await stop(client);
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(lines[0]!, /^5 of 5 records \(100%\) did not count: 5 deserialization\. The first: in-0, offset 0: /);
  t.regex(lines[0]!, / All of them: topic app-dead-letters\.$/);
});

test('a record that is late for three stores behind a repartition topic is one of those that were read', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  const at = (timestamp: number): object => ({ key: 'a', value: number(1), timestamp });
  cluster.write('in', 0, [at(100), at(5), at(101), at(102)] as never);
  const { logger, lines } = listening();
  const client = await startClient(t, cluster, sums(3), { logger });
  const { streams } = client;
  await until(() => streams.kafkaStats().lateLetters === 1, 'the letter is committed');
  await until(() => streams.kafkaStats().consumed['in-0'] === 4, 'all records are taken');
  await stop(client);
  t.is(lines.length, 1, lines.join('\n'));
  t.regex(lines[0]!, /^1 of 4 records \(25%\) did not count, or not in all windows: 1 late\. /);
  t.regex(lines[0]!, / All of them: topic app-late\.$/);
});

test('an instance whose records all count says nothing', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('in');
  cluster.write('in', 0, [{ key: 'a', value: number(1), timestamp: 1 }]);
  const { logger, lines } = listening();
  const client = await startClient(t, cluster, sums(1), { logger });
  await until(() => client.streams.stats().commits > 0, 'a commit is made');
  await stop(client);
  t.deepEqual(lines, []);
});
