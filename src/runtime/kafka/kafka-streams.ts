import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from '../../../state/database.ts';
import type { GroupMember, MemberAssignment } from '../../clients/broker.ts';
import { openKafkaBroker } from '../../clients/kafka/kafka-broker.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import { ClientState } from '../client-state.ts';
import type { EngineStats, StreamsState } from '../engine-stats.ts';
import { refuseOtherKind } from '../folder-kind.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../read-only-stores.ts';
import { RunLoop } from '../run-loop.ts';
import { placement } from '../runtime-nodes.ts';
import type { StateSettings } from '../state-folder.ts';
import { type TaskId, taskIdText } from '../task.ts';
import { topicRoles } from './application-topics.ts';
import { ChangelogReader } from './changelog-follower.ts';
import { GlobalJoins } from './global-joins.ts';
import { GlobalTables } from './global-tables.ts';
import { GrowingTopics } from './growing-topics.ts';
import { Housekeeping } from './housekeeping.ts';
import { InputFetcher } from './input-fetcher.ts';
import { repartitionTopic } from './internal-names.ts';
import {
  type BootstrapOptions,
  checkHeartbeats,
  checkKafkaOptions,
  type FilledOptions,
  filledOptions,
  type KafkaStreamsOptions,
  type UncaughtResponse,
} from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';
import { localStore, notYetReadable } from './local-store.ts';
import { refuseOrAccept } from './loss-check.ts';
import {
  type AssignmentData,
  decodeAssignmentData,
  encodeData,
  type MemberData,
  type MemberPart,
} from './member-data.ts';
import { OutputCounts } from './output-counts.ts';
import { type Owner, Ownership } from './ownership.ts';
import { type PreparedApplication, prepareApplication } from './prepare-application.ts';
import { Rejoins } from './rejoins.ts';
import { settledSlots } from './settled-slots.ts';
import { memberParts, shareOut } from './share-out.ts';
import { engineStats, kafkaStats, type StatsCounts, type StatsSource } from './stats.ts';
import { storedTasks } from './stored-tasks.ts';
import type { TakeoverContext } from './takeover.ts';
import { type TaskRole, TaskSlot } from './task-slot.ts';
import { storesOf } from './topics-plan.ts';
import type { KafkaTask } from './transaction-log.ts';

/** How a client is closed. */
export interface CloseOptions {
  readonly timeoutMs?: number;
  readonly leaveGroup?: boolean;
}

/** How long a client that closes waits for its last commits, ms. */
const closeTimeoutMs = 30_000;
/** Failures after which a task is taken again by whoever it is assigned to. */
const passing: readonly string[] = ['STREAMS_TASK_MIGRATED', 'STREAMS_BROKER', 'STREAMS_TIMEOUT'];

/**
 * A topology at work on Kafka: one member of the application's consumer group. Start as many as you like, here or elsewhere: they share the tasks.
 *
 * Kafka Streams: `KafkaStreams.java`.
 *
 * @example
 * ```ts
 * const streams = new KafkaStreams(topology, { broker, applicationId: 'counts', stateDir: '.data/state' });
 * await streams.start();
 * // ...
 * await streams.close();
 * ```
 */
