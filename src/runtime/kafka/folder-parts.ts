import { stat } from 'node:fs/promises';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import { readDescription } from '../../topology/read-description.ts';
import type { Topology } from '../../topology/topology.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { rowPrefix, type StateSettings, sharedPartition } from '../state-folder.ts';
import { taskIdText } from '../task.ts';
import { type GlobalCopy, globalDirectory, openGlobalCopy } from './global-folder.ts';
import { storedTasks, withThreads } from './stored-tasks.ts';
import { openTaskCopy, type TaskCopy } from './task-folder.ts';

/** Whether a folder is that of an instance on Kafka. */
export async function isInstanceFolder(directory: string): Promise<boolean> {
  return stat(globalDirectory(directory)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** What an instance says of its folder; undefined for one that ended before it had written anything. */
async function openGlobal(directory: string): Promise<GlobalCopy | undefined> {
  try {
    return await openGlobalCopy(directory);
  } catch (error) {
    const isNew =
      StreamsError.is(error) && error.code === 'STREAMS_STATE_MISSING' && (await isInstanceFolder(directory));
    if (isNew) return undefined;
    throw error;
  }
}

/** What an instance says of its folder, and where that is. */
interface Instance extends GlobalCopy {
  readonly directory: string;
}

/**
 * The state folders of instances that do not run: of each task the copy that reaches furthest, among those on which the task was at work when their instance ended. One that was being
 * restored, was kept warm for another instance or was given to one lacks what it cannot know of.
 */
export class InstanceFolders {
  readonly settings: StateSettings;
  readonly #copies: ReadonlyMap<string, TaskCopy>;
  readonly #global: Instance;

  private constructor(copies: ReadonlyMap<string, TaskCopy>, global: Instance) {
    this.#copies = copies;
    this.#global = global;
    this.settings = global.folder.saved!.settings;
  }

  /** @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while an instance runs, `STREAMS_STATE_MISSING`, `STREAMS_STATE_INCOMPATIBLE` for folders of two applications. */
  static async open(given: readonly string[]): Promise<InstanceFolders> {
    const directories = given.flatMap(withThreads);
    const opened: Instance[] = [];
    const copies = new Map<string, TaskCopy>();
    try {
      for (const directory of directories) {
        const instance = await openGlobal(directory);
        if (instance !== undefined) opened.push({ ...instance, directory });
      }
      const first = opened[0];
      if (first === undefined)
        throw new StreamsError(
          'STREAMS_STATE_MISSING',
          `${given.join(', ')}: no instance has committed anything there. Give the folders of all instances, or read the changelogs with --brokers.`,
        );
      refuseOthers(first, opened.slice(1));
      for (const directory of directories) {
        const run = opened.find((instance) => instance.directory === directory)?.run;
        for (const [taskId] of storedTasks(directory)) {
          const copy = await openTaskCopy(directory, taskId, run);
          const other = copies.get(taskId);
          if (other !== undefined && !isBetter(copy, other)) await copy.folder.close();
          else {
            copies.set(taskId, copy);
            await other?.folder.close();
          }
        }
      }
      const global = opened.find(({ complete }) => complete) ?? first;
      for (const { folder } of opened) if (folder !== global.folder) await folder.close();
      return new InstanceFolders(copies, global);
    } catch (error) {
      for (const { folder } of [...opened, ...copies.values()]) await folder.close();
      throw error;
    }
  }

  /** Least time that an operator of the copies has observed, ms; -1 for none. */
  get operatorTimeMs(): number {
    const times = [...this.#copies.values()].flatMap(({ operatorTimeMs }) => operatorTimeMs ?? []);
    return times.length === 0 ? -1 : Math.min(...times);
  }

  /**
   * The parts of a store.
   *
   * @param partitions - How many it has.
   * @throws StreamsError `STREAMS_STATE_MISSING` if a task is in none of the folders, or in none of them whole.
   */
  partsOf(topology: Topology, spec: StoreSpec, partitions: number): readonly StorePart[] {
    if (topology.globalTables.some(({ store }) => store.name === spec.name)) {
      const { folder, complete, directory } = this.#global;
      if (!complete) throw incomplete(`global table ${spec.name} in ${directory}`);
      return [localPart(spec, folder.database, rowPrefix(folder.saved!.stores[spec.name]!, sharedPartition), 0)];
    }
    const { saved } = this.#global.folder;
    // By the numbers of the program that has run there.
    const part = readDescription(saved!.topology).parts.find(({ stores }) => stores.includes(spec.name));
    if (part === undefined)
      throw new StreamsError(
        'STREAMS_STATE_INCOMPATIBLE',
        `${this.#global.directory} was made by a program without store ${spec.name}. Let an instance of this program run with it first, or read the changelogs with --brokers.`,
      );
    return Array.from({ length: partitions }, (_, partition) => {
      const taskId = taskIdText({ subTopology: part.id, partition });
      const copy = this.#copies.get(taskId);
      if (copy === undefined)
        throw new StreamsError(
          'STREAMS_STATE_MISSING',
          `task ${taskId}, which has partition ${partition} of store ${spec.name}, is in none of the folders. Give the folders of all instances, or read the changelogs with --brokers.`,
          { taskId },
        );
      if (!copy.complete)
        throw incomplete(
          `the copy of task ${taskId}, which has partition ${partition} of store ${spec.name}, in ${copy.folder.directory}`,
          taskId,
        );
      return localPart(
        spec,
        copy.folder.database,
        rowPrefix(copy.folder.saved!.stores[spec.name]!, partition),
        partition,
      );
    });
  }

  async close(): Promise<void> {
    for (const { folder } of this.#copies.values()) await folder.close();
    await this.#global.folder.close();
  }
}

function refuseOthers(first: Instance, others: readonly Instance[]): void {
  const owner = first.folder.saved!.applicationId;
  for (const { folder, directory } of others)
    if (folder.saved!.applicationId !== owner)
      throw new StreamsError(
        'STREAMS_STATE_INCOMPATIBLE',
        `${directory} belongs to application ${folder.saved!.applicationId}, ${first.directory} to ${owner}. Give the folders of one application.`,
      );
}

function isBetter(copy: TaskCopy, other: TaskCopy): boolean {
  return copy.complete === other.complete ? copy.reached > other.reached : copy.complete;
}

function incomplete(what: string, taskId?: string): StreamsError {
  return new StreamsError(
    'STREAMS_STATE_MISSING',
    `${what} is not whole: its instance ended before all of it was restored, or another instance has gone on from it. Give the folders of all instances, start run again until it has restored it, or read the changelogs with --brokers.`,
    taskId === undefined ? {} : { taskId },
  );
}
