import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from '../../../state/database.ts';
import { StreamsError } from '../../common/errors.ts';
import { stderrLogger } from '../../common/logger.ts';
import { maxTimerMs } from '../../config/setting-types.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import { ClientState } from '../client-state.ts';
import type { EngineStats, StreamsState } from '../engine-stats.ts';
import { refuseOtherKind } from '../folder-kind.ts';
import type { StorePart } from '../parts/store-part.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../read-only-stores.ts';
import type { StateSettings } from '../state-folder.ts';
import { UncountedRecords } from '../uncounted.ts';
import { FurtherThreads } from './further-threads.ts';
import {
  type BootstrapOptions,
  checkHeartbeats,
  checkKafkaOptions,
  type FilledOptions,
  type FromModuleOptions,
  filledOptions,
  type KafkaStreamsOptions,
} from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';
import { localStore, placeOfKey } from './local-store.ts';
import { mergedEngineStats, mergedKafkaStats } from './merge-stats.ts';
import type { Owner } from './ownership.ts';
import { StreamThread } from './stream-thread.ts';
import { brokerOf, connected, loadModule, refuseModuleOptions, withoutModule } from './thread-module.ts';
import type { ThreadNames, ThreadOwner } from './thread-owner.ts';
import { type ThreadSource, threadData, workerSource } from './thread-source.ts';
import { UncaughtErrors } from './uncaught-errors.ts';
import { recordsOf } from './uncounted-records.ts';

/** How a client is closed. */
export interface CloseOptions {
  readonly timeoutMs?: number;
  readonly leaveGroup?: boolean;
}

/** How long a client that closes waits for its last commits, ms. */
const closeTimeoutMs = 30_000;
/** The longest that it waits, ms: timers take no more, and those of further threads a little more. */
const longestCloseMs = maxTimerMs - 60_000;

