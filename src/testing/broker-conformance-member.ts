import assert from 'node:assert/strict';
import type {
  Broker,
  GroupMember,
  GroupMemberOptions,
  JoinedMember,
  MemberAssignment,
  TopicPartition,
} from '../clients/broker.ts';
import { bytes, textOf } from './broker-conformance-kit.ts';

/** What a member was told, in order. */
export type MemberEvent =
  | { readonly kind: 'rebalancing' }
  | { readonly kind: 'assigned'; readonly generation: number; readonly assignment: MemberAssignment }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: Error };

/** How a {@link TestMember} differs from one that shares out all partitions and works in no time. */
export interface TestMemberOptions extends Partial<GroupMemberOptions> {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly partitions: readonly TopicPartition[];
  /** What it tells the leader. @defaultValue 'hello' */
  readonly says?: () => string;
  /** Waited for in `assigned`. */
  readonly work?: (generation: number) => Promise<void>;
}

/** A member that keeps what it is told, and checks that it is told one thing after the other. */
export class TestMember {
  readonly member: GroupMember;
  readonly events: MemberEvent[] = [];
  /** What it saw as the leader. */
  readonly led: (readonly JoinedMember[])[] = [];
  /** What is assigned now; undefined before the first assignment and after `lost`. */
  current: { readonly generation: number; readonly assignment: MemberAssignment } | undefined;
  readonly #problems: string[] = [];
  #working = false;

  constructor(broker: Broker, { partitions, says, work, ...options }: TestMemberOptions) {
    this.member = broker.member({
      rebalanceTimeoutMs: Math.max(10_000, options.sessionTimeoutMs * 10),
      userData: () => bytes(says?.() ?? 'hello'),
      ...options,
      assign: async (members) => {
        this.led.push(members);
        return options.assign === undefined ? shared(partitions, members) : options.assign(members);
      },
      rebalancing: () => {
        this.events.push({ kind: 'rebalancing' });
      },
      assigned: (assignment, generation) => this.#assigned(assignment, generation, work),
      lost: (reason) => {
        this.current = undefined;
        if (this.member.generation !== -1) this.#problems.push(`lost at generation ${this.member.generation}`);
        this.events.push({ kind: 'lost', reason });
      },
      failed: (error) => {
        this.events.push({ kind: 'failed', error });
      },
    });
  }

  get generations(): number[] {
    return this.events.flatMap((event) => (event.kind === 'assigned' ? [event.generation] : []));
  }

  get partitions(): string[] {
    return (this.current?.assignment.partitions ?? []).map(({ topic, partition }) => `${topic}-${partition}`).sort();
  }

  count(kind: MemberEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** Throws what was found wrong. */
  check(): void {
    assert.deepEqual(this.#problems, []);
    const { generations } = this;
    assert.ok(
      generations.every((generation, i) => i === 0 || generation > generations[i - 1]!),
      `generations grow: ${generations}`,
    );
    assert.deepEqual(
      this.events.filter(({ kind }) => kind === 'failed'),
      [],
    );
  }

  async #assigned(
    assignment: MemberAssignment,
    generation: number,
    work: ((generation: number) => Promise<void>) | undefined,
  ): Promise<void> {
    if (this.#working) this.#problems.push(`assigned(${generation}) while it works on the one before`);
    if (this.member.generation !== generation) {
      this.#problems.push(`assigned(${generation}) at generation ${this.member.generation}`);
    }
    if (this.events.at(-1)?.kind === 'assigned') this.#problems.push(`assigned(${generation}) without rebalancing()`);
    this.events.push({ kind: 'assigned', generation, assignment });
    this.current = { generation, assignment };
    this.#working = true;
    await work?.(generation);
    this.#working = false;
  }
}

/** Partitions in turn to members in the order of their ids; the leader tells each what it was told. */
export function shared(
  partitions: readonly TopicPartition[],
  members: readonly JoinedMember[],
): ReadonlyMap<string, MemberAssignment> {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  return new Map(
    ordered.map(({ memberId, userData }, i) => [
      memberId,
      {
        partitions: partitions.filter((_, p) => p % ordered.length === i),
        userData: bytes(`for ${textOf(userData)}`),
      },
    ]),
  );
}
