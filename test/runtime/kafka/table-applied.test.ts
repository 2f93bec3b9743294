import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { type ReadOnlyVersionedStore, Serdes, StreamsBuilder, type Topology } from '../../../src/index.ts';
import type { Version } from '../../../src/processor/rows.ts';
import { writeHistoryTopic } from '../../../src/runtime/kafka/history-topic.ts';
import { type TableAppliedOptions, untilTableApplied } from '../../../src/runtime/kafka/table-applied.ts';
import { historiesOf } from './histories-of.ts';
import { app, type Cleanup, changelogRows, drained, startClient, stop, type TestClient, until } from './kit.ts';

/** Readings per place, by a table of the places of meters; two sub-topologies. */
function topology(sources: readonly string[]): Topology {
  const builder = new StreamsBuilder();
  const places = builder.globalHistoryTable<string, string>('places', {
    name: 'places',
    keySerde: Serdes.string,
    valueSerde: Serdes.string,
  });
  builder
    .table<string, number>(sources[0]!, { name: 'latest', keySerde: Serdes.string, valueSerde: Serdes.int64 })
    .leftJoin(places, (reading, place) => `${place ?? 'unknown'}:${reading}`, {
      name: 'placed',
      valueSerde: Serdes.string,
    })
    .groupBy((_key, value): [string, string] => [value.split(':')[0]!, value], {
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
    })
    .aggregate(
      () => 0,
      (_key, value, sum) => sum + Number(value.split(':')[1]),
      (_key, value, sum) => sum - Number(value.split(':')[1]),
      { name: 'per-place', valueSerde: Serdes.int64 },
    );
  return builder.build();
}

async function load(cluster: MemoryCluster, places: Record<string, string>): Promise<readonly number[]> {
  const broker = cluster.connect();
  const histories = Object.entries(places).map(([meter, value]): [string, Version<string>[]] => [
    meter,
    [{ validFromMs: 0, value }],
  ]);
  const { ends } = await writeHistoryTopic(broker, {
    topic: 'places',
    histories: historiesOf(histories),
    keySerde: Serdes.string,
    valueSerde: Serdes.string,
  });
  await broker.close();
  return ends;
}

function write(
  cluster: MemoryCluster,
  readings: readonly (readonly [meter: string, reading: number, partition: number])[],
): void {
  for (const [key, value, partition] of readings)
    cluster.write('readings', partition, [{ key, value: Serdes.int64.serialize(value), timestamp: 10 }]);
}

async function applied(
  cluster: MemoryCluster,
  ends: readonly number[],
  timeoutMs = 60_000,
  more: Partial<TableAppliedOptions> = {},
): Promise<void> {
  const { admin } = cluster.connect();
  const instancePositions = async (endpoint: string): Promise<never> => {
    throw new Error(`${endpoint} is nobody's endpoint`);
  };
  const options = { applicationId: app, topology, topic: 'places', ends, timeoutMs, intervalMs: 2, instancePositions };
  await untilTableApplied(admin, { ...options, ...more });
}

/** Instances by their endpoints, and who was asked. */
class Instances {
  readonly clients = new Map<string, TestClient>();
  readonly asked = new Set<string>();
  readonly instancePositions = async (endpoint: string): Promise<Record<string, number[]>> => {
    this.asked.add(endpoint);
    const positions: Record<string, number[]> = {};
    for (const { topic, partition, position } of this.clients.get(endpoint)!.streams.kafkaStats().globals) {
      positions[topic] ??= [];
      positions[topic][partition] = position;
    }
    return positions;
  };

  async start(t: Cleanup, cluster: MemoryCluster, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const options = { applicationServer: `host-${i}:80` };
      this.clients.set(options.applicationServer, await startClient(t, cluster, topology(['readings']), options));
    }
    await until(
      () => [...this.clients.keys()].every((each) => this.tasks(each).length < 2),
      'the tasks are shared out',
    );
  }

  /** Active tasks of an instance. */
  tasks(endpoint: string): readonly string[] {
    const { tasks } = this.clients.get(endpoint)!.streams.kafkaStats();
    return tasks.flatMap(({ kind, taskId }) => (kind === 'active' ? [taskId] : []));
  }

  /** The instance with this task, or with none. */
  endpointOf(taskId?: string): string {
    return [...this.clients.keys()].find((each) => this.tasks(each)[0] === taskId)!;
  }
}

test('a load is applied when the results of all tasks show it', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  await load(cluster, { m: 'Lyon', n: 'Lyon' });
  write(cluster, [
    ['m', 5, 0],
    ['n', 7, 1],
  ]);
  const clients = [
    await startClient(t, cluster, topology(['readings'])),
    await startClient(t, cluster, topology(['readings'])),
  ];
  await drained(cluster, clients[0]!.streams.topology);
  t.deepEqual(await changelogRows(cluster, clients[0]!.streams.topology, 'per-place'), ['Lyon 12']);
  for (let i = 0; i < 5; i++) {
    const place = `Nice${i}`;
    await applied(cluster, await load(cluster, { m: place, n: place }));
    const placed = await changelogRows(cluster, clients[0]!.streams.topology, 'placed');
    t.deepEqual(placed, [`m ${place}:5`, `n ${place}:7`], 'what is joined shows it as soon as the wait is over');
  }
});

