import { StreamsError } from '../common/errors.ts';
import type { StoreSpec } from '../processor/node.ts';
import type { Topology } from '../topology/topology.ts';
import { checkFeeds } from './checked-feeds.ts';
import { ClientState } from './client-state.ts';
import { type Digest, digestOf } from './digest.ts';
import {
  checkEmbeddedOptions,
  type EmbeddedOptions,
  type FilledEmbeddedOptions,
  filledEmbeddedOptions,
} from './embedded-options.ts';
import type { EngineStats, StreamsState } from './engine-stats.ts';
import { type Feed, type FeedProgress, progressSince, refusedFiles } from './feed.ts';
import { FeedSource } from './feed-source.ts';
import { refuseFiles, uncountedOf } from './feed-verdict.ts';
import { refuseOtherKind } from './folder-kind.ts';
import { FolderLog } from './folder-log.ts';
import type { LetterSample } from './letter-sample.ts';
import { globalTableOf, type KeyHistory, loadHistories, wholeTable } from './load-histories.ts';
import { localPart } from './parts/local-part.ts';
import { readOnlyStore } from './parts/read-only-store.ts';
import { fixedReader, type OpenSnapshot, sharedSnapshots } from './parts/snapshots.ts';
import type { StorePart } from './parts/store-part.ts';
import type { ReadOnlyStore } from './read-only-stores.ts';
import { toldIfPassedOver } from './record-failure.ts';
import { RunLoop } from './run-loop.ts';
import { StateFolder, type StateSettings, sharedPartition } from './state-folder.ts';
import { StreamTask } from './stream-task.ts';
import { taskIdsOf } from './task-ids.ts';
import { TopologyEngine } from './topology-engine.ts';
import { UncountedRecords } from './uncounted.ts';

/** How `run` ends. */
export interface RunOptions {
  /** Aborted: commit and return. */
  readonly signal?: AbortSignal;
  /** Wait for more when the feeds are idle. Without it `run` returns at their end. */
  readonly follow?: boolean;
  /** At the end close all windows; the state takes no more input. */
  readonly final?: boolean;
  /**
   * `fail`: where files of a feed are refused, `run` rejects with `STREAMS_INPUT_REFUSED` once all else is read and committed; the client stays as it is. `continue`: they are told in the log and in `progress.refused`
   * alone.
   *
   * @defaultValue 'fail'
   */
  readonly onRefused?: 'fail' | 'continue';
}

/**
 * A topology at work in this process, without a broker: records come from feeds, state lives in one folder, and every commit is one atomic write of
 * state, positions and clocks.
 *
 * After kill -9 at any instant the folder holds the state of some commit, and `run` goes on from there.
 */
export class EmbeddedStreams {
  readonly topology: Topology;
  /** The folder of its state. */
  readonly stateDir: string;
  readonly #options: FilledEmbeddedOptions;
  readonly #folder: StateFolder;
  readonly #engine: TopologyEngine;
  readonly #log: FolderLog;
  readonly #source: FeedSource;
  readonly #loop: RunLoop;
  readonly #life: ClientState;
  #task!: StreamTask<FeedSource, FolderLog>;
  /** How far feeds were when they were opened: what is more this process has read. */
  readonly #feedStarts: { readonly feed: Feed; readonly before: FeedProgress }[] = [];
  /** Why the loop was stopped. */
  #stoppedBy: { readonly error: unknown } | undefined;

