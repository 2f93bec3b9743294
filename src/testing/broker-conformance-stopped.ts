import assert from 'node:assert/strict';
import { agreed, assertDisjoint, longMs, newGroup } from './broker-conformance-groups-kit.ts';
import { type BrokerCase, fails, place, position } from './broker-conformance-kit.ts';

/** Members of a group whose process is stopped for a while. */
export const stoppedMemberCases: readonly BrokerCase[] = [
  [
    'a member that is stopped is thrown out after its session; awake again it is told, commits nothing, and joins again',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const sleeper = await join();
      const { test } = await join();
      const before = await agreed(kit, topic, [sleeper.test, test]);
      await sleeper.test.member.commit([position(topic, 0, 1)]);
      await kit.freeze(sleeper.broker);
      const alone = await agreed(kit, topic, [test], before);
      const zombie = fails(
        sleeper.test.member.commit([position(topic, 0, 99)]),
        'STREAMS_TASK_MIGRATED',
        'STREAMS_BROKER',
      );
      await test.member.commit([position(topic, 0, 2)]);
      await kit.thaw(sleeper.broker);
      await zombie;
      await kit.until('it is told', () => sleeper.test.count('lost') >= 1);
      await agreed(kit, topic, [sleeper.test, test], alone);
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 2);
      assert.equal(await sleeper.test.member.confirm(), true);
      assert.equal(test.count('lost'), 0);
      sleeper.test.check();
      test.check();
      assertDisjoint([sleeper.test, test]);
    },
    'freeze',
  ],
  [
    'a stopped member knows for how long it has not been confirmed, and that it is out when it asks',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const { broker, test } = await join();
      const other = (await join()).test;
      const generation = await agreed(kit, topic, [test, other]);
      await kit.freeze(broker);
      await kit.until(
        'more than the session has passed',
        () => test.member.unconfirmedMs > kit.harness.sessionTimeoutMs,
      );
      await agreed(kit, topic, [other], generation);
      const asked = test.member.confirm().catch(() => false);
      await kit.thaw(broker);
      assert.equal(await asked, false);
      await kit.until('it is told', () => test.count('lost') >= 1);
      await agreed(kit, topic, [test, other], generation);
      assert.ok(test.member.unconfirmedMs < kit.harness.sessionTimeoutMs * 10);
      test.check();
    },
    'freeze',
  ],
  [
    'a stopped member holds up neither those that join nor those that leave for longer than its session',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const options = { rebalanceTimeoutMs: longMs };
      const stopped = await join(options);
      const [a, b] = [(await join(options)).test, (await join(options)).test];
      await agreed(kit, topic, [stopped.test, a, b]);
      await kit.freeze(stopped.broker);
      const c = (await join(options)).test;
      await a.member.leave();
      await agreed(kit, topic, [b, c]);
      for (const test of [a, b, c]) {
        test.check();
        assert.equal(test.count('lost'), 0);
      }
    },
    'freeze',
  ],
  [
    'the work of a stopped member that is taken out is shared at once, however long its session',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const options = { sessionTimeoutMs: longMs, heartbeatIntervalMs: 50 };
      const stopped = await join(options);
      const { test } = await join(options);
      await agreed(kit, topic, [stopped.test, test]);
      await kit.freeze(stopped.broker);
      await (await kit.main()).admin.removeMember(groupId, stopped.test.member.memberId);
      await agreed(kit, topic, [test]);
      test.check();
    },
    'freeze',
  ],
  [
    'a leader that is stopped while it shares out the work is replaced',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      let asked = false;
      const leader = await join({
        assign: async () => {
          asked = true;
          await new Promise(() => {});
          return new Map();
        },
      });
      await kit.until('it shares out', () => asked);
      await kit.freeze(leader.broker);
      const { test } = await join();
      await agreed(kit, topic, [test]);
      test.check();
      assert.equal(leader.test.count('assigned'), 0);
    },
    'freeze',
  ],
];