test('a load that changed nothing was applied before', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  await load(cluster, { m: 'Lyon' });
  write(cluster, [['m', 5, 0]]);
  const client = await startClient(t, cluster, topology(['readings']));
  await drained(cluster, client.streams.topology);
  await t.notThrowsAsync(async () => applied(cluster, await load(cluster, { m: 'Lyon' })));
});

test('tasks that never had a record are not waited for', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  const ends = await load(cluster, { m: 'Lyon' });
  await startClient(t, cluster, topology(['readings']));
  await t.notThrowsAsync(applied(cluster, ends));
});

test('an instance that is stopped is waited for, and named when the time is over', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 1);
  await load(cluster, { m: 'Lyon' });
  write(cluster, [['m', 5, 0]]);
  const client = await startClient(t, cluster, topology(['readings']));
  await drained(cluster, client.streams.topology);
  cluster.pause(client.broker);
  const ends = await load(cluster, { m: 'Nice' });
  const error = await t.throwsAsync(applied(cluster, ends, 100), { code: 'STREAMS_TIMEOUT' });
  t.regex(error.message, /task 0_0 is at \d+ of \d+/);
  const waiting = applied(cluster, ends);
  cluster.resume(client.broker);
  await t.notThrowsAsync(waiting);
});

test('an instance without a task is waited for until its copy has the load, and named when the time is over', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 1);
  await load(cluster, { m: 'Lyon' });
  write(cluster, [['m', 5, 0]]);
  const instances = new Instances();
  await instances.start(t, cluster, 3);
  await drained(cluster, topology(['readings']));
  const endpoint = instances.endpointOf();
  const idle = instances.clients.get(endpoint)!;
  cluster.pause(idle.broker);
  const ends = await load(cluster, { m: 'Nice' });
  const error = await t.throwsAsync(applied(cluster, ends, 300, instances), { code: 'STREAMS_TIMEOUT' });
  t.regex(error.message, new RegExp(`instance ${endpoint} is at \\d+ of ${ends[0]}\\. `));
  const waiting = applied(cluster, ends, 60_000, instances);
  cluster.resume(idle.broker);
  await waiting;
  const places = idle.streams.store('places') as ReadOnlyVersionedStore<string, string>;
  t.is(await places.get('m'), 'Nice', 'it answers from the load');
  t.deepEqual([...instances.asked], [endpoint], 'of the others the commits tell');
  await stop(...instances.clients.values());
});

test('an instance that cannot be asked is named with the reason; one without an endpoint is not waited for', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 1);
  await load(cluster, { m: 'Nice' });
  const instances = new Instances();
  await instances.start(t, cluster, 3);
  write(cluster, [['m', 5, 0]]);
  await drained(cluster, topology(['readings']));
  const ends = await load(cluster, { m: 'Lyon' });
  const endpoint = instances.endpointOf();
  const error = await t.throwsAsync(
    applied(cluster, ends, 300, { instancePositions: () => Promise.reject(new Error('nobody answers.')) }),
    { code: 'STREAMS_TIMEOUT' },
  );
  t.true(error.message.includes(`instance ${endpoint} cannot be asked: nobody answers. Look`), error.message);
  await stop(...instances.clients.values());
  const nameless: TestClient[] = [];
  for (let i = 0; i < 3; i++) nameless.push(await startClient(t, cluster, topology(['readings'])));
  await t.notThrowsAsync(applied(cluster, ends));
});

test('an instance whose tasks never had a record is asked', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('readings', 2);
  const instances = new Instances();
  const ends = await load(cluster, { m: 'Lyon' });
  await instances.start(t, cluster, 4);
  write(cluster, [['m', 5, 0]]);
  await drained(cluster, topology(['readings']));
  await applied(cluster, ends, 60_000, instances);
  t.true(instances.asked.has(instances.endpointOf('0_1')));
  t.false(instances.asked.has(instances.endpointOf('0_0')));
  await stop(...instances.clients.values());
});

test('without an instance the wait ends in time, and says so', async (t) => {
  const cluster = new MemoryCluster();
  const ends = await load(cluster, { m: 'Lyon' });
  const error = await t.throwsAsync(applied(cluster, ends, 20), { code: 'STREAMS_TIMEOUT' });
  t.true(error.message.includes('no instance of it runs'), error.message);
  const aborting = new AbortController();
  const waiting = applied(cluster, ends, 60_000, { signal: aborting.signal });
  aborting.abort();
  await t.throwsAsync(waiting, { name: 'AbortError' });
});