/**
 * A topology at work on Kafka: one instance of the application, with one stream thread or several, each a member of its consumer group. Start as many instances as you like, here or elsewhere:
 * they share the tasks.
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
  /** Names the instance's own thread to the other members: a static member's own name, which outlives its restarts. */
  readonly processId: string;
  readonly #options: FilledOptions;
  readonly #name: string;
  readonly #life: ClientState;
  readonly #errors: UncaughtErrors;
  readonly #source: ThreadSource | undefined;
  readonly #thread: StreamThread;
  readonly #threads: FurtherThreads;
  readonly #ownsBroker: boolean;
  #uncounted: UncountedRecords | undefined;
  #stopping = false;
  #ended: Promise<void> | undefined;
  #endpoint: string;
  #leavesGroup: boolean;

  /**
   * @param options - A broker that is open, or `bootstrapServers`.
   * @param source - How further threads are made. {@link KafkaStreams.fromModule} gives it.
   * @throws TypeError, RangeError for an option that does not exist, or that is of another type.
   * @throws StreamsError `STREAMS_CONFIG` for `numStreamThreads` above 1: a topology is made of functions, which no other thread can be given. {@link KafkaStreams.fromModule} runs them.
   */
  constructor(topology: Topology, options: KafkaStreamsOptions | BootstrapOptions, source?: ThreadSource) {
    checkKafkaOptions(options);
    const { numStreamThreads = 1, groupInstanceId } = options;
    if (numStreamThreads > 1 && source === undefined) throw withoutModule(`numStreamThreads is ${numStreamThreads}`);
    this.#source = source;
    this.#ownsBroker = !('broker' in options) || source?.ownsBroker === true;
    this.#options = filledOptions('broker' in options ? options : connected(options));
    checkHeartbeats(this.#options);
    this.#endpoint = this.#options.applicationServer ?? '';
    this.#leavesGroup = groupInstanceId === undefined;
    this.#name = groupInstanceId ?? randomUUID();
    this.processId = this.#names(1).processId;
    this.#life = new ClientState(this.#options.logger);
    this.#errors = new UncaughtErrors(this.#options, this.#life, {
      isStopping: () => this.#stopping,
      rejoin: () => this.#thread.rejoin(),
      close: (closeOptions) => this.close(closeOptions),
    });
    const own = source !== undefined && groupInstanceId !== undefined ? { groupInstanceId: this.processId } : {};
    this.#thread = new StreamThread({
      topology,
      options: { ...this.#options, ...own },
      names: () => this.#names(1),
      owner: this.#owner(),
    });
    this.#threads = this.#newThreads();
  }

  /**
   * A client whose topology is made by a module, once in each of its stream threads: `numStreamThreads` of them, and those that are added later. The module exports `topology`: a `Topology`, or a function of `settings`
   * that makes it, or a promise of it. Options that are functions cannot be given to another thread either, so the module exports them too, where there are any, as `options` (an object, or such a
   * function): `broker`, `deserializationHandler`, `processingHandler`, `productionHandler`, `openDatabase`.
   *
   * The first thread is this one; the others are workers, each with a part of the caches, a folder of its own below `stateDir`, its own connections and its own copies of the global tables. Processors in them share no
   * variables.
   *
   * @example
   * ```ts
   * const streams = await KafkaStreams.fromModule(new URL('./topology.js', import.meta.url), {
   *   applicationId: 'counts',
   *   bootstrapServers: ['localhost:9092'],
   *   numStreamThreads: 4,
   * });
   * await streams.start();
   * ```
   * @param module - Address of the module.
   * @throws TypeError, RangeError as the constructor, and for a module that exports something else.
   * @throws StreamsError `STREAMS_CONFIG` for a module that cannot be imported.
   */
  static async fromModule(module: URL | string, options: FromModuleOptions): Promise<KafkaStreams> {
    refuseModuleOptions(options);
    const { bootstrapServers, ...rest } = options;
    const { applicationId, stateDir = join('.data', applicationId), settings = {} } = rest;
    const loaded = await loadModule(String(module), settings, rest.logger ?? stderrLogger);
    // Before a connection is opened that nobody would close.
    checkKafkaOptions({ ...rest, stateDir, broker: {} as never });
    const broker = brokerOf(loaded.options, bootstrapServers, applicationId);
    const given = { ...loaded.options, ...rest, stateDir, broker };
    return new KafkaStreams(
      loaded.topology,
      given,
      workerSource(String(module), settings, { bootstrapServers, ownsBroker: true }),
    );
  }

  /** The topology; from `start` on with the numbers that its sub-topologies have in the group. */
  get topology(): Topology {
    return this.#thread.topology;
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
      await this.#thread.prepare();
    } catch (error) {
      if (this.#stopping) await this.#ended;
      else this.#life.fail(error);
      await this.#release();
      throw error;
    }
    this.#thread.start();
    this.#uncounted = new UncountedRecords(
      recordsOf(this.#options, () => this.kafkaStats()),
      this.#options.logger,
    );
    this.#uncounted.begin();
    for (let threads = 1; threads < this.#options.numStreamThreads; threads++) this.#threads.add();
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
    this.#ended ??= this.#close(Math.min(timeoutMs, longestCloseMs), leaveGroup);
    return this.#ended;
  }

  /**
   * Takes no more records until {@link KafkaStreams.resume}, in this instance alone: it stays in the group, keeps its tasks, commits what it has taken and serves its stores. Its lag grows.
   *
   * Kafka Streams: `pause()`.
   */
  pause(): void {
    this.#pause(true);
  }

  /** Takes records again. */
  resume(): void {
    this.#pause(false);
  }

  get isPaused(): boolean {
    return this.#thread.tasks.loop.paused;
  }

  /** Names of the stream threads: `counts-5f0c…-StreamThread-1` and on. One that is being replaced is not among them. Kafka Streams: `metadataForLocalThreads()`. */
  threadNames(): readonly string[] {
    return [this.#names(1).name, ...this.#threads.all.map(({ name }) => name)];
  }

  /**
   * Starts one more stream thread: it joins the group, and is given tasks of the others. `statestoreCacheMaxBytes` is shared out anew.
   *
   * Kafka Streams: `addStreamThread()`.
   *
   * @returns Its name; undefined, and no thread, unless the client is RUNNING or REBALANCING.
   * @throws StreamsError `STREAMS_CONFIG` of a client that is not {@link KafkaStreams.fromModule}.
   */
  addStreamThread(): string | undefined {
    if (this.#source === undefined) throw withoutModule('a stream thread cannot be added');
    return this.#isAtWork ? this.#threads.add() : undefined;
  }

  /**
   * Ends the stream thread that was started last: it commits and leaves the group, static members too, so that the other threads and instances take its tasks. Resolves when it has ended. The first one, the client's own,
   * stays until `close`.
   *
   * Kafka Streams: `removeStreamThread(Duration)`.
   *
   * @param options - `timeoutMs`: how long its last commits may take, ms. @defaultValue 30000
   * @returns Its name; undefined where there is none but the first, or unless the client is RUNNING or REBALANCING.
   */
  async removeStreamThread({
    timeoutMs = closeTimeoutMs,
  }: Pick<CloseOptions, 'timeoutMs'> = {}): Promise<string | undefined> {
    return this.#isAtWork ? this.#threads.remove(Math.min(timeoutMs, longestCloseMs)) : undefined;
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
    return this.#thread.ownership.specs();
  }

  /** Whether the store is the same in every instance. */
  isGlobal(store: string): boolean {
    return this.#thread.ownership.isGlobal(store);
  }

  /** The task whose copy of a store has a partition: `0_3`. */
  taskOf(store: string, partition: number): string {
    return this.#thread.ownership.taskOf(store, partition);
  }

  /** How many partitions a store has; 0 before `start`. */
  partitionsOf(store: string): number {
    return this.#thread.ownership.partitionsOf(store);
  }

  /**
   * Who has the committed rows of a task now. `migrating` during a rebalance, while the task is restored, or when this instance's membership is not confirmed.
   *
   * @param stale - Also what may be out of date: the copy that this instance has, whoever owns the task.
   */
  ownerOf(taskId: string, stale = false): Owner {
    const owner = this.#thread.ownership.ownerOf(taskId, stale);
    return owner !== 'local' && this.#threads.having(taskId, stale) !== undefined ? 'local' : owner;
  }

  /** A store's partition, if this instance owns its task now, in whichever thread; with `stale` if it has a copy of it. */
  partOf(store: string, partition: number, stale = false): StorePart | undefined {
    const own = this.#thread.ownership.part(store, partition, stale);
    return own ?? this.#threads.having(this.taskOf(store, partition), stale)?.part(store, partition, stale);
  }

  /** Database and prefix of the committed rows of a store's partition, if the client's own thread has a copy of it. */
  localRows(
    store: string,
    partition: number,
  ): { readonly database: Database; readonly prefix: Uint8Array } | undefined {
    return this.#thread.ownership.localRows(store, partition);
  }

  /**
   * The committed rows of a store that this instance has. A key that another instance owns, or one on its way, is refused with a retriable `STREAMS_TASK_MIGRATED`:
   * `queryMetadataForKey` says whom to ask. Ranges cover this instance's partitions, in whichever threads, and are refused so while one is on its way. Of a client that is not started, or starts, a store is refused with the state and what to wait for.
   *
   * @param stale - Also copies that may be out of date: standbys, and tasks that are restored.
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before the tasks are there.
   */
  store(name: string, { stale = false }: StoreReadOptions = {}): ReadOnlyStore {
    return localStore(this.#thread.ownership, this, name, stale);
  }

  /**
   * Who has a key of a store now: its partition, and whether that is here or at which endpoint. Kafka Streams: `queryMetadataForKey`.
   *
   * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN`; `STREAMS_TASK_MIGRATED` before `start` has resolved.
   */
  queryMetadataForKey(store: string, key: unknown): { readonly partition: number; readonly owner: Owner } {
    return placeOfKey(this.#thread.ownership, this, store, key);
  }

  /** Counters, clocks and caches as they are now, over all threads; of those in workers as of the last half second. */
  stats(): EngineStats {
    const others = [...this.#threads.figures, ...this.#threads.past];
    const all = [this.#thread.stats(this.#life), ...others.map(({ engine }) => engine)];
    return { ...mergedEngineStats(all), state: this.state };
  }

  /** What only the runtime on Kafka knows. */
  kafkaStats(): KafkaStats {
    const all = [this.#thread.kafkaStats(this.#life), ...this.#threads.figures.map(({ kafka }) => kafka)];
    const past = this.#threads.past.map(({ kafka }) => kafka);
    return mergedKafkaStats(all, past);
  }

  #names(number: number): ThreadNames {
    return {
      name: `${this.applicationId}-${this.#name}-StreamThread-${number}`,
      number,
      processId: this.#source === undefined ? this.#name : `${this.#name}-${number}`,
      ...(this.#source && { hostProcess: this.#name }),
      endpoint: this.#endpoint,
    };
  }

  /** What the client's own thread tells it. */
  #owner(): ThreadOwner {
    return {
      asksShutdown: () => this.#errors.asksShutdown,
      changed: () => this.#updateState(),
      count: (error) => this.#life.count(error),
      ends: (error) => this.#errors.ends(error),
      uncaught: (error) => this.#errors.uncaught(error, () => this.#thread.takeAgain()),
      shutDown: () => this.#errors.shutDown(),
    };
  }

  #newThreads(): FurtherThreads {
    const { logger, restoreListener, sessionTimeoutMs, statestoreCacheMaxBytes } = this.#options;
    const cacheBytes = (threads: number): number => Math.floor(statestoreCacheMaxBytes / threads);
    return new FurtherThreads({
      logger,
      restoreListener,
      sessionTimeoutMs,
      nameOf: (number) => this.#names(number).name,
      open: (number, threads) => {
        const source = this.#source!;
        const own = { names: this.#names(number), cacheBytes: cacheBytes(threads), paused: this.isPaused };
        return source.open(threadData(source, this.#options, own));
      },
      counted: (threads) => {
        this.#thread.tasks.loop.cacheMaxBytes = cacheBytes(threads);
        for (const thread of this.#threads.all) thread.cache(cacheBytes(threads));
      },
      changed: () => this.#updateState(),
      died: ({ error, final }, replace) => {
        if (final) this.#errors.ends(error);
        else this.#errors.uncaught(error, replace);
      },
    });
  }

  get #isAtWork(): boolean {
    return !this.#stopping && (this.state === 'RUNNING' || this.state === 'REBALANCING');
  }

  #pause(paused: boolean): void {
    this.#thread.tasks.loop.paused = paused;
    this.#threads.pause(paused);
  }

  async #close(timeoutMs: number, leaveGroup: boolean | undefined): Promise<void> {
    const failed = this.state === 'ERROR';
    if (!failed) this.#life.become('PENDING_SHUTDOWN');
    this.#stopping = true;
    await Promise.all([
      this.#thread.end({ failed, timeoutMs, leaves: () => this.#leavesGroup }),
      this.#threads.close(timeoutMs, leaveGroup),
    ]);
    this.#uncounted?.end();
    if (this.#ownsBroker) await this.#options.broker.close();
    if (!failed) this.#life.become('NOT_RUNNING');
  }

  async #release(): Promise<void> {
    await this.#thread.release(this.#leavesGroup);
    if (this.#ownsBroker) await this.#options.broker.close();
  }

  #updateState(): void {
    if (this.#stopping || this.state === 'ERROR' || this.state === 'CREATED') return;
    this.#life.become(this.#thread.ready && this.#threads.ready ? 'RUNNING' : 'REBALANCING');
  }
}
