import { rm } from 'node:fs/promises';
import { StreamsError } from '../../common/errors.ts';
import { Histogram } from '../../common/histogram.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { type TaskId, taskIdText } from '../task.ts';
import { ChangelogFollower } from './changelog-follower.ts';
import { committedTasks } from './committed-tasks.ts';
import { prepareCopy, type TaskOnBroker } from './copy-check.ts';
import { type KafkaTaskStatus, restoreBounds } from './kafka-stats.ts';
import { isOutdated } from './outdated-copy.ts';
import { noWork, type SlotWork, withTask } from './slot-work.ts';
import { storedTasks } from './stored-tasks.ts';
import { type TakeoverContext, takeOver } from './takeover.ts';
import { TaskFolder, type TaskFolderOptions, taskDirectory } from './task-folder.ts';
import type { KafkaTask } from './transaction-log.ts';

/** What an instance is to do with a task. */
export type TaskRole = 'active' | 'standby' | 'none';

/** What a slot needs of its client. */
export interface SlotHost {
  readonly takeover: TakeoverContext;
  readonly folderOptions: TaskFolderOptions;
  /** The task is ready: its inputs can be read. */
  started(task: KafkaTask): void;
  /** The task is about to end: its inputs are read no more. */
  stopping(task: KafkaTask): void;
  failed(slot: TaskSlot, error: unknown): void;
  /** Its copy was damaged, and is rebuilt. */
  rebuilt(slot: TaskSlot, error: StreamsError): void;
  changed(): void;
}

/**
 * A task's place in an instance: its copy of the stores, and the task at work on it or the follower that keeps it warm. What the group wants of it is done one step after the
 * other; a step that is no longer wanted ends early.
 */
export class TaskSlot {
  readonly id: TaskId;
  readonly taskId: string;
  role: TaskRole = 'none';
  status: KafkaTaskStatus = 'created';
  task: KafkaTask | undefined;
  follower: ChangelogFollower | undefined;
  folder: TaskFolder | undefined;
  /** By `performance.now()`: the wall clock may be set back. */
  restoreStartedMs: number | undefined;
  restoreSeconds = 0;
  /** How long the restores of this process took. */
  readonly restores: Histogram = new Histogram(restoreBounds);
  /** The last attempt failed: only a new assignment starts another. */
  failed = false;
  /** The client ends: it gives its copies to nobody, so they stay whole. */
  ends = false;
  #past: SlotWork = noWork;
  #restores = false;
  readonly #host: SlotHost;
  readonly #specs: readonly StoreSpec[];
  #wish = 0;
  #damaged = false;
  #wasDamaged = false;
  #steps: Promise<void> = Promise.resolve();

  constructor(id: TaskId, specs: readonly StoreSpec[], host: SlotHost) {
    this.id = id;
    this.taskId = taskIdText(id);
    this.#specs = specs;
    this.#host = host;
  }

