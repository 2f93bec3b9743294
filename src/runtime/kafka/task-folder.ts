import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, DatabaseFactory, WriteBatch } from '../../../state/database.ts';
import { fromUtf8, utf8 } from '../../common/bytes.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import { deleteStores, goOn } from '../changed-state.ts';
import { localPart } from '../parts/local-part.ts';
import { wholeTime } from '../parts/store-part.ts';
import { stateOnKafka } from '../saved-state.ts';
import { metaKey, rowPrefix, type SavedState, StateFolder, type StateSettings } from '../state-folder.ts';
import { changelogTopic } from './internal-names.ts';

/** How far a copy of a task's stores reaches. */
interface SavedPositions {
  /** Positions in the changelogs, by topic. */
  readonly positions: Readonly<Record<string, number>>;
  /** The ids of these topics: positions in one that was recreated say nothing. */
  readonly topicIds?: Readonly<Record<string, string>>;
  /** When that was written, ms of the wall clock. */
  readonly atMs: number;
  /** Least time that an operator of the task has observed, ms; null without such operators. */
  readonly operatorTimeMs?: number | null;
  /** The instance's run in which the task was at work on the copy, so that it has all that was committed then. Absent while it is restored or kept warm, and once the task is elsewhere. */
  readonly completeIn?: string;
  /** The commit that the rows stand for; absent where they were read from the changelogs. */
  readonly commit?: SavedCommit;
}

/** A commit of a task as its copy remembers it. */
export interface SavedCommit {
  /** Positions of the inputs in the order of their topics. */
  readonly positions: readonly number[];
  /** The metadata that stands with the first. */
  readonly metadata: string;
}

const positionsKey = metaKey('changelog-positions');

/** What a folder says of its copy. */
interface Copy {
  readonly positions: Map<string, number>;
  topicIds: ReadonlyMap<string, string>;
  /** -1 for an empty one. */
  atMs: number;
  commit: SavedCommit | undefined;
  state: SavedState;
  /** Of a store that it has nothing is in it, though it had something once: that is not written down yet. */
  readonly remade: boolean;
}

/** What task folders of one application have in common. */
export interface TaskFolderOptions {
  readonly stateDir: string;
  readonly topology: Topology;
  readonly applicationId: string;
  readonly settings: StateSettings;
  readonly openDatabase?: DatabaseFactory | undefined;
  /** What this run of the instance is called: see `GlobalFolder.run`. */
  readonly run: string;
  /** See `stateOnKafka`. */
  readonly vouched?: boolean;
}

/** The folder of a task's stores below a state folder. */
export function taskDirectory(stateDir: string, taskId: string): string {
  return join(stateDir, 'tasks', taskId);
}

/**
 * A copy of one task's stores: a database with their rows and the changelog positions that the rows stand for. The offsets of the group say what counts; the copy only says
 * how far it reaches.
 */
export class TaskFolder {
  readonly taskId: string;
  readonly #options: TaskFolderOptions;
  readonly #partition: number;
  readonly #specs: readonly StoreSpec[];
  #folder: StateFolder;
  #copy: Copy;

  private constructor(
    taskId: string,
    partition: number,
    specs: readonly StoreSpec[],
    options: TaskFolderOptions,
    folder: StateFolder,
  ) {
    this.taskId = taskId;
    this.#options = options;
    this.#partition = partition;
    this.#specs = specs;
    this.#folder = folder;
    this.#copy = this.#read();
  }

