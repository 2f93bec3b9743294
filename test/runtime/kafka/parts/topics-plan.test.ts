import test from 'ava';
import { Serdes, StreamsBuilder, TimeWindows, type Topology } from '../../../../src/index.ts';
import { decodeAssignmentData, encodeData, type MemberData } from '../../../../src/runtime/kafka/member-data.ts';
import { memberParts, shareOut } from '../../../../src/runtime/kafka/share-out.ts';
import { noNames } from '../../../../src/runtime/kafka/task-metadata.ts';
import { programText } from '../../../../src/runtime/kafka/task-program.ts';
import { planTopics, type TopicsPlan } from '../../../../src/runtime/kafka/topics-plan.ts';
import { taskIdText } from '../../../../src/runtime/task.ts';

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };
const day = 86_400_000;
const longest = '9223372036854775807';
const anyTime = {
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': longest,
  'message.timestamp.before.max.ms': longest,
};

function planOf(topology: Topology, sources: Readonly<Record<string, number>>): TopicsPlan {
  return planTopics(topology, {
    applicationId: 'app',
    replicationFactor: 3,
    sourcePartitions: new Map(Object.entries(sources)),
  });
}

/** Sums of a stream by another key, in windows. */
function regrouped(windows: TimeWindows, topics: readonly string[] = ['in']): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topics, texts)
    .groupBy((_key, value) => value, { ...texts, name: 'by-value' })
    .windowedBy(windows)
    .count({ name: 'counts' });
  return builder.build();
}

test('a repartition topic keeps all until it is purged, in small segments', (t) => {
  const { internal } = planOf(regrouped(TimeWindows.ofSizeAndGrace(10, 5)), { in: 4 });
  t.deepEqual(
    internal.find(({ topic }) => topic === 'app-by-value-repartition'),
    {
      topic: 'app-by-value-repartition',
      partitions: 4,
      replicationFactor: 3,
      configs: { 'cleanup.policy': 'delete', 'segment.bytes': '52428800', 'retention.ms': '-1', ...anyTime },
    },
  );
});

test('the changelog of windows that are kept for a time loses them a day later, that of windows kept for ever never', (t) => {
  const configsOf = (windows: TimeWindows): unknown =>
    planOf(regrouped(windows), { in: 1 }).internal.find(({ topic }) => topic === 'app-counts-changelog')!.configs;
  t.deepEqual(configsOf(TimeWindows.ofSizeAndGrace(10, 5).retention(30 * day)), {
    'cleanup.policy': 'compact,delete',
    'retention.ms': String(31 * day),
    ...anyTime,
  });
  const forever = TimeWindows.ofSizeAndGrace(10, 5).retention(Number.POSITIVE_INFINITY);
  t.deepEqual(configsOf(forever), { 'cleanup.policy': 'compact', 'retention.ms': '-1', ...anyTime });
});

test('the changelog of a key-value store is compacted only', (t) => {
  const builder = new StreamsBuilder();
  builder.stream('in', texts).groupByKey().count({ name: 'counts' });
  t.deepEqual(planOf(builder.build(), { in: 2 }).internal, [
    {
      topic: 'app-counts-changelog',
      partitions: 2,
      replicationFactor: 3,
      configs: { 'cleanup.policy': 'compact', 'retention.ms': '-1', ...anyTime },
    },
  ]);
});

test('each partition of each sub-topology is a task', (t) => {
  const { tasks, partitionsOf } = planOf(regrouped(TimeWindows.ofSizeAndGrace(10, 5)), { in: 2 });
  t.deepEqual(tasks.map(taskIdText), ['0_0', '0_1', '1_0', '1_1']);
  t.deepEqual(
    [...partitionsOf],
    [
      [0, 2],
      [1, 2],
    ],
  );
});

