import { messageOf, StreamsError } from '../../common/errors.ts';
import type { Topology } from '../../topology/topology.ts';
import type { ClientState } from '../client-state.ts';
import type { EngineStats } from '../engine-stats.ts';
import { topicRoles } from './application-topics.ts';
import { ChangelogReader } from './changelog-follower.ts';
import { GlobalJoins } from './global-joins.ts';
import { GlobalTables } from './global-tables.ts';
import { GrowingTopics } from './growing-topics.ts';
import { Housekeeping } from './housekeeping.ts';
import { InputFetcher } from './input-fetcher.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';
import { refuseOrAccept } from './loss-check.ts';
import { Membership } from './membership.ts';
import { OutputCounts } from './output-counts.ts';
import { Ownership } from './ownership.ts';
import { type PreparedApplication, prepareApplication } from './prepare-application.ts';
import { Rejoins } from './rejoins.ts';
import { engineStats, kafkaStats, type StatsSource } from './stats.ts';
import type { TakeoverContext } from './takeover.ts';
import type { ThreadNames, ThreadOwner } from './thread-owner.ts';
import { passes, ThreadTasks } from './thread-tasks.ts';
import type { KafkaTask } from './transaction-log.ts';

/** What a stream thread is made with. */
export interface StreamThreadOptions {
  readonly topology: Topology;
  readonly options: FilledOptions;
  readonly names: () => ThreadNames;
  readonly owner: ThreadOwner;
}

/** How a stream thread ends. */
export interface ThreadEnd {
  /** Nothing is committed any more. */
  readonly failed: boolean;
  /** How long the last commits may take, ms. */
  readonly timeoutMs: number;
  /** Whether it leaves the group at once. */
  readonly leaves: () => boolean;
}

/** A topology at work in this thread: one member of the application's group with the tasks that it is given, its own copies of the global tables, and its own folder. */
export class StreamThread {
  readonly ownership: Ownership;
  readonly tasks: ThreadTasks;
  readonly #given: StreamThreadOptions;
  readonly #options: FilledOptions;
  readonly #owner: ThreadOwner;
  readonly #outputs = new OutputCounts();
  readonly #rejoins = new Rejoins(() => this.#membership?.rejoin());
  #prepared: PreparedApplication | undefined;
  #topics: GrowingTopics | undefined;
  #globals: GlobalTables | undefined;
  #changelogs: ChangelogReader | undefined;
  #fetcher: InputFetcher | undefined;
  #membership: Membership | undefined;
  #housekeeping: Housekeeping | undefined;
  #looks: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(given: StreamThreadOptions) {
    const { options, owner } = given;
    this.#given = given;
    this.#options = options;
    this.#owner = owner;
    this.tasks = new ThreadTasks(options, owner, () => this.#rejoins.soon());
    this.ownership = new Ownership(() => ({
      topology: this.topology,
      hostProcess: given.names().hostProcess,
      processId: given.names().processId,
      sessionTimeoutMs: options.sessionTimeoutMs,
      plan: this.#prepared?.plan,
      slots: this.tasks.slots,
      member: this.#membership?.member,
      assignment: this.#membership?.assignment,
      rebalancing: this.#membership?.rebalancing ?? false,
      globals: this.#globals,
    }));
  }

  /** The topology; from `prepare` on with the numbers that its sub-topologies have in the group. */
  get topology(): Topology {
    return this.#prepared?.topology ?? this.#given.topology;
  }

  /** Whether it has an assignment, and all its active tasks are at work. */
  get ready(): boolean {
    return this.#membership?.settled === true && this.tasks.running;
  }

