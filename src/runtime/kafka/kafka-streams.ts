import { randomUUID } from 'node:crypto';
import type { Database } from '../../../state/database.ts';
import {
  type Fetcher,
  type GroupMember,
  type JoinedMember,
  type MemberAssignment,
  partitionKey,
} from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { prefixEnd } from '../../common/bytes.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import type { EngineStats, StreamsState } from '../engine-stats.ts';
import { localPart } from '../parts/local-part.ts';
import { readOnlyStore } from '../parts/read-only-store.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../read-only-stores.ts';
import { placement } from '../runtime-nodes.ts';
import type { StateSettings } from '../state-folder.ts';
import { taskIdText } from '../task.ts';
import { assignTasks } from './assignor.ts';
import { ChangelogReader } from './changelog-follower.ts';
import { GlobalTables, type GlobalUpdate } from './global-tables.ts';
import { changelogTopic, isInternalTopic, repartitionTopic } from './internal-names.ts';
import { type FilledOptions, filledOptions, type KafkaStreamsOptions } from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';
import type { KafkaTask } from './kafka-task.ts';
import {
  type AssignmentData,
  decodeAssignmentData,
  decodeMemberData,
  encodeData,
  type MemberData,
} from './member-data.ts';
import { OutputCounts } from './output-counts.ts';
import { prepareTopics } from './prepare-topics.ts';
import { engineStats, kafkaStats, type StatsCounts, type StatsSource } from './stats.ts';
import { storedTasks } from './stored-tasks.ts';
import { catchUpWithGlobals, type TakeoverContext } from './takeover.ts';
import { samePositions } from './task-metadata.ts';
import { type TaskRole, TaskSlot } from './task-slot.ts';
import { planTopics, storesOf, type TopicsPlan, topicOnBroker } from './topics-plan.ts';
import { Wake } from './wake.ts';