test('a repartition topic has as many partitions as the most of what flows into it', (t) => {
  const builder = new StreamsBuilder();
  const small = builder.stream('small', texts);
  const large = builder.stream('large', texts);
  const joined = small
    .repartition({ ...texts, name: 'first' })
    .merge(large.repartition({ ...texts, name: 'second', partitions: 3 }));
  joined.repartition({ ...texts, name: 'third' }).to('out', texts);
  const { internal } = planOf(builder.build(), { small: 3, large: 8 });
  t.deepEqual(internal.map(({ topic, partitions }) => `${topic} ${partitions}`).sort(), [
    'app-first-repartition 3',
    'app-second-repartition 3',
    'app-third-repartition 3',
  ]);

  const both = new StreamsBuilder();
  // Two sub-topologies write to one topic: the larger one counts.
  const topology = both.build();
  for (const topic of ['small', 'large']) {
    topology.addSource(topic, topic, texts);
    topology.addSink(`to-${topic}`, 'all-repartition', topic, texts);
  }
  topology.addRepartition({ topic: 'all-repartition', changes: false });
  topology.addSource('all', 'all-repartition', texts);
  t.deepEqual(
    planOf(topology, { small: 3, large: 8 }).internal.map(({ topic, partitions }) => `${topic} ${partitions}`),
    ['app-all-repartition 8'],
  );
});

test('a source topic that does not exist is named', (t) => {
  const error = t.throws(() => planOf(regrouped(TimeWindows.ofSizeAndGrace(10, 5)), {}), {
    code: 'STREAMS_MISSING_SOURCE_TOPIC',
  });
  t.regex(error.message, /topic in does not exist.*Create it/s);
});

test('topics whose records meet must have the same number of partitions', (t) => {
  const topology = regrouped(TimeWindows.ofSizeAndGrace(10, 5), ['a', 'b']);
  const error = t.throws(() => planOf(topology, { a: 2, b: 3 }), { code: 'STREAMS_PARTITION_MISMATCH' });
  t.regex(error.message, /a has 2 partitions and b 3/);
});

const memberOf = (memberId: string, tasks: MemberData['tasks'], shutdown = false) => ({
  memberId,
  userData: encodeData({ processId: `p-${memberId}`, endpoint: `${memberId}:8080`, tasks, shutdown }),
});

test('the leader tells each member its tasks and inputs, and all where every task is', (t) => {
  const topology = regrouped(TimeWindows.ofSizeAndGrace(10, 5));
  const work = { parts: memberParts(topology, 'app', planOf(topology, { in: 1 })), numStandbyReplicas: 1 };
  const assignments = shareOut(work, [memberOf('A', { '1_0': null }), memberOf('B', { '1_0': 7 })]);
  const a = decodeAssignmentData(assignments.get('A')!.userData);
  t.deepEqual(a.active, ['1_0']);
  t.deepEqual(a.standby, []);
  t.deepEqual(assignments.get('A')!.partitions, [{ topic: 'app-by-value-repartition', partition: 0 }]);
  const b = decodeAssignmentData(assignments.get('B')!.userData);
  t.deepEqual(b.active, ['0_0']);
  t.deepEqual(assignments.get('B')!.partitions, [{ topic: 'in', partition: 0 }]);
  // 0_0 has no store, so it has no copy.
  t.deepEqual(b.standby, ['1_0']);
  t.deepEqual(b.hosts, [
    { processId: 'p-A', endpoint: 'A:8080', active: ['1_0'], standby: [] },
    { processId: 'p-B', endpoint: 'B:8080', active: ['0_0'], standby: ['1_0'] },
  ]);
  t.deepEqual(a.hosts, b.hosts);
  t.false(a.shutdown);
});

