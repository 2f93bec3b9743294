import type { WriteBatch } from '../../../state/database.ts';
import { type BrokerProducer, type OffsetToCommit, partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import { type Drop, worseFate } from '../../processor/drop-reason.ts';
import { type GlobalChange, isRecordFailure } from '../../processor/node.ts';
import type { Task, TaskId } from '../task.ts';
import type { TopologyEngine } from '../topology-engine.ts';
import { commitPaceMs, isLargeCommit } from './commit-pace.ts';
import type { InputBuffer } from './input-buffer.ts';
import type { LetterWriter, WaitingLetters } from './letter-topics.ts';
import type { TaskFolder } from './task-folder.ts';
import { encodeTaskMetadata, pointerTo, samePositions } from './task-metadata.ts';
import type { TaskProgram } from './task-program.ts';

/** What becomes of records that fail. */
export interface RecordHandlers {
  readonly deserialization: (error: StreamsError) => 'continue' | 'fail';
  readonly processing: (error: StreamsError) => 'continue' | 'fail';
}

/** What a task needs at work. */
export interface KafkaTaskOptions {
  readonly id: TaskId;
  readonly engine: TopologyEngine;
  readonly inputs: readonly InputBuffer[];
  readonly folder: TaskFolder;
  readonly producer: BrokerProducer;
  readonly letters: LetterWriter;
  readonly handlers: RecordHandlers;
  /** Commits what the producer holds with these positions; gives the positions after what was written, by `topic-partition`. */
  readonly commit: (offsets: readonly OffsetToCommit[]) => Promise<ReadonlyMap<string, number>>;
  readonly maxFutureMs: number;
  readonly maxTaskIdleMs: number;
  readonly commitIntervalMs: number;
  readonly transactionTimeoutMs: number;
  readonly globalPositions: Readonly<Record<string, readonly number[]>>;
  /** Nothing was committed for it before. */
  readonly fresh: boolean;
  /** {@link marksOf} the application's topics, the task's own first. */
  readonly topics: string;
  /** What its commits say of this program. */
  readonly program: TaskProgram;
  /** Where it begins is to be known at once: what comes until the first commit would be passed over, or counted again, by the next owner. */
  readonly commitsAtOnce: boolean;
  readonly cacheIsFull: () => boolean;
  readonly syncWrites: boolean;
  /** The clock, ms. */
  readonly now: () => number;
}

/** What a commit takes: what comes later belongs to the next. */
interface BegunCommit {
  readonly batch: WriteBatch;
  readonly offsets: readonly OffsetToCommit[];
  readonly rows: number;
  /** How long it took to take the changed rows. */
  readonly flushMs: number;
  readonly letters: WaitingLetters;
}

/** Bytes that wait for the next commit. */
const mostBufferedBytes = 16 * 1024 * 1024;

/**
 * One task at work on Kafka: takes fetched records through its engine, and commits positions, outputs, changelogs and clocks in one step.
 *
 * While a commit is on its way to the broker the next records are taken; they belong to the next commit. Nothing of it outlives a commit that was not seen to succeed: the client
 * then closes the task, and takes it anew.
 */
export class KafkaTask {
  readonly id: TaskId;
  readonly taskId: string;
  readonly engine: TopologyEngine;
  readonly task: Task;
  readonly inputs: readonly InputBuffer[];
  readonly folder: TaskFolder;
  readonly letters: LetterWriter;
  commits = 0;
  commitSeconds = 0;
  committedRows = 0;
  lastCommitAtMs: number | undefined;
  /** Operators' times as of the last commit. */
  committedOperatorTimes: Readonly<Record<string, number>>;
  /** Highest event time of the records that are committed, ms; -1 for none. */
  committedStreamTimeMs: number;
  /** Positions as of the last commit, by `topic-partition`. */
  readonly committedPositions: Map<string, number> = new Map();
  readonly #options: KafkaTaskOptions;
  #globalPositions: Readonly<Record<string, readonly number[]>>;
  #changed = false;
  /** When the last commit began, and what had been taken by then. */
  #commitBegun: { readonly atMs: number; readonly consumed: number };
  /** What the last commit took, ms, without the broker's part. */
  #commitCostMs = 0;
  /** The group has, or is about to get, positions of it. */
  #known: boolean;
  #idleMovedMs = 0;
  /** Work on the engine that nothing may interrupt: a flush, a join after a global table's change, an asynchronous processor. */
  #busy: Promise<unknown> | undefined;
  #committing: Promise<void> = Promise.resolve();
  #closed = false;
  /** Why it can go on no more: rows may show half of a record's effects, which nothing may commit. */
  #failure: { readonly error: unknown } | undefined;
  /** The record in process: where its letter is made from. */
  #records: FetchedRecords | undefined;
  #index = 0;
  /** Why it gets a letter: one, whatever else happens to it. */
  #fate: Drop | undefined;

  constructor(options: KafkaTaskOptions) {
    this.#options = options;
    this.id = options.id;
    this.engine = options.engine;
    this.task = options.engine.tasks[0]!;
    this.taskId = this.task.taskId;
    this.inputs = options.inputs;
    this.folder = options.folder;
    this.letters = options.letters;
    this.#globalPositions = options.globalPositions;
    this.#known = !options.fresh;
    this.#changed = options.commitsAtOnce;
    this.#commitBegun = { atMs: options.now(), consumed: 0 };
    if (options.commitsAtOnce) this.engine.commitRequested = true;
    this.committedOperatorTimes = this.task.operatorTimes();
    this.committedStreamTimeMs = this.task.streamTimeMs;
    for (const { topic, partition, nextOffset } of options.inputs)
      this.committedPositions.set(partitionKey(topic, partition), nextOffset);
  }

  /** Whether it has ended, or is about to: what still fails in it concerns nobody any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether records can be taken now. */
  get busy(): boolean {
    return this.#busy !== undefined || this.#closed || this.#failure !== undefined;
  }

  /** Whether it has records that it may take at this time. */
  isReady(nowMs: number): boolean {
    if (this.busy) return false;
    if (this.inputs.length === 1) return this.inputs[0]!.head !== undefined;
    let any = false;
    const idleMs = this.#options.maxTaskIdleMs;
    for (const input of this.inputs) {
      if (input.head !== undefined) {
        any = true;
        continue;
      }
      if (idleMs < 0) continue;
      // Its next record may be older than those of the others: one that the broker is known to have is waited for without limit.
      if (input.stableEnd < 0 || input.nextOffset < input.stableEnd) return false;
      input.emptySinceMs ??= nowMs;
      if (nowMs < input.emptySinceMs + idleMs) return false;
    }
    return any;
  }

  /**
   * Takes up to `max` records, fewer where they take long; returns how many it took.
   *
   * @param untilMs - When everybody else has a turn, by `performance.now()`.
   */
  step(max: number, untilMs: number): number {
    const before = this.#consumed;
    this.#guard(() => {
      if (this.inputs.length === 1) this.#takeAlone(this.inputs[0]!, max, untilMs);
      else this.#takeMerged(max, untilMs);
    });
    const taken = this.#consumed - before;
    if (taken > 0) this.#changed = true;
    return taken;
  }

  /** Records processed since the task was taken. */
  get #consumed(): number {
    return this.inputs.reduce((sum, { consumed }) => sum + consumed, 0);
  }

  /** How far its commits are apart now, ms: further where it is far behind. */
  get commitPaceMs(): number {
    const { commitIntervalMs, transactionTimeoutMs } = this.#options;
    const lag = this.inputs.reduce((sum, { lag }) => sum + Math.max(0, lag), 0);
    return commitPaceMs({ commitIntervalMs, transactionTimeoutMs, lag, costMs: this.#commitCostMs });
  }

  /** Whether its next commit is due. To be asked each `commit.interval.ms`. */
  isCommitDue(nowMs: number): boolean {
    const pace = this.commitPaceMs;
    if (pace === this.#options.commitIntervalMs) return true;
    const { atMs, consumed } = this.#commitBegun;
    return nowMs - atMs >= pace || isLargeCommit(this.#consumed - consumed);
  }

  /** Whether it must commit before it takes more: the cache is full, or so much is written that it takes too much memory until then. */
  get isFull(): boolean {
    return this.#options.producer.bufferedBytes > mostBufferedBytes || this.#options.cacheIsFull();
  }

  /**
   * Nothing has come for so long that its windows are to close: moves its clocks on, as if a record of that time had been seen.
   *
   * @param idleMs - How long there must have been nothing to read.
   */
  closeIdle(idleMs: number, nowMs: number): void {
    if (this.busy || this.task.streamTimeMs < 0) return;
    for (const input of this.inputs) {
      if (input.head !== undefined || input.stableEnd < 0 || input.nextOffset < input.stableEnd) return;
      input.emptySinceMs ??= nowMs;
      if (nowMs < input.emptySinceMs + idleMs) return;
    }
    // Each move is a commit: one for each such time is enough.
    if (nowMs < this.#idleMovedMs + idleMs) return;
    this.#idleMovedMs = nowMs;
    this.#records = undefined;
    this.#guard(() => {
      if (this.task.advanceTo(nowMs - idleMs)) this.#changed = true;
    });
    if (this.engine.unsettled) this.#hold(this.engine.settle());
  }

  /** Fires wall-clock punctuations that are due. */
  punctuate(nowMs: number): void {
    if (this.busy) return;
    const before = this.task.stats.punctuations;
    this.#records = undefined;
    this.#guard(() => this.task.punctuateWallClock(nowMs));
    if (this.task.stats.punctuations === before) return;
    this.#changed = true;
    if (this.engine.unsettled) this.#hold(this.engine.settle());
  }

  /** Joins again what these changes of a global table concern, when nothing else is under way. The caller says by `joinedUpTo` when all of them are done. */
  async rejoin(store: string, changes: readonly GlobalChange[]): Promise<void> {
    await this.#exclusive(async () => {
      await this.engine.rejoin(store, changes);
      this.#changed ||= this.engine.tables.some(({ hasDirty }) => hasDirty);
    });
  }

  /** All changes of global tables up to these positions are joined. */
  joinedUpTo(positions: Readonly<Record<string, readonly number[]>>): void {
    if (samePositions(positions, this.#globalPositions)) return;
    this.#globalPositions = positions;
    // One that never had a record has nothing to join: that is no work to commit. If it gets one, its first commit tells of this too.
    if (this.#known) this.#changed = true;
  }

  get globalPositions(): Readonly<Record<string, readonly number[]>> {
    return this.#globalPositions;
  }

  /** Whether a commit would change anything. */
  get needsCommit(): boolean {
    if (this.#closed) return false;
    if (this.#changed || this.engine.commitRequested) return true;
    return this.inputs.some(
      ({ topic, partition, position }) => this.committedPositions.get(partitionKey(topic, partition)) !== position,
    );
  }

  /** Resolves when the commit under way, if any, has ended, whatever its end. */
  async settled(): Promise<void> {
    await this.#committing.catch(() => {});
  }

  /**
   * Commits all that was taken until now. Resolves when positions and results are committed and the local copy has them.
   *
   * @param flushed - Told when the records are on their way, and the next ones can be taken.
   */
  async commit(flushed?: () => void): Promise<void> {
    await this.#committing;
    let commit: BegunCommit | undefined;
    const started = performance.now();
    await this.#exclusive(async () => {
      // Another call may have begun a commit meanwhile: its batch must be written before the next one is made.
      await this.#committing;
      if (!this.needsCommit) return;
      this.#known = true;
      this.#commitBegun = { atMs: this.#options.now(), consumed: this.#consumed };
      const batch = this.folder.database.batch();
      try {
        const flushStarted = performance.now();
        const rows = await this.engine.flush(batch);
        const flushMs = performance.now() - flushStarted;
        commit = { batch, rows, flushMs, offsets: this.#offsets(), letters: this.letters.takeWaiting() };
        this.#changed = false;
        this.engine.commitRequested = false;
      } catch (error) {
        await batch.close();
        throw error;
      }
      this.#committing = this.#finish(commit, started);
      this.#committing.catch(() => {});
      this.engine.meter.writing = this.#committing;
    });
    flushed?.();
    await this.#committing;
  }

  /** Ends the task's work; what is not committed is given up. The copy of its stores stays open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // First: a commit that hangs at a broker that is gone must not hold up the next owner.
    await this.#options.producer.close();
    await this.#busy?.catch(() => {});
    await this.settled();
    this.engine.close();
  }

  /** The record in process is dropped. */
  dropped(drop: Drop): void {
    if (this.#records === undefined) return;
    const { reason } = drop;
    if (reason === 'future' || reason === 'invalid_timestamp') this.#askWhetherRefused(drop);
    this.#fate = worseFate(this.#fate, drop);
  }

  async #finish(commit: BegunCommit, started: number): Promise<void> {
    const { batch, offsets, rows, flushMs, letters } = commit;
    const times = this.task.operatorTimes();
    const { streamTimeMs } = this.task;
    try {
      const written = await this.#options.commit(offsets);
      this.letters.committed(letters);
      if (this.#closed) return;
      if (this.folder.specs.length > 0) this.#savePositions(batch, written, times, offsets);
      const writeStarted = performance.now();
      if (batch.length > 0) await batch.write({ sync: this.#options.syncWrites });
      this.#commitCostMs = flushMs + performance.now() - writeStarted;
    } finally {
      await batch.close();
    }
    this.engine.written();
    for (const { topic, partition, offset } of offsets)
      this.committedPositions.set(partitionKey(topic, partition), offset);
    this.committedOperatorTimes = times;
    this.committedStreamTimeMs = streamTimeMs;
    this.commits++;
    this.committedRows += rows;
    this.lastCommitAtMs = this.#options.now();
    this.commitSeconds += (performance.now() - started) / 1000;
    if (this.engine.meter.cachedBytes > this.engine.cacheMaxBytes / 2)
      for (const table of this.engine.tables) table.age();
  }

  #savePositions(
    batch: WriteBatch,
    written: ReadonlyMap<string, number>,
    operatorTimes: Readonly<Record<string, number>>,
    offsets: readonly OffsetToCommit[],
  ): void {
    const reached = new Map<string, number>();
    for (const topic of this.folder.positions.keys()) {
      const position = written.get(partitionKey(topic, this.folder.partition));
      if (position !== undefined) reached.set(topic, position);
    }
    const operatorTimeMs = Math.min(Number.POSITIVE_INFINITY, ...Object.values(operatorTimes));
    const positions = offsets.map(({ offset }) => offset);
    this.folder.saveCommitted(batch, reached, operatorTimeMs, { positions, metadata: offsets[0]!.metadata });
  }

  /** The first input carries the task's clocks, and what its commit stands on; the others say where that is. */
  #offsets(): readonly OffsetToCommit[] {
    const { topics, program } = this.#options;
    const positions = Object.fromEntries(this.inputs.map(({ source, position }) => [source.topic, position]));
    const metadata = encodeTaskMetadata({
      task: this.task.save(),
      globalPositions: this.#globalPositions,
      basis: { positions, reached: this.folder.reached, topics },
      program,
    });
    const pointer = pointerTo(this.inputs[0]!.topic);
    return this.inputs.map(({ topic, partition, position }, i) => ({
      topic,
      partition,
      offset: position,
      metadata: i === 0 ? metadata : pointer,
    }));
  }

  #takeAlone(input: InputBuffer, max: number, untilMs: number): void {
    const { meter, cacheStep } = this.engine;
    let lookAt = meter.cachedBytes + cacheStep;
    for (let left = max; left > 0; ) {
      const records = input.head;
      if (records === undefined) return;
      const from = input.at;
      const end = Math.min(records.length, from + left);
      let i = from;
      let stop = false;
      while (i < end && !stop) {
        this.#take(input, records, i++);
        stop = this.engine.unsettled;
        if ((i & 31) === 0 && performance.now() >= untilMs) stop = true;
        if ((i & 255) !== 0 && meter.cachedBytes <= lookAt) continue;
        stop ||= this.isFull;
        lookAt = meter.cachedBytes + cacheStep;
      }
      left -= i - from;
      if (this.engine.unsettled) {
        this.#hold(this.#settle(input, records, i));
        return;
      }
      input.advance(i);
      if (stop) return;
    }
  }

  #takeMerged(max: number, untilMs: number): void {
    const { meter, cacheStep } = this.engine;
    let lookAt = meter.cachedBytes + cacheStep;
    for (let taken = 0; taken < max && this.isReady(this.#options.now()); taken++) {
      const input = this.#least();
      if (input === undefined) return;
      const records = input.head!;
      const at = input.at;
      this.#take(input, records, at);
      if (this.engine.unsettled) {
        this.#hold(this.#settle(input, records, at + 1));
        return;
      }
      input.advance(at + 1);
      if ((taken & 31) === 31 && performance.now() >= untilMs) return;
      if ((taken & 255) !== 0 && meter.cachedBytes <= lookAt) continue;
      if (this.isFull) return;
      lookAt = meter.cachedBytes + cacheStep;
    }
  }

  /** The input whose next record has the least (event time, topic, partition). */
  #least(): InputBuffer | undefined {
    let least: InputBuffer | undefined;
    for (const input of this.inputs) {
      if (input.head === undefined) continue;
      if (Number.isNaN(input.headMs)) input.headMs = this.#headTime(input);
      if (
        least === undefined ||
        input.headMs < least.headMs ||
        (input.headMs === least.headMs && input.topic < least.topic)
      )
        least = input;
    }
    return least;
  }

  /** One that cannot be read comes first: it is only put aside. */
  #headTime(input: InputBuffer): number {
    const records = input.head!;
    const i = input.at;
    try {
      const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
      const key = keyStarts[i]! < 0 ? undefined : input.readKey(bytes, keyStarts[i]!, keyEnds[i]!);
      const value = valueStarts[i]! < 0 ? undefined : input.readValue(bytes, valueStarts[i]!, valueEnds[i]!);
      this.task.headersFrom(records, i);
      const { maxFutureMs } = this.#options;
      return this.task.timeOf(input.source, key, value, records.timestamps[i]!, records.offsets[i]!, maxFutureMs);
    } catch {
      return Number.NEGATIVE_INFINITY;
    }
  }

  #take(input: InputBuffer, records: FetchedRecords, i: number): void {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds, offsets, timestamps } = records;
    const { source } = input;
    this.#records = records;
    this.#index = i;
    this.#fate = undefined;
    let key: unknown;
    let value: unknown;
    try {
      if (keyStarts[i]! >= 0) key = input.readKey(bytes, keyStarts[i]!, keyEnds[i]!);
      if (valueStarts[i]! >= 0) value = input.readValue(bytes, valueStarts[i]!, valueEnds[i]!);
      if (source.spec.complete === true && (keyStarts[i]! < 0 || valueStarts[i]! < 0))
        throw new Error(`it has no ${keyStarts[i]! < 0 ? 'key' : 'value'}`);
    } catch (error) {
      this.#unreadable(input, records, i, error);
      return;
    }
    this.task.headersFrom(records, i);
    try {
      this.task.process(source, key, value, timestamps[i]!, offsets[i]!, this.#options.maxFutureMs);
    } catch (error) {
      this.#askHandler(records, i, error);
    }
    if (this.#fate !== undefined && !this.engine.unsettled) this.#tell(records, i);
  }

  /** Writes the letter of a record that was not processed, or not wholly. */
  #tell(records: FetchedRecords, i: number): void {
    const fate = this.#fate;
    if (fate === undefined) return;
    this.#fate = undefined;
    this.letters.send(records, i, fate);
  }

  #unreadable(input: InputBuffer, records: FetchedRecords, i: number, cause: unknown): void {
    const { topic, partition } = records;
    const offset = records.offsets[i]!;
    const error = new StreamsError(
      'STREAMS_DESERIALIZATION',
      `record ${offset} of ${topic} (partition ${partition}) cannot be read: ${messageOf(cause)}.`,
      { topic, partition, offset, taskId: this.taskId, nodeName: input.source.spec.name, cause },
    );
    if (this.#options.handlers.deserialization(error) === 'fail') throw error;
    this.task.stats.dropped.deserialization++;
    this.letters.send(records, i, {
      reason: 'deserialization',
      message: error.message,
      nodeName: input.source.spec.name,
    });
  }

  /** Asks what becomes of a record that no task can take. */
  #askWhetherRefused({ message, nodeName }: Drop): void {
    const { topic, partition, offsets } = this.#records!;
    const offset = offsets[this.#index]!;
    const error = new StreamsError(
      'STREAMS_DESERIALIZATION',
      `record ${offset} of ${topic} (partition ${partition}) is refused: ${message}.`,
      { topic, partition, offset, taskId: this.taskId, ...(nodeName !== undefined && { nodeName }) },
    );
    if (this.#options.handlers.deserialization(error) === 'fail') throw error;
  }

  /** Asks what becomes of a record whose processing failed. */
  #askHandler(records: FetchedRecords, i: number, error: unknown): void {
    if (!isRecordFailure(error)) throw error;
    const { topic, partition } = records;
    const offset = records.offsets[i]!;
    const { nodeName } = error.details;
    const placed = new StreamsError(
      error.code,
      `record ${offset} of ${topic} (partition ${partition}): ${error.message}`,
      { ...error.details, topic, partition, offset, taskId: this.taskId, cause: error.details.cause ?? error },
    );
    if (this.#options.handlers.processing(placed) === 'fail') throw placed;
    this.task.stats.dropped.processing++;
    this.dropped({ reason: 'processing', code: placed.code, message: error.message, nodeName });
  }

  /** Waits for busy nodes after the record before `next`, then passes it. */
  async #settle(input: InputBuffer, records: FetchedRecords, next: number): Promise<void> {
    try {
      await this.engine.settle();
    } catch (error) {
      this.#askHandler(records, next - 1, error);
    }
    this.#tell(records, next - 1);
    input.advance(next);
  }

  #failed(error: unknown): unknown {
    this.#failure ??= { error };
    return error;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Notes a failure before anybody else can go on. */
  #watched<T>(work: Promise<T>): Promise<T> {
    return work.catch((error: unknown) => {
      throw this.#failed(error);
    });
  }

  #hold(work: Promise<unknown>): void {
    const held: Promise<unknown> = this.#watched(work).finally(() => {
      if (this.#busy === held) this.#busy = undefined;
      this.onFree?.();
    });
    held.catch((error: unknown) => this.onFailure?.(error));
    this.#busy = held;
  }

  /** Told when an asynchronous piece of work has ended: there may be records to take. */
  onFree: (() => void) | undefined;
  /** Told of a failure that no caller waits for. */
  onFailure: ((error: unknown) => void) | undefined;

  async #exclusive(work: () => Promise<void>): Promise<void> {
    while (this.#busy !== undefined) await this.#busy.catch(() => {});
    if (this.#closed) throw new StreamsError('STREAMS_TASK_MIGRATED', `task ${this.taskId} was closed meanwhile.`);
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#records = undefined;
    const held: Promise<void> = this.#watched(work()).finally(() => {
      if (this.#busy === held) this.#busy = undefined;
      this.onFree?.();
    });
    held.catch(() => {});
    this.#busy = held;
    await held;
  }
}
