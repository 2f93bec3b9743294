import type { GroupMember, GroupMemberOptions, MemberAssignment, OffsetToCommit } from '../broker.ts';
import { AssignmentDesk } from './assignment-desk.ts';
import { asStreamsError, BrokerFault } from './broker-fault.ts';
import type { ClusterState } from './cluster-state.ts';
import type { GroupMembership, JoinAnswer } from './group-membership.ts';
import { type Link, pauseOf } from './link.ts';

const outOfGroup: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']);

/** A member of a group of the cluster in memory. */
export class MemoryMember implements GroupMember {
  readonly #membership: GroupMembership;
  readonly #state: ClusterState;
  readonly #link: Link;
  readonly #options: GroupMemberOptions;
  readonly #desk: AssignmentDesk;
  #memberId = '';
  /** The generation that the group has told; the desk's is the one that works. */
  #joined = -1;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #started = false;
  #stopped = false;
  #forming = false;
  #formAgain = false;
  #heart: NodeJS.Timeout | undefined;
  #beating = false;

  constructor(state: ClusterState, link: Link, options: GroupMemberOptions) {
    this.#state = state;
    this.#link = link;
    this.#options = options;
    this.#membership = state.groups.membership(options.groupId);
    this.#desk = new AssignmentDesk(options, (error) => this.#fail(error));
  }

  get memberId(): string {
    return this.#memberId;
  }

  get generation(): number {
    return this.#desk.generation;
  }

  get unconfirmedMs(): number {
    return performance.now() - this.#confirmedAt;
  }