test('no standby copy goes to a thread of the process that runs the task', (t) => {
  const topology = regrouped(TimeWindows.ofSizeAndGrace(10, 5));
  const work = { parts: memberParts(topology, 'app', planOf(topology, { in: 2 })), numStandbyReplicas: 1 };
  const threadOf = (hostProcess: string, memberId: string) => ({
    memberId,
    userData: encodeData({ processId: memberId, hostProcess, endpoint: '', tasks: {}, shutdown: false }),
  });
  const threads = [threadOf('one', 'A'), threadOf('one', 'B')];
  const alone = shareOut(work, threads);
  for (const { userData } of alone.values()) t.deepEqual(decodeAssignmentData(userData).standby, []);
  const members = [...threads, threadOf('two', 'C'), threadOf('two', 'D')];
  const processOf = new Map([...'ABCD'].map((id) => [id, 'AB'.includes(id) ? 'one' : 'two']));
  const shares = [...shareOut(work, members)].map(([id, { userData }]) => ({ id, ...decodeAssignmentData(userData) }));
  let copies = 0;
  for (const { id, standby } of shares)
    for (const task of standby) {
      copies++;
      const owner = shares.find(({ active }) => active.includes(task))!;
      t.not(processOf.get(id), processOf.get(owner.id), `${task} is at ${owner.id}, its copy at ${id}`);
    }
  t.is(copies, 2);
});

test('one that asks for a shutdown is heard by all', (t) => {
  const topology = regrouped(TimeWindows.ofSizeAndGrace(10, 5));
  const work = { parts: memberParts(topology, 'app', planOf(topology, { in: 1 })), numStandbyReplicas: 0 };
  const assignments = shareOut(work, [memberOf('A', {}), memberOf('B', {}, true)]);
  t.deepEqual(
    [...assignments.values()].map(({ userData }) => decodeAssignmentData(userData).shutdown),
    [true, true],
  );
});

test('of two programs each gets what it has: what both have is shared, what one has alone goes to it', (t) => {
  const part = (topic: string, partitions: number) => ({
    topics: [topic],
    partitions,
    stateful: true,
    program: programText({ part: 0, parts: {}, former: {}, stores: {}, carried: {} }, noNames),
  });
  const older = { 0: part('in', 4), 2: part('app-gone-repartition', 2) };
  const newer = { 0: part('in', 4), 3: part('app-new-repartition', 2) };
  const member = (memberId: string, parts: MemberData['parts'], tasks: MemberData['tasks'] = {}) => ({
    memberId,
    userData: encodeData({ processId: memberId, endpoint: '', tasks, shutdown: false, ...(parts && { parts }) }),
  });
  const active = (leader: MemberData['parts'], ...members: readonly ReturnType<typeof member>[]) =>
    Object.fromEntries(
      [...shareOut({ parts: leader!, numStandbyReplicas: 1 }, members)].map(([id, { userData }]) => [
        id,
        decodeAssignmentData(userData),
      ]),
    );
  // Whoever leads.
  for (const leader of [older, newer]) {
    const { a, b } = active(leader, member('a', older), member('b', newer));
    t.deepEqual(
      [a!.active, b!.active].map((ids) => [...ids].sort().map((id) => id[0])),
      [
        ['0', '0', '2', '2'],
        ['0', '0', '3', '3'],
      ],
    );
    t.deepEqual([...a!.standby, ...b!.standby].sort(), ['0_0', '0_1', '0_2', '0_3']);
  }
  // What the last member of a program had alone is nobody's any more.
  t.deepEqual([...active(newer, member('b', newer)).b!.active].sort(), ['0_0', '0_1', '0_2', '0_3', '3_0', '3_1']);
  // One that has most tasks of both, and alone those of one, takes these beyond its share.
  const all = { '0_0': null, '0_1': null, '0_2': null, '0_3': null };
  const many = { 0: part('in', 4), 3: part('app-new-repartition', 6) };
  const { a, b } = active(many, member('a', { 0: part('in', 4) }), member('b', many, all));
  t.is(a!.active.length + b!.active.length, 10);
  t.deepEqual(
    a!.active.filter((id) => !id.startsWith('0_')),
    [],
  );
  // A member of an earlier version has the leader's program.
  t.is(active(newer, member('a', undefined), member('b', newer)).a!.active.length, 3);
});
