import type { GroupDescription, JoinedMember, MemberAssignment } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';
import { SessionTimer } from './session-timer.ts';

/** What a member says of itself when it joins. */
export interface JoinRequest {
  readonly memberId: string;
  readonly clientId: string;
  readonly host: string;
  readonly userData: Uint8Array;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** A new generation, as a member is told of it. */
export interface JoinAnswer {
  readonly generation: number;
  /** What the leader shares the work among; undefined for the others. */
  readonly members: readonly JoinedMember[] | undefined;
}

interface Waiting<T> {
  resolve(answer: T): void;
  reject(fault: BrokerFault): void;
}

interface Member extends JoinRequest {
  assignment: MemberAssignment;
  joining: Waiting<JoinAnswer> | undefined;
  syncing: Waiting<MemberAssignment> | undefined;
  session: SessionTimer | undefined;
}

type State = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

const nothing: MemberAssignment = { partitions: [], userData: new Uint8Array(0) };
const rebalancing = (): BrokerFault =>
  new BrokerFault('REBALANCE_IN_PROGRESS', 'the group is forming a new generation');

/**
 * The members of a group on the broker's side: Kafka's classic protocol. A member that joins, joins again, leaves or is silent for its session makes the group form a
 * new generation: all members join (those that don't within the rebalance timeout are out), one of them shares out the work, all are told their part.
 */
export class GroupMembership {
  #state: State = 'Empty';
  #generation = 0;
  #leader = '';
  #timer: NodeJS.Timeout | undefined;
  #running = true;
  readonly #members = new Map<string, Member>();
  readonly #expected = new Set<string>();

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** Gives out the name of a member to come. */
  expect(memberId: string): void {
    this.#expected.add(memberId);
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    const { memberId } = request;
    const known = this.#members.get(memberId);
    if (known === undefined && !this.#expected.delete(memberId)) throw unknownMember(memberId);
    const member: Member = {
      assignment: nothing,
      syncing: undefined,
      session: undefined,
      ...known,
      ...request,
      joining: undefined,
    };
    known?.session?.stop();
    this.#members.set(memberId, member);
    return new Promise((resolve, reject) => {
      member.joining = { resolve, reject };
      if (this.#state === 'PreparingRebalance') this.#completeIfAllJoined();
      else this.#prepare();
    });
  }

  /** @param assignments - of all members, from the leader. */
  sync(
    memberId: string,
    generation: number,
    assignments: ReadonlyMap<string, MemberAssignment> | undefined,
  ): Promise<MemberAssignment> | MemberAssignment {
    const member = this.#current(memberId, generation);
    if (this.#state === 'PreparingRebalance') throw rebalancing();
    this.#renew(member);
    if (this.#state === 'Stable') return member.assignment;
    return new Promise((resolve, reject) => {
      member.syncing = { resolve, reject };
      if (memberId === this.#leader && assignments !== undefined) this.#share(assignments);
    });
  }

  heartbeat(memberId: string, generation: number): void {
    this.#renew(this.#current(memberId, generation));
    if (this.#state === 'PreparingRebalance') throw rebalancing();
  }

  /** @throws BrokerFault unless it may commit positions: members of the last generation may while a new one is formed. */
  checkCommit(memberId: string, generation: number): void {
    this.#renew(this.#current(memberId, generation));
    if (this.#state === 'CompletingRebalance') throw rebalancing();
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId);
  }

  leave(memberId: string): void {
    this.#expected.delete(memberId);
    const member = this.#members.get(memberId);
    if (member === undefined) throw unknownMember(memberId);
    this.#remove(member);
  }

  /** The broker has stopped: what waits is forgotten, and no time passes for sessions. */
  suspend(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    for (const member of this.#members.values()) {
      member.session?.stop();
      member.joining = undefined;
      member.syncing = undefined;
    }
  }

  /** The broker is back: every session starts over. */
  revive(): void {
    this.#running = true;
    for (const member of this.#members.values()) this.#renew(member);
    if (this.#state === 'PreparingRebalance') this.#waitForJoins();
    if (this.#state === 'CompletingRebalance') this.#waitForSyncs();
  }

  describe(): GroupDescription {
    return {
      state: this.#state,
      members: [...this.#members.values()].map(({ memberId, clientId, host, assignment }) => ({
        memberId,
        clientId,
        host,
        ...(this.#state === 'Stable' ? assignment : nothing),
      })),
    };
  }

  #current(memberId: string, generation: number): Member {
    const member = this.#members.get(memberId);
    if (member === undefined) throw unknownMember(memberId);
    if (generation !== this.#generation) {
      const what = `generation ${generation} is over, the group is at ${this.#generation}`;
      throw new BrokerFault('ILLEGAL_GENERATION', what);
    }
    return member;
  }

  #renew(member: Member): void {
    member.session?.stop();
    if (!this.#running) return;
    const expire = (): void => {
      // Who waits for the others cannot be silent.
      if (member.joining !== undefined || member.syncing !== undefined) this.#renew(member);
      else this.#remove(member);
    };
    member.session = new SessionTimer(member.sessionTimeoutMs, expire);
  }

  #remove(member: Member): void {
    member.session?.stop();
    if (!this.#members.delete(member.memberId)) return;
    member.joining?.reject(unknownMember(member.memberId));
    member.syncing?.reject(unknownMember(member.memberId));
    if (this.#state === 'PreparingRebalance') this.#completeIfAllJoined();
    else this.#prepare();
  }

  #prepare(): void {
    this.#state = 'PreparingRebalance';
    for (const member of this.#members.values()) {
      member.syncing?.reject(rebalancing());
      member.syncing = undefined;
    }
    this.#waitForJoins();
    this.#completeIfAllJoined();
  }

  #waitForJoins(): void {
    this.#setTimer(() => {
      for (const member of [...this.#members.values()]) {
        if (member.joining !== undefined) continue;
        member.session?.stop();
        this.#members.delete(member.memberId);
      }
      this.#completeIfAllJoined();
    });
  }

  #waitForSyncs(): void {
    this.#setTimer(() => {
      // First who is out, then the removals: each of them makes the others join again.
      const silent = [...this.#members.values()].filter(({ syncing }) => syncing === undefined);
      for (const member of silent) this.#remove(member);
    });
  }

  #setTimer(expire: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    let timeout = 0;
    for (const { rebalanceTimeoutMs } of this.#members.values()) timeout = Math.max(timeout, rebalanceTimeoutMs);
    this.#timer = setTimeout(expire, timeout);
  }

  #completeIfAllJoined(): void {
    const members = [...this.#members.values()];
    if (members.some(({ joining }) => joining === undefined)) return;
    clearTimeout(this.#timer);
    this.#generation++;
    if (members.length === 0) {
      this.#state = 'Empty';
      return;
    }
    this.#state = 'CompletingRebalance';
    if (!this.#members.has(this.#leader)) this.#leader = members[0]!.memberId;
    const joined = members.map(({ memberId, userData }) => ({ memberId, userData }));
    for (const member of members) {
      const answer = {
        generation: this.#generation,
        members: member.memberId === this.#leader ? joined : undefined,
      };
      member.joining!.resolve(answer);
      member.joining = undefined;
      this.#renew(member);
    }
    this.#waitForSyncs();
  }

  #share(assignments: ReadonlyMap<string, MemberAssignment>): void {
    clearTimeout(this.#timer);
    this.#state = 'Stable';
    for (const member of this.#members.values()) {
      member.assignment = assignments.get(member.memberId) ?? nothing;
      member.syncing?.resolve(member.assignment);
      member.syncing = undefined;
    }
  }
}

function unknownMember(memberId: string): BrokerFault {
  return new BrokerFault('UNKNOWN_MEMBER_ID', `${memberId || 'the member'} is not in the group`);
}