  start(): void {
    if (this.#started) throw new TypeError('the member has been started');
    this.#started = true;
    const { sessionTimeoutMs, heartbeatIntervalMs = Math.min(3000, sessionTimeoutMs / 3) } = this.#options;
    this.#heart = setInterval(() => void this.#beat(), heartbeatIntervalMs);
    void this.#form();
  }

  rejoin(): void {
    if (this.#started) void this.#form();
  }

  async confirm(): Promise<boolean> {
    const generation = this.generation;
    if (generation < 0 || generation !== this.#joined) return false;
    try {
      await this.#heartbeat(generation);
    } catch (error) {
      if (!BrokerFault.is(error)) throw error;
      if (outOfGroup.has(error.error)) return false;
      if (error.error !== 'REBALANCE_IN_PROGRESS') throw asStreamsError(error);
    }
    return generation === this.generation;
  }

  async commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    const { groupId } = this.#options;
    const generation = this.generation;
    const memberId = this.#memberId;
    try {
      await this.#link.call('OffsetCommit', () => this.#state.commit(groupId, memberId, generation, offsets));
    } catch (error) {
      throw asStreamsError(error, true);
    }
  }

  async leave(): Promise<void> {
    if (this.#stopped) return;
    this.#stop();
    const memberId = this.#memberId;
    if (memberId === '') return;
    try {
      await this.#link.call('LeaveGroup', () => this.#membership.leave(memberId));
    } catch {
      // Then it is out when its session is over.
    }
  }

  #stop(): void {
    this.#stopped = true;
    clearInterval(this.#heart);
    this.#desk.clear();
  }

  /** Joins for a new generation; a call while it does makes it join once more. */
  async #form(): Promise<void> {
    this.#formAgain = true;
    if (this.#forming) return;
    this.#forming = true;
    try {
      while (this.#formAgain && !this.#stopped) {
        this.#formAgain = false;
        this.#options.rebalancing();
        await this.#join();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#forming = false;
    }
  }

  async #join(): Promise<void> {
    try {
      if (this.#memberId === '') await this.#askForName();
      if (this.#stopped) return;
      const answer = await this.#joinGroup();
      if (this.#stopped) return;
      this.#joined = answer.generation;
      const assignments = answer.members && (await this.#share(answer));
      if (this.#stopped) return;
      const assignment = await this.#sync(answer.generation, assignments);
      if (this.#stopped) return;
      this.#desk.put(copyOf(assignment), answer.generation);
    } catch (error) {
      if (!BrokerFault.is(error)) throw error;
      await this.#afterFault(error);
    }
  }

  async #askForName(): Promise<void> {
    const { groupId } = this.#options;
    this.#memberId = await this.#link.call('JoinGroup', () =>
      this.#state.groups.newMember(groupId, this.#link.clientId),
    );
  }

  async #joinGroup(): Promise<JoinAnswer> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const userData = new Uint8Array(this.#options.userData());
    const { memberId } = this;
    const { clientId } = this.#link;
    const request = { memberId, clientId, host: 'memory', userData, sessionTimeoutMs, rebalanceTimeoutMs };
    return this.#link.call('JoinGroup', () => this.#membership.join(request), true);
  }

  async #sync(
    generation: number,
    assignments: ReadonlyMap<string, MemberAssignment> | undefined,
  ): Promise<MemberAssignment> {
    const sentAt = performance.now();
    const { memberId } = this;
    const assignment = await this.#link.call(
      'SyncGroup',
      () => this.#membership.sync(memberId, generation, assignments),
      true,
    );
    this.#confirm(sentAt);
    return assignment;
  }

  async #share({ members }: JoinAnswer): Promise<ReadonlyMap<string, MemberAssignment>> {
    const assignments = await this.#options.assign(members!);
    for (const { memberId } of members!) {
      if (!assignments.has(memberId)) throw new TypeError(`assign has left out the member ${memberId}`);
    }
    return new Map([...assignments].map(([memberId, assignment]) => [memberId, copyOf(assignment)]));
  }

  async #beat(): Promise<void> {
    if (this.#beating || this.#joined < 0) return;
    this.#beating = true;
    const generation = this.#joined;
    try {
      await this.#heartbeat(generation);
    } catch (error) {
      if (!BrokerFault.is(error)) return;
      // While it joins, the answers to that tell; these may be of the generation before.
      if (!this.#stopped && !this.#forming && generation === this.#joined) this.#afterBeat(error);
    } finally {
      this.#beating = false;
    }
  }

  #afterBeat(error: BrokerFault): void {
    if (outOfGroup.has(error.error)) this.#lose(error);
    else if (error.error !== 'REBALANCE_IN_PROGRESS') return;
    void this.#form();
  }

  async #heartbeat(generation: number): Promise<void> {
    const sentAt = performance.now();
    const { memberId } = this;
    try {
      await this.#link.call('Heartbeat', () => this.#membership.heartbeat(memberId, generation));
    } catch (error) {
      if (BrokerFault.is(error, 'REBALANCE_IN_PROGRESS')) this.#confirm(sentAt);
      throw error;
    }
    this.#confirm(sentAt);
  }

  /** As of the time at which it was asked: the answer may have been on its way for long. */
  #confirm(sentAt: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
  }

  /** What goes wrong while a generation is formed is tried again. */
  async #afterFault(error: BrokerFault): Promise<void> {
    this.#formAgain = true;
    if (this.#stopped) return;
    if (outOfGroup.has(error.error)) this.#lose(error);
    else if (error.error !== 'REBALANCE_IN_PROGRESS') await pauseOf(1);
  }

  #lose(error: BrokerFault): void {
    const wasIn = this.#joined >= 0;
    if (error.error === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    this.#joined = -1;
    this.#desk.clear();
    if (!wasIn) return;
    try {
      this.#options.lost(`${error.message} (${error.error})`);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    void this.leave();
    if (!this.#link.isClosed) this.#options.failed(error instanceof Error ? error : new Error(String(error)));
  }
}

function copyOf({ partitions, userData }: MemberAssignment): MemberAssignment {
  return { partitions: partitions.map((one) => ({ ...one })), userData: new Uint8Array(userData) };
}
