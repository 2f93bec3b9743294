import test from 'ava';
import type { GroupMember } from '../../../../src/clients/broker.ts';
import { Serdes, StreamsBuilder } from '../../../../src/index.ts';
import type { KafkaTaskStatus } from '../../../../src/runtime/kafka/kafka-stats.ts';
import { Ownership, type OwnershipView } from '../../../../src/runtime/kafka/ownership.ts';
import type { TaskRole, TaskSlot } from '../../../../src/runtime/kafka/task-slot.ts';
import { planTopics } from '../../../../src/runtime/kafka/topics-plan.ts';

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };

function topologyOf() {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .repartition({ ...texts, name: 'keyed' })
    .groupByKey()
    .count({ name: 'counts' });
  return builder.build();
}
const topology = topologyOf();
const plan = planTopics(topology, {
  applicationId: 'app',
  replicationFactor: -1,
  sourcePartitions: new Map([['in', 3]]),
});

const database = {};
function slot(role: TaskRole, status: KafkaTaskStatus, hasFolder = true): TaskSlot {
  const folder = hasFolder ? { database, prefixOf: (store: string) => `prefix of ${store}` } : undefined;
  return { role, status, folder } as unknown as TaskSlot;
}

const host = (processId: string, endpoint: string, ...active: readonly string[]) => ({
  processId,
  endpoint,
  active,
  standby: [],
});

const member = (unconfirmedMs: number): GroupMember => ({ unconfirmedMs }) as GroupMember;

function ownership(view: Partial<OwnershipView> & { readonly slot?: TaskSlot } = {}): Ownership {
  const slots = new Map(view.slot === undefined ? [] : [['1_2', view.slot]]);
  return new Ownership(() => ({
    topology,
    processId: 'me',
    sessionTimeoutMs: 100,
    plan,
    member: member(5),
    assignment: {
      active: [],
      standby: [],
      hosts: [host('me', 'here:1'), host('other', 'there:2', '1_2')],
      shutdown: false,
    },
    rebalancing: false,
    globals: undefined,
    slots,
    ...view,
  }));
}

test('a task that runs here is here', (t) => {
  t.is(ownership({ slot: slot('active', 'running') }).ownerOf('1_2', false), 'local');
});

test('a task that is still restored or ends is on its way, whatever the group says', (t) => {
  for (const status of ['created', 'restoring', 'suspended'] as const)
    t.is(ownership({ slot: slot('active', status) }).ownerOf('1_2', false), 'migrating', status);
});

test('a task of another instance is at its endpoint, also where a copy of it is here', (t) => {
  t.deepEqual(ownership().ownerOf('1_2', false), { endpoint: 'there:2' });
  t.deepEqual(ownership({ slot: slot('standby', 'running') }).ownerOf('1_2', false), { endpoint: 'there:2' });
});

test('without an endpoint, or where the group says that this process has what it has not yet, it is on its way', (t) => {
  const hosts = (...all: readonly ReturnType<typeof host>[]) => ({
    assignment: { active: [], standby: [], hosts: all, shutdown: false },
  });
  t.is(ownership(hosts(host('other', '', '1_2'))).ownerOf('1_2', false), 'migrating');
  t.is(ownership(hosts(host('me', 'here:1', '1_2'))).ownerOf('1_2', false), 'migrating');
  t.is(ownership(hosts()).ownerOf('1_2', false), 'migrating');
  t.is(ownership({ assignment: undefined }).ownerOf('1_2', false), 'migrating');
});

test('nobody is known to own a task in a rebalance, or while the membership is not confirmed', (t) => {
  const running = slot('active', 'running');
  t.is(ownership({ slot: running, rebalancing: true }).ownerOf('1_2', false), 'migrating');
  t.is(ownership({ slot: running, member: undefined }).ownerOf('1_2', false), 'migrating');
  t.is(ownership({ slot: running, member: member(100) }).ownerOf('1_2', false), 'local');
  t.is(ownership({ slot: running, member: member(101) }).ownerOf('1_2', false), 'migrating');
});

test('who takes stale rows takes the copy that is here, whoever owns the task', (t) => {
  t.is(ownership({ slot: slot('standby', 'running') }).ownerOf('1_2', true), 'local');
  t.is(ownership({ slot: slot('active', 'restoring'), rebalancing: true }).ownerOf('1_2', true), 'local');
  t.deepEqual(ownership({ slot: slot('none', 'created', false) }).ownerOf('1_2', true), { endpoint: 'there:2' });
});

test('a store belongs to the tasks of its sub-topology', (t) => {
  t.is(ownership().taskOf('counts', 2), '1_2');
  t.is(ownership().partitionsOf('counts'), 3);
  t.is(ownership({ plan: undefined }).partitionsOf('counts'), 0);
  t.is(ownership().specOf('counts').name, 'counts');
  t.false(ownership().isGlobal('counts'));
});

test('a store that is none is refused with the names of those that are', (t) => {
  const error = t.throws(() => ownership().specOf('count'), { code: 'STREAMS_STATE_STORE_UNKNOWN' });
  t.regex(error.message, /no store count\..*counts/);
});

test('rows are local where a copy is', (t) => {
  const rows: unknown = ownership({ slot: slot('standby', 'running') }).localRows('counts', 2);
  t.deepEqual(rows, { database, prefix: 'prefix of counts' });
  t.is(ownership({ slot: slot('standby', 'running') }).localRows('counts', 1), undefined);
  t.is(ownership({ slot: slot('active', 'created', false) }).localRows('counts', 2), undefined);
});