export class KafkaStreams {
  readonly #given: Topology;
  /** Names this instance to the others: a static member's own name, which outlives its restarts. */
  readonly processId: string;
  readonly #options: FilledOptions;
  readonly #life: ClientState;
  readonly #slots = new Map<string, TaskSlot>();
  readonly #ownership: Ownership;
  readonly #outputs = new OutputCounts();
  readonly #counts: StatsCounts = { commitFailures: 0, migrated: 0, rebalances: 0, aborted: 0 };
  #prepared: PreparedApplication | undefined;
  #globals: GlobalTables | undefined;
  #changelogs: ChangelogReader | undefined;
  readonly #loop: RunLoop;
  #fetcher: InputFetcher | undefined;
  #joins: GlobalJoins | undefined;
  #member: GroupMember | undefined;
  #takeover: TakeoverContext | undefined;
  #housekeeping: Housekeeping | undefined;
  #assignment: AssignmentData | undefined;
  #rebalancing = false;
  #joined = 0;
  #running: Promise<void> | undefined;
  #stopping = false;
  #shutdownAsked = false;
  readonly #rejoins = new Rejoins(() => {
    // An assignment that is on its way anyway brings the task back.
    if (!this.#stopping && !this.#rebalancing) this.#member?.rejoin();
  });
  #topics: GrowingTopics | undefined;
  #looks: NodeJS.Timeout | undefined;
  #ended: Promise<void> | undefined;
  #endpoint: string;
  #leavesGroup: boolean;
  readonly #ownsBroker: boolean;

  /**
   * @param options - A broker that is open, or `bootstrapServers`.
   * @throws TypeError, RangeError for an option that does not exist, or that is of another type.
   */
  constructor(topology: Topology, options: KafkaStreamsOptions | BootstrapOptions) {
    checkKafkaOptions(options);
    this.#given = topology;
    this.#ownsBroker = !('broker' in options);
    this.#options = filledOptions('broker' in options ? options : connected(options));
    checkHeartbeats(this.#options);
    this.#endpoint = this.#options.applicationServer ?? '';
    this.#leavesGroup = this.#options.groupInstanceId === undefined;
    this.processId = this.#options.groupInstanceId ?? randomUUID();
    const { sessionTimeoutMs, commitIntervalMs, statestoreCacheMaxBytes, windowIdleCloseMs, logger } = this.#options;
    this.#life = new ClientState(logger);
    this.#loop = new RunLoop({
      commitIntervalMs,
      cacheMaxBytes: statestoreCacheMaxBytes,
      windowIdleCloseMs,
      failed: (task, error, committing) => this.#taskFailed(this.#slots.get(task.taskId)!, error, committing),
    });
    this.#ownership = new Ownership(() => ({
      topology: this.topology,
      processId: this.processId,
      sessionTimeoutMs,
      plan: this.#prepared?.plan,
      slots: this.#slots,
      member: this.#member,
      assignment: this.#assignment,
      rebalancing: this.#rebalancing,
      globals: this.#globals,
    }));
  }

  /** The topology; from `start` on with the numbers that its sub-topologies have in the group. */
  get topology(): Topology {
    return this.#prepared?.topology ?? this.#given;
  }

  get state(): StreamsState {
    return this.#life.now;
  }

  get applicationId(): string {
    return this.#options.applicationId;
  }

  /** The folder of its state. */
  get stateDir(): string {
    return this.#options.stateDir;
  }

  /** Where others reach this instance's HTTP endpoints, 'host:port'; '' for nowhere. */
  get applicationServer(): string {
    return this.#endpoint;
  }

  /** Says where that is, before `start`. */
  set applicationServer(endpoint: string) {
    if (this.state !== 'CREATED')
      throw new TypeError('the group has been told where this client is: say it before start()');
    this.#endpoint = endpoint;
  }

  /** Settings as they are kept with the state. */
  get settings(): StateSettings {
    return this.#options.settings;
  }

  /** Why the client is in state ERROR. */
  get failure(): unknown {
    return this.#life.failure;
  }

  /** Calls the listener at each change of state; returns how to stop that. */
  onStateChange(listener: (state: StreamsState) => void): () => void {
    return this.#life.listen(listener);
  }

  /**
   * Checks and makes the topics, reads the global tables, and joins the group. Resolves when that is under way: tasks are taken over from then on, and the state becomes RUNNING
   * when all of this instance's are.
   *
   * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`, `STREAMS_INTERNAL_TOPIC`, `STREAMS_BROKER`, `STREAMS_STATE_STORE_LOCKED`,
   * `STREAMS_STATE_INCOMPATIBLE`
   */
  async start(): Promise<void> {
    if (this.#ended !== undefined || this.#life.hasEnded)
      throw new StreamsError(
        'STREAMS_CLOSED',
        'the client has ended, and one that has ended does not start again. Make a new one.',
      );
    if (this.state !== 'CREATED') throw new TypeError(`a client starts once: this one is ${this.state}`);
    this.#life.become('REBALANCING');
    try {
      await refuseOtherKind(this.#options.stateDir, 'instance');
      await this.#prepare();
    } catch (error) {
      if (this.#stopping) await this.#ended;
      else this.#life.fail(error);
      await this.#release();
      throw error;
    }
    this.#member!.start();
    this.#running = this.#loop.run().catch((error: unknown) => this.#uncaught(error));
    const { broker, repartitionPurgeIntervalMs, metadataMaxAgeMs } = this.#options;
    this.#looks = setInterval(() => void this.#look(), metadataMaxAgeMs);
    this.#housekeeping = new Housekeeping(
      this.topology,
      broker.admin,
      () => [...this.#slots.values()],
      repartitionPurgeIntervalMs,
    );
  }

  /**
   * Commits what was taken, leaves the group at once and gives the folder back. Safe to call twice, and in any state. A static member stays in the group until its session is over, so that it has its
   * tasks again when it is back by then.
   *
   * Kafka Streams: `close(CloseOptions)`.
   *
   * @param options - `timeoutMs`: how long the last commits may take where the broker does not answer, ms: then they are given up, and the next owner goes on from those before. Where
   * nothing is to be committed it is at most 1500. @defaultValue 30000. `leaveGroup`: whether it leaves the group at once, so that the others take its tasks now. @defaultValue true, false with a `groupInstanceId`
   */
  close({ timeoutMs = closeTimeoutMs, leaveGroup }: CloseOptions = {}): Promise<void> {
    this.#leavesGroup = leaveGroup ?? this.#leavesGroup;
    this.#ended ??= this.#close(timeoutMs);
    return this.#ended;
  }

  /**
   * Takes no more records until {@link KafkaStreams.resume}, in this instance alone: it stays in the group, keeps its tasks, commits what it has taken and serves its stores. Its lag grows.
   *
   * Kafka Streams: `pause()`.
   */
  pause(): void {
    this.#loop.paused = true;
  }

  /** Takes records again. */
  resume(): void {
    this.#loop.paused = false;
  }

  get isPaused(): boolean {
    return this.#loop.paused;
  }

  /** Resolves when the client has ended: closed, or failed. */
  untilEnded(): Promise<void> {
    return this.#life.untilEnded();
  }

  /** Names of all stores. */
  storeNames(): readonly string[] {
    return this.specs().map(({ name }) => name);
  }

  /** All stores, the global ones included. */
  specs(): readonly StoreSpec[] {
    return this.#ownership.specs();
  }

  /** Whether the store is the same in every instance. */
  isGlobal(store: string): boolean {
    return this.#ownership.isGlobal(store);
  }

  /** The task whose copy of a store has a partition: `0_3`. */
  taskOf(store: string, partition: number): string {
    return this.#ownership.taskOf(store, partition);
  }

  /** How many partitions a store has; 0 before `start`. */
  partitionsOf(store: string): number {
    return this.#ownership.partitionsOf(store);
  }

  /**
   * Who has the committed rows of a task now. `migrating` during a rebalance, while the task is restored, or when this instance's membership is not confirmed.
   *
   * @param stale - Also what may be out of date: the copy that this instance has, whoever owns the task.
   */
  ownerOf(taskId: string, stale = false): Owner {
    return this.#ownership.ownerOf(taskId, stale);
  }

  /** Database and prefix of the committed rows of a store's partition, if a copy of it is here. */
  localRows(
    store: string,
    partition: number,
  ): { readonly database: Database; readonly prefix: Uint8Array } | undefined {
    return this.#ownership.localRows(store, partition);
  }

  /**
   * The committed rows of a store that this instance has. A key that another instance owns, or one on its way, is refused with a retriable `STREAMS_TASK_MIGRATED`:
   * `queryMetadataForKey` says whom to ask. Ranges cover this instance's partitions only. Of a client that is not started, or starts, a store is refused with the state and what to wait for.
   *
   * @param stale - Also copies that may be out of date: standbys, and tasks that are restored.
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the tasks are there.
   */
  store(name: string, { stale = false }: StoreReadOptions = {}): ReadOnlyStore {
    return localStore(this.#ownership, name, stale, this.state);
  }

  /**
   * Who has a key of a store now: its partition, and whether that is here or at which endpoint. Kafka Streams: `queryMetadataForKey`.
   *
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before `start` has resolved.
   */
  queryMetadataForKey(store: string, key: unknown): { readonly partition: number; readonly owner: Owner } {
    const spec = this.#ownership.specOf(store);
    if (this.isGlobal(store)) return { partition: 0, owner: 'local' };
    const partitions = this.partitionsOf(store);
    if (partitions === 0) throw notYetReadable(store, this.state);
    const partition = placement(spec.keySerde, partitions)(key);
    return { partition, owner: this.ownerOf(this.taskOf(store, partition)) };
  }

  /** Counters, clocks and caches as they are now. */
  stats(): EngineStats {
    return engineStats(this.#statsSource());
  }

  /** What only the runtime on Kafka knows. */
  kafkaStats(): KafkaStats {
    return kafkaStats(this.#statsSource());
  }

  async #prepare(): Promise<void> {
    const options = this.#options;
    const { broker, applicationId } = options;
    const prepared = await prepareApplication(this.#given, options);
    this.#checkWanted();
    this.#prepared = prepared;
    const { topology } = prepared;
    const roles = topicRoles(topology, applicationId);
    const topics = new GrowingTopics(options, prepared, roles, (plan) => {
      this.#prepared = { ...prepared, plan };
      this.#member?.rejoin();
    });
    this.#topics = topics;
    const { watch, newFrom } = topics;
    const globals = await this.#openGlobals();
    this.#globals = globals;
    this.#checkWanted();
    const changelogs = new ChangelogReader((fetcherOptions) => broker.fetcher(fetcherOptions));
    this.#changelogs = changelogs;
    const cacheIsFull = (): boolean => this.#loop.cacheIsFull;
    const failed = (task: KafkaTask, error: unknown): void => this.#taskFailed(this.#slots.get(task.taskId)!, error);
    this.#fetcher = new InputFetcher({
      options,
      watch,
      roles,
      wake: () => this.#loop.wake(),
      failed,
      count: (error) => this.#life.count(error),
    });
    const joins = new GlobalJoins({ globals, cacheIsFull, failed });
    this.#joins = joins;
    await globals.start((updates) => joins.joinAgain(updates));
    // The folder was locked by a process that is gone: nobody has to wait for the end of its session.
    const former = globals.formerMember;
    if (former !== undefined) await broker.admin.removeMember(applicationId, former);
    this.#checkWanted();
    const member = this.#newMember();
    this.#member = member;
    this.#takeover = {
      topology,
      options,
      member,
      changelogs,
      globals,
      outputs: this.#outputs,
      letters: prepared.letters,
      partitionsOf: prepared.partitionsOf,
      deleteRetentionMs: prepared.deleteRetentionMs,
      cacheIsFull,
      watch,
      roles,
      hasRun: prepared.past.hasRun,
      begunAnew: new Map(prepared.past.begunAnew),
      newFrom,
    };
  }

  /** Looks at the topics. What the brokers do not answer is asked again the next time. */
  async #look(): Promise<void> {
    try {
      await this.#topics!.look();
    } catch (error) {
      if (StreamsError.is(error) && passing.includes(error.code))
        this.#options.logger.debug({ error }, 'the topics could not be looked at');
      else this.#ends(error);
    }
  }

  /** A client may be closed while it starts. */
  #checkWanted(): void {
    if (this.#stopping) throw new StreamsError('STREAMS_CLOSED', 'the client was closed before it had started.');
  }

  #openGlobals(): Promise<GlobalTables> {
    const { broker, applicationId, stateDir, settings, logger, openDatabase, statestoreCacheMaxBytes } = this.#options;
    return GlobalTables.open(broker, {
      topology: this.topology,
      applicationId,
      stateDir,
      settings,
      cacheBytes: statestoreCacheMaxBytes / 5,
      logger,
      joined: this.#prepared!.past.joined,
      lost: (error) => refuseOrAccept(error, this.#options),
      ...(openDatabase === undefined ? {} : { openDatabase }),
      unreadable: (table, records, i, error) => {
        this.#life.count(new StreamsError('STREAMS_DESERIALIZATION', messageOf(error)));
        logger.error(
          { topic: table.topic, partition: records.partition, offset: records.offsets[i], error },
          `a record of global table ${table.store.name} cannot be read and is passed over: ${messageOf(error)}`,
        );
      },
      // A topic that is gone, or another one, cannot be read either: then that is what is told.
      failed: (error) => void this.#look().then(() => this.#ends(error)),
      rebuilt: (error) => this.#tellRebuilt(error, {}),
    });
  }

  #newMember(): GroupMember {
    const { topology } = this;
    const { broker, applicationId, numStandbyReplicas, groupInstanceId, ...options } = this.#options;
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs } = options;
    return broker.member({
      groupId: applicationId,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
      topics: [
        ...topology.sourceTopics,
        ...[...topology.repartitions.keys()].map((topic) => repartitionTopic(applicationId, topic)),
      ],
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      heartbeatIntervalMs,
      userData: () => encodeData(this.#memberData()),
      assign: async (members) => {
        // Shared out is what there is now: members have joined because a topic has grown.
        await this.#look();
        return shareOut({ parts: this.#parts(), numStandbyReplicas }, members);
      },
      rebalancing: () => this.#isRebalancing(),
      assigned: async (assignment, generation) => {
        const { active, standby } = decodeAssignmentData(assignment.userData);
        // The leader may have seen a topic grow that this instance has not.
        if ([...active, ...standby].some((id) => this.#taskOf(id) === undefined)) await this.#look();
        if (this.#member!.generation === generation) this.#assigned(assignment, generation);
      },
      lost: (reason) => this.#lost(reason),
      failed: (error) => this.#ends(error),
    });
  }

  #memberData(): MemberData & { readonly join: number } {
    const tasks: Record<string, number | null> = Object.fromEntries(storedTasks(this.#options.stateDir));
    for (const slot of this.#slots.values()) {
      if (slot.folder !== undefined) tasks[slot.taskId] = slot.reached;
      if (slot.role === 'active' && !slot.failed) tasks[slot.taskId] = null;
    }
    const { hostProcess } = this.#options;
    return {
      processId: this.processId,
      ...(hostProcess === undefined ? {} : { hostProcess }),
      endpoint: this.#endpoint,
      tasks,
      parts: this.#parts(),
      shutdown: this.#shutdownAsked,
      // A member that says the same as before gets no new generation.
      join: ++this.#joined,
    };
  }

  #parts(): Readonly<Record<number, MemberPart>> {
    return memberParts(this.topology, this.applicationId, this.#prepared!.plan);
  }

  #isRebalancing(): void {
    this.#rebalancing = true;
    // What others may get is committed, so that little is done twice.
    void this.#loop.commitAll();
    this.#updateState();
  }

  #assigned(assignment: MemberAssignment, generation: number): void {
    // A client that closes is given tasks until it has left: nobody would close them again.
    if (this.#stopping) return;
    const data = decodeAssignmentData(assignment.userData);
    const isFirst = this.#assignment === undefined;
    this.#assignment = data;
    const { groupInstanceId } = this.#options;
    // What a static member finds may be older than its program, its address and its topics.
    if (isFirst && groupInstanceId !== undefined && !this.#isOfNow(data)) this.#member!.rejoin();
    this.#globals!.saveMember(groupInstanceId === undefined ? this.#member!.memberId : undefined).catch(() => {});
    this.#globals!.beginRun().catch((error: unknown) => this.#ends(error));
    this.#rebalancing = false;
    this.#counts.rebalances++;
    this.#options.logger.info({ generation, active: data.active, standby: data.standby }, 'tasks assigned');
    if (data.shutdown) {
      this.#life.fail(
        new StreamsError('STREAMS_CLOSED', 'an instance has asked the whole application to shut down. See its log.'),
      );
      // Whoever stays would tell it to the instances that are started next.
      void this.close({ leaveGroup: true });
      return;
    }
    if (data.refused !== undefined) {
      this.#ends(
        new StreamsError(
          'STREAMS_STATE_INCOMPATIBLE',
          `this program cannot be at work beside the other instances of application ${this.applicationId}: ${data.refused}. Give a store that changes another name, with its grouping, or run the program under another application id.`,
        ),
      );
      return;
    }
    const roles = new Map<string, TaskRole>([
      ...this.#known(data.standby).map((id) => [id, 'standby'] as const),
      ...this.#known(data.active).map((id) => [id, 'active'] as const),
    ]);
    for (const [id, slot] of this.#slots) if (!roles.has(id)) slot.want('none');
    for (const [id, role] of roles) this.#slotOf(id).want(role);
    this.#updateState();
    this.#loop.wake();
  }

  /** Those tasks of whose sub-topologies the program has any: what a static member finds, or the leader is of an earlier version, may be of the program before. */
  #known(taskIds: readonly string[]): readonly string[] {
    const parts = this.#parts();
    const known = taskIds.filter((id) => id.slice(0, id.indexOf('_')) in parts);
    if (known.length < taskIds.length)
      this.#options.logger.warn(
        { tasks: taskIds.filter((id) => !known.includes(id)) },
        'this instance is given tasks that its program does not have: they wait for one that has them',
      );
    return known;
  }

  /** Whether an assignment knows this instance as it is, and the tasks that there are. */
  #isOfNow({ hosts }: AssignmentData): boolean {
    const own = hosts.find(({ processId }) => processId === this.processId);
    const shared = new Set(hosts.flatMap(({ active }) => active));
    const { tasks } = this.#prepared!.plan;
    return (
      own?.endpoint === this.#endpoint &&
      shared.size === tasks.length &&
      tasks.every((id) => shared.has(taskIdText(id)))
    );
  }

  #taskOf(taskId: string): TaskId | undefined {
    return this.#prepared!.plan.tasks.find((task) => taskIdText(task) === taskId);
  }

  #slotOf(taskId: string): TaskSlot {
    const known = this.#slots.get(taskId);
    if (known !== undefined) return known;
    const id = this.#taskOf(taskId);
    if (id === undefined)
      throw new StreamsError(
        'STREAMS_PARTITION_MISMATCH',
        `this instance is given task ${taskId}, which it does not know: a topic has more partitions than when it was started, or another instance runs another topology. Restart all instances with one version.`,
        { taskId },
      );
    const specs = storesOf(this.topology, this.topology.subTopology(id.subTopology));
    const { stateDir, applicationId, settings, openDatabase } = this.#options;
    const takeover = this.#takeover!;
    const slot = new TaskSlot(id, specs, {
      takeover,
      folderOptions: {
        stateDir,
        topology: this.topology,
        applicationId,
        settings,
        ...(openDatabase === undefined ? {} : { openDatabase }),
        run: this.#globals!.run,
      },
      rebuilt: (damaged, error) => this.#tellRebuilt(error, { taskId: damaged.taskId }),
      started: (task) => {
        this.#loop.add(task);
        this.#fetcher!.add(task);
        this.#joins!.add(task);
      },
      stopping: (task) => {
        this.#loop.remove(task);
        this.#fetcher!.remove(task);
        this.#joins!.remove(task);
      },
      failed: (failed, error) => this.#taskFailed(failed, error),
      changed: () => this.#updateState(),
    });
    this.#slots.set(taskId, slot);
    return slot;
  }

  #tellRebuilt(error: StreamsError, what: { readonly taskId?: string }): void {
    this.#life.count(error);
    this.#options.logger.warn({ ...what, error }, `a copy of the state is damaged and rebuilt: ${error.message}`);
  }

  #taskFailed(slot: TaskSlot, error: unknown, committing = false): void {
    if (this.#stopping) return;
    const code = StreamsError.is(error) ? error.code : 'INTERNAL';
    this.#life.count(error);
    if (committing) this.#counts.commitFailures++;
    if (code === 'STREAMS_TASK_MIGRATED') this.#counts.migrated++;
    const atWork = slot.task !== undefined;
    if (atWork) this.#counts.aborted++;
    const passes = code === 'STREAMS_STATE_STORE_CORRUPT' ? slot.damaged() : passing.includes(code);
    slot.abandon();
    if (!passes) {
      this.#uncaught(error);
      return;
    }
    // A task that moved on before it was here is the usual course of things.
    const level = code === 'STREAMS_TASK_MIGRATED' && !atWork ? 'info' : 'warn';
    this.#options.logger[level](
      { taskId: slot.taskId, code, error },
      `task ${slot.taskId} is dropped, and taken again by whoever it is assigned to: ${messageOf(error)}`,
    );
    this.#rejoins.soon();
  }

  #lost(reason: string): void {
    this.#options.logger.warn({ reason }, 'the membership is lost: all tasks are dropped');
    this.#rebalancing = true;
    for (const slot of this.#slots.values()) {
      if (slot.role === 'none') continue;
      if (slot.task !== undefined) this.#counts.migrated++;
      slot.abandon();
    }
    this.#updateState();
  }

  /** Nothing goes on without what has failed here, whatever the handler says. */
  #ends(error: unknown): void {
    if (this.#stopping) return;
    this.#askHandler(error);
    this.#life.fail(error);
    void this.close();
  }

  #askHandler(error: unknown): UncaughtResponse {
    let response: UncaughtResponse = 'shutdown-client';
    try {
      response = this.#options.uncaughtHandler(error);
    } catch (thrown) {
      this.#options.logger.error({ error: thrown }, `the uncaught handler failed: ${messageOf(thrown)}`);
    }
    this.#options.logger.error({ error, response }, messageOf(error));
    return response;
  }

  #uncaught(error: unknown): void {
    if (this.#stopping) return;
    const response = this.#askHandler(error);
    if (response === 'replace-thread') {
      this.#life.count(error);
      for (const slot of this.#slots.values()) if (slot.role !== 'none') slot.abandon();
      this.#rejoins.soon();
      return;
    }
    if (response === 'shutdown-application' && !this.#shutdownAsked) {
      this.#shutdownAsked = true;
      this.#member?.rejoin();
      // The others learn of it with the next assignment; this client goes when it has its own.
      this.#life.failure = error;
      return;
    }
    this.#life.fail(error);
    void this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    const failed = this.state === 'ERROR';
    if (!failed) this.#life.become('PENDING_SHUTDOWN');
    this.#rejoins.stop();
    clearInterval(this.#looks);
    this.#stopping = true;
    this.#loop.stop();
    this.#globals?.giveUp();
    await this.#running;
    for (const slot of this.#slots.values()) {
      slot.ends = true;
      if (failed) slot.abandon();
      slot.want('none');
    }
    await settledSlots([...this.#slots.values()], timeoutMs, this.#options.logger);
    await this.#release();
    if (!failed) this.#life.become('NOT_RUNNING');
  }

  async #release(): Promise<void> {
    this.#housekeeping?.stop();
    if (!this.#leavesGroup) await this.#member?.stop();
    await this.#member?.leave().then(
      () => (this.#leavesGroup ? this.#globals?.saveMember(undefined) : undefined),
      () => {},
    );
    await this.#fetcher?.close();
    await this.#changelogs?.close();
    await this.#globals?.close();
    if (this.#ownsBroker) await this.#options.broker.close();
  }

  #updateState(): void {
    if (this.#stopping || this.state === 'ERROR' || this.state === 'CREATED') return;
    const active = [...this.#slots.values()].filter(({ role }) => role === 'active');
    const ready =
      this.#assignment !== undefined && !this.#rebalancing && active.every(({ status }) => status === 'running');
    this.#life.become(ready ? 'RUNNING' : 'REBALANCING');
  }

  #statsSource(): StatsSource {
    return {
      topology: this.topology,
      options: this.#options,
      state: this.state,
      slots: [...this.#slots.values()],
      globals: this.#globals,
      generation: this.#member?.generation ?? -1,
      errors: this.#life.errors,
      counts: this.#counts,
      outputs: this.#outputs,
      storeBytes: this.#housekeeping?.storeBytes ?? {},
      clusterId: this.#prepared?.clusterId,
      unread: this.#topics?.unread ?? [],
      hosts: this.#assignment?.hosts ?? [],
      processId: this.processId,
    };
  }
}

/** A client of brokers that nobody has opened yet. */
function connected({ bootstrapServers, ...options }: BootstrapOptions): KafkaStreamsOptions {
  const { applicationId, stateDir = join('.data', applicationId) } = options;
  return { ...options, stateDir, broker: openKafkaBroker({ bootstrapServers, clientId: applicationId }) };
}
