import test from 'ava';
import { MemoryCluster } from '../../../src/clients/memory/memory-broker.ts';
import { StreamsBuilder, TimeWindows, type Topology } from '../../../src/index.ts';
import { Disk } from './disk.ts';
import { drained, newClient, rowsOf, startClient, stop, until } from './kit.ts';
import { texts } from './topologies.ts';

/** Windows of 10 ms by key, and of how many records each value has: through a repartition topic. */
function program(edited: boolean): Topology {
  const builder = new StreamsBuilder();
  let all = builder.stream('in', texts);
  if (edited) all = all.peek(() => {}, { name: 'look' }).filter(() => true, { name: 'keep' });
  all
    .mapValues((value) => value, { name: edited ? 'renamed' : 'same' })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(10, 0))
    .count({ name: 'windows' });
  const grouped = all.groupBy((_key, value) => value, { name: 'by-value', ...texts });
  grouped.count({ name: 'by-value-counts' });
  return builder.build();
}

function withStore(): Topology {
  const builder = new StreamsBuilder();
  const all = builder.stream('in', texts);
  all.groupByKey().windowedBy(TimeWindows.ofSizeAndGrace(10, 0)).count({ name: 'windows' });
  all.groupBy((_key, value) => value, { name: 'by-value', ...texts }).count({ name: 'by-value-counts' });
  all.groupByKey().count({ name: 'by-key' });
  return builder.build();
}

function clusterOf(partitions: number): MemoryCluster {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', partitions);
  return cluster;
}

function write(cluster: MemoryCluster, partition: number, key: string, value: string, timestamp: number): void {
  cluster.write('in', partition, [{ key, value, timestamp }]);
}

test('an instance whose stateless nodes have changed goes on with its folder and its clocks', async (t) => {
  const cluster = clusterOf(1);
  const disk = new Disk();
  const first = await startClient(t, cluster, program(false), { disk });
  write(cluster, 0, 'a', 'x', 1);
  for (const [key, value] of ['au', 'cv', 'dw'].map((pair) => [...pair])) write(cluster, 0, key!, value!, 14);
  await drained(cluster, program(false));
  await stop(first);
  const all = ['u 1', 'v 1', 'w 1', 'x 2', 'y 1'];
  const second = await startClient(t, cluster, program(true), { disk });
  const { tasks } = second.streams.kafkaStats();
  // What the close has written after the last rows is passed; of four rows none is read again.
  t.true(tasks.every(({ restore }) => (restore?.restored ?? 0) <= 1));
  // Late: 14 was seen before the change.
  write(cluster, 0, 'b', 'x', 5);
  write(cluster, 0, 'b', 'y', 15);
  await drained(cluster, program(true));
  t.deepEqual(await rowsOf([second], 'windows'), ['a@0 1', 'a@10 1', 'b@10 1', 'c@10 1', 'd@10 1']);
  t.deepEqual(await rowsOf([second], 'by-value-counts'), all);
  await stop(second);
  // And back, with the folder and without.
  for (const again of [disk, new Disk()]) {
    const third = await startClient(t, cluster, program(false), { disk: again });
    await drained(cluster, program(false));
    t.deepEqual(await rowsOf([third], 'by-value-counts'), all);
    await stop(third);
  }
});

test('two instances are updated one after the other while records come, and each record counts once', async (t) => {
  const cluster = clusterOf(2);
  const disks = [new Disk(), new Disk()];
  let written = 0;
  const say = (count: number): void => {
    for (let i = 0; i < count; i++) write(cluster, i % 2, `k${i % 2}`, 'x', 1 + written++);
  };
  let clients = [
    await startClient(t, cluster, program(false), { disk: disks[0]! }),
    await startClient(t, cluster, program(false), { disk: disks[1]! }),
  ];
  say(20);
  for (const i of [0, 1]) {
    say(10);
    await stop(clients[i]!);
    say(10);
    const updated = await startClient(t, cluster, program(true), { disk: disks[i]! });
    clients = clients.map((client, at) => (at === i ? updated : client));
    say(10);
  }
  await drained(cluster, program(true));
  t.is(written, 80);
  t.deepEqual(await rowsOf(clients, 'by-value-counts'), ['x 80']);
  t.deepEqual(
    clients.flatMap(({ uncaught }) => uncaught),
    [],
  );
});

test('a program with another store is refused by its name, and the old one goes on', async (t) => {
  const cluster = clusterOf(1);
  const disk = new Disk();
  const first = await startClient(t, cluster, program(false), { disk });
  write(cluster, 0, 'a', 'x', 1);
  await drained(cluster, program(false));
  await stop(first);
  const other = newClient(t, cluster, withStore(), { disk });
  const error = await t.throwsAsync(
    other.streams
      .start()
      .then(() => until(() => other.uncaught.length > 0, 'it fails').then(() => Promise.reject(other.uncaught[0]))),
  );
  t.regex(error!.message, /by-key/);
  await other.streams.close();
  t.deepEqual(disk.openPlaces, []);
  const again = await startClient(t, cluster, program(false), { disk });
  await drained(cluster, program(false));
  t.deepEqual(await rowsOf([again], 'by-value-counts'), ['x 1']);
});

test('a program without one of its windowed stores is refused where no folder tells of it, since clocks are committed by the order of their names', async (t) => {
  /** `some` sees the records of key a alone. */
  const windows = (names: readonly string[]): Topology => {
    const builder = new StreamsBuilder();
    const all = builder.stream('in', texts);
    for (const name of names)
      all
        .filter((key) => name === 'all' || key === 'a')
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(10, 0))
        .count({ name });
    return builder.build();
  };
  const cluster = clusterOf(1);
  const first = await startClient(t, cluster, windows(['all', 'some']), { disk: new Disk() });
  write(cluster, 0, 'a', 'x', 1);
  write(cluster, 0, 'b', 'x', 14);
  await drained(cluster, windows(['all', 'some']));
  await stop(first);
  // By their order the time 14 would be that of `some`, which has seen 1: a record of key a at 5 would be late.
  const other = newClient(t, cluster, windows(['some']), { disk: new Disk() });
  const error = await t.throwsAsync(
    other.streams
      .start()
      .then(() => until(() => other.uncaught.length > 0, 'it fails').then(() => Promise.reject(other.uncaught[0]))),
  );
  t.like(error, { code: 'STREAMS_STATE_INCOMPATIBLE' });
  t.regex(error!.message, /task 0_0 .*\(some; in\)/);
  await other.streams.close();
  const again = await startClient(t, cluster, windows(['all', 'some']), { disk: new Disk() });
  write(cluster, 0, 'a', 'x', 5);
  await drained(cluster, windows(['all', 'some']));
  t.deepEqual(await rowsOf([again], 'some'), ['a@0 2']);
  t.deepEqual(await rowsOf([again], 'all'), ['a@0 1', 'b@10 1']);
});
