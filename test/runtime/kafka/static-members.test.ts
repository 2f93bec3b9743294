import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { KafkaStreams, type StreamsError } from '../../../src/index.ts';
import { Disk } from './disk.ts';
import {
  app,
  type ClientOptions,
  drained,
  kill,
  messages,
  newClient,
  rowsOf,
  running,
  startClient,
  until,
} from './kit.ts';
import { copies, counts, valueCounts } from './topologies.ts';

function clusterOf(partitions = 2): MemoryCluster {
  const cluster = new MemoryCluster();
  for (const topic of ['in', 'out']) cluster.createTopic(topic, partitions);
  return cluster;
}

function write(cluster: MemoryCluster, keys: string): void {
  for (const partition of [0, 1])
    cluster.write(
      'in',
      partition,
      [...keys].map((key) => ({ key: `${key}${partition}`, value: 'x', timestamp: 1 })),
    );
}

/** A session that outlives what a test does. */
const long: ClientOptions = { heartbeatIntervalMs: 20 };

const member = (name: string, disk: Disk): ClientOptions => ({ ...long, groupInstanceId: name, disk });

const memberIds = async (cluster: MemoryCluster): Promise<string[]> => {
  const broker = cluster.connect();
  const { members } = await broker.admin.describeGroup(app);
  await broker.close();
  return members.map(({ memberId }) => memberId);
};

const tasksOf = ({ streams }: { streams: KafkaStreams }): string[] =>
  streams
    .kafkaStats()
    .tasks.filter(({ kind }) => kind === 'active')
    .map(({ taskId }) => taskId)
    .sort();

for (const how of ['closed', 'killed'] as const)
  test(`instances that are ${how} and started again one after the other keep their tasks, and the others hear nothing`, async (t) => {
    const cluster = clusterOf();
    const disks = [new Disk(), new Disk()];
    let clients = [
      await startClient(t, cluster, counts(), member('a', disks[0]!)),
      await startClient(t, cluster, counts(), member('b', disks[1]!)),
    ];
    await Promise.all(clients.map(running));
    await until(() => clients.every((client) => tasksOf(client).length === 1), 'each has one of the two tasks');
    write(cluster, 'xy');
    await drained(cluster, counts());
    for (const i of [0, 1]) {
      const [away, here] = [clients[i]!, clients[1 - i]!];
      const [tasks, rebalances, heard] = [tasksOf(away), here.streams.kafkaStats().rebalances, here.states.length];
      if (how === 'closed') await away.streams.close();
      else kill(cluster, away, false);
      write(cluster, 'xz');
      const back = await startClient(t, cluster, counts(), member('ab'[i]!, disks[i]!));
      t.deepEqual(tasksOf(back), tasks);
      await drained(cluster, counts());
      t.deepEqual([here.streams.kafkaStats().rebalances, here.states.length], [rebalances, heard]);
      clients = i === 0 ? [back, here] : [here, back];
    }
    t.deepEqual(await rowsOf(clients, 'counts'), ['x0 3', 'x1 3', 'y0 1', 'y1 1', 'z0 2', 'z1 2']);
  });

test('of two instances with one name the older one ends with an error that says so, and nothing counts twice', async (t) => {
  const cluster = clusterOf();
  const first = await startClient(t, cluster, counts(), member('one', new Disk()));
  write(cluster, 'a');
  await drained(cluster, counts());
  const second = await startClient(t, cluster, counts(), member('one', new Disk()));
  write(cluster, 'a');
  await first.streams.untilEnded();
  t.is(first.streams.state, 'ERROR');
  const failure = first.streams.failure as StreamsError;
  t.is(failure.code, 'STREAMS_FENCED_INSTANCE_ID');
  t.regex(failure.message, /group app .*"one".*group\.instance\.id/);
  t.deepEqual(first.uncaught, [failure]);
  await first.streams.close();
  await drained(cluster, counts());
  t.deepEqual(await rowsOf([second], 'counts'), ['a0 2', 'a1 2']);
  t.is(second.streams.state, 'RUNNING');
  t.is((await memberIds(cluster)).length, 1);
});

