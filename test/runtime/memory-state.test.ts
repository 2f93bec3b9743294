import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  EmbeddedStreams,
  KafkaStreams,
  openMemoryDatabase,
  type ReadOnlyKeyValueStore,
  Serdes,
  StreamsBuilder,
  type Topology,
} from '../../src/index.ts';
import { MemoryCluster } from '../../src/testing.ts';
import { ListFeed } from './list-feed.ts';

function words(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('words', { name: 'words', keySerde: Serdes.string, valueSerde: Serdes.json<unknown>() })
    .groupByKey()
    .count({ name: 'counts' });
  return builder.build();
}

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-memory-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('over feeds, state in memory is empty at each start', async (t) => {
  const stateDir = await folderOf(t);
  for (let start = 1; start <= 2; start++) {
    const streams = await EmbeddedStreams.open(words(), { stateDir, openDatabase: openMemoryDatabase });
    const feed = new ListFeed(
      'words',
      [1, 2].map((timestamp) => ({ key: 'weir', value: timestamp, timestamp })),
    );
    await streams.run([feed as never]);
    const counts = streams.store('counts') as ReadOnlyKeyValueStore<string, number>;
    t.is((await counts.get('weir'))?.value, 2);
    await streams.close();
  }
});

test('on Kafka, state in memory is restored from its changelog at each start', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('words', 1);
  const stateDir = await folderOf(t);
  for (let start = 1; start <= 2; start++) {
    cluster.write('words', 0, [{ key: 'weir', value: '1', timestamp: start }]);
    const broker = cluster.connect();
    const options = { broker, applicationId: 'counts', stateDir, openDatabase: openMemoryDatabase };
    const streams = new KafkaStreams(words(), options);
    t.teardown(async () => {
      await streams.close();
      await broker.close();
    });
    await streams.start();
    const count = async (): Promise<unknown> => {
      try {
        return (await (streams.store('counts') as ReadOnlyKeyValueStore<string, number>).get('weir'))?.value;
      } catch {
        return undefined; // Its task is on its way.
      }
    };
    for (let i = 0; i < 500 && (await count()) !== start; i++) await delay(50);
    t.is(await count(), start);
    await streams.close();
  }
});
