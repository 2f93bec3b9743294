import type { GroupDescription, JoinedMember, MemberAssignment } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';
import { SessionTimer } from './session-timer.ts';

/** Who asks. */
export interface MemberName {
  readonly memberId: string;
  /** Of a static member. */
  readonly groupInstanceId: string | undefined;
}

/** What a member says of itself when it joins. */
export interface JoinRequest extends MemberName {
  readonly clientId: string;
  readonly host: string;
  readonly userData: Uint8Array;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** A new generation, as a member is told of it. */
export interface JoinAnswer {
  readonly memberId: string;
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
 *
 * A static member that joins under a new member id, while the group is stable, takes the place of the one before it: same part, same generation.
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
    const isNew = this.#expected.delete(memberId);
    if (!isNew) this.#checkName(request);
    const replaced = isNew ? this.#holderOf(request.groupInstanceId) : undefined;
    if (replaced !== undefined) this.#replace(replaced, memberId);
    const known = this.#members.get(memberId);
    if (known === undefined && !isNew) throw unknownMember(memberId);
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
    if (replaced !== undefined && this.#state === 'Stable') {
      this.#renew(member);
      // Nobody is told to lead: the work is shared out.
      return Promise.resolve({ memberId, generation: this.#generation, members: undefined });
    }
    return new Promise((resolve, reject) => {
      member.joining = { resolve, reject };
      if (this.#state === 'PreparingRebalance') this.#completeIfAllJoined();
      else this.#prepare();
    });
  }

  /** @param assignments - of all members, from the leader. */
  sync(
    name: MemberName,
    generation: number,
    assignments: ReadonlyMap<string, MemberAssignment> | undefined,
  ): Promise<MemberAssignment> | MemberAssignment {
    const member = this.#current(name, generation);
    if (this.#state === 'PreparingRebalance') throw rebalancing();
    this.#renew(member);
    if (this.#state === 'Stable') return member.assignment;
    return new Promise((resolve, reject) => {
      member.syncing = { resolve, reject };
      if (name.memberId === this.#leader && assignments !== undefined) this.#share(assignments);
    });
  }

  heartbeat(name: MemberName, generation: number): void {
    this.#renew(this.#current(name, generation));
    if (this.#state === 'PreparingRebalance') throw rebalancing();
  }

  /** @throws BrokerFault unless it may commit positions: members of the last generation may while a new one is formed. */
  checkCommit(name: MemberName, generation: number): void {
    this.#renew(this.#current(name, generation));
    if (this.#state === 'CompletingRebalance') throw rebalancing();
  }

  has(memberId: string): boolean {
    return this.#members.has(memberId);
  }

  /** @param name - without a member id the static member of that name, whoever it is. */
  leave(name: MemberName): void {
    this.#expected.delete(name.memberId);
    if (name.memberId !== '') this.#checkName(name);
    const member = name.memberId === '' ? this.#holderOf(name.groupInstanceId) : this.#members.get(name.memberId);
    if (member === undefined) throw unknownMember(name.memberId);
    this.#remove(member);
  }

  /** Ends the session of a member at once; one that is not there is fine. */
  expire(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#remove(member);
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

  /** The static member that has the name now. */
  #holderOf(groupInstanceId: string | undefined): Member | undefined {
    if (groupInstanceId === undefined) return undefined;
    return [...this.#members.values()].find((member) => member.groupInstanceId === groupInstanceId);
  }

  #checkName({ memberId, groupInstanceId }: MemberName): void {
    const holder = this.#holderOf(groupInstanceId);
    if (holder !== undefined && holder.memberId !== memberId) throw fenced(holder);
  }

  /** Gives the place of a static member to one that has come under a new id. */
  #replace(former: Member, memberId: string): void {
    former.session?.stop();
    former.joining?.reject(fenced(former));
    former.syncing?.reject(fenced(former));
    this.#members.delete(former.memberId);
    this.#members.set(memberId, { ...former, memberId, joining: undefined, syncing: undefined });
    if (this.#leader === former.memberId) this.#leader = memberId;
  }

  #current(name: MemberName, generation: number): Member {
    this.#checkName(name);
    const member = this.#members.get(name.memberId);
    if (member === undefined) throw unknownMember(name.memberId);
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
        // A static member stays until its session is over.
        if (member.joining !== undefined || member.groupInstanceId !== undefined) continue;
        member.session?.stop();
        this.#members.delete(member.memberId);
      }
      const joined = [...this.#members.values()].filter(({ joining }) => joining !== undefined);
      if (joined.length > 0 || this.#members.size === 0) this.#complete(joined);
      else this.#waitForJoins();
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
    // Members that nobody has ended keep the process; those that are away do not.
    this.#timer = setTimeout(expire, timeout).unref();
  }

  #completeIfAllJoined(): void {
    const members = [...this.#members.values()];
    if (members.every(({ joining }) => joining !== undefined)) this.#complete(members);
  }

  /** @param present - Members that have joined; the others are static. */
  #complete(present: readonly Member[]): void {
    clearTimeout(this.#timer);
    this.#generation++;
    if (present.length === 0) {
      this.#state = 'Empty';
      return;
    }
    this.#state = 'CompletingRebalance';
    if (!present.some(({ memberId }) => memberId === this.#leader)) this.#leader = present[0]!.memberId;
    const joined = [...this.#members.values()].map(({ memberId, userData }) => ({ memberId, userData }));
    for (const member of present) {
      const answer = {
        memberId: member.memberId,
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

function fenced({ groupInstanceId }: Member): BrokerFault {
  return new BrokerFault('FENCED_INSTANCE_ID', `another member has come as ${groupInstanceId}`);
}

function unknownMember(memberId: string): BrokerFault {
  return new BrokerFault('UNKNOWN_MEMBER_ID', `${memberId || 'the member'} is not in the group`);
}
