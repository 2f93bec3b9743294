import test from 'ava';
import { assignTasks, type Instance } from '../../../src/runtime/kafka/assignor.ts';

const tasks = [0, 1, 2, 3].map((partition) => ({ subTopology: 0, partition }));
const runs = Number.POSITIVE_INFINITY;

function shared(...instances: readonly (readonly [memberId: string, state: Record<string, number>])[]): unknown {
  const members = instances.map(
    ([memberId, state]): Instance => ({ memberId, processId: memberId, tasks: new Map(Object.entries(state)) }),
  );
  return Object.fromEntries(
    [...assignTasks(tasks, members, 0, () => true)].map(([memberId, { active }]) => [memberId, [...active].sort()]),
  );
}

test('a member that comes back gets the tasks of which it still has the state', (t) => {
  const all = { '0_0': runs, '0_1': runs, '0_2': runs, '0_3': runs };
  t.deepEqual(shared(['a', all], ['b', { '0_0': 1, '0_2': 1 }]), { a: ['0_1', '0_3'], b: ['0_0', '0_2'] });
});

test('of two tasks too many the one goes of which the other member has more', (t) => {
  t.deepEqual(shared(['a', { '0_0': runs, '0_1': runs, '0_2': runs }], ['b', { '0_3': runs, '0_0': 20, '0_1': 90 }]), {
    a: ['0_0', '0_2'],
    b: ['0_1', '0_3'],
  });
});
