import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import type { Logger } from '../../../src/common/logger.ts';
import type { Version } from '../../../src/processor/rows.ts';
import {
  type HistoryTopicChange,
  type HistoryTopicOptions,
  writeHistoryTopic,
} from '../../../src/runtime/kafka/history-topic.ts';
import { historySerde } from '../../../src/serde/history.ts';
import { stringSerde } from '../../../src/serde/serdes.ts';
import { historiesOf } from './histories-of.ts';

type Histories = Record<string, readonly Version<string>[]>;

const from = (validFromMs: number, value?: string): Version<string> => ({ validFromMs, value });

/** Loads histories in a client of its own. */
async function load(
  cluster: MemoryCluster,
  histories: Histories,
  options: Partial<HistoryTopicOptions<string, string>> = {},
): Promise<HistoryTopicChange> {
  const broker = cluster.connect();
  try {
    return await writeHistoryTopic(broker, {
      topic: 'places',
      histories: historiesOf(Object.entries(histories)),
      keySerde: stringSerde,
      valueSerde: stringSerde,
      ...options,
    });
  } finally {
    await broker.close();
  }
}

/** All records of the topic once transactions are complete: `key: from=value, ...`. */
async function records(cluster: MemoryCluster, partition = 0): Promise<string[]> {
  const { admin } = cluster.connect();
  const end = async (at: 'stable' | 'latest'): Promise<number> =>
    (await admin.offsets([{ topic: 'places', partition }], at))[0]!;
  while ((await end('stable')) !== (await end('latest'))) await delay(1);
  const serde = historySerde(stringSerde);
  return cluster.read('places', partition).map(({ key, value }) => {
    const versions = serde.deserialize(value!).map((version) => `${version.validFromMs}=${version.value ?? ''}`);
    return `${Buffer.from(key!)}: ${versions.join(', ')}`;
  });
}

test('the first load makes the topic and writes all histories', async (t) => {
  const cluster = new MemoryCluster();
  const change = await load(cluster, { a: [from(0, 'Lyon'), from(100)], b: [from(5, 'Nice')] });
  t.deepEqual(change, { added: 2, changed: 0, removed: 0, unchanged: 0, ends: [2] });
  t.deepEqual(await records(cluster), ['a: 0=Lyon, 100=', 'b: 5=Nice']);
  t.is((await cluster.connect().admin.partitionCounts(['places'])).get('places'), 1);
  const configs = (await cluster.connect().admin.topicConfigs(['places'])).get('places');
  t.like(configs, {
    'cleanup.policy': 'compact',
    'retention.ms': '-1',
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.after.max.ms': '9223372036854775807',
  });
});

test('a later load writes the difference alone, in one transaction', async (t) => {
  const cluster = new MemoryCluster();
  await load(cluster, { a: [from(0, 'Lyon')], b: [from(0, 'Nice')], c: [from(0, 'Metz')] });
  const before = await records(cluster);
  const change = await load(cluster, { a: [from(0, 'Lyon')], b: [from(0, 'Nancy')], d: [from(1, 'Brest')] });
  // Three records and the marker of their transaction stand before.
  t.deepEqual(change, { added: 1, changed: 1, removed: 1, unchanged: 1, ends: [7] });
  t.deepEqual(await records(cluster), [...before, 'b: 0=Nancy', 'd: 1=Brest', 'c: ']);
});

test('the same histories again write nothing, and the end is that of the last record', async (t) => {
  const cluster = new MemoryCluster();
  const histories = { a: [from(0, 'Lyon')], b: [from(0, 'Nice')] };
  await load(cluster, histories);
  t.deepEqual(await load(cluster, histories), { added: 0, changed: 0, removed: 0, unchanged: 2, ends: [2] });
  t.is((await records(cluster)).length, 2);
});