test('close takes an instance out of its group unless it has a name, and leaveGroup says otherwise', async (t) => {
  for (const [groupInstanceId, leaveGroup, stays] of [
    [undefined, undefined, false],
    [undefined, false, true],
    ['a', undefined, true],
    ['a', true, false],
  ] as const) {
    const cluster = clusterOf();
    const options = groupInstanceId === undefined ? long : member(groupInstanceId, new Disk());
    const { streams } = await startClient(t, cluster, counts(), options);
    await streams.close(leaveGroup === undefined ? {} : { leaveGroup });
    t.is((await memberIds(cluster)).length, stays ? 1 : 0, `${groupInstanceId} ${leaveGroup}`);
  }
});

test('an instance without a name that stayed in its group is taken out by its next start, and one that gets a name too', async (t) => {
  for (const next of [long, { ...long, groupInstanceId: 'a' }]) {
    const cluster = clusterOf();
    const disk = new Disk();
    const first = await startClient(t, cluster, counts(), { ...long, disk });
    await first.streams.close({ leaveGroup: false });
    const second = await startClient(t, cluster, counts(), { ...next, disk });
    t.deepEqual(tasksOf(second), ['0_0', '0_1']);
    t.is((await memberIds(cluster)).length, 1);
  }
});

test('an instance that is back at another address is known there to all', async (t) => {
  const cluster = clusterOf();
  const disk = new Disk();
  const a = await startClient(t, cluster, counts(), { ...member('a', disk), applicationServer: 'a:1' });
  const b = await startClient(t, cluster, counts(), { ...member('b', new Disk()), applicationServer: 'b:1' });
  await until(() => tasksOf(a).length === 1 && tasksOf(b).length === 1, 'each has one of the two tasks');
  const task = tasksOf(a)[0]!;
  t.deepEqual(b.streams.ownerOf(task), { endpoint: 'a:1' });
  await a.streams.close();
  await startClient(t, cluster, counts(), { ...member('a', disk), applicationServer: 'a:2' });
  await until(() => JSON.stringify(b.streams.ownerOf(task)) === '{"endpoint":"a:2"}', 'the other knows it');
});

test('a program with further tasks gets them, although its instances are back within their sessions', async (t) => {
  const cluster = clusterOf();
  // The first to be back waits so long for the other.
  const rebalanceTimeoutMs = 1000;
  const start = (topology: typeof copies, name: string) =>
    startClient(t, cluster, topology(), { ...member(name, new Disk()), rebalanceTimeoutMs });
  const before = [await start(copies, 'a'), await start(copies, 'b')];
  await until(() => before.every((client) => tasksOf(client).length === 1), 'each has one of the two tasks');
  for (const { streams } of before) await streams.close();
  const after = [await start(valueCounts, 'a'), await start(valueCounts, 'b')];
  const all = ['0_0', '0_1', '1_0', '1_1'];
  await until(() => after.flatMap(tasksOf).length === all.length, 'all four tasks have an owner');
  t.deepEqual(after.flatMap(tasksOf).sort(), all);
});

test('an application that has shut down starts again at once', async (t) => {
  const cluster = clusterOf();
  const topology = () =>
    copies((key) => {
      if (key === 'bad0') throw new Error('bad');
    });
  const options = { uncaughtHandler: () => 'shutdown-application' as const };
  const clients = [
    await startClient(t, cluster, topology(), { ...member('a', new Disk()), ...options }),
    await startClient(t, cluster, topology(), { ...member('b', new Disk()), ...options }),
  ];
  cluster.write('in', 0, [{ key: 'bad0', value: 'x', timestamp: 1 }]);
  for (const { streams } of clients) {
    await streams.untilEnded();
    await streams.close();
  }
  t.deepEqual(await memberIds(cluster), []);
  const again = newClient(t, cluster, copies(), member('a', new Disk()));
  await again.streams.start();
  await running(again);
  await drained(cluster, copies());
  t.deepEqual(messages(cluster, 'out', 2), ['bad0=x']);
});

test('a name that no group takes is refused', (t) => {
  const broker = clusterOf().connect();
  const make = (groupInstanceId: string) => () =>
    new KafkaStreams(counts(), { broker, applicationId: app, stateDir: 'nowhere', groupInstanceId });
  for (const name of ['', 'a b', 'x'.repeat(250)])
    t.throws(make(name), { instanceOf: RangeError, message: /groupInstanceId/ });
});
