import type { CommittedOffset, GroupDescription, OffsetToCommit, TopicPartition } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';
import { GroupMembership } from './group-membership.ts';
import { GroupOffsets } from './group-offsets.ts';

interface Group {
  readonly membership: GroupMembership;
  readonly offsets: GroupOffsets;
}

/** The groups: who is in them, and what they have committed. */
export class GroupCoordinator {
  readonly #groups = new Map<string, Group>();
  #members = 0;

  membership(groupId: string): GroupMembership {
    return this.#group(groupId).membership;
  }

  offsets(groupId: string): GroupOffsets {
    return this.#group(groupId).offsets;
  }

  /** A name for a member that is about to join. */
  newMember(groupId: string, clientId: string): string {
    const memberId = `${clientId}-${++this.#members}`;
    this.membership(groupId).expect(memberId);
    return memberId;
  }

  committed(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | undefined)[]> | readonly undefined[] {
    return this.#groups.get(groupId)?.offsets.read(partitions) ?? partitions.map(() => undefined);
  }

  /** Sets positions from outside the group. */
  setCommitted(groupId: string, offsets: readonly OffsetToCommit[]): void {
    const group = this.#group(groupId);
    if (!group.membership.isEmpty) throw notEmpty(groupId);
    group.offsets.set(offsets);
  }

  delete(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    if (!group.membership.isEmpty) throw notEmpty(groupId);
    // Not the group itself: transactions that are not over may hold positions of it.
    group.offsets.forget();
  }

  /** Takes a member out that will not come back; one that is not there is fine. */
  removeMember(groupId: string, memberId: string): void {
    const membership = this.#groups.get(groupId)?.membership;
    if (membership?.has(memberId) === true) membership.leave({ memberId, groupInstanceId: undefined });
  }

  /** Ends the session of a member at once; one that is not there is fine. */
  expire(groupId: string, memberId: string): void {
    this.#groups.get(groupId)?.membership.expire(memberId);
  }

  describe(groupId: string): GroupDescription {
    const group = this.#groups.get(groupId);
    if (group === undefined || (group.membership.isEmpty && group.offsets.isEmpty))
      return { state: 'Dead', members: [] };
    return group.membership.describe();
  }

  forgetTopic(partitions: readonly TopicPartition[]): void {
    for (const { offsets } of this.#groups.values()) offsets.forgetTopic(partitions);
  }

  suspend(): void {
    for (const { membership } of this.#groups.values()) membership.suspend();
  }

  revive(): void {
    for (const { membership } of this.#groups.values()) membership.revive();
  }

  #group(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = { membership: new GroupMembership(), offsets: new GroupOffsets() };
      this.#groups.set(groupId, group);
    }
    return group;
  }
}

function notEmpty(groupId: string): BrokerFault {
  return new BrokerFault('NON_EMPTY_GROUP', `group ${groupId} has members`);
}