  /**
   * Opens the copy, making an empty one where there is none.
   *
   * @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while another process has it, `STREAMS_STATE_INCOMPATIBLE` for one of another topology or with other settings.
   */
  static async open(
    task: { readonly taskId: string; readonly partition: number },
    specs: readonly StoreSpec[],
    options: TaskFolderOptions,
  ): Promise<TaskFolder> {
    const folder = await openFolder(task.taskId, options);
    try {
      const opened = new TaskFolder(task.taskId, task.partition, specs, options, folder);
      await opened.#describe();
      return opened;
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  get database(): Database {
    return this.#folder.database;
  }

  get directory(): string {
    return this.#folder.directory;
  }

  get partition(): number {
    return this.#partition;
  }

  /** The stores that it has. */
  get specs(): readonly StoreSpec[] {
    return this.#specs;
  }

  prefixOf(store: string): Uint8Array {
    return rowPrefix(this.#copy.state.stores[store]!, this.#partition);
  }

  /** The changelog topics of the stores, with the position that the copy has reached in each; 0 for none of it. */
  get positions(): ReadonlyMap<string, number> {
    return this.#copy.positions;
  }

  /** The same positions, by store. */
  get reached(): Readonly<Record<string, number>> {
    const { applicationId } = this.#options;
    return Object.fromEntries(
      this.#specs.map(({ name }) => [name, this.#copy.positions.get(changelogTopic(applicationId, name))!]),
    );
  }

  /** The ids of the changelog topics that the positions are of, where known. */
  get topicIds(): ReadonlyMap<string, string> {
    return this.#copy.topicIds;
  }

  /** The changelog topics are these from now on: written down with the next positions. */
  set topicIds(ids: ReadonlyMap<string, string>) {
    this.#copy.topicIds = ids;
  }

  /** When the copy was last written to, ms of the wall clock; undefined for an empty one. */
  get savedAtMs(): number | undefined {
    return this.#copy.atMs < 0 ? undefined : this.#copy.atMs;
  }

  /** The commit that the rows stand for; undefined where they were read from the changelogs, and the task was not at work on them since. */
  get commit(): SavedCommit | undefined {
    return this.#copy.commit;
  }

  /** Adds to a batch how far the rows in it reach. Until the task is at work on the copy that is said to be only a part of what is committed. */
  savePositions(batch: WriteBatch, reached: ReadonlyMap<string, number>): void {
    this.#copy.commit = undefined;
    this.#copy.atMs = Date.now();
    this.#save(batch, reached, {});
  }

  /** As {@link savePositions}, for the task at work: the copy has all that is committed. */
  saveCommitted(
    batch: WriteBatch,
    reached: ReadonlyMap<string, number>,
    operatorTimeMs: number,
    commit: SavedCommit | undefined,
  ): void {
    this.#copy.atMs = Date.now();
    this.#copy.commit = commit;
    const times = Number.isFinite(operatorTimeMs) ? { operatorTimeMs } : {};
    this.#save(batch, reached, { ...times, completeIn: this.#options.run });
  }

  /** The task is at work on the copy from now on, which stands for what the group has committed; undefined for nothing. */
  async markComplete(operatorTimeMs: number, commit: SavedCommit | undefined): Promise<void> {
    await this.#mark((batch) => this.saveCommitted(batch, new Map(), operatorTimeMs, commit));
  }

  /** The copy does not have all that is committed any more, or not yet: nobody takes it for whole. */
  async markIncomplete(): Promise<void> {
    // It is not newer for it: how old it is decides whether it may have missed deletions.
    await this.#mark((batch) => this.#save(batch, new Map(), {}));
  }

  /** The changelogs were made again out of its rows: they have these ends and ids, and the group this commit. */
  async refilled(
    ends: ReadonlyMap<string, number>,
    ids: ReadonlyMap<string, string>,
    commit: SavedCommit,
  ): Promise<void> {
    this.#copy.topicIds = new Map(
      [...this.#copy.positions.keys()].flatMap((topic) => (ids.has(topic) ? [[topic, ids.get(topic)!]] : [])),
    );
    this.#copy.commit = commit;
    await this.#mark((batch) => this.#save(batch, ends, {}));
  }

  async #mark(save: (batch: WriteBatch) => void): Promise<void> {
    if (this.#copy.positions.size === 0) return;
    const batch = this.database.batch();
    save(batch);
    await batch.write({ sync: false });
    await batch.close();
  }

  #save(
    batch: WriteBatch,
    reached: ReadonlyMap<string, number>,
    more: Pick<SavedPositions, 'operatorTimeMs' | 'completeIn'>,
  ): void {
    for (const [topic, position] of reached)
      if (this.#copy.positions.has(topic)) this.#copy.positions.set(topic, position);
    const saved: SavedPositions = {
      positions: Object.fromEntries(this.#copy.positions),
      topicIds: Object.fromEntries(this.#copy.topicIds),
      atMs: this.#copy.atMs,
      ...more,
      ...(this.#copy.commit === undefined ? {} : { commit: this.#copy.commit }),
    };
    batch.put(positionsKey, utf8(JSON.stringify(saved)));
  }

  /** Takes the rows of a store out of the copy, which then has nothing of its changelog. */
  async forget({ name }: StoreSpec): Promise<void> {
    const topic = changelogTopic(this.#options.applicationId, name);
    await this.#mark((batch) => this.#save(batch, new Map([[topic, 0]]), {}));
    await deleteStores(this.database, [this.#copy.state.stores[name]!]);
  }

  /** Whether it has any row. What was written ahead of a commit that never came is none. */
  async hasRows(): Promise<boolean> {
    for (const spec of this.#specs) {
      const part = localPart(spec, this.database, this.prefixOf(spec.name), this.#partition);
      for await (const page of part.rows(wholeTime.fromMs, wholeTime.toMs)) if (page.length > 0) return true;
    }
    return false;
  }

  /** Throws the copy away and begins an empty one. */
  async wipe(): Promise<void> {
    const { directory } = this.#folder;
    await this.#folder.close();
    await rm(directory, { recursive: true, force: true });
    await this.#reopen();
  }

  /** Closes and opens it again: after a failed write only that tells what is there. */
  async reopen(): Promise<void> {
    await this.#folder.close();
    await this.#reopen();
  }

  close(): Promise<void> {
    return this.#folder.close();
  }

  async #reopen(): Promise<void> {
    this.#folder = await openFolder(this.taskId, this.#options);
    this.#copy = this.#read();
    await this.#describe();
  }

  /** An empty copy says whose it is, too, and one of another program what program it is of now. */
  async #describe(): Promise<void> {
    // First: rows that leave are not counted as read any more.
    if (this.#copy.remade) await this.#mark((batch) => this.#save(batch, new Map(), {}));
    await goOn(this.#folder, this.#copy.state);
    this.#copy.state = this.#folder.saved!;
  }

  #read(): Copy {
    const { applicationId } = this.#options;
    const state = stateOnKafka(this.#folder.saved, this.#options, this.#folder.directory);
    const bytes = this.#folder.database.get(positionsKey);
    const written = bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as SavedPositions);
    const known = (name: string): number => written?.positions[changelogTopic(applicationId, name)] ?? 0;
    // Rows of a time before the store was made anew; or taken out by a program without it, which ended before it wrote positions of its own.
    const isRemade = (name: string): boolean => {
      const before = this.#folder.saved?.stores[name];
      return before === undefined ? known(name) > 0 : before !== state.stores[name];
    };
    const positions = new Map(
      this.#specs.map(({ name }) => [changelogTopic(applicationId, name), isRemade(name) ? 0 : known(name)]),
    );
    const remade = this.#specs.some(({ name }) => isRemade(name));
    const topicIds = new Map(Object.entries(written?.topicIds ?? {}));
    return {
      positions,
      topicIds,
      atMs: written?.atMs ?? -1,
      commit: remade ? undefined : written?.commit,
      state,
      remade,
    };
  }
}

/** A copy of a task's stores as it lies on disk, for those who only read. */
export interface TaskCopy {
  readonly folder: StateFolder;
  /** The sum of its changelog positions: which of two copies reaches further. */
  readonly reached: number;
  readonly operatorTimeMs: number | undefined;
  /** Whether it has all that the task had committed when the instance ended. */
  readonly complete: boolean;
}

/**
 * Opens a copy to read it.
 *
 * @param run - The instance's last run; undefined for a folder of a version that did not tell runs apart, whose copies count as complete.
 * @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while an instance has it, `STREAMS_STATE_MISSING`
 */
export async function openTaskCopy(stateDir: string, taskId: string, run: string | undefined): Promise<TaskCopy> {
  const folder = await StateFolder.open(taskDirectory(stateDir, taskId), { create: false });
  const bytes = folder.database.get(positionsKey);
  const saved = bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as SavedPositions);
  const reached = Object.values(saved?.positions ?? {}).reduce((sum, position) => sum + position, 0);
  const complete = run === undefined || saved?.completeIn === run;
  return { folder, reached, operatorTimeMs: saved?.operatorTimeMs ?? undefined, complete };
}

/** Another holder in this process or a neighbour may be about to close it: that is waited for. */
function openFolder(taskId: string, { stateDir, openDatabase }: TaskFolderOptions): Promise<StateFolder> {
  return StateFolder.open(taskDirectory(stateDir, taskId), { create: true, openDatabase });
}
