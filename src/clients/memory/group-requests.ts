import type { GroupMemberOptions, MemberAssignment, OffsetToCommit } from '../broker.ts';
import type { ClusterState } from './cluster-state.ts';
import type { GroupMembership, JoinAnswer } from './group-membership.ts';
import type { Link } from './link.ts';

type Options = Pick<GroupMemberOptions, 'groupId' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>;

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
    const { groupId } = this.#options;
    return this.#link.call('JoinGroup', () => this.#state.groups.newMember(groupId, this.#link.clientId));
  }

  /** Waits until all members have joined. */
  join(memberId: string, userData: Uint8Array): Promise<JoinAnswer> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const { clientId } = this.#link;
    const request = { memberId, clientId, host: 'memory', userData, sessionTimeoutMs, rebalanceTimeoutMs };
    return this.#link.call('JoinGroup', () => this.#membership.join(request), true);
  }

  /** Waits until the leader has shared out the work. */
  sync(
    memberId: string,
    generation: number,
    assignments: ReadonlyMap<string, MemberAssignment> | undefined,
  ): Promise<MemberAssignment> {
    return this.#link.call('SyncGroup', () => this.#membership.sync(memberId, generation, assignments), true);
  }

  heartbeat(memberId: string, generation: number): Promise<void> {
    return this.#link.call('Heartbeat', () => this.#membership.heartbeat(memberId, generation));
  }

  commit(memberId: string, generation: number, offsets: readonly OffsetToCommit[]): Promise<void> {
    const { groupId } = this.#options;
    return this.#link.call('OffsetCommit', () => this.#state.commit(groupId, memberId, generation, offsets));
  }

  leave(memberId: string): Promise<void> {
    return this.#link.call('LeaveGroup', () => this.#membership.leave(memberId));
  }
}
