import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { assignTasks, type Instance, type TasksOf } from '../../../../src/runtime/kafka/assignor.ts';
import { type TaskId, taskIdText } from '../../../../src/runtime/task.ts';

/** Tasks of sub-topologies with these numbers of partitions. */
const tasksOf = (...partitions: readonly number[]): TaskId[] =>
  partitions.flatMap((count, subTopology) =>
    Array.from({ length: count }, (_, partition) => ({ subTopology, partition })),
  );

const running = Number.POSITIVE_INFINITY;

/** A member in a process of its own, unless told. */
const member = (memberId: string, tasks: Readonly<Record<string, number>> = {}, processId = memberId): Instance => ({
  memberId,
  processId,
  tasks: new Map(Object.entries(tasks)),
});

const all = (): boolean => true;

/** `A: 0_0 0_1 | 0_2`: active tasks, then copies. */
function shown(shares: ReadonlyMap<string, TasksOf>): string[] {
  return [...shares].map(([memberId, { active, standby }]) =>
    [`${memberId}:`, ...[...active].sort(), '|', ...[...standby].sort()].join(' '),
  );
}

const assigned = (partitions: readonly number[], instances: readonly Instance[], standbys = 0): string[] =>
  shown(assignTasks(tasksOf(...partitions), instances, standbys, all));

test('one member gets all tasks, nobody gets none', (t) => {
  t.deepEqual(assigned([2, 1], [member('A')]), ['A: 0_0 0_1 1_0 |']);
  t.deepEqual(assigned([2], []), []);
});

test('a member that joins gets what leaves the others with one more at most', (t) => {
  const shares = assignTasks(
    tasksOf(3),
    [member('A', { '0_0': running, '0_1': running, '0_2': running }), member('B')],
    0,
    all,
  );
  t.is(shares.get('A')!.active.length, 2);
  t.is(shares.get('B')!.active.length, 1);
});

test('a task goes to who has most of its state when nobody runs it', (t) => {
  const instances = [member('A', { '0_0': 10 }), member('B', { '0_0': 30 }), member('C', { '0_0': 20 })];
  t.deepEqual(assigned([1], instances), ['A: |', 'B: 0_0 |', 'C: |']);
});

test('who runs a task keeps it, however much of its state another one has', (t) => {
  t.deepEqual(assigned([1], [member('A', { '0_0': 1e12 }), member('B', { '0_0': running })]), ['A: |', 'B: 0_0 |']);
});

test('a member does not lose the task that it runs to another of which it has only state', (t) => {
  // 0_0 comes first by its number, and A has a little more of it: but then 0_1 would have to be restored from nothing.
  const instances = [member('A', { '0_0': 100, '0_1': running }), member('B', { '0_0': 99 })];
  t.deepEqual(assigned([2], instances), ['A: 0_1 |', 'B: 0_0 |']);
});

test('tasks of each sub-topology are spread: one has other work than the next', (t) => {
  t.deepEqual(assigned([2, 2], [member('A'), member('B')]), ['A: 0_0 1_0 |', 'B: 0_1 1_1 |']);
  const lopsided = [member('A', { '0_0': running, '0_1': running }), member('B', { '1_0': running, '1_1': running })];
  t.deepEqual(assigned([2, 2], lopsided), ['A: 0_0 1_1 |', 'B: 0_1 1_0 |']);
});

test('a copy goes to another process, first to one that has state', (t) => {
  const instances = [
    member('A1', { '0_0': running }, 'A'),
    member('A2', {}, 'A'),
    member('B', {}),
    member('C', { '0_0': 5 }),
  ];
  t.deepEqual(assigned([1], instances, 1), ['A1: 0_0 |', 'A2: |', 'B: |', 'C: | 0_0']);
  t.deepEqual(assigned([1], instances, 9), ['A1: 0_0 |', 'A2: |', 'B: | 0_0', 'C: | 0_0']);
});

test('tasks without state have no copies', (t) => {
  const shares = assignTasks(tasksOf(1, 1), [member('A'), member('B')], 1, ({ subTopology }) => subTopology === 1);
  t.deepEqual(
    [...shares.values()].flatMap(({ standby }) => standby),
    ['1_0'],
  );
});

