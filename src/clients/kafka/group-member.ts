import { StreamsError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { GroupMember, GroupMemberOptions, MemberAssignment, OffsetToCommit } from '../broker.ts';
import { fencedInstance } from '../fenced-instance.ts';
import { Backoff, Deadline, manyWaits, pause, retrying } from './backoff.ts';
import type { ClusterMap } from './cluster-map.ts';
import { Confirmations } from './confirmations.ts';
import type { Connections } from './connections.ts';
import { brokerError, ConnectionLost, isKafka, isRetriable, KafkaError } from './errors.ts';
import { GroupCalls, type Joined } from './group-calls.ts';

/** Answers that say that a generation is over for a member. */
const gone = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'];
/** Answer to a static member in whose place another one has come. */
const fenced = 'FENCED_INSTANCE_ID';
/** How long leaving may take, ms. */
const leaveMs = 2000;
/** The next heartbeat after one that was not answered, ms. */
const retryMs = 100;

/**
 * A member of a group, by the classic protocol of groups: JoinGroup, SyncGroup, Heartbeat.
 *
 * One loop joins, tells the assignment, and waits for a reason to join again; heartbeats go their own way beside it.
 */
export class KafkaGroupMember implements GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #calls: GroupCalls;
  readonly #logger: Logger;
  readonly #closed: () => void;
  readonly #confirmations: Confirmations;
  readonly #stopping = manyWaits();
  #memberId = '';
  /** Of the assignment that was told. */
  #generation = -1;
  /** Of the last join: what heartbeats say. */
  #joined = -1;
  #stable = false;
  #round = 0;
  #wantsJoin = false;
  #wake: (() => void) | undefined;
  #beating: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  /** Whether `rebalancing` was called since the last assignment. */
  #isTold = false;
  /** Settles when the join under way is answered. */
  #asking: Promise<void> | undefined;
  #running = false;
  #ending: Promise<void> | undefined;

  /** @param closed - called when it has left. */
  constructor(
    options: GroupMemberOptions,
    cluster: ClusterMap,
    connections: () => Connections,
    logger: Logger,
    closed: () => void,
  ) {
    this.#options = options;
    this.#closed = closed;
    this.#calls = new GroupCalls(options, cluster, connections);
    this.#logger = logger;
    this.#confirmations = new Confirmations(options.sessionTimeoutMs, () => {
      this.#lose(`the broker has not answered for ${options.sessionTimeoutMs} ms`);
    });
  }

  get memberId(): string {
    return this.#memberId;
  }

  get generation(): number {
    return this.#generation;
  }

  get unconfirmedMs(): number {
    return this.#confirmations.unconfirmedMs;
  }

  start(): void {
    if (this.#running) throw new TypeError('the member was started before');
    this.#running = true;
    void this.#run();
  }

  rejoin(): void {
    this.#round++;
    this.#join();
  }

  async confirm(): Promise<boolean> {
    const generation = this.#generation;
    const backoff = new Backoff();
    while (
      generation >= 0 &&
      generation === this.#generation &&
      !this.#confirmations.isOver &&
      !this.#stopping.signal.aborted
    ) {
      const error = await this.#heartbeat(generation);
      if (error === undefined || isKafka(error, 'REBALANCE_IN_PROGRESS')) return generation === this.#generation;
      if (!isRetriable(error)) return false;
      await pause(backoff.next(), this.#stopping.signal);
    }
    return false;
  }

  async commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    if (offsets.length === 0) return;
    const generation = this.#generation;
    const { groupId, sessionTimeoutMs } = this.#options;
    try {
      if (generation < 0) throw new StreamsError('STREAMS_TASK_MIGRATED', `Not a member of group ${groupId} now.`);
      const deadline = new Deadline(sessionTimeoutMs);
      const attempt = async (): Promise<void> => {
        const askedAt = performance.now();
        await this.#calls.commit(this.#memberId, generation, offsets, Math.max(1, deadline.left));
        if (generation === this.#generation) this.#confirmed(askedAt);
      };
      await retrying(`committing offsets of group ${groupId}`, deadline, attempt, this.#stopping.signal);
    } catch (error) {
      const told = StreamsError.is(error) ? error.details.cause : error;
      if (!isKafka(told, 'REBALANCE_IN_PROGRESS', fenced, ...gone)) throw error;
      const text = `Generation ${generation} of group ${groupId} is over: ${told.kafka}. Others go on from what is committed.`;
      throw new StreamsError('STREAMS_TASK_MIGRATED', text, { cause: error });
    }
  }

  leave(): Promise<void> {
    this.#ending ??= this.#end(() => this.#sayGoodBye());
    return this.#ending;
  }

  stop(): Promise<void> {
    this.#ending ??= this.#end(async () => {});
    return this.#ending;
  }

  async #end(last: () => Promise<void>): Promise<void> {
    this.#stop();
    const told = new AbortController();
    await Promise.race([last(), pause(leaveMs, told.signal)]);
    told.abort();
    this.#calls.close();
    this.#closed();
  }

  async #sayGoodBye(): Promise<void> {
    if (this.#asking === undefined) return;
    // An id that is on its way is one that the group would wait for. A static member has a name before it.
    if (this.#memberId === '' && !this.#isStatic) await this.#asking;
    if (this.#memberId === '' && !this.#isStatic) return;
    await this.#calls.leave(this.#memberId, leaveMs).catch((error) => {
      this.#logger.debug({ error: String(error) }, 'the group could not be told that its member leaves');
    });
  }

  #stop(): void {
    this.#stopping.abort();
    clearTimeout(this.#beating);
    this.#confirmations.stop();
    this.#generation = -1;
    this.#wake?.();
  }

  /** An answer that comes after the end begins no session: its timer would hold the process. */
  #confirmed(askedAt: number): void {
    if (!this.#stopped) this.#confirmations.confirmed(askedAt);
  }

  get #isStatic(): boolean {
    return this.#options.groupInstanceId !== undefined;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(5, 1000);
    while (!this.#stopped) {
      try {
        if (!this.#isTold) this.#options.rebalancing();
        this.#isTold = true;
        if (this.#stopped) return;
        const { assignment, generation } = await this.#joinOnce();
        backoff.reset();
        await this.#tell(assignment, generation);
      } catch (error) {
        if (this.#stopped) return;
        if (isKafka(error, ...gone)) this.#lose(error.kafka, error);
        else if (!isKafka(error, 'REBALANCE_IN_PROGRESS')) {
          if (!isRetriable(error)) return this.#fail(error);
          this.#logger.debug({ error: String(error) }, 'a join has failed, it is tried again');
          await pause(backoff.next(), this.#stopping.signal);
        }
      }
    }
  }

  /** A whole join: JoinGroup, the leader's work, SyncGroup. */
  async #joinOnce(): Promise<{ assignment: MemberAssignment; generation: number }> {
    this.#stable = false;
    this.#wantsJoin = false;
    const asking = this.#calls.join(this.#memberId, this.#round, this.#options.userData());
    this.#asking = asking.then(
      ({ memberId }) => {
        this.#memberId = memberId;
      },
      () => {},
    );
    const joined = await asking;
    if (this.#stopped) throw new ConnectionLost('the member has left');
    if (joined.generation < 0) return this.#joinOnce();
    this.#joined = joined.generation;
    this.#beat(this.#intervalMs);
    const parts = await this.#share(joined);
    const askedAt = performance.now();
    const assignment = await this.#calls.sync(joined, parts);
    this.#confirmed(askedAt);
    this.#stable = true;
    return { assignment, generation: joined.generation };
  }

  async #share({ members }: Joined): Promise<ReadonlyMap<string, MemberAssignment>> {
    if (members === undefined) return new Map();
    try {
      const parts = await this.#options.assign(members);
      const without = members.find(({ memberId }) => !parts.has(memberId));
      if (without) throw new TypeError(`assign leaves out member ${without.memberId}`);
      return parts;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Tells the assignment, and returns when it is time to join again. */
  async #tell(assignment: MemberAssignment, generation: number): Promise<void> {
    if (this.#working) {
      // Joining again does not wait for it, or the group would not wait for this member.
      await Promise.race([this.#working, this.#untilJoin()]);
      if (this.#wantsJoin) return;
    }
    if (this.#stopped) return;
    this.#generation = generation;
    const working = this.#options.assigned(assignment, generation).then(
      () => {
        if (this.#working === working) this.#working = undefined;
      },
      (error) => this.#fail(error),
    );
    this.#working = working;
    this.#isTold = false;
    await this.#untilJoin();
  }

  #untilJoin(): Promise<void> {
    if (this.#wantsJoin || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #join(): void {
    this.#wantsJoin = true;
    this.#wake?.();
  }

  get #intervalMs(): number {
    const { heartbeatIntervalMs, sessionTimeoutMs } = this.#options;
    return heartbeatIntervalMs ?? Math.min(3000, sessionTimeoutMs / 3);
  }

  #beat(afterMs: number): void {
    clearTimeout(this.#beating);
    if (this.#stopped) return;
    this.#beating = setTimeout(async () => {
      const error = await this.#heartbeat(this.#joined);
      if (this.#joined < 0) return;
      this.#beat(error && isRetriable(error) ? Math.min(retryMs, this.#intervalMs) : this.#intervalMs);
    }, afterMs);
  }

  /** Asks whether a generation is current, and acts on the answer. */
  async #heartbeat(generation: number): Promise<Error | undefined> {
    const askedAt = performance.now();
    try {
      await this.#calls.heartbeat(this.#memberId, generation, Math.max(1000, this.#options.sessionTimeoutMs / 2));
      if (generation === this.#joined) this.#confirmed(askedAt);
      return undefined;
    } catch (error) {
      if (this.#stopped || generation !== this.#joined) return error as Error;
      const rebalancing = isKafka(error, 'REBALANCE_IN_PROGRESS');
      if (rebalancing) this.#confirmed(askedAt);
      // While a join is under way it will tell.
      if (this.#stable) {
        if (rebalancing) this.#join();
        else if (isKafka(error, ...gone)) this.#lose(error.kafka, error);
        else if (!isRetriable(error)) this.#fail(error);
      }
      return error as Error;
    }
  }

  /** Nothing that was assigned is this member's any more; it joins again. */
  #lose(reason: string, error?: unknown): void {
    if (this.#stopped) return;
    const had = this.#generation >= 0;
    if (isKafka(error, 'UNKNOWN_MEMBER_ID')) this.#memberId = '';
    this.#generation = -1;
    this.#joined = -1;
    this.#stable = false;
    clearTimeout(this.#beating);
    this.#confirmations.stop();
    if (had) this.#options.lost(reason);
    this.#join();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    void (this.#isStatic ? this.stop() : this.leave());
    const { groupId, groupInstanceId = '' } = this.#options;
    if (isKafka(error, fenced)) this.#options.failed(fencedInstance(groupId, groupInstanceId, error));
    else if (error instanceof KafkaError) this.#options.failed(brokerError(`joining group ${groupId}`, error));
    else this.#options.failed(error as Error);
  }
}
