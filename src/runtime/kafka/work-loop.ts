import { type Fetcher, type PartitionOffset, partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { StreamsError } from '../../common/errors.ts';
import { Wake } from '../wake.ts';
import type { GlobalUpdate } from './global-tables.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { KafkaTask } from './kafka-task.ts';
import { deletedError } from './loss-check.ts';
import { lossError } from './loss-errors.ts';
import { catchUpWithGlobals, migrated, type TakeoverContext } from './takeover.ts';
import { samePositions } from './task-metadata.ts';
import type { TaskSlot } from './task-slot.ts';

/** Records that a task takes before the others have their turn. */
const stepRecords = 2048;
/** ms for which the loop may keep the process to itself. */
const breathMs = 10;
/** Longest sleep where nothing comes, ms: timers of processors are looked at so often. */
const sleepMs = 100;
/** Errors of what is written in a topic: they stay, however often it is read. */
const unreadable: ReadonlySet<string> = new Set(['STREAMS_BATCH_CORRUPT', 'STREAMS_BATCH_UNSUPPORTED']);
/** Keys of a global table that are joined again between two looks at the cache. */
const keysAtOnce = 200;

/** What the loop tells its client. */
export interface WorkLoopHost {
  /** @param committing - it was a commit that failed. */
  taskFailed(slot: TaskSlot, error: unknown, committing?: boolean): void;
  /** Something is wrong that is nobody's failure: counted under this code. */
  count(code: string): void;
}

/** The running tasks of one client: reads their inputs, takes records in turn, commits, and joins again what global tables change. */
export class WorkLoop {
  readonly #options: FilledOptions;
  readonly #host: WorkLoopHost;
  readonly #inputs: Fetcher;
  readonly #wake = new Wake();
  /** By partition of an input its task. */
  readonly #readers = new Map<string, TaskSlot>();
  readonly #committing = new Map<TaskSlot, Promise<void>>();
  readonly #catchingUp = new Set<TaskSlot>();
  readonly #ending = new WeakSet<KafkaTask>();
  #running: readonly TaskSlot[] = [];
  #takeover: TakeoverContext | undefined;
  #paused = false;
  #stopped = false;

  constructor(options: FilledOptions, host: WorkLoopHost) {
    this.#options = options;
    this.#host = host;
    this.#inputs = options.broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => this.#received(records),
      failed: (partition, kind, error) => this.#inputFailed(partition, kind, error),
    });
  }

  /** Slots whose tasks are at work. */
  get running(): readonly TaskSlot[] {
    return this.#running;
  }

  /** Whether the dirty rows of all tasks take so much memory that they must be committed first. */
  get cacheIsFull(): boolean {
    let dirty = 0;
    for (const { task } of this.#running) dirty += task!.engine.meter.dirtyBytes;
    return 2 * dirty > this.#options.statestoreCacheMaxBytes / 2;
  }

  /** The task of a slot is ready: its inputs are read from now on. */
  add(slot: TaskSlot, takeover: TakeoverContext): void {
    this.#takeover = takeover;
    const task = slot.task!;
    task.onFree = () => this.#wake.call();
    task.onFailure = (error) => this.#host.taskFailed(slot, error);
    this.#running = [...this.#running, slot];
    this.#shareCache();
    for (const input of task.inputs) {
      this.#readers.set(partitionKey(input.topic, input.partition), slot);
      this.#inputs.add({ topic: input.topic, partition: input.partition, offset: input.nextOffset });
    }
    if (!samePositions(takeover.globals.positions, task.globalPositions)) this.#catchUp(slot);
    this.#wake.call();
  }

  /** The task of a slot is about to end. */
  remove(slot: TaskSlot): void {
    const task = slot.task!;
    task.onFailure = undefined;
    this.#running = this.#running.filter((other) => other !== slot);
    this.#shareCache();
    for (const { topic, partition } of task.inputs) {
      if (this.#readers.get(partitionKey(topic, partition)) !== slot) continue;
      this.#readers.delete(partitionKey(topic, partition));
      this.#inputs.remove({ topic, partition });
    }
  }

  /** Takes records, commits and fires timers until `stop`. */
  async run(): Promise<void> {
    const { commitIntervalMs } = this.#options;
    let lastCommit = Date.now();
    let turnEndsMs = performance.now() + breathMs;
    while (!this.#stopped) {
      let taken = 0;
      const now = Date.now();
      for (const slot of this.#running) {
        // One that has left in a turn of the others takes nothing.
        if (!this.#running.includes(slot)) continue;
        taken += this.#step(slot, now, turnEndsMs);
        if (performance.now() < turnEndsMs) continue;
        await new Promise((resolve) => setImmediate(resolve));
        turnEndsMs = performance.now() + breathMs;
      }
      const full = this.#running.some(({ task }) => task?.isFull === true);
      const asked = this.#running.some(({ task }) => task?.engine.commitRequested === true);
      if (Date.now() - lastCommit >= commitIntervalMs || full || asked) {
        lastCommit = Date.now();
        const commits = full || asked ? this.commitAll() : this.#commitDue(now);
        // Nothing more fits: the next records wait until these are written.
        if (full) await commits;
        // What filled it may have come after a commit had begun: that one left it.
        if (full && this.cacheIsFull) await this.commitAll();
      }
      if (taken === 0) {
        const wanted = this.#running.some(({ task }) => task?.needsCommit);
        const untilCommit = Math.max(1, commitIntervalMs - (Date.now() - lastCommit));
        await this.#wake.wait(wanted ? Math.min(untilCommit, sleepMs) : sleepMs);
        turnEndsMs = performance.now() + breathMs;
      }
    }
  }

  /** Starts a commit of every task that needs one and has none under way. Resolves when all that are under way have ended, whatever their end. */
  async commitAll(): Promise<void> {
    await this.#commitEach(this.#running);
  }

  /** As `commitAll`, without tasks that are far behind and have committed a moment ago. */
  async #commitDue(nowMs: number): Promise<void> {
    await this.#commitEach(this.#running.filter(({ task }) => task?.isCommitDue(nowMs) === true));
  }

  async #commitEach(slots: readonly TaskSlot[]): Promise<void> {
    await Promise.all(slots.map((slot) => this.#committing.get(slot) ?? this.#commit(slot)));
  }

  async #commit(slot: TaskSlot): Promise<void> {
    const { task } = slot;
    if (task === undefined || !task.needsCommit) return;
    const committed = task
      .commit(() => this.#wake.call())
      .catch((error: unknown) => {
        if (slot.task === task && !task.closed) this.#host.taskFailed(slot, error, true);
      });
    const ended = committed.finally(() => this.#committing.delete(slot));
    this.#committing.set(slot, ended);
    await ended;
  }

  /** Joins again, in every task, what the changes of global tables concern. */
  async joinAgain(
    updates: readonly GlobalUpdate[],
    positions: Readonly<Record<string, readonly number[]>>,
  ): Promise<void> {
    const byStore = new Map<string, GlobalUpdate['change'][]>();
    for (const { store, change } of updates) {
      const changes = byStore.get(store);
      if (changes === undefined) byStore.set(store, [change]);
      else changes.push(change);
    }
    // Tasks that are being taken over, or are behind, read the same changes for themselves.
    for (const slot of this.#running) {
      const { task } = slot;
      if (task === undefined || this.#catchingUp.has(slot)) continue;
      try {
        for (const [store, changes] of byStore)
          for (let i = 0; i < changes.length; i += keysAtOnce) {
            await task.rejoin(store, changes.slice(i, i + keysAtOnce));
            if (this.cacheIsFull) await task.commit();
          }
        task.joinedUpTo(positions);
      } catch (error) {
        if (slot.task === task && !task.closed) this.#host.taskFailed(slot, error);
      }
    }
    this.#wake.call();
  }

  /** Whether no records are taken, and no timers of processors fire. What was taken is committed. */
  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#wake.call();
  }

  /** Looks at the tasks now. */
  wake(): void {
    this.#wake.call();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake.call();
  }

  close(): Promise<void> {
    return this.#inputs.close();
  }

  #step(slot: TaskSlot, now: number, turnEndsMs: number): number {
    const { task } = slot;
    if (task === undefined || this.#paused) return 0;
    try {
      this.#resumeInputs(task);
      task.punctuate(now);
      if (this.#options.windowIdleCloseMs !== undefined) task.closeIdle(this.#options.windowIdleCloseMs, now);
      const ended = task.inputs.find(({ failure, buffered }) => failure !== undefined && buffered === 0);
      if (ended !== undefined) {
        this.#endsAt(slot, task, ended.failure!);
        return 0;
      }
      if (!task.isReady(now)) return 0;
      const taken = task.step(stepRecords, turnEndsMs);
      this.#resumeInputs(task);
      return taken;
    } catch (error) {
      this.#host.taskFailed(slot, error);
      return 0;
    }
  }

  /** An input has a batch that cannot be read, and all before it is processed: that is committed, and nothing more. */
  #endsAt(slot: TaskSlot, task: KafkaTask, failure: StreamsError): void {
    if (this.#ending.has(task)) return;
    this.#ending.add(task);
    const end = (): void => {
      if (slot.task === task && !task.closed) this.#host.taskFailed(slot, failure);
    };
    // A commit that fails is made again by whoever takes the task; what is told is why it has ended.
    task.commit().then(end, end);
  }

  /** Fetches on where enough was taken: by a step, or by an asynchronous node after it. */
  #resumeInputs(task: KafkaTask): void {
    for (const input of task.inputs)
      if (input.paused && input.buffered <= this.#options.bufferedRecordsPerPartition) {
        input.paused = false;
        this.#inputs.resume(input);
      }
  }

  #shareCache(): void {
    const share = this.#options.statestoreCacheMaxBytes / Math.max(1, this.#running.length);
    for (const { task } of this.#running) task!.engine.cacheMaxBytes = share;
  }

  /** A global table has changed between the task's takeover and its start. */
  #catchUp(slot: TaskSlot): void {
    const task = slot.task!;
    const takeover = this.#takeover!;
    this.#catchingUp.add(slot);
    catchUpWithGlobals(task, takeover).then(
      () => {
        this.#catchingUp.delete(slot);
        // What came after its last look was kept from it until here.
        if (slot.task === task && !task.closed && !samePositions(takeover.globals.positions, task.globalPositions))
          this.#catchUp(slot);
      },
      (error: unknown) => {
        this.#catchingUp.delete(slot);
        if (slot.task === task && !task.closed) this.#host.taskFailed(slot, error);
      },
    );
  }

  #received(records: FetchedRecords): void {
    const input = this.#readers
      .get(partitionKey(records.topic, records.partition))
      ?.task?.inputs.find(({ topic, partition }) => topic === records.topic && partition === records.partition);
    if (input === undefined) return;
    input.push(records);
    if (input.buffered > this.#options.bufferedRecordsPerPartition && !input.paused) {
      input.paused = true;
      this.#inputs.pause(input);
    }
    this.#wake.call();
  }

  #inputFailed(partition: PartitionOffset, kind: 'out-of-range' | 'failed', error: Error): void {
    const slot = this.#readers.get(partitionKey(partition.topic, partition.partition));
    if (slot === undefined) return;
    if (kind === 'out-of-range') {
      const { task } = slot;
      if (task === undefined) return;
      this.#afterOutOfRange(slot, task, partition).catch((cause: unknown) => {
        if (slot.task === task && !task.closed) this.#host.taskFailed(slot, cause);
      });
      return;
    }
    const message = `${partition.topic} cannot be read: ${error.message}. See the broker's log.`;
    const failure = StreamsError.from(error, 'STREAMS_BROKER', message, { ...partition });
    const input = slot.task?.inputs.find(
      ({ topic, partition: own }) => topic === partition.topic && own === partition.partition,
    );
    // What lies before it is processed first, so that the committed position is where the reading has ended.
    if (input !== undefined && unreadable.has(failure.code)) input.failure = failure;
    else this.#host.taskFailed(slot, failure);
    this.#wake.call();
  }

  /** The broker deleted records before they were read, or the topic is another one, or has lost its end. */
  async #afterOutOfRange(slot: TaskSlot, task: KafkaTask, partition: PartitionOffset): Promise<void> {
    const { broker, logger, autoOffsetReset, acceptLoss, applicationId } = this.#options;
    const { watch, roles } = this.#takeover!;
    await watch.look();
    const [[start], [end], [committed]] = await Promise.all([
      broker.admin.offsets([partition], 'earliest'),
      broker.admin.offsets([partition], 'stable'),
      broker.admin.committed(applicationId, [partition]),
    ]);
    // Nobody reads behind what is committed but a former owner, which has not heard yet of the one that went on and deleted what it had read.
    if (committed !== undefined && committed.offset > partition.offset) throw migrated(slot.taskId);
    const role = roles.get(partition.topic) ?? 'input';
    const error =
      partition.offset < start!
        ? deletedError(role, partition, partition.offset, start!)
        : lossError(role, partition, `has no record ${partition.offset} any more: it ends at ${end}`);
    if (!acceptLoss || role !== 'input' || autoOffsetReset === 'none') throw error;
    const offset = autoOffsetReset === 'latest' ? end! : start!;
    // A later task in its place stands elsewhere by now.
    if (slot.task !== task || task.closed) return;
    const input = task.inputs.find(
      ({ topic, partition: own }) => topic === partition.topic && own === partition.partition,
    )!;
    this.#host.count('STREAMS_INPUT_REFUSED');
    logger.error(
      { ...partition, goesOnAt: offset },
      'records were deleted from the topic before they were read: reading goes on where it begins now',
    );
    input.nextOffset = offset;
    this.#inputs.add({ topic: input.topic, partition: input.partition, offset });
  }
}
