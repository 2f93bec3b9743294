import type { StreamTask } from './stream-task.ts';
import { Wake } from './wake.ts';

/** Records that a task takes before the others have their turn. */
const stepRecords = 2048;
/** ms for which the loop may keep the process to itself. */
const turnMs = 10;
/** Longest sleep where nothing comes, ms: timers of processors are looked at so often. */
const sleepMs = 100;

/** How a loop runs. */
export interface RunLoopOptions {
  readonly commitIntervalMs: number;
  /** Bytes of all caches; half of it may be dirty. */
  cacheMaxBytes: number;
  /** ms without anything to read after which windows close by the clock. @defaultValue never */
  readonly windowIdleCloseMs?: number | undefined;
  /** A task has failed: it is to be taken out of the loop. @param committing - it was a commit that failed */
  readonly failed: (task: StreamTask, error: unknown, committing: boolean) => void;
}

/** The running tasks of one client: lets them take records in turn, commits, and fires timers. */
export class RunLoop {
  readonly #options: RunLoopOptions;
  readonly #wake = new Wake();
  readonly #committing = new Map<StreamTask, Promise<void>>();
  readonly #ending = new WeakSet<StreamTask>();
  #tasks: readonly StreamTask[] = [];
  #paused = false;
  #makesRoom = false;
  #stopped = false;

  constructor(options: RunLoopOptions) {
    this.#options = { ...options };
  }

  /** Whether the dirty rows of all tasks take so much memory that a commit must come first. */
  get cacheIsFull(): boolean {
    let dirty = 0;
    for (const { engine } of this.#tasks) dirty += engine.meter.dirtyBytes;
    // A dirty row takes its place again in the batch, with what it changes downstream.
    return 2 * dirty > this.#options.cacheMaxBytes / 2;
  }

  /** A task is ready: it takes records from now on. */
  add(task: StreamTask): void {
    task.onFree = () => this.#wake.call();
    task.onFailure = (error) => this.#options.failed(task, error, false);
    this.#tasks = [...this.#tasks, task];
    this.#shareCache();
    this.#wake.call();
  }

  /** A task is about to end. */
  remove(task: StreamTask): void {
    task.onFailure = undefined;
    this.#tasks = this.#tasks.filter((other) => other !== task);
    this.#shareCache();
  }

  /** Takes records, commits and fires timers until `stop`, or until no task will have any more. Each task has a turn at least. */
  async run(): Promise<void> {
    let lastCommit = Date.now();
    let turnEndsMs = performance.now() + turnMs;
    do {
      let taken = 0;
      const now = Date.now();
      for (const task of this.#tasks) {
        // One that has left in a turn of the others takes nothing.
        if (!this.#tasks.includes(task)) continue;
        taken += this.#step(task, now, turnEndsMs);
        turnEndsMs = await this.#breathe(turnEndsMs);
      }
      lastCommit = this.#commitIfDue(lastCommit, now);
      if (taken > 0 || this.#stopped) continue;
      const wanted = this.#tasks.some(({ needsCommit }) => needsCommit);
      const untilCommit = Math.max(1, this.#options.commitIntervalMs - (Date.now() - lastCommit));
      await this.#wake.wait(wanted ? Math.min(untilCommit, sleepMs) : sleepMs);
      turnEndsMs = await this.#breathe(turnEndsMs);
    } while (!this.#stopped && !this.#isAtEnd());
    this.#stopped = false;
  }

  /** Lets everybody else have a turn once that of the loop is over; returns when it is. */
  async #breathe(turnEndsMs: number): Promise<number> {
    if (performance.now() < turnEndsMs) return turnEndsMs;
    await new Promise((resolve) => setImmediate(resolve));
    return performance.now() + turnMs;
  }

  /** Starts a commit of every task that needs one and has none under way. Resolves when all that are under way have ended, whatever their end. */
  async commitAll(): Promise<void> {
    await this.#commitEach(this.#tasks);
  }

  /** Whether no records are taken, and no timers of processors fire. What was taken is committed. */
  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#wake.call();
  }

  /** Bytes of all caches from now on. */
  set cacheMaxBytes(bytes: number) {
    this.#options.cacheMaxBytes = bytes;
    this.#shareCache();
  }

  /** Looks at the tasks now. */
  wake(): void {
    this.#wake.call();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake.call();
  }

  #isAtEnd(): boolean {
    return this.#tasks.length > 0 && this.#tasks.every(({ source, busy }) => source.ended && !busy);
  }

  #step(task: StreamTask, now: number, turnEndsMs: number): number {
    if (this.#paused || this.#makesRoom || task.busy) return 0;
    try {
      task.punctuate(now);
      const { windowIdleCloseMs } = this.#options;
      if (windowIdleCloseMs !== undefined) task.closeIdle(windowIdleCloseMs, now);
      if (task.source.failure === undefined) return task.step(stepRecords, turnEndsMs, now);
      this.#endsAt(task, task.source.failure);
    } catch (error) {
      this.#options.failed(task, error, false);
    }
    return 0;
  }

  /** All before what cannot be read is processed: that is committed, and nothing more. */
  #endsAt(task: StreamTask, failure: Error): void {
    if (this.#ending.has(task)) return;
    this.#ending.add(task);
    const end = (): void => {
      if (!task.closed) this.#options.failed(task, failure, false);
    };
    // A commit that fails is made again by whoever takes the task; what is told is why it has ended.
    task.commit().then(end, end);
  }

  /** Returns when the last commit began. */
  #commitIfDue(lastCommit: number, now: number): number {
    const full = this.#makesRoom ? [] : this.#tasks.filter((task) => task.isFull);
    const asked = full.length > 0 || this.#paused || this.#tasks.some(({ engine }) => engine.commitRequested);
    const begun = Date.now();
    if (!asked && begun - lastCommit < this.#options.commitIntervalMs) return lastCommit;
    const commits = this.#commitEach(asked ? this.#tasks : this.#tasks.filter(({ log }) => log.isDue(now)));
    if (full.length > 0) void this.#makeRoom(full, commits);
    return begun;
  }

  /** Nothing more fits until what was taken is on its way; or, where that is what takes the room, or several tasks share it, until it is committed. Nobody takes anything meanwhile. */
  async #makeRoom(full: readonly StreamTask[], commits: Promise<void>): Promise<void> {
    this.#makesRoom = true;
    // One that fails is told of where it is committed.
    await Promise.all(full.map((task) => task.flush().catch(() => {})));
    if (this.#tasks.length > 1 || full.some((task) => task.isFull)) await commits;
    this.#makesRoom = false;
    this.#wake.call();
  }

  async #commitEach(tasks: readonly StreamTask[]): Promise<void> {
    await Promise.all(tasks.map((task) => this.#committing.get(task) ?? this.#commit(task)));
  }

  async #commit(task: StreamTask): Promise<void> {
    if (!task.needsCommit) return;
    const committed = task.commit().catch((error: unknown) => {
      if (!task.closed) this.#options.failed(task, error, true);
    });
    const ended = committed.finally(() => {
      this.#committing.delete(task);
      this.#wake.call();
    });
    this.#committing.set(task, ended);
    await ended;
  }

  #shareCache(): void {
    const share = this.#options.cacheMaxBytes / Math.max(1, this.#tasks.length);
    for (const { engine } of this.#tasks) engine.cacheMaxBytes = share;
  }
}