test('what was removed stays removed over compaction, is not removed twice, and can come back', async (t) => {
  const cluster = new MemoryCluster();
  await load(cluster, { a: [from(0, 'Lyon')], b: [from(0, 'Nice')] });
  await load(cluster, { b: [from(0, 'Nice')] });
  await records(cluster);
  cluster.compact('places');
  t.like(await load(cluster, { b: [from(0, 'Nice')] }), { removed: 0, unchanged: 1 });
  t.deepEqual((await records(cluster)).sort(), ['a: ', 'b: 0=Nice']);
  t.like(await load(cluster, { a: [from(3, 'Lyon')], b: [from(0, 'Nice')] }), { added: 0, changed: 1, unchanged: 1 });
});

test('no histories at all empty the table', async (t) => {
  const cluster = new MemoryCluster();
  t.deepEqual(await load(cluster, {}), { added: 0, changed: 0, removed: 0, unchanged: 0, ends: [0] });
  await load(cluster, { a: [from(0, 'Lyon')] });
  t.like(await load(cluster, {}), { removed: 1 });
});

test('a topic of several partitions gets each key where its hash says', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('places', 4, { 'cleanup.policy': 'compact' });
  const histories = { foobar: [from(0, 'x')], abc: [from(0, 'y')], '21': [from(0, 'z')] };
  // murmur2 of Kafka's own tests: foobar -790332482, abc 479470107, 21 -973932308.
  t.deepEqual((await load(cluster, histories)).ends, [1, 0, 1, 1]);
  t.deepEqual(await records(cluster, 2), ['foobar: 0=x']);
  t.deepEqual(await records(cluster, 3), ['abc: 0=y']);
  t.deepEqual(await records(cluster, 0), ['21: 0=z']);
  t.like(await load(cluster, histories), { unchanged: 3, ends: [1, 0, 1, 1] });
});

test('more than a request holds is one transaction all the same', async (t) => {
  const cluster = new MemoryCluster();
  const long = 'x'.repeat(1000);
  const histories = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`k${i}`, [from(i, long)]]));
  t.like(await load(cluster, histories), { added: 30_000, ends: [30_000] });
  await records(cluster);
  // One marker behind all of them.
  t.is((await cluster.connect().admin.offsets([{ topic: 'places', partition: 0 }], 'latest'))[0], 30_001);
});

test('a load that is aborted, or meets a bad history, changes nothing', async (t) => {
  const cluster = new MemoryCluster();
  await load(cluster, { a: [from(0, 'Lyon')] });
  const signal = AbortSignal.abort();
  await t.throwsAsync(load(cluster, { b: [from(0, 'Nice')] }, { signal }), { any: true, name: 'AbortError' });
  const broken = {
    ...historiesOf([['b', [from(0, 'Nice')]] as const, ['c', []] as const]),
    versions(index: number): readonly Version<string>[] {
      if (index === 1) throw new Error('torn');
      return [from(0, 'Nice')];
    },
  };
  await t.throwsAsync(load(cluster, {}, { histories: broken }), { message: 'torn' });
  t.deepEqual(await records(cluster), ['a: 0=Lyon']);
});

test('of two loads at a time the earlier one ends with an error, and the topic is that of the later', async (t) => {
  let held = false;
  const cluster: MemoryCluster = new MemoryCluster({
    onRequest: (request, client) => {
      if (request !== 'Produce' || held) return;
      held = true;
      cluster.pause(client);
      release = () => cluster.resume(client);
    },
  });
  let release = (): void => {};
  const earlier = load(cluster, { a: [from(0, 'Lyon')] });
  earlier.catch(() => {});
  while (!held) await delay(1);
  await load(cluster, { a: [from(0, 'Nice')] });
  release();
  const error = await t.throwsAsync(earlier, { code: 'STREAMS_TASK_MIGRATED' });
  t.true(error.message.includes('another load of topic places'));
  t.deepEqual(await records(cluster), ['a: 0=Nice']);
});

test('a topic that deletes by age is warned of', async (t: ExecutionContext) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('places', 1, { 'cleanup.policy': 'delete' });
  const warned: string[] = [];
  const logger: Logger = { debug() {}, info() {}, warn: (_, message) => warned.push(message), error() {} };
  await load(cluster, { a: [from(0, 'Lyon')] }, { logger });
  t.is(warned.length, 1);
  t.true(warned[0]!.includes('cleanup.policy=delete'));
});