const groups = fc
  .record({
    partitions: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
    members: fc.array(
      fc.record({
        process: fc.integer({ min: 0, max: 5 }),
        state: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 21, maxLength: 21 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    // Who runs each task: nobody above the number of members.
    runs: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 21, maxLength: 21 }),
    standbys: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ partitions, members, runs, standbys }) => {
    const tasks = tasksOf(...partitions);
    const instances = members.map(({ process, state }, m) => ({
      memberId: `m${m}`,
      processId: `p${process}`,
      tasks: new Map(
        tasks.flatMap((task, i) => {
          const has = runs[i] === m ? running : state[i]!;
          return has === 0 ? [] : [[taskIdText(task), has] as const];
        }),
      ),
    }));
    return { partitions, tasks, instances, standbys };
  });

test('each task is active once, and numbers differ by one at most', (t) => {
  fc.assert(
    fc.property(groups, ({ tasks, instances, standbys }) => {
      const shares = [...assignTasks(tasks, instances, standbys, all).values()];
      const active = shares.flatMap((share) => share.active);
      assert.deepEqual([...active].sort(), tasks.map(taskIdText).sort());
      const counts = shares.map((share) => share.active.length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      assert.equal(shares.length, instances.length);
    }),
  );
  t.pass();
});

test('in a new group the numbers differ by one at most for each sub-topology', (t) => {
  fc.assert(
    fc.property(groups, ({ partitions, tasks, instances }) => {
      const fresh = instances.map((instance) => ({ ...instance, tasks: new Map<string, number>() }));
      const shares = [...assignTasks(tasks, fresh, 0, all).values()];
      for (const subTopology of partitions.keys()) {
        const counts = shares.map(({ active }) => active.filter((id) => id.startsWith(`${subTopology}_`)).length);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      }
    }),
  );
  t.pass();
});

test('copies stand in as many other processes as there are, up to the number asked for', (t) => {
  fc.assert(
    fc.property(groups, ({ tasks, instances, standbys }) => {
      const shares = assignTasks(tasks, instances, standbys, all);
      const processes = new Set(instances.map(({ processId }) => processId));
      for (const id of tasks.map(taskIdText)) {
        const holders = instances.filter(({ memberId }) => {
          const { active, standby } = shares.get(memberId)!;
          return active.includes(id) || standby.includes(id);
        });
        assert.equal(holders.length, 1 + Math.min(standbys, processes.size - 1));
        assert.equal(new Set(holders.map(({ processId }) => processId)).size, holders.length);
      }
    }),
  );
  t.pass();
});

test('the result depends on the members alone, not on their order', (t) => {
  fc.assert(
    fc.property(groups, ({ tasks, instances, standbys }) => {
      const once = assignTasks(tasks, instances, standbys, all);
      assert.deepEqual(shown(assignTasks(tasks, [...instances].reverse(), standbys, all)), shown(once));
    }),
  );
  t.pass();
});

/** The group after a rebalance: who had state has it still. */
function after(instances: readonly Instance[], shares: ReadonlyMap<string, TasksOf>): Instance[] {
  return instances.map((instance) => {
    const { active } = shares.get(instance.memberId)!;
    const state = [...instance.tasks.keys()].map((id) => [id, 3] as const);
    return { ...instance, tasks: new Map([...state, ...active.map((id) => [id, running] as const)]) };
  });
}

test('a rebalance in which nobody came or went moves no task of an only sub-topology, and others come to rest', (t) => {
  fc.assert(
    fc.property(groups, ({ partitions, tasks, instances }) => {
      let shares = assignTasks(tasks, instances, 0, all);
      let members = after(instances, shares);
      for (let round = partitions.length === 1 ? 4 : 0; round < 4; round++) {
        shares = assignTasks(tasks, members, 0, all);
        members = after(members, shares);
      }
      assert.deepEqual(shown(assignTasks(tasks, members, 0, all)), shown(shares));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('when a member leaves, the others keep all that they run', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 2, max: 6 }), (partitions, count) => {
      const tasks = tasksOf(partitions);
      const members = Array.from({ length: count }, (_, i) => member(`m${i}`));
      const before = assignTasks(tasks, members, 0, all);
      const left = members
        .slice(1)
        .map(({ memberId }) =>
          member(memberId, Object.fromEntries(before.get(memberId)!.active.map((id) => [id, running]))),
        );
      const shares = assignTasks(tasks, left, 0, all);
      for (const { memberId } of left)
        for (const id of before.get(memberId)!.active) assert.ok(shares.get(memberId)!.active.includes(id));
    }),
  );
  t.pass();
});
