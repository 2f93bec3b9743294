import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WriteBatch } from '../../state/database.ts';
import type { Logger } from '../common/logger.ts';
import { rebuildOption } from '../common/remedies.ts';
import type { Topology } from '../topology/topology.ts';
import { checkPartitions, deleteStores, refuseNewStores, savedTaskOf } from './changed-state.ts';
import type { BegunCommit, CommitLog, FlushedTask } from './commit-log.ts';
import { filesCommitPaceMs } from './commit-pace.ts';
import type { Feed } from './feed.ts';
import type { ProgramChanges } from './program-changes.ts';
import { checkSettings, continued, newState } from './saved-state.ts';
import { rebuildFolder, rowPrefix, type SavedState, type StateFolder, type StateSettings } from './state-folder.ts';
import type { SavedTask, Task } from './task.ts';

/** What a state is opened with. */
export interface FolderLogOptions {
  readonly applicationId: string;
  /** @defaultValue what the folder says, else 1 */
  readonly partitions?: number | undefined;
  readonly settings?: StateSettings | undefined;
  /** False: stores that the state does not have are an error. */
  readonly create: boolean;
  readonly syncWrites: boolean;
  readonly commitIntervalMs: number;
  /** When there was nothing to read last, by the clock. */
  readonly idleAtMs: () => number;
  readonly logger: Logger;
}

/** Commits into a state folder: rows, positions of feeds, clocks and what the state is, in one atomic write. */
export class FolderLog implements CommitLog {
  readonly isFull = false;
  readonly folder: StateFolder;
  readonly partitions: number;
  /** What was committed before this process. */
  readonly before: SavedState['totals'];
  /** Whose positions are committed. */
  feeds: readonly Feed[] = [];
  readonly #options: FolderLogOptions;
  #saved: SavedState;
  /** What the program changes in the state; undefined once that is committed, or for nothing. */
  #changes: ProgramChanges | undefined;
  /** Ids of the tasks that were saved when the state was opened. */
  #savedTasks: readonly string[] = [];
  #tasks: readonly Task[] = [];
  #final: boolean;
  /** When the last commit began, and what it took. */
  #begunAtMs = 0;
  #costMs = 0;

  /** @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` */
  constructor(folder: StateFolder, topology: Topology, options: FolderLogOptions) {
    const { saved } = folder;
    this.folder = folder;
    this.#options = options;
    this.partitions = options.partitions ?? (saved === undefined ? 1 : Number(saved.settings['partitions']));
    const settings = { ...options.settings, partitions: this.partitions };
    if (saved === undefined) this.#saved = newState(topology, options.applicationId, settings);
    else {
      checkSettings(saved, settings, folder.directory);
      const { state, changes } = continued(saved, topology, folder.directory, []);
      if (!options.create) refuseNewStores(changes, folder.directory);
      this.#saved = state;
      this.#changes = changes;
    }
    this.before = this.#saved.totals;
    this.#final = this.#saved.final;
  }

  /** The state as the next commit says it. */
  get state(): SavedState {
    return this.#saved;
  }

  /** Whether the open windows were closed for good, and that is committed: a row is final only once all that it counts is. */
  get final(): boolean {
    return this.#final;
  }

  get hasNews(): boolean {
    return this.folder.saved !== this.#saved;
  }

