import type { DatabaseFactory, WriteBatch } from '../../state/database.ts';
import { StreamsError } from '../common/errors.ts';
import { type Logger, silentLogger } from '../common/logger.ts';
import { checkOptions, type OptionKind } from '../config/check-options.ts';
import { defaultOf } from '../config/defaults.ts';
import type { SettingName, SettingValues } from '../config/settings.ts';
import type { StoreSpec } from '../processor/node.ts';
import type { Version } from '../processor/rows.ts';
import { keyIdentity } from '../serde/key-identity.ts';
import type { Topology } from '../topology/topology.ts';
import { checkPartitions, deleteStores, refuseNewStores, savedTaskOf } from './changed-state.ts';
import { type Digest, digestOf } from './digest.ts';
import type { EngineStats, StreamsState } from './engine-stats.ts';
import { type Feed, type FeedProgress, progressSince, refusedFiles } from './feed.ts';
import { FeedDriver } from './feed-driver.ts';
import { refuseOtherKind } from './folder-kind.ts';
import { localPart } from './parts/local-part.ts';
import { readOnlyStore } from './parts/read-only-store.ts';
import { fixedReader, type OpenSnapshot, sharedSnapshots } from './parts/snapshots.ts';
import type { StorePart } from './parts/store-part.ts';
import type { ProgramChanges } from './program-changes.ts';
import type { ReadOnlyStore } from './read-only-stores.ts';
import type { OutputReceiver } from './runtime-nodes.ts';
import { checkSettings, continued, newState } from './saved-state.ts';
import { rowPrefix, type SavedState, StateFolder, type StateSettings } from './state-folder.ts';
import type { VersionedTableStore } from './stores/versioned-table-store.ts';
import { taskIdsOf } from './task-ids.ts';
import { sharedPartition, TopologyEngine } from './topology-engine.ts';
import { Wake } from './wake.ts';

/** The default of a setting over files. */
function overFiles<N extends SettingName>(name: N): SettingValues[N] {
  return defaultOf(name, {}, 'embedded');
}

/** A key of a versioned global table, and its versions, oldest first. */
export type KeyHistory = readonly [key: unknown, versions: readonly Version<unknown>[]];

/** Changed histories that are one commit, some 6 MB of them in memory. */
const historiesAtOnce = 10_000;
/** Of more than those, so many wait for each further commit: what waits long is garbage that only a slow collection finds. */
const furtherHistoriesAtOnce = 2000;
/** Histories that are compared at once. */
const historiesCompared = 500;

/** ms between two looks at the signal while nothing is taken. */
const pausedLookMs = 100;
/** ms for which the loop may keep the process to itself. */
const turnMs = 20;

/** What to do with a record whose processing failed. */
export type ProcessingExceptionHandler = (error: StreamsError) => 'continue' | 'fail';

/** How an embedded client runs. Names and defaults are those of docs/configuration.md. */
export interface EmbeddedOptions {
  /** @defaultValue 'weir' */
  readonly applicationId?: string;
  /** Folder of the state; one process at a time can have it. */
  readonly stateDir: string;
  /** Partitions of the source topics. Lateness depends on it. @defaultValue what the folder says, else 1 */
  readonly partitions?: number;
  /** Settings that results depend on, kept with the state: other values are refused later. */
  readonly settings?: StateSettings;
  /** ms between commits. @defaultValue 1000 */
  readonly commitIntervalMs?: number;
  /** Records between commits. @defaultValue 1000000 */
  readonly commitIntervalRecords?: number;
  /** Bytes of all caches; half of it may be dirty. @defaultValue 67108864 */
  readonly statestoreCacheMaxBytes?: number;
  /** ms by which an event may lie after its arrival. @defaultValue 3600000 */
  readonly maxFutureMs?: number;
  /** False: a commit survives a killed process but not a loss of power. @defaultValue true */
  readonly syncWrites?: boolean;
  /** False: a folder without state is an error. @defaultValue true */
  readonly create?: boolean;
  readonly processingExceptionHandler?: ProcessingExceptionHandler;
  /** Takes what the topology writes to topics. @defaultValue a topology with sinks is refused */
  readonly output?: OutputReceiver;
  readonly logger?: Logger;
  /** Opens the database. @defaultValue LevelDB */
  readonly openDatabase?: DatabaseFactory;
}