  /** What the group wants as of a new assignment. A task that is at work in that role goes on; one that has failed is taken again. */
  want(role: TaskRole): void {
    if (role === this.role && !this.failed && role !== 'none') return;
    const wish = ++this.#wish;
    this.#stopReading();
    const before = this.role;
    this.role = role;
    this.failed = false;
    // At once: what a standby or an earlier task has is no answer for the one that is taken over.
    this.status = 'created';
    const clean = before === 'active' && this.task !== undefined;
    this.#steps = this.#steps.then(async () => {
      try {
        await this.#end(clean);
        if (wish !== this.#wish) return;
        if (role !== 'none') await this.#host.takeover.globals.folder.beginRun();
        if (role === 'active') await this.#start(wish);
        else if (role === 'standby') await this.#follow(wish);
        else await this.#release();
      } catch (error) {
        await this.#giveUp(wish, error);
      }
      this.#host.changed();
    });
  }

  /** Ends what is at work at once, without a commit: an error, or a membership that is lost. */
  abandon(): void {
    ++this.#wish;
    this.#stopReading();
    this.failed = true;
    this.status = 'created';
    const { task } = this;
    if (task !== undefined) this.#host.stopping(task);
    this.#steps = this.#steps.then(() => this.#end(false)).catch(() => {});
    this.#host.changed();
  }

  /** The copy is damaged: the next attempt begins with an empty one. False where that has just been done and was no help. */
  damaged(): boolean {
    const again = this.#wasDamaged && this.role === 'active' && (this.task?.commits ?? 0) === 0;
    this.#wasDamaged = true;
    this.#damaged = true;
    return !again;
  }

  /** Resolves when everything asked for so far is done. */
  async settled(): Promise<void> {
    for (let steps: Promise<void> | undefined; steps !== this.#steps; ) {
      steps = this.#steps;
      await steps;
    }
  }

  /** The sum of the positions that the copy has reached. */
  get reached(): number {
    let sum = 0;
    for (const position of this.folder?.positions.values() ?? []) sum += position;
    return sum;
  }

  /** What this process has done for the task, over all the times it was here. */
  get work(): SlotWork {
    const { task, follower } = this;
    const work = task === undefined ? this.#past : withTask(this.#past, task);
    if (!this.#restores || follower === undefined) return work;
    const restored = follower.progress.reduce((sum, { position, fromOffset }) => sum + position - fromOffset, 0);
    return { ...work, restored: work.restored + restored };
  }

  async #start(wish: number): Promise<void> {
    this.status = 'restoring';
    this.restoreStartedMs = performance.now();
    const folder = await this.#opened();
    const task = await takeOver(this.id, folder, this.#host.takeover, {
      check: () => this.#check(wish),
      restoring: (follower) => {
        this.#past = this.work;
        this.follower = follower;
        this.#restores = true;
      },
    });
    this.restoreSeconds = (performance.now() - this.restoreStartedMs) / 1000;
    this.restores.observe(this.restoreSeconds);
    this.task = task;
    this.status = 'running';
    this.#host.started(task);
  }

  async #follow(wish: number): Promise<void> {
    const folder = await this.#opened();
    this.#check(wish);
    await folder.markIncomplete();
    const { changelogs, options } = this.#host.takeover;
    // Not the stable end: markers of what was committed here last may still be on their way.
    const { starts } = await prepareCopy(folder, await this.#onBroker(), this.#host.takeover, 'latest');
    this.#check(wish);
    const follower = new ChangelogFollower(changelogs, folder, options.applicationId, starts);
    // In its turn: what is wanted next may have ended the follower by then.
    follower.onFailure = (error) => {
      this.#steps = this.#steps.then(async () => {
        if (wish === this.#wish) await this.#giveUp(wish, error);
      });
    };
    this.follower = follower;
    follower.start();
    this.status = 'running';
  }

  async #onBroker(): Promise<TaskOnBroker> {
    const { options, topology, watch } = this.#host.takeover;
    const { applicationId, broker } = options;
    const place = { admin: broker.admin, applicationId };
    const [task] = await committedTasks(topology, [this.id], place);
    return { task: task!, ids: (await watch.look()).ids };
  }

  async #opened(): Promise<TaskFolder> {
    if (this.#damaged) await this.#throwAway();
    this.folder ??= await this.#open().catch(async (error: unknown) => {
      if (await this.#isOutdated(error)) return this.#open(true);
      if (!StreamsError.is(error) || error.code !== 'STREAMS_STATE_STORE_CORRUPT') throw error;
      this.#host.rebuilt(this, error);
      await this.#throwAway();
      return this.#open();
    });
    return this.folder;
  }

  /** @param vouched - the group vouches for stores that the copy has otherwise */
  #open(vouched = false): Promise<TaskFolder> {
    const task = { taskId: this.taskId, partition: this.id.partition };
    return TaskFolder.open(task, this.#specs, { ...this.#host.folderOptions, vouched });
  }

  #isOutdated(error: unknown): Promise<boolean> {
    const { topology, options } = this.#host.takeover;
    return isOutdated(error, topology, { admin: options.broker.admin, applicationId: options.applicationId });
  }

  async #throwAway(): Promise<void> {
    await this.#close();
    await rm(taskDirectory(this.#host.folderOptions.stateDir, this.taskId), { recursive: true, force: true });
    this.#damaged = false;
  }

  /** A changelog is read no further for what is not wanted any more. */
  #stopReading(): void {
    this.follower?.stop().catch(() => {});
  }

  #check(wish: number): void {
    if (wish !== this.#wish)
      throw new StreamsError('STREAMS_TASK_MIGRATED', `task ${this.taskId} is no longer wanted here.`, {
        taskId: this.taskId,
      });
  }

  /** Ends the task or follower; a clean end commits first. */
  async #end(clean: boolean): Promise<void> {
    const { task, follower } = this;
    if (task !== undefined) {
      this.#host.stopping(task);
      this.status = 'suspended';
      const committed =
        clean &&
        (await task.commit().then(
          () => true,
          () => false,
        ));
      await task.close();
      const { restored } = this.#past;
      this.#past = { ...this.work, restored };
      this.task = undefined;
      // After a failed write only opening it anew tells what is there.
      if (!committed) await this.#close();
    }
    if (follower !== undefined) {
      await follower.stop();
      this.#past = this.work;
      this.#restores = false;
      this.follower = undefined;
      // The same, also where nobody is left to be told of the failure.
      if (follower.writeFailed) await this.#close();
    }
    this.status = 'created';
  }

  /** The task goes elsewhere: what it does there is missing here. */
  async #release(): Promise<void> {
    if (!this.ends && storedTasks(this.#host.folderOptions.stateDir).some(([taskId]) => taskId === this.taskId))
      await (await this.#opened()).markIncomplete();
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.folder?.close();
    this.folder = undefined;
  }

  async #giveUp(wish: number, error: unknown): Promise<void> {
    await this.#end(false).catch(() => {});
    await this.#close().catch(() => {});
    if (wish !== this.#wish) return;
    this.failed = true;
    this.#host.failed(this, error);
  }
}
