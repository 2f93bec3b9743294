import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaStreams, type ReadOnlyKeyValueStore, StreamsError } from '../../src/index.ts';
import { KafkaPart, newName, newProducer, newTopic, until } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ throughProxy: false });
const partitions = 6;
const keys = Array.from({ length: 120 }, (_, i) => `key-${i}`);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

kafka.test(
  'a program with three stream threads counts exactly while one is added, one removed, and one dies and is replaced',
  async (t) => {
    const broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
    const folder = await mkdtemp(join(tmpdir(), 'weir-threads-'));
    const input = await newTopic(broker, partitions);
    const producer = await newProducer(broker);
    const uncaught: unknown[] = [];
    const applicationId = newName('threads');
    const streams = await KafkaStreams.fromModule(new URL('./fixtures/threads-topology.ts', import.meta.url), {
      applicationId,
      bootstrapServers: [kafka.server.bootstrap],
      stateDir: join(folder, 'state'),
      settings: { died: join(folder, 'died'), input },
      numStreamThreads: 3,
      uncaughtHandler: (error) => {
        uncaught.push(error);
        return 'replace-thread';
      },
    });
    t.teardown(async () => {
      await streams.close();
      await producer.close();
      await rm(folder, { recursive: true, force: true });
    });
    const active = (): string =>
      streams
        .kafkaStats()
        .threads.map((each) => each.active)
        .join();
    const shared = (wanted: string): Promise<void> =>
      until(`the threads have ${wanted} tasks`, () => streams.state === 'RUNNING' && active() === wanted);
    const expected = new Map<string, number>();
    const write = async (key: string, value: string): Promise<void> => {
      const { partition } = streams.queryMetadataForKey('counts', key);
      producer.append(input, partition, Date.now(), utf8(key), utf8(value));
      expected.set(key, (expected.get(key) ?? 0) + 1);
    };
    const round = async (): Promise<void> => {
      for (const key of keys) await write(key, 'x');
      await producer.commit();
    };
    const exact = async (): Promise<void> => {
      let found = new Map<string, number>();
      await until('all is counted', async () => {
        found = await counted(streams);
        return [...found.values()].reduce((sum, n) => sum + n, 0) >= [...expected.values()].reduce((s, n) => s + n, 0);
      });
      t.deepEqual(found, new Map([...found.keys()].map((key) => [key, expected.get(key)!])));
      t.is(found.size, expected.size);
    };

    await streams.start();
    await shared('2,2,2');
    await round();
    await exact();
    const names = streams.threadNames();
    t.is((await broker.admin.describeGroup(applicationId)).members.length, 3);

    const added = streams.addStreamThread();
    t.is(added, names[0]!.replace(/1$/, '4'));
    await round();
    await until(
      'four share the tasks',
      () => streams.state === 'RUNNING' && !active().includes('0') && active().split(',').length === 4,
    );
    await round();
    await exact();
    t.is(await streams.removeStreamThread(), added);
    await round();
    await shared('2,2,2');
    await exact();

    const mine = streams.kafkaStats().tasks.find(({ thread }) => thread === names[2])!.taskId;
    const key = keys.find((each) => `0_${streams.queryMetadataForKey('counts', each).partition}` === mine)!;
    await write(key, 'x');
    await write(key, 'die');
    await producer.commit();
    await until('the thread has died', () => uncaught.length > 0);
    await round();
    await shared('2,2,2');
    await exact();
    t.is(uncaught.length, 1);
    t.true(StreamsError.is(uncaught[0]));
    t.regex((uncaught[0] as StreamsError).message, /StreamThread-3 has ended by itself, with code 7/);
    t.deepEqual([...streams.threadNames()].sort(), [...names].sort());

    await streams.close();
    t.is(streams.state, 'NOT_RUNNING');
    t.deepEqual((await broker.admin.describeGroup(applicationId)).members, []);
  },
);

/** The counts of all threads; none while a task is on its way. */
async function counted(streams: KafkaStreams): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  try {
    const store = streams.store('counts') as ReadOnlyKeyValueStore<string, number>;
    for await (const { key, value } of store.all()) found.set(key, value);
    return found;
  } catch (error) {
    if (StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED') return new Map();
    throw error;
  }
}