/** All options, and what each may be. */
const optionKinds: Readonly<Record<keyof EmbeddedOptions, OptionKind>> = {
  applicationId: 'string',
  stateDir: 'string',
  partitions: 1,
  settings: 'object',
  commitIntervalMs: 0,
  commitIntervalRecords: 1,
  statestoreCacheMaxBytes: 0,
  maxFutureMs: 0,
  syncWrites: 'boolean',
  create: 'boolean',
  processingExceptionHandler: 'function',
  output: 'function',
  logger: 'object',
  openDatabase: 'function',
};

/** How `run` ends. */
export interface RunOptions {
  /** Aborted: commit and return. */
  readonly signal?: AbortSignal;
  /** Wait for more when the feeds are idle. Without it `run` returns at their end. */
  readonly follow?: boolean;
  /** At the end close all windows; the state takes no more input. */
  readonly final?: boolean;
}

/**
 * A topology at work in this process, without a broker: records come from feeds, state lives in one folder, and every commit is one atomic write of
 * state, positions and clocks.
 *
 * After kill -9 at any instant the folder holds the state of some commit, and `run` goes on from there.
 */
export class EmbeddedStreams {
  readonly topology: Topology;
  readonly #options: Required<
    Pick<
      EmbeddedOptions,
      'commitIntervalMs' | 'commitIntervalRecords' | 'statestoreCacheMaxBytes' | 'maxFutureMs' | 'syncWrites'
    >
  > &
    EmbeddedOptions;
  readonly #folder: StateFolder;
  readonly #engine: TopologyEngine;
  readonly #logger: Logger;
  readonly #partitions: number;
  readonly #stores: Readonly<Record<string, number>>;
  readonly #listeners = new Set<(state: StreamsState) => void>();
  readonly #errors: Record<string, number> = {};
  #state: StreamsState = 'CREATED';
  #saved: SavedState;
  /** What the program changes in the state; undefined once that is committed, or for nothing. */
  #changes: ProgramChanges | undefined;
  /** Ids of the tasks that were saved when the state was opened. */
  #savedTasks: readonly string[] = [];
  #paused = false;
  readonly #resumed = new Wake();
  #driver: FeedDriver | undefined;
  #feeds: readonly Feed[] = [];
  /** How far feeds were when they were opened: what is more this process has read. */
  readonly #feedStarts: { readonly feed: Feed; readonly before: FeedProgress }[] = [];
  /** What was committed before this process. */
  readonly #before: SavedState['totals'];
  #commitSeconds = 0;
  #lastCommitAtMs: number | undefined;
  /** The commit being put together, and the one being written. */
  #starting: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** What is told with committed rows: a row is final only once all that it counts is committed. */
  #committed = { operatorTimeMs: -1, final: false };

  private constructor(topology: Topology, options: EmbeddedOptions, folder: StateFolder) {
    this.topology = topology;
    this.#folder = folder;
    this.#options = {
      ...options,
      commitIntervalMs: options.commitIntervalMs ?? overFiles('commit.interval.ms'),
      commitIntervalRecords: options.commitIntervalRecords ?? overFiles('commit.interval.records'),
      statestoreCacheMaxBytes: options.statestoreCacheMaxBytes ?? overFiles('statestore.cache.max.bytes'),
      maxFutureMs: options.maxFutureMs ?? overFiles('max.future.ms'),
      syncWrites: options.syncWrites ?? overFiles('sync.writes'),
    };
    this.#logger = options.logger ?? silentLogger;
    const { saved } = folder;
    this.#partitions = options.partitions ?? (saved === undefined ? 1 : Number(saved.settings['partitions']));
    const settings = { ...options.settings, partitions: this.#partitions };
    if (saved === undefined)
      this.#saved = newState(topology, options.applicationId ?? overFiles('application.id'), settings);
    else {
      checkSettings(saved, settings, folder.directory);
      const { state, changes } = continued(saved, topology, folder.directory);
      if (options.create === false) refuseNewStores(changes, folder.directory);
      this.#saved = state;
      this.#changes = changes;
    }
    this.#stores = this.#saved.stores;
    this.#before = this.#saved.totals;
    this.#commitSeconds = this.#before.commitSeconds;
    this.#engine = this.#makeEngine();
  }

