import assert from 'node:assert/strict';
import { agreed, longMs, newGroup } from './broker-conformance-groups-kit.ts';
import { type BrokerCase, fails, place, position } from './broker-conformance-kit.ts';
import type { TestMember } from './broker-conformance-member.ts';

/** Why a member has failed. */
function failureOf({ events }: TestMember): Error | undefined {
  return events.flatMap((event) => (event.kind === 'failed' ? [event.error] : []))[0];
}

/** What a fenced member was told before it failed: nothing is lost that others got. */
function assertFenced(test: TestMember): void {
  const error = failureOf(test) as { code?: string; message?: string } | undefined;
  assert.equal(error?.code, 'STREAMS_FENCED_INSTANCE_ID', error?.message);
  assert.equal(test.member.generation, -1);
}

/** Static members: their place in the group outlives a restart. */
export const staticMemberCases: readonly BrokerCase[] = [
  [
    'a static member that stops and comes back within its session has its part again in the same generation, and the others hear nothing',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const joinAs = (groupInstanceId: string) => join({ groupInstanceId, sessionTimeoutMs: longMs });
      let [a, b] = [(await joinAs('a')).test, (await joinAs('b')).test];
      const generation = await agreed(kit, topic, [a, b]);
      // One after the other: one of them leads the group.
      for (let round = 0; round < 2; round++) {
        for (const name of ['a', 'b']) {
          const [here, away] = name === 'a' ? [b, a] : [a, b];
          const before = { id: away.member.memberId, partitions: away.partitions, heard: here.events.length };
          await away.member.stop();
          const back = (await joinAs(name)).test;
          await kit.until('it is back', () => back.current !== undefined);
          assert.deepEqual([back.current!.generation, back.partitions], [generation, before.partitions]);
          assert.notEqual(back.member.memberId, before.id);
          assert.deepEqual([await back.member.confirm(), await here.member.confirm()], [true, true]);
          assert.equal(here.events.length, before.heard);
          await back.member.commit([position(topic, 0, round)]);
          [a, b] = name === 'a' ? [back, b] : [a, back];
        }
      }
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 1);
      for (const test of [a, b]) test.check();
    },
  ],
  [
    'of two members with one instance id the older one is fenced and ends, and commits nothing more',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const first = (await join({ groupInstanceId: 'one' })).test;
      const generation = await agreed(kit, topic, [first]);
      await first.member.commit([position(topic, 0, 1)]);
      const second = (await join({ groupInstanceId: 'one' })).test;
      await kit.until('the second has it all', () => second.partitions.length === 4);
      assert.equal(second.current!.generation, generation);
      await kit.until('the first is told', () => first.count('failed') === 1);
      assertFenced(first);
      assert.equal(await first.member.confirm(), false);
      await fails(first.member.commit([position(topic, 0, 99)]), 'STREAMS_TASK_MIGRATED');
      await first.member.leave();
      assert.equal(await second.member.confirm(), true);
      const { members } = await (await kit.main()).admin.describeGroup(groupId);
      assert.deepEqual(
        members.map(({ memberId }) => memberId),
        [second.member.memberId],
      );
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 1);
      assert.equal(second.count('rebalancing'), 1);
      second.check();
    },
  ],
  [
    'a static member that leaves is out at once, however long its session',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const options = { sessionTimeoutMs: longMs, heartbeatIntervalMs: 50 };
      const a = (await join({ ...options, groupInstanceId: 'a' })).test;
      const b = (await join({ ...options, groupInstanceId: 'b' })).test;
      const generation = await agreed(kit, topic, [a, b]);
      await a.member.leave();
      await agreed(kit, topic, [b], generation);
      b.check();
    },
  ],
  [
    'a static member that leaves in the middle of its first join does not stay in the group',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const options = { sessionTimeoutMs: longMs, heartbeatIntervalMs: 50 };
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let asked = false;
      const a = (await join(options)).test;
      await agreed(kit, topic, [a]);
      const b = (
        await join({
          ...options,
          groupInstanceId: 'b',
          assign: async () => {
            asked = true;
            await released;
            return new Map();
          },
        })
      ).test;
      const { admin } = await kit.main();
      await kit.until('it joins', async () => asked || (await admin.describeGroup(groupId)).members.length === 2);
      await b.member.leave();
      release();
      await kit.until('the other has all', () => a.partitions.length === 4 && a.member.generation >= 0);
      await kit.until('it is out', async () => (await admin.describeGroup(groupId)).members.length === 1);
      a.check();
    },
  ],
  [
    'a client that closes leaves its static members in the group, and takes the others out',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const options = { sessionTimeoutMs: longMs, heartbeatIntervalMs: 50 };
      const joinAs = await join({ ...options, groupInstanceId: 'a' });
      const other = await join(options);
      await agreed(kit, topic, [joinAs.test, other.test]);
      await joinAs.broker.close();
      await other.broker.close();
      const { admin } = await kit.main();
      const members = async () => (await admin.describeGroup(groupId)).members.map(({ memberId }) => memberId);
      await kit.until('the other is out', async () => (await members()).length === 1);
      assert.deepEqual(await members(), [joinAs.test.member.memberId]);
    },
  ],
  [
    'a static member that does not come back is out when its session is over; then it is a new one',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const a = (await join({ groupInstanceId: 'a' })).test;
      const b = (await join({ groupInstanceId: 'b' })).test;
      const both = await agreed(kit, topic, [a, b]);
      await a.member.stop();
      const alone = await agreed(kit, topic, [b], both);
      const back = (await join({ groupInstanceId: 'a' })).test;
      await agreed(kit, topic, [back, b], alone);
      for (const test of [back, b]) test.check();
    },
  ],
  [
    'a static member that comes back while the group forms a new generation is part of it',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const joinAs = (groupInstanceId: string) => join({ groupInstanceId, sessionTimeoutMs: longMs });
      const [a, b] = [(await joinAs('a')).test, (await joinAs('b')).test];
      const before = await agreed(kit, topic, [a, b]);
      await b.member.stop();
      a.member.rejoin();
      await kit.until('a asks for a new generation', () => a.count('rebalancing') === 2);
      const back = (await joinAs('b')).test;
      await agreed(kit, topic, [a, back], before);
      for (const test of [a, back]) test.check();
    },
  ],
  [
    'a static member asks for a new generation as others do',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const a = (await join({ groupInstanceId: 'a' })).test;
      const b = (await join()).test;
      let generation = await agreed(kit, topic, [a, b]);
      for (const test of [a, b, a]) {
        test.member.rejoin();
        generation = await agreed(kit, topic, [a, b], generation);
      }
      for (const test of [a, b]) test.check();
    },
  ],
  [
    'a stopped static member whose place was taken meanwhile is fenced when it wakes, and takes nothing back',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const sleeper = await join({ groupInstanceId: 'one' });
      await agreed(kit, topic, [sleeper.test]);
      await kit.freeze(sleeper.broker);
      const { test } = await join({ groupInstanceId: 'one' });
      await agreed(kit, topic, [test]);
      await test.member.commit([position(topic, 0, 2)]);
      const zombie = fails(
        sleeper.test.member.commit([position(topic, 0, 99)]),
        'STREAMS_TASK_MIGRATED',
        'STREAMS_BROKER',
      );
      await kit.thaw(sleeper.broker);
      await zombie;
      await kit.until('it is told', () => sleeper.test.count('failed') === 1);
      assertFenced(sleeper.test);
      assert.equal(await test.member.confirm(), true);
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 2);
      test.check();
    },
    'freeze',
  ],
];
