import type { WriteBatch } from '../../state/database.ts';
import { StreamsError } from '../common/errors.ts';
import { Histogram } from '../common/histogram.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { BegunCommit, CommitLog } from './commit-log.ts';
import { commitBounds } from './engine-stats.ts';
import { PartitionGroup } from './partition-group.ts';
import type { RecordSource } from './record-source.ts';
import type { TopologyEngine } from './topology-engine.ts';

/** What a task is made of. */
export interface StreamTaskOptions<S extends RecordSource, L extends CommitLog> {
  /** What errors call it. */
  readonly taskId: string;
  readonly engine: TopologyEngine;
  readonly source: S;
  readonly log: L;
  /** Whether there are so many dirty rows in the process that a commit must come first. */
  readonly cacheIsFull: () => boolean;
  /** Bytes of cached rows, dirty or not, above which a commit comes first. @defaultValue only dirty ones count: commits come often anyway */
  readonly cacheMaxBytes?: number;
  /** Most records of a commit. @defaultValue as many as come */
  readonly commitIntervalRecords?: number;
  /** Where it begins is to be known at once: what comes until the first commit would be passed over, or counted again, by the next owner. @defaultValue false */
  readonly commitsAtOnce?: boolean;
}

/**
 * What is processed and committed together: records of a source go through an engine's nodes and stores, and a log makes rows, positions, clocks and outputs durable in one step. Over
 * files that is a whole topology with the queues between its parts, on Kafka one partition of one sub-topology.
 *
 * While a commit is being written the next records are taken; they belong to the next commit.
 */
export class StreamTask<S extends RecordSource = RecordSource, L extends CommitLog = CommitLog> {
  readonly taskId: string;
  readonly engine: TopologyEngine;
  readonly source: S;
  readonly log: L;
  commits = 0;
  readonly commitDurations: Histogram = new Histogram(commitBounds);
  committedRows = 0;
  lastCommitAtMs: number | undefined;
  /** Operators' times as of the last commit: of several tasks the least. */
  committedOperatorTimes: Readonly<Record<string, number>>;
  /** Highest event time of the records that are committed, ms; -1 for none. */
  committedStreamTimeMs: number;
  /** Told when a piece of work has ended that others waited for: there may be records to take. */
  onFree: (() => void) | undefined;
  /** Told of a failure that no caller waits for. */
  onFailure: ((error: unknown) => void) | undefined;
  readonly #options: StreamTaskOptions<S, L>;
  readonly #group: PartitionGroup;
  #changed: boolean;
  #sinceCommit = 0;
  #idleMovedMs = 0;
  /** Work on the engine that nothing may interrupt: a flush, a join after a global table's change, an asynchronous processor. */
  #busy: Promise<unknown> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;
  /** Why it can go on no more: rows may show half of a record's effects, which nothing may commit. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: StreamTaskOptions<S, L>) {
    const { taskId, engine, source, log, commitsAtOnce = false } = options;
    this.#options = options;
    this.taskId = taskId;
    this.engine = engine;
    this.source = source;
    this.log = log;
    this.#group = new PartitionGroup(engine, source, () => this.isFull);
    this.#changed = commitsAtOnce;
    if (commitsAtOnce) engine.commitRequested = true;
    this.committedOperatorTimes = this.#operatorTimes();
    this.committedStreamTimeMs = this.#streamTimeMs();
  }

  /** Whether it has ended, or is about to: what still fails in it concerns nobody any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether no records can be taken now. */
  get busy(): boolean {
    return this.#busy !== undefined || this.#closed || this.#failure !== undefined;
  }

