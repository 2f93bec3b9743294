import assert from 'node:assert/strict';
import type { Broker } from '../clients/broker.ts';
import { type BrokerKit, place } from './broker-conformance-kit.ts';
import { TestMember, type TestMemberOptions } from './broker-conformance-member.ts';

/** A group over a topic of four partitions. */
export interface Group {
  readonly groupId: string;
  readonly topic: string;
  /** A member with connections of its own, started. */
  join(options?: Partial<TestMemberOptions>): Promise<{ readonly broker: Broker; readonly test: TestMember }>;
}

/** Makes a group that nobody else knows. */
export async function newGroup(kit: BrokerKit): Promise<Group> {
  const topic = await kit.topic(4);
  const groupId = kit.name('group');
  return {
    groupId,
    topic,
    join: async (options = {}) => {
      const broker = await kit.connect();
      const test = new TestMember(broker, {
        groupId,
        topics: [topic],
        sessionTimeoutMs: kit.harness.sessionTimeoutMs,
        partitions: [0, 1, 2, 3].map((partition) => place(topic, partition)),
        ...options,
      });
      test.member.start();
      return { broker, test };
    },
  };
}

/** Waits until all are in one generation and share the partitions. */
export async function agreed(
  kit: BrokerKit,
  topic: string,
  members: readonly TestMember[],
  after = -1,
): Promise<number> {
  const all = [0, 1, 2, 3].map((partition) => `${topic}-${partition}`);
  const isAgreed = (): boolean => {
    const generation = members[0]!.current?.generation ?? -1;
    return (
      generation > after &&
      members.every(({ current, member }) => current?.generation === generation && member.generation === generation) &&
      JSON.stringify(members.flatMap(({ partitions }) => partitions).sort()) === JSON.stringify(all)
    );
  };
  await kit.until(`${members.length} members share the partitions`, isAgreed);
  return members[0]!.current!.generation;
}

/** Longer than anything takes here: a session that only ends where a member says good-bye. */
export const longMs = 120_000;

/** No partition had two owners in one generation. */
export function assertDisjoint(members: readonly TestMember[]): void {
  const owners = new Map<string, number>();
  for (const { events } of members) {
    for (const event of events) {
      if (event.kind !== 'assigned') continue;
      for (const { partition } of event.assignment.partitions) {
        const key = `partition ${partition} in generation ${event.generation}`;
        owners.set(key, (owners.get(key) ?? 0) + 1);
      }
    }
  }
  assert.deepEqual(
    [...owners].filter(([, count]) => count > 1),
    [],
  );
}