  isDue(nowMs: number): boolean {
    const { commitIntervalMs, idleAtMs } = this.#options;
    // Who follows and has caught up sees each row as soon as ever.
    if (idleAtMs() >= this.#begunAtMs) return true;
    return nowMs - this.#begunAtMs >= filesCommitPaceMs(commitIntervalMs, this.#costMs);
  }

  prefixOf(store: string, partition: number): Uint8Array {
    return rowPrefix(this.#saved.stores[store]!, partition);
  }

  /** Takes these tasks over: gives the clocks and counters that each had. */
  async open(tasks: readonly Task[]): Promise<(taskId: string) => SavedTask | undefined> {
    const changes = this.#changes;
    const { saved, database } = this.folder;
    const before = Object.values(saved?.stores ?? {});
    // A program that died in its first commit may have written rows ahead, of other stores, under numbers that are new now.
    await deleteStores(
      database,
      Object.values(this.#saved.stores).filter((number) => !before.includes(number)),
    );
    this.#tasks = tasks;
    this.#savedTasks = await this.folder.taskIds();
    const taskIds = tasks.map(({ taskId }) => taskId);
    checkPartitions(this.#savedTasks, taskIds, changes, this.folder.directory);
    return (taskId) => savedTaskOf(this.folder, taskId, changes);
  }

  /** The next commit says that the windows are closed for good. */
  finish(): void {
    this.#saved = { ...this.#saved, final: true };
  }

  /** The next commit says that a global table is loaded in part, or no longer. */
  loads(store: string, loading: boolean): void {
    const others = (this.#saved.loading ?? []).filter((other) => other !== store);
    this.#saved = { ...this.#saved, loading: loading ? [...others, store] : others };
  }

  /** Commits what the program changes in the state, and takes out of it the rows of stores that the program does not have any more. */
  async changeProgram(commit: () => Promise<void>): Promise<void> {
    if (this.#changes !== undefined) await commit();
    if (this.#saved.retired === undefined) return;
    await deleteStores(this.folder.database, this.#saved.retired);
    // What a rebuild that was killed has left.
    await rm(join(this.folder.directory, rebuildFolder), { recursive: true, force: true });
    const { retired: _, ...rest } = this.#saved;
    this.#saved = rest;
    await commit();
  }

  get syncWrites(): boolean {
    return this.#options.syncWrites;
  }

  async batch(): Promise<WriteBatch> {
    const { saved, database } = this.folder;
    const { format } = this.#saved;
    if (saved !== undefined && saved.format !== format) {
      // First: a process that dies in the commit leaves pages that an earlier version would count.
      const batch = database.batch();
      this.folder.save(batch, { ...saved, format });
      await batch.write({ sync: this.#options.syncWrites });
    }
    return database.batch();
  }

  async take({ batch, rows, flushMs, changed, commitSeconds }: FlushedTask): Promise<BegunCommit | undefined> {
    for (const feed of this.feeds) await feed.save(batch);
    if (batch.length === 0 && !changed && !this.hasNews) return undefined;
    if (this.#changes !== undefined) this.#saveChanges(batch, this.#changes);
    for (const task of this.#tasks) this.folder.saveTask(batch, task.taskId, task.save());
    const { commits, committedRows } = this.#saved.totals;
    // The time of this commit is in the totals of the next.
    const totals = {
      commits: commits + 1,
      committedRows: committedRows + rows,
      commitSeconds: this.before.commitSeconds + commitSeconds,
    };
    this.#saved = { ...this.#saved, totals };
    this.folder.save(batch, this.#saved);
    const { final } = this.#saved;
    this.#begunAtMs = Date.now() - flushMs;
    return {
      write: async () => {
        const started = performance.now();
        await batch.write({ sync: this.#options.syncWrites });
        this.#costMs = flushMs + performance.now() - started;
        this.#final = final;
        return true;
      },
    };
  }

  async close(): Promise<void> {}

  /** Adds to a batch that the tasks are those of another program from now on. */
  #saveChanges(batch: WriteBatch, { added, removed }: ProgramChanges): void {
    const { directory } = this.folder;
    const { logger } = this.#options;
    for (const taskId of this.#savedTasks) this.folder.forgetTask(batch, taskId);
    for (const store of added)
      logger.warn(
        { store },
        `store ${store} is new in ${directory} and starts empty: what was read before does not count in it. For a store of all that there is make it anew: ${rebuildOption([store], 'rebuildStores')}`,
      );
    for (const store of removed)
      logger.warn({ store }, `the program has no store ${store} any more: its rows leave ${directory}`);
    this.#changes = undefined;
  }
}
