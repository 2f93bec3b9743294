import assert from 'node:assert/strict';
import type { GroupMemberOptions } from '../clients/broker.ts';
import { agreed, assertDisjoint, longMs, newGroup } from './broker-conformance-groups-kit.ts';
import { appendValues, type BrokerCase, fails, place, position, textOf, withSeed } from './broker-conformance-kit.ts';
import type { TestMember, TestMemberOptions } from './broker-conformance-member.ts';

/** Groups: generations, assignments, sessions. */
export const groupCases: readonly BrokerCase[] = [
  [
    'a member alone is assigned everything, and knows of nothing before',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const idle = (await kit.main()).member(idleOptions(groupId, topic, kit.harness.sessionTimeoutMs));
      assert.deepEqual([idle.memberId, idle.generation, idle.unconfirmedMs], ['', -1, Number.POSITIVE_INFINITY]);
      assert.equal(await idle.confirm(), false);
      await idle.leave();
      const { test } = await join();
      await agreed(kit, topic, [test]);
      assert.notEqual(test.member.memberId, '');
      assert.ok(test.member.generation >= 0);
      assert.ok(Number.isFinite(test.member.unconfirmedMs) && test.member.unconfirmedMs >= 0);
      assert.equal(await test.member.confirm(), true);
      assert.deepEqual(
        test.events.map(({ kind }) => kind),
        ['rebalancing', 'assigned'],
      );
      assert.equal(textOf(test.current!.assignment.userData), 'for hello');
      test.check();
    },
  ],
  [
    'two members share the partitions, and only the leader of a generation shares them out',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const [a, b] = [(await join()).test, (await join()).test];
      const generation = await agreed(kit, topic, [a, b]);
      assert.deepEqual([a.partitions.length, b.partitions.length], [2, 2]);
      const ids = [a.member.memberId, b.member.memberId].sort();
      const led = [...a.led, ...b.led].filter(({ length }) => length === 2);
      assert.ok(led.length >= 1);
      for (const members of led) assert.deepEqual(members.map(({ memberId }) => memberId).sort(), ids);
      assert.ok(a.led.length === 0 || b.led.length === 0 || a.led.length + b.led.length <= generation + 1);
      const before = a.led.length + b.led.length;
      a.member.rejoin();
      await agreed(kit, topic, [a, b], generation);
      assert.equal(a.led.length + b.led.length, before + 1, 'one of them');
      for (const test of [a, b]) test.check();
    },
  ],
  [
    'what a member tells the leader and the leader tells a member arrives, whatever the bytes',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const heard = new Map<string, Uint8Array>();
      const reply = (index: number): Uint8Array => Uint8Array.from({ length: index * 20_000 }, (_, i) => (i * 7) % 256);
      let joins = 0;
      const options: Partial<TestMemberOptions> = {
        assign: async (members) => {
          const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
          for (const { memberId, userData } of members) heard.set(memberId, userData);
          return new Map(
            ordered.map(({ memberId }, i) => [
              memberId,
              {
                partitions: [0, 1, 2, 3].filter((p) => p % ordered.length === i).map((p) => place(topic, p)),
                userData: reply(i),
              },
            ]),
          );
        },
      };
      const a = (await join({ ...options, userData: () => Uint8Array.from([0, 255, 128]) })).test;
      const b = (await join({ ...options, userData: () => new Uint8Array(joins++) })).test;
      const generation = await agreed(kit, topic, [a, b]);
      assert.deepEqual(heard.get(a.member.memberId), Uint8Array.from([0, 255, 128]));
      const first = heard.get(b.member.memberId)!.length;
      assert.equal(first, joins - 1, 'asked at each join');
      const ordered = [a, b].sort((one, two) => (one.member.memberId < two.member.memberId ? -1 : 1));
      for (const [i, test] of ordered.entries()) {
        assert.deepEqual(new Uint8Array(test.current!.assignment.userData), reply(i));
      }
      b.member.rejoin();
      await agreed(kit, topic, [a, b], generation);
      assert.ok(heard.get(b.member.memberId)!.length > first, 'asked again');
      for (const test of [a, b]) test.check();
    },
  ],
  [
    'a member that joins or leaves makes a new generation, at once',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const options = { sessionTimeoutMs: longMs, heartbeatIntervalMs: 50 };
      const a = (await join(options)).test;
      const alone = await agreed(kit, topic, [a]);
      const b = (await join(options)).test;
      const two = await agreed(kit, topic, [a, b], alone);
      const c = (await join(options)).test;
      const three = await agreed(kit, topic, [a, b, c], two);
      await a.member.leave();
      const left = await agreed(kit, topic, [b, c], three);
      await b.member.leave();
      await agreed(kit, topic, [c], left);
      for (const test of [a, b, c]) {
        test.check();
        assert.equal(test.count('lost'), 0);
      }
      assert.equal(a.generations.at(-1), three, 'a member that has left is told nothing');
    },
  ],
  [
    'rejoin brings a new generation, whoever asks for it',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      const [a, b] = [(await join()).test, (await join()).test];
      let generation = await agreed(kit, topic, [a, b]);
      for (const test of [a, b, b, a]) {
        test.member.rejoin();
        generation = await agreed(kit, topic, [a, b], generation);
      }
      for (const test of [a, b]) {
        assert.ok(test.count('rebalancing') >= test.count('assigned'));
        test.check();
      }
    },
  ],
  [
    'a member commits positions with metadata; one that is not in the group commits nothing',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const idle = (await kit.main()).member(idleOptions(groupId, topic, kit.harness.sessionTimeoutMs));
      await fails(idle.commit([position(topic, 0, 66)]), 'STREAMS_TASK_MIGRATED');
      const { test } = await join();
      await agreed(kit, topic, [test]);
      await test.member.commit([position(topic, 0, 5, 'm'.repeat(4000)), position(topic, 1, 6)]);
      await test.member.commit([position(topic, 1, 7)]);
      await test.member.commit([]);
      assert.deepEqual(await kit.committed(groupId, place(topic, 0)), { offset: 5, metadata: 'm'.repeat(4000) });
      assert.deepEqual(await kit.committed(groupId, place(topic, 1)), { offset: 7, metadata: '' });
      assert.equal(await kit.committed(groupId, place(topic, 2)), undefined);
      await test.member.leave();
      await fails(test.member.commit([position(topic, 0, 99)]), 'STREAMS_TASK_MIGRATED');
      assert.equal(await test.member.confirm(), false);
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 5);
      test.check();
    },
  ],
  [
    'a member that works on its assignment for longer than its session stays in the group',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      let isDone = false;
      const { test } = await join({
        work: async () => {
          await kit.sleep(kit.harness.sessionTimeoutMs * 2.5);
          isDone = true;
        },
      });
      await kit.until('it has worked', () => isDone);
      assert.equal(await test.member.confirm(), true);
      await test.member.commit([position(topic, 0, 1)]);
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 1);
      assert.deepEqual(
        test.events.map(({ kind }) => kind),
        ['rebalancing', 'assigned'],
      );
      test.check();
    },
  ],
  [
    'a member that joins while another works makes a new generation with both, when the other is ready',
    async (kit) => {
      const { topic, join } = await newGroup(kit);
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const a = (await join({ work: () => released })).test;
      await kit.until('a works', () => a.current !== undefined);
      const b = (await join()).test;
      const c = (await join()).test;
      await kit.sleep(kit.harness.sessionTimeoutMs * 1.5);
      assert.deepEqual([a.generations.length, a.count('lost')], [1, 0]);
      release();
      await agreed(kit, topic, [a, b, c]);
      for (const test of [a, b, c]) {
        test.check();
        assert.equal(test.count('lost'), 0);
      }
    },
  ],
  [
    'what assign throws stops the member and is told; others go on without it',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const mistake = new Error('a mistake of the assignor');
      const broken = (
        await join({
          sessionTimeoutMs: longMs,
          assign: async () => {
            throw mistake;
          },
        })
      ).test;
      await kit.until('it is told', () => broken.count('failed') === 1);
      assert.equal(broken.events.flatMap((event) => (event.kind === 'failed' ? [event.error] : []))[0], mistake);
      const forgetful = (await join({ sessionTimeoutMs: longMs, assign: async () => new Map() })).test;
      await kit.until('a member left out is told', () => forgetful.count('failed') === 1);
      const { test } = await join();
      await agreed(kit, topic, [test]);
      const { admin } = await kit.main();
      assert.deepEqual(
        (await admin.describeGroup(groupId)).members.map(({ memberId }) => memberId),
        [test.member.memberId],
      );
      assert.deepEqual([broken.count('assigned'), forgetful.count('assigned')], [0, 0]);
      test.check();
    },
  ],
  [
    'a group is described with its members and what each was told',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const { admin } = await kit.main();
      assert.deepEqual(await admin.describeGroup(groupId), { state: 'Dead', members: [] });
      const [a, b] = [(await join({ says: () => 'from a' })).test, (await join({ says: () => 'from b' })).test];
      await agreed(kit, topic, [a, b]);
      const { state, members } = await admin.describeGroup(groupId);
      assert.equal(state, 'Stable');
      assert.equal(members.length, 2);
      for (const [test, said] of [
        [a, 'from a'],
        [b, 'from b'],
      ] as const) {
        const found = members.find(({ memberId }) => memberId === test.member.memberId)!;
        assert.equal(textOf(found.userData), `for ${said}`);
        assert.deepEqual(found.partitions.map((one) => `${one.topic}-${one.partition}`).sort(), test.partitions);
        assert.ok(found.clientId.length > 0 && found.host.length > 0);
      }
      await Promise.all([a.member.leave(), b.member.leave()]);
      await kit.until('it is empty', async () => (await admin.describeGroup(groupId)).members.length === 0);
    },
  ],
  [
    'positions of a group are set and the group is deleted from outside only while it has no members',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const { admin } = await kit.main();
      await admin.deleteGroup(groupId);
      await admin.setCommitted(groupId, [position(topic, 0, 3, 'set'), position(topic, 1, 4)]);
      assert.deepEqual(await kit.committed(groupId, place(topic, 0)), { offset: 3, metadata: 'set' });
      const { test } = await join();
      await agreed(kit, topic, [test]);
      await fails(admin.setCommitted(groupId, [position(topic, 0, 9)]), 'STREAMS_BROKER');
      await fails(admin.deleteGroup(groupId), 'STREAMS_BROKER');
      assert.equal((await kit.committed(groupId, place(topic, 0)))!.offset, 3);
      await test.member.leave();
      await admin.setCommitted(groupId, [position(topic, 0, 9)]);
      assert.deepEqual(await kit.committed(groupId, place(topic, 0)), { offset: 9, metadata: '' });
      assert.deepEqual(await kit.committed(groupId, place(topic, 1)), { offset: 4, metadata: '' });
      await admin.deleteGroup(groupId);
      assert.equal(await kit.committed(groupId, place(topic, 0)), undefined);
      test.check();
    },
  ],
  [
    'a member that is taken out from outside is told and joins again, however long its session; one that is not there is fine',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const { admin } = await kit.main();
      await admin.removeMember(groupId, 'nobody');
      const options = { sessionTimeoutMs: longMs, heartbeatIntervalMs: 50 };
      const [a, b] = [(await join(options)).test, (await join(options)).test];
      const generation = await agreed(kit, topic, [a, b]);
      await admin.removeMember(groupId, 'nobody');
      await admin.removeMember(groupId, a.member.memberId);
      await kit.until('it is told', () => a.count('lost') === 1);
      await agreed(kit, topic, [a, b], generation);
      assert.equal(b.count('lost'), 0);
      for (const test of [a, b]) test.check();
    },
  ],
  [
    'positions that a transaction has committed are there for the group, with members in it',
    async (kit) => {
      const { topic, groupId, join } = await newGroup(kit);
      const { test } = await join();
      await agreed(kit, topic, [test]);
      const producer = await kit.producer();
      appendValues(producer, topic, 3, ['a']);
      await producer.commit(groupId, [position(topic, 2, 8, 'from a transaction')]);
      assert.deepEqual(await kit.committed(groupId, place(topic, 2)), { offset: 8, metadata: 'from a transaction' });
      test.check();
    },
  ],
  [
    'members that come and go at random end up sharing everything in one generation',
    (kit) =>
      withSeed(async (random) => {
        const { topic, join } = await newGroup(kit);
        const all: TestMember[] = [];
        let here: TestMember[] = [];
        for (let step = 0; step < 14; step++) {
          if (here.length === 0 || (here.length < 4 && random() < 0.6)) {
            const { test } = await join({ work: () => kit.sleep(random() * 10) });
            all.push(test);
            here.push(test);
          } else {
            const one = here[Math.floor(random() * here.length)]!;
            here = here.filter((other) => other !== one);
            await one.member.leave();
          }
          if (random() < 0.3) await kit.sleep(random() * 30);
          if (random() < 0.2 && here.length > 0) here[0]!.member.rejoin();
        }
        if (here.length === 0) here.push((await join()).test);
        await agreed(kit, topic, here);
        for (const test of all) test.check();
        assertDisjoint(all);
      }),
  ],
];

function idleOptions(groupId: string, topic: string, sessionTimeoutMs: number): GroupMemberOptions {
  return {
    groupId,
    topics: [topic],
    sessionTimeoutMs,
    rebalanceTimeoutMs: 10_000,
    userData: () => new Uint8Array(0),
    assign: async () => new Map(),
    rebalancing: () => {},
    assigned: async () => {},
    lost: () => {},
    failed: () => {},
  };
}
