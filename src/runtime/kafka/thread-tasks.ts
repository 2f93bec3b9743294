import { messageOf, StreamsError } from '../../common/errors.ts';
import type { Topology } from '../../topology/topology.ts';
import { RunLoop } from '../run-loop.ts';
import { type TaskId, taskIdText } from '../task.ts';
import type { GlobalJoins } from './global-joins.ts';
import type { GlobalTables } from './global-tables.ts';
import type { InputFetcher } from './input-fetcher.ts';
import type { FilledOptions } from './kafka-options.ts';
import { settledSlots } from './settled-slots.ts';
import type { StatsCounts } from './stats.ts';
import type { TakeoverContext } from './takeover.ts';
import { type TaskRole, TaskSlot } from './task-slot.ts';
import type { ThreadOwner } from './thread-owner.ts';
import { storesOf } from './topics-plan.ts';

/** Failures after which a task is taken again by whoever it is assigned to. */
const passing: readonly string[] = ['STREAMS_TASK_MIGRATED', 'STREAMS_BROKER', 'STREAMS_TIMEOUT'];

/** Whether a failure is of the moment: the same may be tried again. */
export function passes(error: unknown): boolean {
  return StreamsError.is(error) && passing.includes(error.code);
}

/** What tasks are taken over and run with, once the thread has prepared itself. */
export interface TaskParts {
  readonly takeover: TakeoverContext;
  readonly globals: GlobalTables;
  readonly fetcher: InputFetcher;
  readonly joins: GlobalJoins;
}

/** The tasks of one stream thread: takes them as the group wants it, runs them, and drops those that fail. */
export class ThreadTasks {
  readonly slots: Map<string, TaskSlot> = new Map();
  readonly counts: StatsCounts = { commitFailures: 0, migrated: 0, rebalances: 0, aborted: 0 };
  readonly loop: RunLoop;
  readonly #options: FilledOptions;
  readonly #owner: ThreadOwner;
  readonly #dropped: () => void;
  #parts: TaskParts | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;

  /** @param dropped - A task is dropped, and to be taken again. */
  constructor(options: FilledOptions, owner: ThreadOwner, dropped: () => void) {
    const { commitIntervalMs, statestoreCacheMaxBytes, windowIdleCloseMs } = options;
    this.#options = options;
    this.#owner = owner;
    this.#dropped = dropped;
    this.loop = new RunLoop({
      commitIntervalMs,
      cacheMaxBytes: statestoreCacheMaxBytes,
      windowIdleCloseMs,
      failed: (task, error, committing) => this.failed(this.slots.get(task.taskId)!, error, committing),
    });
  }

  prepared(parts: TaskParts): void {
    this.#parts = parts;
  }

  /** Those that come are run from now on. */
  start(): void {
    this.#running = this.loop.run().catch((error: unknown) => this.#owner.uncaught(error));
  }

  get all(): readonly TaskSlot[] {
    return [...this.slots.values()];
  }

  /** Whether all active tasks are at work. */
  get running(): boolean {
    return this.all.every(({ role, status }) => role !== 'active' || status === 'running');
  }

  /** Takes what an assignment says, and gives back everything else. */
  assigned(active: readonly TaskId[], standby: readonly TaskId[]): void {
    const roles = new Map<string, readonly [TaskId, TaskRole]>();
    for (const id of standby) roles.set(taskIdText(id), [id, 'standby']);
    for (const id of active) roles.set(taskIdText(id), [id, 'active']);
    for (const [id, slot] of this.slots) if (!roles.has(id)) slot.want('none');
    for (const [id, role] of roles.values()) this.#slotOf(id).want(role);
    this.loop.wake();
  }

  /** Drops everything at once, without a commit. */
  abandon(): void {
    for (const slot of this.all) if (slot.role !== 'none') slot.abandon();
  }

  /** The membership is lost, and with it everything that is at work. */
  lost(): void {
    this.counts.migrated += this.all.filter(({ role, task }) => role !== 'none' && task !== undefined).length;
    this.abandon();
  }

  failed(slot: TaskSlot, error: unknown, committing = false): void {
    if (this.#stopping) return;
    const code = StreamsError.is(error) ? error.code : 'INTERNAL';
    if (committing) this.counts.commitFailures++;
    if (code === 'STREAMS_TASK_MIGRATED') this.counts.migrated++;
    const atWork = slot.task !== undefined;
    if (atWork) this.counts.aborted++;
    const again = code === 'STREAMS_STATE_STORE_CORRUPT' ? slot.damaged() : passes(error);
    slot.abandon();
    if (!again) {
      // Whoever decides on it counts it.
      this.#owner.uncaught(error);
      return;
    }
    this.#owner.count(error);
    // A task that moved on before it was here is the usual course of things.
    const level = code === 'STREAMS_TASK_MIGRATED' && !atWork ? 'info' : 'warn';
    this.#options.logger[level](
      { taskId: slot.taskId, code, error },
      `task ${slot.taskId} is dropped, and taken again by whoever it is assigned to: ${messageOf(error)}`,
    );
    this.#dropped();
  }

  /** A copy of the state is damaged, and read again from the broker. */
  tellRebuilt(error: StreamsError, what: { readonly taskId?: string } = {}): void {
    this.#owner.count(error);
    this.#options.logger.warn({ ...what, error }, `a copy of the state is damaged and rebuilt: ${error.message}`);
  }

  /** Takes no more records. Resolves when nothing is under way that does. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.loop.stop();
    await this.#running;
  }

  /** Commits and gives everything back; without a commit after a failure. */
  async end(failed: boolean, timeoutMs: number): Promise<void> {
    for (const slot of this.all) {
      slot.ends = true;
      if (failed) slot.abandon();
      slot.want('none');
    }
    await settledSlots(this.all, timeoutMs, this.#options.logger);
  }

  #slotOf(id: TaskId): TaskSlot {
    const taskId = taskIdText(id);
    const known = this.slots.get(taskId);
    if (known !== undefined) return known;
    const { takeover, globals, fetcher, joins } = this.#parts!;
    const { topology } = takeover;
    const slot = new TaskSlot(id, storesOf(topology, topology.subTopology(id.subTopology)), {
      takeover,
      folderOptions: this.#folderOptions(topology, globals.folder.run),
      rebuilt: (damaged, error) => this.tellRebuilt(error, { taskId: damaged.taskId }),
      started: (task) => {
        this.loop.add(task);
        fetcher.add(task);
        joins.add(task);
      },
      stopping: (task) => {
        this.loop.remove(task);
        fetcher.remove(task);
        joins.remove(task);
      },
      failed: (failed, error) => this.failed(failed, error),
      changed: () => this.#owner.changed(),
    });
    this.slots.set(taskId, slot);
    return slot;
  }

  #folderOptions(topology: Topology, run: string) {
    const { stateDir, applicationId, settings, openDatabase } = this.#options;
    return { stateDir, topology, applicationId, settings, run, ...(openDatabase && { openDatabase }) };
  }
}