  private constructor(topology: Topology, options: FilledEmbeddedOptions, folder: StateFolder) {
    this.topology = topology;
    this.stateDir = folder.directory;
    this.#options = options;
    this.#folder = folder;
    this.#life = new ClientState(options.logger);
    this.#log = new FolderLog(folder, topology, { ...options, idleAtMs: () => this.#source.idleAtMs });
    this.#loop = new RunLoop({
      commitIntervalMs: options.commitIntervalMs,
      cacheMaxBytes: options.statestoreCacheMaxBytes,
      failed: (_task, error) => {
        this.#stoppedBy ??= { error };
        this.#loop.stop();
      },
    });
    this.#engine = this.#makeEngine();
    const { maxFutureMs, processingExceptionHandler: processingHandler } = options;
    this.#source = new FeedSource(this.#engine, { maxFutureMs, processingHandler }, () => this.#loop.wake());
  }

  /**
   * Opens a state folder for a topology.
   *
   * @throws TypeError, RangeError for an option that does not exist, or that is of another type.
   * @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while another process has it, `STREAMS_STATE_INCOMPATIBLE` if it was made with another topology or
   * other settings, `STREAMS_STATE_NEWER`, `STREAMS_STATE_MISSING`.
   */
  static async open(topology: Topology, options: EmbeddedOptions): Promise<EmbeddedStreams> {
    checkEmbeddedOptions(options);
    const { openDatabase } = options;
    await refuseOtherKind(options.stateDir, 'replay');
    const folder = await StateFolder.open(options.stateDir, {
      create: options.create ?? true,
      ...(openDatabase === undefined ? {} : { openDatabase }),
    });
    return EmbeddedStreams.over(folder, topology, options);
  }

  /** As `open`, over a folder that is open already; the client closes it. */
  static async over(folder: StateFolder, topology: Topology, options: EmbeddedOptions): Promise<EmbeddedStreams> {
    try {
      const streams = new EmbeddedStreams(topology, filledEmbeddedOptions(options), folder);
      await streams.#openTasks();
      return streams;
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  /** Opens the tasks with the clocks and counters that they had. */
  async #openTasks(): Promise<void> {
    const engine = this.#engine;
    await engine.open(await this.#log.open(engine.tasks));
    this.#task = new StreamTask({
      taskId: this.#log.state.applicationId,
      engine,
      source: this.#source,
      log: this.#log,
      cacheIsFull: () => this.#loop.cacheIsFull,
      cacheMaxBytes: engine.cacheMaxBytes,
      commitIntervalRecords: this.#options.commitIntervalRecords,
    });
    this.#loop.add(this.#task);
  }

  get state(): StreamsState {
    return this.#life.now;
  }

  /** Calls the listener at each change of state; returns how to stop that. */
  onStateChange(listener: (state: StreamsState) => void): () => void {
    return this.#life.listen(listener);
  }

  /** Takes no more records until {@link EmbeddedStreams.resume}: what was taken is committed, and the stores can be read. */
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

  /** Says that the client serves its state without taking input. */
  serve(): void {
    this.#life.become('RUNNING');
  }

  /**
   * Takes the feeds' records until they end or the signal is aborted, and commits. Where more than one row in a hundred did not count, a warning says how many, the first of them, and where their letters are: at the end, and with `follow`
   * at most once a minute.
   *
   * @throws StreamsError `STREAMS_CONFIG` for feeds with which records would be counted twice or not at all: nothing was read; else with the position: the client is then in state ERROR, and
   * the folder as of its last commit. `STREAMS_INPUT_REFUSED` - there are files that cannot be read; all others are read, and committed.
   */
  async run(feeds: readonly Feed[], options: RunOptions = {}): Promise<void> {
    const { final, loading = [] } = this.#log.state;
    if (final)
      throw new StreamsError(
        'STREAMS_STATE_FINAL',
        `${this.#folder.directory} is final: its windows were closed for good. Replay into a new folder.`,
      );
    const [unfinished] = loading;
    if (unfinished !== undefined)
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `the last load of ${unfinished} into ${this.#folder.directory} was interrupted half-way. Load it again.`,
      );
    checkFeeds(this.topology, feeds);
    const follow = options.follow === true;
    await this.#insist(async () => {
      this.#life.become('REBALANCING');
      await this.#openFeeds(feeds, follow);
      await this.#log.changeProgram(() => this.#task.commit(true));
      this.#life.become('RUNNING');
      await this.#takeAll(feeds, options);
      // A file that is refused has its rows still to come.
      const whole = feeds.every(({ progress }) => refusedFiles(progress) === 0);
      if (options.final === true && options.signal?.aborted !== true && whole) {
        this.#engine.finish();
        this.#log.finish();
      }
      await this.#task.commit(true);
    });
    if (options.onRefused === 'continue' || (options.signal?.aborted === true && !follow)) return;
    refuseFiles(feeds.map(({ progress }) => progress));
  }

  /**
   * Replaces the histories of a versioned global table's keys: those given get theirs, all others lose what they had. What was joined with a changed
   * version is joined again. Committed with it.
   *
   * @returns how many keys changed.
   */
  async loadGlobalTable(store: string, histories: Iterable<KeyHistory>): Promise<number> {
    return this.changeGlobalTable(store, await wholeTable(globalTableOf(this.#engine, store), histories));
  }

  /**
   * As `loadGlobalTable`, but keys that are not given keep what they have. Up to 10,000 changed keys are one commit; of more, parts are committed before, and until all of them are, the
   * state takes no records: `run` refuses.
   *
   * @returns how many keys changed.
   */
  async changeGlobalTable(store: string, histories: Iterable<KeyHistory> | AsyncIterable<KeyHistory>): Promise<number> {
    globalTableOf(this.#engine, store);
    const target = { engine: this.#engine, task: this.#task, log: this.#log };
    return this.#insist(() => loadHistories(target, store, histories));
  }

  /** Commits now: one atomic write of everything that changed. Nothing is written if nothing did. */
  async commit(): Promise<void> {
    await this.#insist(() => this.#task.commit(true));
  }

  /** The committed rows of a store. @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` */
  store(name: string): ReadOnlyStore {
    const spec = this.#specs().find((store) => store.name === name);
    if (spec === undefined)
      throw new StreamsError(
        'STREAMS_STATE_STORE_UNKNOWN',
        `there is no store ${name}. The stores are: ${this.storeNames().join(', ')}.`,
      );
    return readOnlyStore(spec, this.parts(name));
  }

  /** The committed rows of a store as bytes: all its partitions. None for a name that no store has. */
  parts(name: string): readonly StorePart[] {
    const spec = this.#specs().find((store) => store.name === name);
    return spec === undefined ? [] : this.#parts(spec, sharedSnapshots(this.#folder.database));
  }

  #parts(spec: StoreSpec, openSnapshot: OpenSnapshot): readonly StorePart[] {
    const { database } = this.#folder;
    return this.#partitionsOf(spec).map((partition) =>
      localPart(spec, database, this.#log.prefixOf(spec.name, partition), partition, openSnapshot),
    );
  }

  /** Names of all stores. */
  storeNames(): readonly string[] {
    return this.#specs().map((store) => store.name);
  }

  /** SHA-256 over the committed rows of the tables that hold results, as 64 hex digits; by store where asked. */
  async digest(): Promise<Digest> {
    const snapshot = this.#folder.database.snapshot();
    try {
      const reader = fixedReader(snapshot);
      const specs = this.topology.stores.filter((spec) => spec.result);
      return await digestOf(specs, (spec) => this.#parts(spec, reader));
    } finally {
      await snapshot.close();
    }
  }

  /**
   * Least time that a windowed operator has observed over its tasks, ms, as of the last commit: no record of an earlier closed window counts any more. -1 if one
   * saw none.
   */
  operatorTimeMs(): number {
    const times = Object.values(this.#task.committedOperatorTimes);
    return times.length === 0 ? -1 : Math.min(...times);
  }

  /** Whether the open windows were closed for good, and that is committed. */
  get final(): boolean {
    return this.#log.final;
  }

  /** Settings as they are saved. */
  get settings(): StateSettings {
    return this.#log.state.settings;
  }

  /** Some of the rows that were not processed lately, dead and late ones, to look at. */
  letters(): readonly LetterSample[] {
    return this.#log.feeds.flatMap((feed) => feed.letters?.() ?? []);
  }

  /** Counters, clocks and caches as they are now. */
  stats(): EngineStats {
    const { tables, tasks, versioned } = this.#engine;
    const { commits, commitDurations, committedRows, lastCommitAtMs } = this.#task;
    return {
      applicationId: this.#log.state.applicationId,
      state: this.state,
      tasks: tasks.map((task) => task.statsNow()),
      stores: [...tables, ...versioned.values()].map((table) => table.snapshotStats()),
      feeds: this.#log.feeds.map((feed) => feed.progress),
      work: Object.fromEntries(tasks.map((task) => [task.taskId, task.work()])),
      feedWork: this.#feedStarts.map(({ feed, before }) => progressSince(before, feed.progress)),
      commits,
      commitDurations: commitDurations.value,
      committedRows,
      lastCommitAtMs,
      errors: this.#life.errors,
      final: this.#log.state.final,
    };
  }

  /** Closes feeds, nodes and the folder. What is not committed is given up: `run` commits before it returns. */
  async close(): Promise<void> {
    if (this.state === 'NOT_RUNNING') return;
    if (this.state !== 'ERROR') this.#life.become('PENDING_SHUTDOWN');
    await this.#task.close();
    for (const feed of this.#log.feeds) await feed.close();
    await this.#folder.close();
    if (this.state !== 'ERROR') this.#life.become('NOT_RUNNING');
  }

  /** Does what leaves the client in state ERROR if it fails. */
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.state !== 'ERROR') this.#life.fail(error);
      throw error;
    }
  }

  /** Runs the loop until the feeds end or the signal is aborted, and warns where much of what they have does not count. */
  async #takeAll(feeds: readonly Feed[], { signal, follow = false }: RunOptions): Promise<void> {
    if (signal?.aborted === true) return;
    const uncounted = new UncountedRecords(uncountedOf(feeds), this.#options.logger);
    if (follow) uncounted.begin();
    const stop = (): void => this.#loop.stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await this.#task.fill();
      await this.#loop.run();
    } finally {
      signal?.removeEventListener('abort', stop);
      uncounted.end();
    }
    if (this.#stoppedBy !== undefined) throw this.#stoppedBy.error;
  }

  async #openFeeds(feeds: readonly Feed[], follow: boolean): Promise<void> {
    this.#log.feeds = feeds;
    for (const feed of feeds) await feed.open(this.#folder.database, this.#folder.directory);
    for (const feed of feeds) this.#feedStarts.push({ feed, before: structuredClone(feed.progress) });
    this.#source.begin(feeds, follow);
  }

  #makeEngine(): TopologyEngine {
    const { topology } = this;
    const { output, maxFutureMs, statestoreCacheMaxBytes, processingExceptionHandler, logger } = this.#options;
    const sink = topology.nodes.find((node) => node.kind === 'sink' && !topology.repartitions.has(node.topic));
    if (sink !== undefined && output === undefined)
      throw new StreamsError(
        'STREAMS_CONFIG',
        `node ${sink.name} writes to a topic, but no output is given. Give one in the options.`,
      );
    return new TopologyEngine(topology, {
      applicationId: this.#log.state.applicationId,
      database: this.#folder.database,
      prefixOf: (store, partition) => this.#log.prefixOf(store, partition),
      tasks: taskIdsOf(topology, () => this.#log.partitions),
      caching: true,
      maxFutureMs,
      cacheMaxBytes: statestoreCacheMaxBytes,
      output: output ?? (() => {}),
      dropped: (_task, drop) => this.#task.dropped(drop),
      refused: (failure) => this.#task.refused(failure),
      failedLater: toldIfPassedOver(processingExceptionHandler, logger),
      wallClockMs: () => Date.now(),
    });
  }

  #specs(): readonly StoreSpec[] {
    return [...this.topology.stores, ...this.topology.globalTables.map((table) => table.store)];
  }

  #partitionsOf(spec: StoreSpec): readonly number[] {
    if (spec.kind === 'versioned' && this.topology.globalTables.some((table) => table.store.name === spec.name))
      return [sharedPartition];
    const part = this.topology.subTopologies.find((sub) => sub.stores.includes(spec.name));
    return this.#engine.tasks.filter((task) => task.subTopology === part?.id).map((task) => task.partition);
  }
}