const longestBackoffMs = 5000;
/** Records that a task takes before the others have their turn. */
const stepRecords = 2048;
/** ms for which the loop may keep the process to itself. */
const breathMs = 10;
const day = 86_400_000;
/** How often the sizes of stores on disk are asked for. */
const measureIntervalMs = 10_000;
/** How long a client that closes waits for its last commits. */
const closeTimeoutMs = 30_000;

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
  readonly topology: Topology;
  readonly processId: string = randomUUID();
  readonly #options: FilledOptions;
  readonly #listeners = new Set<(state: StreamsState) => void>();
  readonly #slots = new Map<string, TaskSlot>();
  readonly #errors: Record<string, number> = {};
  readonly #wake = new Wake();
  #state: StreamsState = 'CREATED';
  #plan: TopicsPlan | undefined;
  #globals: GlobalTables | undefined;
  #changelogs: ChangelogReader | undefined;
  #inputs: Fetcher | undefined;
  #member: GroupMember | undefined;
  #takeover: TakeoverContext | undefined;
  #assignment: AssignmentData | undefined;
  #rebalancing = false;
  #running: TaskSlot[] = [];
  /** By partition of an input its task. */
  readonly #readers = new Map<string, TaskSlot>();
  #loop: Promise<void> | undefined;
  #stopping = false;
  #purge: NodeJS.Timeout | undefined;
  #measuring: NodeJS.Timeout | undefined;
  #storeBytes: Readonly<Record<string, number>> = {};
  #clusterId: string | undefined;
  #joins = 0;
  #backoffMs = 0;
  #rejoin: NodeJS.Timeout | undefined;
  #shutdownAsked = false;
  #failure: unknown;
  #ended: Promise<void> | undefined;
  readonly #outputs = new OutputCounts();
  readonly #counts: StatsCounts = { commitFailures: 0, migrated: 0, rebalances: 0, aborted: 0 };

  constructor(topology: Topology, options: KafkaStreamsOptions) {
    this.topology = topology;
    this.#options = filledOptions(options);
  }

  get state(): StreamsState {
    return this.#state;
  }

  get applicationId(): string {
    return this.#options.applicationId;
  }

  /** Settings as they are kept with the state. */
  get settings(): StateSettings {
    return this.#options.settings;
  }

  /** Why the client is in state ERROR. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Calls the listener at each change of state; returns how to stop that. */
  onStateChange(listener: (state: StreamsState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Checks and makes the topics, reads the global tables, and joins the group. Resolves when it has joined: tasks are taken over from then on, and the state becomes RUNNING when
   * all of this instance's are.
   *
   * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`, `STREAMS_INTERNAL_TOPIC`, `STREAMS_BROKER`, `STREAMS_STATE_STORE_LOCKED`,
   * `STREAMS_STATE_INCOMPATIBLE`
   */
  async start(): Promise<void> {
    if (this.#state !== 'CREATED') throw new TypeError(`a client starts once: this one is ${this.#state}`);
    this.#become('REBALANCING');
    try {
      await this.#prepare();
    } catch (error) {
      this.#fail(error);
      await this.#release();
      throw error;
    }
    this.#member!.start();
    this.#loop = this.#work().catch((error: unknown) => this.#uncaught(error));
    const interval = this.#options.repartitionPurgeIntervalMs;
    this.#measuring = setInterval(() => void this.#measure(), measureIntervalMs);
    this.#measuring.unref();
    this.#purge = setInterval(() => this.#purgeRepartitions().catch(() => {}), interval);
    this.#purge.unref();
  }

  /** Commits what was taken, leaves the group at once and gives the folder back. Safe to call twice, and in any state. */
  close(): Promise<void> {
    this.#ended ??= this.#close();
    return this.#ended;
  }

  /** Resolves when the client has ended: closed, or failed. */
  async untilEnded(): Promise<void> {
    if (this.#state === 'ERROR' || this.#state === 'NOT_RUNNING') return;
    await new Promise<void>((resolve) => {
      const stop = this.onStateChange((state) => {
        if (state !== 'ERROR' && state !== 'NOT_RUNNING') return;
        stop();
        resolve();
      });
    });
  }

  /** Names of all stores. */
  storeNames(): readonly string[] {
    return this.specs().map(({ name }) => name);
  }

  /** All stores, the global ones included. */
  specs(): readonly StoreSpec[] {
    return [...this.topology.stores, ...this.topology.globalTables.map(({ store }) => store)];
  }

  /** Whether the store is the same in every instance. */
  isGlobal(store: string): boolean {
    return this.topology.globalTables.some((table) => table.store.name === store);
  }

  /** The task whose copy of a store has a partition: `0_3`. */
  taskOf(store: string, partition: number): string {
    const part = this.topology.subTopologies.find(({ stores }) => stores.includes(store));
    return taskIdText({ subTopology: part?.id ?? 0, partition });
  }

  /** How many partitions a store has; 0 before `start`. */
  partitionsOf(store: string): number {
    if (this.isGlobal(store)) return 1;
    const part = this.topology.subTopologies.find(({ stores }) => stores.includes(store));
    return part === undefined ? 0 : (this.#plan?.partitionsOf[part.id] ?? 0);
  }

  /**
   * Where the committed rows of a task are now: here, at another instance's endpoint, or nowhere that is known (`migrating`): during a rebalance, while the task is
   * restored, or when this instance's membership is not confirmed.
   *
   * @param stale - Also what may be out of date: the copy that this instance has, whoever owns the task.
   */
  ownerOf(taskId: string, stale = false): 'local' | { readonly endpoint: string } | 'migrating' {
    const slot = this.#slots.get(taskId);
    const member = this.#member;
    if (stale && slot?.folder !== undefined) return 'local';
    if (member === undefined || this.#rebalancing || member.unconfirmedMs > this.#options.sessionTimeoutMs)
      return 'migrating';
    if (slot?.role === 'active') return slot.status === 'running' ? 'local' : 'migrating';
    const host = this.#assignment?.hosts.find(({ active }) => active.includes(taskId));
    if (host === undefined || host.endpoint === '' || host.processId === this.processId) return 'migrating';
    return { endpoint: host.endpoint };
  }

  /** Database and prefix of the committed rows of a store's partition, if a copy of it is here. */
  localRows(
    store: string,
    partition: number,
  ): { readonly database: Database; readonly prefix: Uint8Array } | undefined {
    if (this.isGlobal(store)) {
      const globals = this.#globals;
      return globals === undefined ? undefined : { database: globals.folder.database, prefix: globals.prefixOf(store) };
    }
    const folder = this.#slots.get(this.taskOf(store, partition))?.folder;
    return folder === undefined ? undefined : { database: folder.database, prefix: folder.prefixOf(store) };
  }

  /**
   * The committed rows of a store that this instance has. A key that another instance owns, or one on its way, is refused with a retriable `STREAMS_TASK_MIGRATED`:
   * `queryMetadataForKey` says whom to ask. Ranges cover this instance's partitions only.
   *
   * @param stale - Also copies that may be out of date: standbys, and tasks that are restored.
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`
   */
  store(name: string, { stale = false }: StoreReadOptions = {}): ReadOnlyStore {
    const spec = this.#specOf(name);
    const partitions = this.partitionsOf(name);
    const parts: StorePart[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const own = this.isGlobal(name) || this.ownerOf(this.taskOf(name, partition), stale) === 'local';
      const rows = own ? this.localRows(name, partition) : undefined;
      if (rows !== undefined) parts.push(localPart(spec, rows.database, rows.prefix, partition));
    }
    return readOnlyStore(spec, parts, this.isGlobal(name) ? () => 0 : placement(spec.keySerde, partitions));
  }

  /**
   * Who has a key of a store now: its partition, and whether that is here or at which endpoint. Kafka Streams: `queryMetadataForKey`.
   *
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`
   */
  queryMetadataForKey(
    store: string,
    key: unknown,
  ): { readonly partition: number; readonly owner: ReturnType<KafkaStreams['ownerOf']> } {
    const spec = this.#specOf(store);
    if (this.isGlobal(store)) return { partition: 0, owner: 'local' };
    const partition = placement(spec.keySerde, this.partitionsOf(store))(key);
    return { partition, owner: this.ownerOf(this.taskOf(store, partition)) };
  }

  #specOf(name: string): StoreSpec {
    const found = this.specs().find((spec) => spec.name === name);
    if (found !== undefined) return found;
    throw new StreamsError(
      'STREAMS_STATE_STORE_UNKNOWN',
      `there is no store ${name}. The stores are: ${this.storeNames().join(', ')}.`,
    );
  }

  /** Least time that a windowed operator of this instance's tasks has observed, as of their last commits, ms; -1 if one saw none, Infinity without such operators. */
  operatorTimeMs(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { task } of this.#running)
      for (const time of Object.values(task?.committedOperatorTimes ?? {})) least = Math.min(least, time);
    return least;
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
    const { topology } = this;
    const options = this.#options;
    const { broker, applicationId, stateDir, settings, logger, openDatabase } = options;
    const { admin } = broker;
    const letterNames = [options.deadLetterTopic, options.lateTopic].filter((topic) => topic !== '');
    const sinks = topology.nodes.flatMap((node) =>
      node.kind === 'sink' && !topology.repartitions.has(node.topic) ? [node.topic] : [],
    );
    const counts = await admin.partitionCounts([...topology.sourceTopics, ...sinks, ...letterNames]);
    const missing = sinks.find((topic) => !counts.has(topic));
    if (missing !== undefined)
      throw new StreamsError(
        'STREAMS_PRODUCTION',
        `topic ${missing}, to which the topology writes, does not exist on the broker. Create it.`,
        { topic: missing },
      );
    this.#clusterId = (await admin.describeCluster()).clusterId;
    const plan = planTopics(topology, {
      applicationId,
      replicationFactor: options.replicationFactor,
      sourcePartitions: counts,
    });
    this.#plan = plan;
    await prepareTopics(admin, plan.internal, logger);
    const partitionsOf = new Map([
      ...counts,
      ...plan.internal.map(({ topic, partitions }) => [topic, partitions] as const),
    ]);
    const mostPartitions = Math.max(1, ...plan.partitionsOf);
    const letters = letterNames.filter((topic) => !counts.has(topic));
    if (letters.length > 0)
      await admin.createTopics(
        letters.map((topic) => ({
          topic,
          partitions: mostPartitions,
          replicationFactor: options.replicationFactor,
          configs: {
            'cleanup.policy': 'delete',
            'retention.ms': '-1',
            'message.timestamp.after.max.ms': '9223372036854775807',
          },
        })),
      );
    const letterTopic = (topic: string) =>
      topic === '' ? undefined : { topic, partitions: counts.get(topic) ?? mostPartitions };
    const globals = await GlobalTables.open(broker, {
      topology,
      applicationId,
      stateDir,
      settings,
      cacheBytes: options.statestoreCacheMaxBytes / 5,
      logger,
      ...(openDatabase === undefined ? {} : { openDatabase }),
      unreadable: (table, records, i, error) => {
        this.#count('STREAMS_DESERIALIZATION');
        logger.error(
          { topic: table.topic, partition: records.partition, offset: records.offsets[i], error },
          `a record of global table ${table.store.name} cannot be read and is passed over: ${messageOf(error)}`,
        );
      },
      failed: (error) => this.#uncaught(error),
    });
    this.#globals = globals;
    const deleteRetentionMs = options.deleteRetentionMs ?? (await this.#deleteRetention());
    this.#changelogs = new ChangelogReader((fetcherOptions) => broker.fetcher(fetcherOptions));
    this.#inputs = broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => this.#received(records),
      failed: (partition, kind, error) => this.#inputFailed(partition, kind, error),
    });
    await globals.start((updates) => this.#globalUpdates(updates));
    // The folder was locked by a process that is gone: nobody has to wait for the end of its session.
    const former = globals.formerMember;
    if (former !== undefined) await admin.removeMember(applicationId, former);
    const { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs } = options;
    this.#member = broker.member({
      groupId: applicationId,
      topics: [
        ...topology.sourceTopics,
        ...[...topology.repartitions.keys()].map((topic) => repartitionTopic(applicationId, topic)),
      ],
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      ...(heartbeatIntervalMs === undefined ? {} : { heartbeatIntervalMs }),
      userData: () => encodeData(this.#memberData()),
      assign: async (members) => this.#assign(members),
      rebalancing: () => this.#isRebalancing(),
      assigned: async (assignment, generation) => this.#assigned(assignment, generation),
      lost: (reason) => this.#lost(reason),
      failed: (error) => this.#uncaught(error),
    });
    this.#takeover = {
      topology,
      options,
      member: this.#member,
      changelogs: this.#changelogs,
      globals,
      outputs: this.#outputs,
      letters: { dead: letterTopic(options.deadLetterTopic), late: letterTopic(options.lateTopic) },
      partitionsOf,
      deleteRetentionMs,
      cacheIsFull: () => this.#cacheIsFull(),
    };
  }

  /** The least of what the changelogs say: a copy older than that may have missed a deletion. */
  async #deleteRetention(): Promise<number> {
    const changelogs = this.topology.stores.map(({ name }) => changelogTopic(this.applicationId, name));
    if (changelogs.length === 0) return day;
    const configs = await this.#options.broker.admin.topicConfigs(changelogs);
    return Math.min(...changelogs.map((topic) => Number(configs.get(topic)?.['delete.retention.ms'] ?? day)));
  }

  #memberData(): MemberData & { readonly join: number } {
    const tasks: Record<string, number | null> = Object.fromEntries(storedTasks(this.#options.stateDir));
    for (const slot of this.#slots.values()) {
      if (slot.folder !== undefined) tasks[slot.taskId] = slot.reached;
      if (slot.role === 'active' && !slot.failed) tasks[slot.taskId] = null;
    }
    const { applicationServer = '' } = this.#options;
    return {
      processId: this.processId,
      endpoint: applicationServer,
      tasks,
      shutdown: this.#shutdownAsked,
      // A member that says the same as before gets no new generation.
      join: ++this.#joins,
    };
  }

  async #assign(members: readonly JoinedMember[]): Promise<ReadonlyMap<string, MemberAssignment>> {
    const { topology } = this;
    const plan = this.#plan!;
    const known = members.map(({ memberId, userData }) => ({ memberId, data: decodeMemberData(userData) }));
    const stateful = (subTopology: number): boolean =>
      storesOf(topology, topology.subTopologies[subTopology]!).length > 0;
    const shares = assignTasks(
      plan.tasks,
      known.map(({ memberId, data }) => ({
        memberId,
        processId: data.processId,
        tasks: new Map(Object.entries(data.tasks).map(([id, reached]) => [id, reached ?? Number.POSITIVE_INFINITY])),
      })),
      this.#options.numStandbyReplicas,
      (task) => stateful(task.subTopology),
    );
    const hosts = known.map(({ memberId, data }) => ({
      processId: data.processId,
      endpoint: data.endpoint,
      ...shares.get(memberId)!,
    }));
    const shutdown = known.some(({ data }) => data.shutdown);
    return new Map(
      [...shares].map(([memberId, { active, standby }]) => {
        const data: AssignmentData = { active, standby, hosts, shutdown };
        return [memberId, { partitions: active.flatMap((id) => this.#inputsOf(id)), userData: encodeData(data) }];
      }),
    );
  }

  #inputsOf(taskId: string): { readonly topic: string; readonly partition: number }[] {
    const { subTopology, partition } = this.#plan!.tasks.find((task) => taskIdText(task) === taskId)!;
    return this.topology.subTopologies[subTopology]!.sources.flatMap(({ topics }) => topics).map((topic) => ({
      topic: topicOnBroker(this.topology, this.applicationId, topic),
      partition,
    }));
  }

  #isRebalancing(): void {
    this.#rebalancing = true;
    // What others may get is committed, so that little is done twice.
    void this.#commitAll();
    this.#updateState();
  }

  #assigned(assignment: MemberAssignment, generation: number): void {
    // A client that closes is given tasks until it has left: nobody would close them again.
    if (this.#stopping) return;
    const data = decodeAssignmentData(assignment.userData);
    this.#assignment = data;
    this.#globals!.saveMember(this.#member!.memberId).catch(() => {});
    this.#rebalancing = false;
    this.#counts.rebalances++;
    this.#options.logger.info({ generation, active: data.active, standby: data.standby }, 'tasks assigned');
    if (data.shutdown) {
      this.#fail(
        new StreamsError('STREAMS_CLOSED', 'an instance has asked the whole application to shut down. See its log.'),
      );
      void this.close();
      return;
    }
    const roles = new Map<string, TaskRole>([
      ...data.standby.map((id) => [id, 'standby'] as const),
      ...data.active.map((id) => [id, 'active'] as const),
    ]);
    for (const [id, slot] of this.#slots) if (!roles.has(id)) slot.want('none');
    for (const task of this.#plan!.tasks) {
      const id = taskIdText(task);
      const role = roles.get(id);
      if (role !== undefined) this.#slotOf(id).want(role);
    }
    this.#updateState();
    this.#wake.call();
  }

  #slotOf(taskId: string): TaskSlot {
    const known = this.#slots.get(taskId);
    if (known !== undefined) return known;
    const id = this.#plan!.tasks.find((task) => taskIdText(task) === taskId)!;
    const specs = storesOf(this.topology, this.topology.subTopologies[id.subTopology]!);
    const { stateDir, applicationId, settings, openDatabase } = this.#options;
    const slot = new TaskSlot(id, specs, {
      takeover: this.#takeover!,
      folderOptions: {
        stateDir,
        topology: this.topology,
        applicationId,
        settings,
        ...(openDatabase === undefined ? {} : { openDatabase }),
      },
      started: (started) => this.#taskStarted(started),
      stopping: (stopping) => this.#taskStopping(stopping),
      failed: (failed, error) => this.#taskFailed(failed, error),
      changed: () => this.#updateState(),
    });
    this.#slots.set(taskId, slot);
    return slot;
  }

  #taskStarted(slot: TaskSlot): void {
    const task = slot.task!;
    task.onFree = () => this.#wake.call();
    task.onFailure = (error) => this.#taskFailed(slot, error);
    this.#running.push(slot);
    this.#shareCache();
    for (const input of task.inputs) {
      this.#readers.set(partitionKey(input.topic, input.partition), slot);
      this.#inputs!.add({ topic: input.topic, partition: input.partition, offset: input.nextOffset });
    }
    if (!samePositions(this.#globals!.positions, task.globalPositions)) this.#catchUp(slot);
    this.#wake.call();
  }

  /** A global table has changed between the task's takeover and its start. */
  #catchUp(slot: TaskSlot): void {
    const task = slot.task!;
    this.#catchingUp.add(slot);
    catchUpWithGlobals(task, this.#takeover!)
      .catch((error: unknown) => {
        if (slot.task === task && !task.closed) this.#taskFailed(slot, error);
      })
      .finally(() => {
        this.#catchingUp.delete(slot);
        // What came after its last look was kept from it until here.
        if (slot.task === task && !task.closed && !samePositions(this.#globals!.positions, task.globalPositions))
          this.#catchUp(slot);
      });
  }

  readonly #catchingUp = new Set<TaskSlot>();

  #taskStopping(slot: TaskSlot): void {
    const task = slot.task!;
    task.onFailure = undefined;
    this.#running = this.#running.filter((other) => other !== slot);
    this.#shareCache();
    for (const { topic, partition } of task.inputs) {
      if (this.#readers.get(partitionKey(topic, partition)) !== slot) continue;
      this.#readers.delete(partitionKey(topic, partition));
      this.#inputs!.remove({ topic, partition });
    }
  }

  #shareCache(): void {
    const share = this.#options.statestoreCacheMaxBytes / Math.max(1, this.#running.length);
    for (const { task } of this.#running) task!.engine.cacheMaxBytes = share;
  }

  #received(records: FetchedRecords): void {
    const input = this.#readers
      .get(partitionKey(records.topic, records.partition))
      ?.task?.inputs.find(({ topic, partition }) => topic === records.topic && partition === records.partition);
    if (input === undefined) return;
    input.push(records);
    if (input.buffered > this.#options.bufferedRecordsPerPartition && !input.paused) {
      input.paused = true;
      this.#inputs!.pause(input);
    }
    this.#wake.call();
  }

  #inputFailed(
    partition: { readonly topic: string; readonly partition: number; readonly offset: number },
    kind: 'out-of-range' | 'failed',
    error: Error,
  ): void {
    const slot = this.#readers.get(partitionKey(partition.topic, partition.partition));
    if (slot === undefined) return;
    if (kind === 'failed') {
      this.#taskFailed(
        slot,
        new StreamsError(
          'STREAMS_BROKER',
          `${partition.topic} cannot be read: ${error.message}. See the broker's log.`,
          {
            ...partition,
            cause: error,
          },
        ),
      );
      return;
    }
    this.#afterOutOfRange(slot, partition).catch((cause: unknown) => this.#taskFailed(slot, cause));
  }

  /** Records between the position and the start of the log are gone: the broker deleted them before they were read. */
  async #afterOutOfRange(
    slot: TaskSlot,
    partition: { readonly topic: string; readonly partition: number; readonly offset: number },
  ): Promise<void> {
    const { broker, logger, autoOffsetReset } = this.#options;
    const internal = isInternalTopic(this.applicationId, partition.topic);
    if (autoOffsetReset === 'none' && !internal)
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `${partition.topic} (partition ${partition.partition}) has no record ${partition.offset} any more, and auto.offset.reset is none. Set a position, or let it begin at earliest.`,
        partition,
      );
    const at = autoOffsetReset === 'latest' && !internal ? 'stable' : 'earliest';
    const [offset] = await broker.admin.offsets([partition], at);
    const input = slot.task?.inputs.find(
      ({ topic, partition: own }) => topic === partition.topic && own === partition.partition,
    );
    if (input === undefined || slot.task === undefined) return;
    this.#count('STREAMS_INPUT_REFUSED');
    logger.error(
      { ...partition, goesOnAt: offset },
      'records were deleted from the topic before they were read: reading goes on where it begins now',
    );
    input.nextOffset = offset!;
    this.#inputs!.add({ topic: input.topic, partition: input.partition, offset: offset! });
  }

  async #globalUpdates(updates: readonly GlobalUpdate[]): Promise<void> {
    const positions = this.#globals!.positions;
    const byStore = new Map<string, GlobalUpdate['change'][]>();
    for (const { store, change } of updates) {
      const changes = byStore.get(store);
      if (changes === undefined) byStore.set(store, [change]);
      else changes.push(change);
    }
    // Tasks that are being taken over, or are behind, read the same changes for themselves.
    for (const slot of [...this.#running]) {
      const { task } = slot;
      if (task === undefined || this.#catchingUp.has(slot)) continue;
      try {
        for (const [store, changes] of byStore)
          for (let i = 0; i < changes.length; i += 200) {
            await task.rejoin(store, changes.slice(i, i + 200));
            if (this.#cacheIsFull()) await task.commit();
          }
        task.joinedUpTo(positions);
      } catch (error) {
        if (slot.task === task && !task.closed) this.#taskFailed(slot, error);
      }
    }
    this.#wake.call();
  }

  /** Takes records, commits, fires timers: until the client stops. */
  async #work(): Promise<void> {
    const { commitIntervalMs } = this.#options;
    let lastCommit = Date.now();
    let lastBreath = performance.now();
    while (!this.#stopping) {
      let taken = 0;
      const now = Date.now();
      for (const slot of [...this.#running]) taken += this.#stepOne(slot, now);
      const full = this.#cacheIsFull();
      const sinceCommit = Date.now() - lastCommit;
      const asked = this.#running.some(({ task }) => task?.engine.commitRequested === true || task?.isFull === true);
      if (sinceCommit >= commitIntervalMs || full || asked) {
        lastCommit = Date.now();
        const commits = this.#commitAll();
        // Nothing more fits: the next records wait until these are written.
        if (full) await commits;
      }
      if (taken === 0) {
        const wanted = this.#running.some(({ task }) => task?.needsCommit);
        const untilCommit = Math.max(1, commitIntervalMs - (Date.now() - lastCommit));
        await this.#wake.wait(wanted ? Math.min(untilCommit, 100) : 100);
        lastBreath = performance.now();
      } else if (performance.now() - lastBreath >= breathMs) {
        await new Promise((resolve) => setImmediate(resolve));
        lastBreath = performance.now();
      }
    }
  }

  #stepOne(slot: TaskSlot, now: number): number {
    const { task } = slot;
    if (task === undefined) return 0;
    try {
      this.#resumeInputs(task);
      task.punctuate(now);
      if (this.#options.windowIdleCloseMs !== undefined) task.closeIdle(this.#options.windowIdleCloseMs, now);
      if (!task.isReady(now)) return 0;
      const taken = task.step(stepRecords);
      this.#resumeInputs(task);
      return taken;
    } catch (error) {
      this.#taskFailed(slot, error);
      return 0;
    }
  }

  /** Fetches on where enough was taken: by a step, or by an asynchronous node after it. */
  #resumeInputs(task: KafkaTask): void {
    for (const input of task.inputs)
      if (input.paused && input.buffered <= this.#options.bufferedRecordsPerPartition) {
        input.paused = false;
        this.#inputs!.resume(input);
      }
  }

  /** Starts a commit of every task that needs one and has none under way. */
  async #commitAll(): Promise<void> {
    await Promise.all(
      this.#running.map(async (slot) => {
        const { task } = slot;
        if (task === undefined || !task.needsCommit || this.#committing.has(slot)) return;
        this.#committing.add(slot);
        try {
          await task.commit(() => this.#wake.call());
        } catch (error) {
          if (slot.task === task && !task.closed) {
            this.#counts.commitFailures++;
            this.#taskFailed(slot, error);
          }
        } finally {
          this.#committing.delete(slot);
        }
      }),
    );
    this.#backoffMs = this.#running.length === 0 ? this.#backoffMs : 0;
  }

  readonly #committing = new Set<TaskSlot>();

  #cacheIsFull(): boolean {
    let dirty = 0;
    for (const { task } of this.#running) dirty += task!.engine.meter.dirtyBytes;
    return 2 * dirty > this.#options.statestoreCacheMaxBytes / 2;
  }

  #taskFailed(slot: TaskSlot, error: unknown): void {
    if (this.#stopping) return;
    const code = StreamsError.is(error) ? error.code : 'INTERNAL';
    this.#count(code);
    if (code === 'STREAMS_TASK_MIGRATED') this.#counts.migrated++;
    if (slot.task !== undefined) this.#counts.aborted++;
    slot.abandon();
    if (
      code === 'STREAMS_TASK_MIGRATED' ||
      code === 'STREAMS_BROKER' ||
      code === 'STREAMS_TIMEOUT' ||
      code === 'STREAMS_STATE_STORE_CORRUPT'
    ) {
      this.#options.logger.warn(
        { taskId: slot.taskId, code, error },
        `task ${slot.taskId} is dropped, and taken anew by whoever it is assigned to: ${messageOf(error)}`,
      );
      this.#rejoinSoon();
      return;
    }
    this.#uncaught(error);
  }

  /** A new generation decides who takes the task; only then may anybody fence. */
  #rejoinSoon(): void {
    if (this.#rejoin !== undefined || this.#stopping) return;
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(longestBackoffMs, Math.max(50, 2 * this.#backoffMs));
    this.#rejoin = setTimeout(() => {
      this.#rejoin = undefined;
      if (!this.#stopping) this.#member?.rejoin();
    }, waitMs);
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

  #uncaught(error: unknown): void {
    if (this.#stopping) return;
    const response = this.#options.uncaughtHandler(error);
    this.#options.logger.error({ error, response }, messageOf(error));
    if (response === 'replace-thread') {
      this.#count(StreamsError.is(error) ? error.code : 'INTERNAL');
      for (const slot of this.#slots.values()) if (slot.role !== 'none') slot.abandon();
      this.#rejoinSoon();
      return;
    }
    if (response === 'shutdown-application' && !this.#shutdownAsked) {
      this.#shutdownAsked = true;
      this.#member?.rejoin();
      // The others learn of it with the next assignment; this client goes when it has its own.
      this.#failure = error;
      return;
    }
    this.#fail(error);
    void this.close();
  }

  /** Sizes on disk of this instance's stores. A database that is closed meanwhile leaves the last figures. */
  async #measure(): Promise<void> {
    const sizes: Record<string, number> = {};
    try {
      for (const { folder } of this.#slots.values())
        for (const { name } of folder?.specs ?? []) {
          const prefix = folder!.prefixOf(name);
          const size = await folder!.database.approximateSize({ gte: prefix, lt: prefixEnd(prefix)! });
          sizes[name] = (sizes[name] ?? 0) + size;
        }
      this.#storeBytes = sizes;
    } catch {
      // Told the next time.
    }
  }

  async #purgeRepartitions(): Promise<void> {
    const { topology, applicationId } = this;
    const consumed = [];
    for (const { task } of this.#running)
      for (const { topic, partition, source } of task?.inputs ?? []) {
        const offset = task!.committedPositions.get(partitionKey(topic, partition));
        if (topology.repartitions.has(source.topic) && offset !== undefined && offset > 0)
          consumed.push({ topic: repartitionTopic(applicationId, source.topic), partition, offset });
      }
    if (consumed.length > 0) await this.#options.broker.admin.deleteRecords(consumed);
  }

  async #close(): Promise<void> {
    const failed = this.#state === 'ERROR';
    if (!failed) this.#become('PENDING_SHUTDOWN');
    if (this.#rejoin !== undefined) clearTimeout(this.#rejoin);
    this.#stopping = true;
    this.#wake.call();
    await this.#loop;
    for (const slot of this.#slots.values()) {
      if (failed) slot.abandon();
      slot.want('none');
    }
    await this.#settleSlots();
    await this.#release();
    if (!failed) this.#become('NOT_RUNNING');
  }

  /** Waits for the last commits, but not for ever: with a broker that is gone nothing is lost by giving them up. */
  async #settleSlots(): Promise<void> {
    const settled = Promise.all([...this.#slots.values()].map((slot) => slot.settled()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), closeTimeoutMs);
    });
    if ((await Promise.race([settled, late])) === 'late') {
      this.#options.logger.warn(
        {},
        'the broker does not answer: the last commits are given up, and made again by the next owner',
      );
      for (const slot of this.#slots.values()) await slot.task?.close();
    }
    clearTimeout(timer);
    await settled;
  }

  async #release(): Promise<void> {
    if (this.#purge !== undefined) clearInterval(this.#purge);
    if (this.#measuring !== undefined) clearInterval(this.#measuring);
    await this.#member?.leave().then(
      () => this.#globals?.saveMember(undefined),
      () => {},
    );
    await this.#inputs?.close();
    await this.#changelogs?.close();
    await this.#globals?.close();
  }

  #updateState(): void {
    if (this.#stopping || this.#state === 'ERROR' || this.#state === 'CREATED') return;
    const active = [...this.#slots.values()].filter(({ role }) => role === 'active');
    const ready =
      this.#assignment !== undefined && !this.#rebalancing && active.every(({ status }) => status === 'running');
    this.#become(ready ? 'RUNNING' : 'REBALANCING');
  }

  #become(state: StreamsState): void {
    if (this.#state === state) return;
    this.#options.logger.info({ from: this.#state, to: state }, 'state changed');
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #count(code: string): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#count(StreamsError.is(error) ? error.code : 'INTERNAL');
    this.#become('ERROR');
  }

  #statsSource(): StatsSource {
    return {
      topology: this.topology,
      options: this.#options,
      state: this.#state,
      slots: [...this.#slots.values()],
      globals: this.#globals,
      generation: this.#member?.generation ?? -1,
      errors: this.#errors,
      counts: this.#counts,
      outputs: this.#outputs,
      storeBytes: this.#storeBytes,
      clusterId: this.#clusterId,
    };
  }
}