  /** Checks and makes the topics, and reads the global tables. What it has begun when it fails is given back by `end`. */
  async prepare(): Promise<void> {
    const { broker, applicationId } = this.#options;
    const prepared = await prepareApplication(this.#given.topology, this.#options);
    this.#checkWanted();
    this.#prepared = prepared;
    const topics = new GrowingTopics(this.#options, prepared, topicRoles(prepared.topology, applicationId), (plan) => {
      this.#prepared = { ...prepared, plan };
      this.#membership?.member.rejoin();
    });
    this.#topics = topics;
    const globals = await this.#openGlobals(prepared);
    this.#globals = globals;
    this.#checkWanted();
    const { tasks } = this;
    const failed = (task: KafkaTask, error: unknown): void => tasks.failed(tasks.slots.get(task.taskId)!, error);
    const fetcher = this.#newFetcher(topics, failed);
    const joins = new GlobalJoins({ globals, cacheIsFull: () => tasks.loop.cacheIsFull, failed });
    await globals.start((updates) => joins.joinAgain(updates));
    // The folder was locked by a process that is gone: nobody has to wait for the end of its session.
    const former = globals.folder.formerMember;
    if (former !== undefined) await broker.admin.removeMember(applicationId, former);
    this.#checkWanted();
    const membership = this.#newMembership(prepared, globals);
    this.#membership = membership;
    tasks.prepared({ takeover: this.#takeover(prepared, topics, globals, membership), globals, fetcher, joins });
  }

  /** Joins the group. */
  start(): void {
    const { broker, repartitionPurgeIntervalMs, metadataMaxAgeMs } = this.#options;
    this.#membership!.member.start();
    this.tasks.start();
    this.#looks = setInterval(() => void this.#look(), metadataMaxAgeMs);
    this.#housekeeping = new Housekeeping(
      this.topology,
      broker.admin,
      () => this.tasks.all,
      repartitionPurgeIntervalMs,
    );
  }

  /** Asks for a new generation now: the others learn what it says of itself. */
  rejoin(): void {
    this.#membership?.member.rejoin();
  }

  /** Drops all tasks without a commit, to take them again. */
  takeAgain(): void {
    this.tasks.abandon();
    this.#rejoins.soon();
  }

  /** Commits what was taken, leaves the group and gives the folder back. Of one that is not prepared all that was begun. */
  async end({ failed, timeoutMs, leaves }: ThreadEnd): Promise<void> {
    this.stop();
    await this.tasks.stop();
    await this.tasks.end(failed, timeoutMs);
    await this.release(leaves());
  }

  /** Nothing new is begun. */
  stop(): void {
    this.#stopping = true;
    this.#rejoins.stop();
    clearInterval(this.#looks);
    this.#membership?.end();
    this.#globals?.giveUp();
  }

  /** Gives back what it has open. */
  async release(leaves: boolean): Promise<void> {
    this.#housekeeping?.stop();
    await this.#membership?.close(leaves);
    await this.#fetcher?.close();
    await this.#changelogs?.close();
    await this.#globals?.close();
  }

  /** Figures of the engine. */
  stats(life: Pick<ClientState, 'now' | 'errors'>): EngineStats {
    return engineStats(this.#statsSource(life));
  }

  /** Figures that only the runtime on Kafka has. */
  kafkaStats(life: Pick<ClientState, 'now' | 'errors'>): KafkaStats {
    return kafkaStats(this.#statsSource(life));
  }

  /** A client may be closed while it starts. */
  #checkWanted(): void {
    if (this.#stopping) throw new StreamsError('STREAMS_CLOSED', 'the client was closed before it had started.');
  }

  /** Looks at the topics. What the brokers do not answer is asked again the next time. */
  async #look(): Promise<void> {
    try {
      await this.#topics!.look();
    } catch (error) {
      if (passes(error)) this.#options.logger.debug({ error }, 'the topics could not be looked at');
      else this.#owner.ends(error);
    }
  }

  #openGlobals(prepared: PreparedApplication): Promise<GlobalTables> {
    const { broker, applicationId, stateDir, settings, logger, openDatabase, statestoreCacheMaxBytes } = this.#options;
    return GlobalTables.open(broker, {
      topology: prepared.topology,
      applicationId,
      stateDir,
      settings,
      cacheBytes: statestoreCacheMaxBytes / 5,
      logger,
      joined: prepared.past.joined,
      lost: (error) => refuseOrAccept(error, this.#options),
      deleteRetentionMs: this.#options.deleteRetentionMs,
      ...(openDatabase === undefined ? {} : { openDatabase }),
      unreadable: (table, records, i, error) => {
        this.#owner.count(new StreamsError('STREAMS_DESERIALIZATION', messageOf(error)));
        logger.error(
          { topic: table.topic, partition: records.partition, offset: records.offsets[i], error },
          `a record of global table ${table.store.name} cannot be read and is passed over: ${messageOf(error)}`,
        );
      },
      // A topic that is gone, or another one, cannot be read either: then that is what is told.
      failed: (error) => void this.#look().then(() => this.#owner.ends(error)),
      rebuilt: (error) => this.tasks.tellRebuilt(error),
    });
  }

  #newFetcher({ watch }: GrowingTopics, failed: (task: KafkaTask, error: unknown) => void): InputFetcher {
    const { broker, applicationId } = this.#options;
    this.#changelogs = new ChangelogReader((fetcherOptions) => broker.fetcher(fetcherOptions));
    this.#fetcher = new InputFetcher({
      options: this.#options,
      watch,
      roles: topicRoles(this.topology, applicationId),
      wake: () => this.tasks.loop.wake(),
      failed,
      count: (error) => this.#owner.count(error),
    });
    return this.#fetcher;
  }

  #newMembership({ topology }: PreparedApplication, globals: GlobalTables): Membership {
    return new Membership({
      options: this.#options,
      names: this.#given.names(),
      owner: this.#owner,
      topology,
      tasks: this.tasks,
      globals,
      plan: () => this.#prepared!.plan,
      look: () => this.#look(),
    });
  }

  #takeover(
    { topology, letters, partitionsOf, deleteRetentionMs, past }: PreparedApplication,
    { watch, newFrom }: GrowingTopics,
    globals: GlobalTables,
    { member }: Membership,
  ): TakeoverContext {
    return {
      topology,
      options: this.#options,
      member,
      changelogs: this.#changelogs!,
      globals,
      outputs: this.#outputs,
      letters,
      partitionsOf,
      deleteRetentionMs,
      cacheIsFull: () => this.tasks.loop.cacheIsFull,
      watch,
      roles: topicRoles(topology, this.#options.applicationId),
      hasRun: past.hasRun,
      begunAnew: new Map(past.begunAnew),
      newFrom,
    };
  }

  #statsSource({ now, errors }: Pick<ClientState, 'now' | 'errors'>): StatsSource {
    const { name, number } = this.#given.names();
    return {
      options: this.#options,
      state: now,
      thread: { name, number },
      slots: this.tasks.all,
      globals: this.#globals,
      generation: this.#membership?.member.generation ?? -1,
      errors,
      counts: this.tasks.counts,
      outputs: this.#outputs,
      storeBytes: this.#housekeeping?.storeBytes ?? {},
      clusterId: this.#prepared?.clusterId,
      unread: this.#topics?.unread ?? [],
      hosts: this.#membership?.assignment?.hosts ?? [],
      processId: this.#given.names().processId,
    };
  }
}