  /** Whether it must commit before it takes more: a cache is full, or so much is written that it takes too much memory until then. */
  get isFull(): boolean {
    if (this.#room <= 0 || this.log.isFull) return true;
    const { cacheIsFull, cacheMaxBytes = Number.POSITIVE_INFINITY } = this.#options;
    // Where nothing has changed a commit makes no room: what is cached then are rows that the next ones push out.
    return this.#changed && (cacheIsFull() || this.engine.cachedBytes > cacheMaxBytes);
  }

  get #room(): number {
    return (this.#options.commitIntervalRecords ?? Number.POSITIVE_INFINITY) - this.#sinceCommit;
  }

  /** Whether a commit would change anything. */
  get needsCommit(): boolean {
    return !this.#closed && (this.#changed || this.engine.commitRequested || this.log.hasNews);
  }

  /**
   * Takes up to `max` records, fewer where they take long; returns how many it took.
   *
   * @param untilMs - When everybody else has a turn, by `performance.now()`.
   * @param nowMs - The clock.
   */
  step(max: number, untilMs: number, nowMs: number): number {
    if (this.busy) return 0;
    if (!this.source.isReady(nowMs)) {
      const filling = this.source.fill();
      if (filling !== undefined) this.#hold(filling.then((came) => this.#came(came)));
      return 0;
    }
    this.#changed = true;
    for (const { times } of this.engine.tasks) times.nowMs = nowMs;
    const taken = this.#guard(() => this.#group.take(Math.min(max, this.#room), untilMs));
    this.#sinceCommit += taken;
    this.#settle();
    return taken;
  }

  /** Waits for the first records, so that they are taken as soon as the loop runs. */
  async fill(): Promise<void> {
    await this.exclusive(async () => this.#came((await this.source.fill()) === true));
  }

  /**
   * Nothing has come for so long that its windows are to close: moves its clocks on, as if a record of that time had been seen.
   *
   * @param idleMs - How long there must have been nothing to read.
   */
  closeIdle(idleMs: number, nowMs: number): void {
    // Each move is a commit: one for each such time is enough.
    if (this.busy || this.#streamTimeMs() < 0 || nowMs < this.#idleMovedMs + idleMs) return;
    if (!this.source.isIdle(idleMs, nowMs)) return;
    this.#idleMovedMs = nowMs;
    this.#guard(() => {
      for (const task of this.engine.tasks) if (task.advanceTo(nowMs - idleMs)) this.#changed = true;
    });
    this.#settle();
  }

  /** Fires wall-clock punctuations that are due. */
  punctuate(nowMs: number): void {
    if (this.busy) return;
    this.#guard(() => {
      for (const task of this.engine.tasks) {
        const before = task.stats.punctuations;
        task.punctuateWallClock(nowMs);
        if (task.stats.punctuations !== before) this.#changed = true;
      }
    });
    this.#settle();
  }

  /** The record in process is dropped. */
  dropped(drop: Drop): void {
    this.#group.dropped(drop);
  }

  /** A node has refused the record in process. @throws StreamsError if that is the end */
  refused(failure: StreamsError): void {
    this.#group.refused(failure);
  }

  /** Resolves when the commit under way, if any, has ended, whatever its end. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  /** Commits all that was taken until now. Resolves when that is durable. @param always - also where nothing seems to have changed */
  async commit(always = false): Promise<void> {
    await this.flush(always);
    await this.#writing;
  }

  /** Begins a commit of all that was taken until now. Resolves when it is on its way, and the next records can be taken. */
  async flush(always = false): Promise<void> {
    const nothing = (): boolean => !always && !this.needsCommit;
    await this.#writing;
    if (nothing()) return;
    await this.exclusive(async () => {
      if (nothing()) return;
      // Another call may have begun a commit meanwhile: its batch must be written before the next one is made.
      await this.#writing;
      const batch = await this.log.batch();
      try {
        await this.#begin(batch);
      } catch (error) {
        await batch.close();
        throw error;
      }
    });
  }

  /** Does work on the engine when nothing else is under way. What it changes in tables is committed with the next commit. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    if (this.#closed) throw new StreamsError('STREAMS_TASK_MIGRATED', `task ${this.taskId} was closed meanwhile.`);
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#watch(
      work().then((result) => {
        this.#changed ||= this.engine.tables.some(({ hasDirty }) => hasDirty);
        return result;
      }),
    );
  }

  /** Ends the task's work; what is not committed is given up. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // First: a commit that hangs at a broker that is gone must not hold up the next owner.
    await this.log.close();
    await this.#busy?.catch(() => {});
    await this.settled();
    this.engine.close();
  }

  async #begin(batch: WriteBatch): Promise<void> {
    const started = performance.now();
    const rows = await this.engine.flush(batch, { sync: this.log.syncWrites });
    const flushMs = performance.now() - started;
    const { sum: commitSeconds } = this.commitDurations;
    const commit = await this.log.take({ batch, rows, flushMs, changed: this.#changed, commitSeconds });
    if (commit !== undefined) for (const { times } of this.engine.tasks) times.commits();
    this.#changed = false;
    this.engine.commitRequested = false;
    this.#sinceCommit = 0;
    this.#writing = commit === undefined ? batch.close() : this.#write(commit, batch, rows, started);
    // Whoever waits for it next is told; without this, nobody waiting yet would count as nobody ever.
    this.#writing.catch(() => {});
    this.engine.meter.writing = this.#writing;
  }

  async #write(commit: BegunCommit, batch: WriteBatch, rows: number, started: number): Promise<void> {
    const times = this.#operatorTimes();
    const streamTimeMs = this.#streamTimeMs();
    try {
      if (!(await commit.write())) return;
    } finally {
      await batch.close();
    }
    const { engine } = this;
    engine.written();
    this.committedOperatorTimes = times;
    this.committedStreamTimeMs = streamTimeMs;
    this.commits++;
    this.committedRows += rows;
    this.lastCommitAtMs = Date.now();
    for (const task of engine.tasks) task.times.committed(this.lastCommitAtMs);
    this.commitDurations.observe((performance.now() - started) / 1000);
    // Only now: rows of the batch could not be read back before.
    if (engine.meter.cachedBytes > engine.cacheMaxBytes / 2) for (const table of engine.tables) table.age();
  }

  #operatorTimes(): Record<string, number> {
    const least: Record<string, number> = {};
    for (const task of this.engine.tasks)
      for (const [name, time] of Object.entries(task.operatorTimes()))
        least[name] = Math.min(least[name] ?? Number.POSITIVE_INFINITY, time);
    return least;
  }

  #streamTimeMs(): number {
    return this.engine.tasks.reduce((latest, { streamTimeMs }) => Math.max(latest, streamTimeMs), -1);
  }

  #came(anything: boolean): void {
    this.#changed ||= anything;
  }

  #settle(): void {
    if (this.engine.unsettled) this.#hold(this.#group.settle());
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  #hold(work: Promise<void>): void {
    this.#watch(work).catch((error: unknown) => this.onFailure?.(error));
  }

  /** Keeps others away until some work is done, and notes its failure before anybody else can go on. */
  #watch<T>(work: Promise<T>): Promise<T> {
    const held: Promise<T> = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
        throw error;
      })
      .finally(() => {
        if (this.#busy === held) this.#busy = undefined;
        this.onFree?.();
      });
    this.#busy = held;
    return held;
  }
}
