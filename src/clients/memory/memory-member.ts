import type { GroupMember, GroupMemberOptions, MemberAssignment, OffsetToCommit } from '../broker.ts';
import { fencedInstance } from '../fenced-instance.ts';
import { AssignmentDesk } from './assignment-desk.ts';
import { asStreamsError, BrokerFault } from './broker-fault.ts';
import type { ClusterState } from './cluster-state.ts';
import type { JoinAnswer } from './group-membership.ts';
import { GroupRequests } from './group-requests.ts';
import { type Link, pauseOf } from './link.ts';

const outOfGroup: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']);
/** To a static member in whose place another one has come. */
const fenced = 'FENCED_INSTANCE_ID';

/** A member of a group of the cluster in memory. */
export class MemoryMember implements GroupMember {
  readonly #requests: GroupRequests;
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
  #isTold = false;
  #heart: NodeJS.Timeout | undefined;
  #beating = false;
  /** Heartbeats since the broker last confirmed the membership. */
  #missed = 0;

  constructor(state: ClusterState, link: Link, options: GroupMemberOptions) {
    this.#link = link;
    this.#options = options;
    this.#requests = new GroupRequests(state, link, options);
    this.#desk = new AssignmentDesk(
      async (assignment, generation) => {
        this.#isTold = false;
        await options.assigned(assignment, generation);
      },
      (error) => this.#fail(error),
    );
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
    this.#heart = setInterval(() => this.#tick(), this.#intervalMs);
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
      if (outOfGroup.has(error.error) || error.error === fenced) return false;
      if (error.error !== 'REBALANCE_IN_PROGRESS') throw asStreamsError(error);
    }
    return generation === this.generation;
  }

  async commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    try {
      await this.#requests.commit(this.#memberId, this.generation, offsets);
    } catch (error) {
      throw asStreamsError(error, true);
    }
  }

  async leave(): Promise<void> {
    if (this.#stopped) return;
    this.#end();
    if (this.#memberId === '' && !this.#isStatic) return;
    try {
      await this.#requests.leave(this.#memberId);
    } catch {
      // Then it is out when its session is over.
    }
  }

  async stop(): Promise<void> {
    this.#end();
  }

  get #isStatic(): boolean {
    return this.#options.groupInstanceId !== undefined;
  }

  #end(): void {
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
        if (!this.#isTold) this.#options.rebalancing();
        this.#isTold = true;
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
      if (this.#memberId === '' && !this.#isStatic) this.#memberId = await this.#requests.name();
      if (this.#stopped) return;
      const answer = await this.#requests.join(this.#memberId, new Uint8Array(this.#options.userData()));
      if (this.#stopped) return;
      this.#memberId = answer.memberId;
      this.#joined = answer.generation;
      const assignments = answer.members && (await this.#share(answer));
      if (this.#stopped) return;
      const sentAt = performance.now();
      const assignment = await this.#requests.sync(this.#memberId, answer.generation, assignments);
      if (this.#stopped) return;
      this.#confirm(sentAt);
      this.#joined = answer.generation;
      this.#desk.put(copyOf(assignment), answer.generation);
    } catch (error) {
      if (!BrokerFault.is(error)) throw error;
      await this.#afterFault(error);
    }
  }

  async #share({ members }: JoinAnswer): Promise<ReadonlyMap<string, MemberAssignment>> {
    const assignments = await this.#options.assign(members!);
    for (const { memberId } of members!) {
      if (!assignments.has(memberId)) throw new TypeError(`assign has left out the member ${memberId}`);
    }
    return new Map([...assignments].map(([memberId, assignment]) => [memberId, copyOf(assignment)]));
  }

  get #intervalMs(): number {
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.#options;
    return heartbeatIntervalMs ?? Math.min(3000, sessionTimeoutMs / 3);
  }

  /** Time is counted in heartbeats: while the process is busy, neither these nor the broker's clock go on. */
  #tick(): void {
    if (this.#joined < 0 || this.#link.isPaused) return;
    const { sessionTimeoutMs } = this.#options;
    if (this.#missed++ * this.#intervalMs <= sessionTimeoutMs) {
      void this.#beat();
      return;
    }
    this.#lose(`the broker has not answered for ${sessionTimeoutMs} ms`);
    void this.#form();
  }

  async #beat(): Promise<void> {
    if (this.#beating) return;
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
    if (error.error === fenced) this.#fail(error);
    else if (outOfGroup.has(error.error)) this.#throwOut(error);
    else if (error.error !== 'REBALANCE_IN_PROGRESS') return;
    void this.#form();
  }

  async #heartbeat(generation: number): Promise<void> {
    const sentAt = performance.now();
    try {
      await this.#requests.heartbeat(this.#memberId, generation);
    } catch (error) {
      if (BrokerFault.is(error, 'REBALANCE_IN_PROGRESS')) this.#confirm(sentAt);
      throw error;
    }
    this.#confirm(sentAt);
  }

  /** As of the time at which it was asked: the answer may have been on its way for long. */
  #confirm(sentAt: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
    this.#missed = 0;
  }

  /** What goes wrong while a generation is formed is tried again. */
  async #afterFault(error: BrokerFault): Promise<void> {
    if (this.#stopped) return;
    if (error.error === fenced) return this.#fail(error);
    this.#formAgain = true;
    if (outOfGroup.has(error.error)) this.#throwOut(error);
    else if (error.error !== 'REBALANCE_IN_PROGRESS') await pauseOf(1);
  }

  #throwOut(error: BrokerFault): void {
    if (error.error === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
    this.#lose(`${error.message} (${error.error})`);
  }

  #lose(reason: string): void {
    const hadWork = this.#desk.generation >= 0;
    this.#joined = -1;
    this.#missed = 0;
    this.#desk.clear();
    if (!hadWork) return;
    try {
      this.#options.lost(reason);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    void (this.#isStatic ? this.stop() : this.leave());
    if (this.#link.isClosed) return;
    const { groupId, groupInstanceId = '' } = this.#options;
    if (BrokerFault.is(error, fenced)) this.#options.failed(fencedInstance(groupId, groupInstanceId, error));
    else this.#options.failed(error instanceof Error ? error : new Error(String(error)));
  }
}

function copyOf({ partitions, userData }: MemberAssignment): MemberAssignment {
  return { partitions: partitions.map((one) => ({ ...one })), userData: new Uint8Array(userData) };
}