  /**
   * Opens a state folder for a topology.
   *
   * @throws TypeError, RangeError for an option that does not exist, or that is of another type.
   * @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while another process has it, `STREAMS_STATE_INCOMPATIBLE` if it was made with another topology or
   * other settings, `STREAMS_STATE_NEWER`, `STREAMS_STATE_MISSING`.
   */
  static async open(topology: Topology, options: EmbeddedOptions): Promise<EmbeddedStreams> {
    checkOptions('EmbeddedStreams', options, optionKinds, ['stateDir']);
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
      const streams = new EmbeddedStreams(topology, options, folder);
      await streams.#openTasks();
      streams.#committed = streams.#clocks();
      return streams;
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  /** Opens the tasks with the clocks and counters that they had. */
  async #openTasks(): Promise<void> {
    const changes = this.#changes;
    this.#savedTasks = await this.#folder.taskIds();
    const taskIds = this.#engine.tasks.map(({ taskId }) => taskId);
    checkPartitions(this.#savedTasks, taskIds, changes, this.#folder.directory);
    await this.#engine.open((taskId) => savedTaskOf(this.#folder, taskId, changes));
  }

  get state(): StreamsState {
    return this.#state;
  }

  /** Calls the listener at each change of state; returns how to stop that. */
  onStateChange(listener: (state: StreamsState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes no more records until {@link EmbeddedStreams.resume}: what was taken is committed, and the stores can be read. */
  pause(): void {
    this.#paused = true;
  }

  /** Takes records again. */
  resume(): void {
    this.#paused = false;
    this.#resumed.call();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Says that the client serves its state without taking input. */
  serve(): void {
    this.#become('RUNNING');
  }

  /**
   * Takes the feeds' records until they end or the signal is aborted, and commits.
   *
   * @throws StreamsError with the position; the client is then in state ERROR, and the folder as of its last commit.
   */
  async run(feeds: readonly Feed[], options: RunOptions = {}): Promise<void> {
    if (this.#saved.final)
      throw new StreamsError(
        'STREAMS_STATE_FINAL',
        `${this.#folder.directory} is final: its windows were closed for good. Replay into a new folder.`,
      );
    const [unfinished] = this.#saved.loading ?? [];
    if (unfinished !== undefined)
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `the last load of ${unfinished} into ${this.#folder.directory} was interrupted half-way. Load it again.`,
      );
    try {
      this.#become('REBALANCING');
      await this.#openFeeds(feeds);
      await this.#changeProgram();
      this.#become('RUNNING');
      await this.#loop(options);
      // A file that is refused has its rows still to come.
      const whole = feeds.every(({ progress }) => refusedFiles(progress) === 0);
      if (options.final === true && options.signal?.aborted !== true && whole) {
        this.#engine.finish();
        this.#saved = { ...this.#saved, final: true };
      }
      await this.commit();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /**
   * Replaces the histories of a versioned global table's keys: those given get theirs, all others lose what they had. What was joined with a changed
   * version is joined again. Committed with it.
   *
   * @returns how many keys changed.
   */
  async loadGlobalTable(store: string, histories: Iterable<KeyHistory>): Promise<number> {
    const table = this.#versioned(store);
    const gone = new Map<unknown, unknown>();
    for await (const key of table.keys()) gone.set(keyIdentity(table.keySerde, key), key);
    function* whole(): Iterable<KeyHistory> {
      for (const entry of histories) {
        gone.delete(keyIdentity(table.keySerde, entry[0]));
        yield entry;
      }
      for (const key of gone.values()) yield [key, []];
    }
    return this.changeGlobalTable(store, whole());
  }

  /**
   * As `loadGlobalTable`, but keys that are not given keep what they have. Up to 10,000 changed keys are one commit; of more, parts are committed before, and until all of them are, the
   * state takes no records: `run` refuses.
   *
   * @returns how many keys changed.
   */
  async changeGlobalTable(store: string, histories: Iterable<KeyHistory> | AsyncIterable<KeyHistory>): Promise<number> {
    this.#versioned(store);
    try {
      let changed = 0;
      let uncommitted = 0;
      const { loading = [] } = this.#saved;
      let slice: KeyHistory[] = [];
      const apply = async (): Promise<void> => {
        const inSlice = await this.#engine.replaceHistories(store, slice);
        changed += inSlice;
        uncommitted += inSlice;
        slice = [];
        const enough = this.#saved.loading?.includes(store) ? furtherHistoriesAtOnce : historiesAtOnce;
        if (!this.#cacheIsFull() && uncommitted < enough) return;
        // Part of the table is committed: until all of it is, the state says so.
        if (!loading.includes(store)) this.#saved = { ...this.#saved, loading: [...loading, store] };
        await this.commit();
        uncommitted = 0;
      };
      for await (const entry of histories) if (slice.push(entry) >= historiesCompared) await apply();
      await apply();
      if (this.#saved.loading?.includes(store))
        this.#saved = { ...this.#saved, loading: loading.filter((other) => other !== store) };
      await this.commit();
      return changed;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #versioned(store: string): VersionedTableStore {
    const table = this.#engine.versioned.get(store);
    if (table === undefined)
      throw new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `there is no global table ${store}.`);
    return table;
  }

  /** Commits now: one atomic write of everything that changed. Nothing is written if nothing did. */
  async commit(): Promise<void> {
    await this.#beginCommit();
    await this.#writing;
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
      localPart(spec, database, rowPrefix(this.#stores[spec.name]!, partition), partition, openSnapshot),
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
    return this.#committed.operatorTimeMs;
  }

  /** Whether the open windows were closed for good, and that is committed. */
  get final(): boolean {
    return this.#committed.final;
  }

  /** Settings as they are saved. */
  get settings(): StateSettings {
    return this.#saved.settings;
  }

  /** Counters, clocks and caches as they are now. */
  stats(): EngineStats {
    const tasks = this.#engine.tasks.map((task) => {
      task.stats.streamTimeMs = task.streamTimeMs;
      task.stats.operatorTimeMs = task.operatorTimes();
      return task.stats;
    });
    return {
      applicationId: this.#saved.applicationId,
      state: this.#state,
      tasks,
      stores: [
        ...this.#engine.tables.map((table) => table.snapshotStats()),
        ...[...this.#engine.versioned.values()].map((table) => table.snapshotStats()),
      ],
      feeds: this.#feeds.map((feed) => feed.progress),
      work: Object.fromEntries(this.#engine.tasks.map((task) => [task.taskId, task.work()])),
      feedWork: this.#feedStarts.map(({ feed, before }) => progressSince(before, feed.progress)),
      commits: this.#saved.totals.commits - this.#before.commits,
      commitSeconds: this.#commitSeconds - this.#before.commitSeconds,
      committedRows: this.#saved.totals.committedRows - this.#before.committedRows,
      lastCommitAtMs: this.#lastCommitAtMs,
      errors: this.#errors,
      final: this.#saved.final,
    };
  }

  /** Closes feeds, nodes and the folder. What is not committed is given up: `run` commits before it returns. */
  async close(): Promise<void> {
    if (this.#state === 'NOT_RUNNING') return;
    if (this.#state !== 'ERROR') this.#become('PENDING_SHUTDOWN');
    await this.#starting?.catch(() => {});
    await this.#writing.catch(() => {});
    for (const feed of this.#feeds) await feed.close();
    this.#engine.close();
    await this.#folder.close();
    if (this.#state !== 'ERROR') this.#become('NOT_RUNNING');
  }

  async #loop(options: RunOptions): Promise<void> {
    const driver = this.#driver!;
    let lastCommit = Date.now();
    let turnEndsMs = performance.now() + turnMs;
    let sinceCommit = 0;
    while (options.signal?.aborted !== true) {
      if (this.#paused) {
        if (driver.changed) await this.#beginCommit();
        await this.#resumed.wait(pausedLookMs);
        continue;
      }
      const limit = this.#options.commitIntervalRecords - sinceCommit;
      const outcome = await driver.step(limit, turnEndsMs, () => this.#cacheIsFull() || this.#engine.commitRequested);
      const now = Date.now();
      for (const task of this.#engine.tasks) task.punctuateWallClock(now);
      if (this.#engine.unsettled) await this.#engine.settle();
      sinceCommit += driver.taken;
      if (outcome === 'end') {
        if (options.follow !== true) return;
      }
      const due = now - lastCommit >= this.#options.commitIntervalMs && driver.changed;
      if (
        due ||
        sinceCommit >= this.#options.commitIntervalRecords ||
        this.#cacheIsFull() ||
        this.#engine.commitRequested
      ) {
        await this.#beginCommit();
        lastCommit = Date.now();
        sinceCommit = 0;
      }
      if (outcome === 'idle' || outcome === 'end')
        await driver.wait(driver.changed ? this.#options.commitIntervalMs : 1000, options.signal);
      else if (performance.now() >= turnEndsMs) await new Promise((resolve) => setImmediate(resolve));
      else continue;
      turnEndsMs = performance.now() + turnMs;
    }
  }

  async #beginCommit(): Promise<void> {
    while (this.#starting !== undefined) await this.#starting;
    this.#starting = this.#startCommit().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /**
   * Puts everything that changed into a batch and starts its write. The next records may be taken while it is written: rows in the batch stay in the caches
   * until it is done.
   */
  async #startCommit(): Promise<void> {
    await this.#writing;
    const started = performance.now();
    const batch = this.#folder.database.batch();
    try {
      const rows = await this.#engine.flush(batch);
      for (const feed of this.#feeds) await feed.save(batch);
      const changed = batch.length > 0 || this.#driver?.changed === true || this.#folder.saved !== this.#saved;
      this.#engine.commitRequested = false;
      if (this.#driver !== undefined) this.#driver.changed = false;
      if (changed) this.#saveState(batch, rows);
      const writing = changed ? this.#write(batch, started) : batch.close();
      this.#engine.meter.writing = writing;
      this.#writing = writing;
      // Whoever waits for it next is told; without this, nobody waiting yet would count as nobody ever.
      writing.catch(() => {});
    } catch (error) {
      await batch.close();
      this.#fail(error);
      throw error;
    }
  }

  /** Commits what the program changes in the state, and takes out of it the rows of stores that the program does not have any more. */
  async #changeProgram(): Promise<void> {
    if (this.#changes !== undefined) await this.commit();
    if (this.#saved.retired === undefined) return;
    await deleteStores(this.#folder.database, this.#saved.retired);
    const { retired: _, ...rest } = this.#saved;
    this.#saved = rest;
    await this.commit();
  }

  /** Adds to a batch that the tasks are those of another program from now on. */
  #saveChanges(batch: WriteBatch, { added, removed }: ProgramChanges): void {
    const { directory } = this.#folder;
    for (const taskId of this.#savedTasks) this.#folder.forgetTask(batch, taskId);
    for (const store of added)
      this.#logger.warn(
        { store },
        `store ${store} is new in ${directory} and starts empty: what was read before does not count in it. For a store of all that there is make it anew: --rebuild ${store}`,
      );
    for (const store of removed)
      this.#logger.warn({ store }, `the program has no store ${store} any more: its rows leave ${directory}`);
    this.#changes = undefined;
  }

  #saveState(batch: WriteBatch, rows: number): void {
    if (this.#changes !== undefined) this.#saveChanges(batch, this.#changes);
    for (const task of this.#engine.tasks) this.#folder.saveTask(batch, task.taskId, task.save());
    const { commits, committedRows } = this.#saved.totals;
    // The time of this commit is in the totals of the next.
    const totals = { commits: commits + 1, committedRows: committedRows + rows, commitSeconds: this.#commitSeconds };
    this.#saved = { ...this.#saved, totals };
    this.#folder.save(batch, this.#saved);
  }

  async #write(batch: WriteBatch, started: number): Promise<void> {
    const clocks = this.#clocks();
    try {
      await batch.write({ sync: this.#options.syncWrites });
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      await batch.close();
    }
    this.#engine.written();
    this.#committed = clocks;
    this.#lastCommitAtMs = Date.now();
    this.#commitSeconds += (performance.now() - started) / 1000;
    // Only now: rows of the batch could not be read back before.
    if (this.#engine.meter.cachedBytes > this.#options.statestoreCacheMaxBytes / 2)
      for (const table of this.#engine.tables) table.age();
  }

  #clocks(): { readonly operatorTimeMs: number; readonly final: boolean } {
    let least = Number.POSITIVE_INFINITY;
    for (const task of this.#engine.tasks)
      for (const time of Object.values(task.operatorTimes())) least = Math.min(least, time);
    return { operatorTimeMs: least === Number.POSITIVE_INFINITY ? -1 : least, final: this.#saved.final };
  }

  #cacheIsFull(): boolean {
    const { dirtyBytes, cachedBytes, filterBytes } = this.#engine.meter;
    const max = this.#options.statestoreCacheMaxBytes;
    // A dirty row takes its place again in the batch, with what it changes downstream.
    return 2 * dirtyBytes > max / 2 || cachedBytes + filterBytes > max;
  }

  async #openFeeds(feeds: readonly Feed[]): Promise<void> {
    this.#feeds = feeds;
    for (const feed of feeds) await feed.open(this.#folder.database);
    for (const feed of feeds) this.#feedStarts.push({ feed, before: structuredClone(feed.progress) });
    this.#driver = new FeedDriver(this.#engine, feeds, {
      maxFutureMs: this.#options.maxFutureMs,
      onError: this.#options.processingExceptionHandler ?? (() => 'fail'),
    });
  }

  #makeEngine(): TopologyEngine {
    const { topology } = this;
    const output = this.#options.output;
    const sink = topology.nodes.find((node) => node.kind === 'sink' && !topology.repartitions.has(node.topic));
    if (sink !== undefined && output === undefined)
      throw new StreamsError(
        'STREAMS_CONFIG',
        `node ${sink.name} writes to a topic, but no output is given. Give one in the options.`,
      );
    return new TopologyEngine(topology, {
      applicationId: this.#saved.applicationId,
      database: this.#folder.database,
      prefixOf: (store, partition) => rowPrefix(this.#stores[store]!, partition),
      tasks: taskIdsOf(topology, () => this.#partitions),
      caching: true,
      maxFutureMs: this.#options.maxFutureMs,
      cacheMaxBytes: this.#options.statestoreCacheMaxBytes,
      output: output ?? (() => {}),
      dropped: (_task, drop) => this.#driver?.dropped(drop),
      flushFailed: (error) => {
        const decided = this.#options.processingExceptionHandler?.(error) ?? 'fail';
        if (decided === 'continue') this.#logger.warn({ code: error.code }, error.message);
        return decided;
      },
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

  #become(state: StreamsState): void {
    if (this.#state === state) return;
    this.#logger.info({ from: this.#state, to: state }, 'state changed');
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  #fail(error: unknown): void {
    const code = StreamsError.is(error) ? error.code : 'INTERNAL';
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
    if (this.#state !== 'ERROR') this.#become('ERROR');
  }
}
