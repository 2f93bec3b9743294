import type { GroupMemberOptions, MemberAssignment, OffsetToCommit } from '../broker.ts';
import type { ClusterState } from './cluster-state.ts';
import type { GroupMembership, JoinAnswer, MemberName } from './group-membership.ts';
import type { Link } from './link.ts';

type Options = Pick<GroupMemberOptions, 'groupId' | 'groupInstanceId' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>;

/** What a member asks of its group. All throw BrokerFault. */
export class GroupRequests {
  readonly #state: ClusterState;
  readonly #link: Link;
  readonly #options: Options;
  readonly #membership: GroupMembership;

  constructor(state: ClusterState, link: Link, options: Options) {
    this.#state = state;
    this.#link = link;
    this.#options = options;
    this.#membership = state.groups.membership(options.groupId);
  }

  /** A name to join with. */
  name(): Promise<string> {
    return this.#link.call('JoinGroup', () => this.#newName());
  }

  /** Waits until all members have joined. A static member that has no name yet is given one. */
  join(memberId: string, userData: Uint8Array): Promise<JoinAnswer> {
    const { groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const { clientId } = this.#link;
    const request = { clientId, host: 'memory', userData, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs };
    const join = (): Promise<JoinAnswer> =>
      this.#membership.join({ ...request, memberId: memberId || this.#newName() });
    return this.#link.call('JoinGroup', join, true);
  }

  /** Waits until the leader has shared out the work. */
  sync(
    memberId: string,
    generation: number,
    assignments: ReadonlyMap<string, MemberAssignment> | undefined,
  ): Promise<MemberAssignment> {
    return this.#link.call(
      'SyncGroup',
      () => this.#membership.sync(this.#named(memberId), generation, assignments),
      true,
    );
  }

  heartbeat(memberId: string, generation: number): Promise<void> {
    return this.#link.call('Heartbeat', () => this.#membership.heartbeat(this.#named(memberId), generation));
  }

  commit(memberId: string, generation: number, offsets: readonly OffsetToCommit[]): Promise<void> {
    const { groupId } = this.#options;
    return this.#link.call('OffsetCommit', () =>
      this.#state.commit(groupId, this.#named(memberId), generation, offsets),
    );
  }

  /** @param memberId - '' for a static member that has not been told its name. */
  leave(memberId: string): Promise<void> {
    return this.#link.call('LeaveGroup', () => this.#membership.leave(this.#named(memberId)));
  }

  #newName(): string {
    const { groupId } = this.#options;
    const memberId = this.#state.groups.newMember(groupId, this.#link.clientId);
    this.#link.members.set(memberId, groupId);
    return memberId;
  }

  #named(memberId: string): MemberName {
    return { memberId, groupInstanceId: this.#options.groupInstanceId };
  }
}
