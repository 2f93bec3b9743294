import { stat } from 'node:fs/promises';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { Topology } from '../../topology/topology.ts';
import { localPart } from '../parts/local-part.ts';
import type { StorePart } from '../parts/store-part.ts';
import { rowPrefix, StateFolder, type StateSettings } from '../state-folder.ts';
import { taskIdText } from '../task.ts';
import { sharedPartition } from '../topology-engine.ts';
import { globalDirectory } from './global-tables.ts';
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
async function openGlobal(directory: string): Promise<StateFolder | undefined> {
  try {
    return await StateFolder.open(globalDirectory(directory), { create: false });
  } catch (error) {
    const isNew =
      StreamsError.is(error) && error.code === 'STREAMS_STATE_MISSING' && (await isInstanceFolder(directory));
    if (isNew) return undefined;
    throw error;
  }
}

/** The state folders of instances that do not run: of each task the copy that reaches furthest. */
export class InstanceFolders {
  readonly settings: StateSettings;
  readonly #copies: ReadonlyMap<string, TaskCopy>;
  readonly #global: StateFolder;

  private constructor(copies: ReadonlyMap<string, TaskCopy>, global: StateFolder) {
    this.#copies = copies;
    this.#global = global;
    this.settings = global.saved!.settings;
  }

  /** @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while an instance runs, `STREAMS_STATE_MISSING`, `STREAMS_STATE_INCOMPATIBLE` for folders of two applications. */
  static async open(given: readonly string[]): Promise<InstanceFolders> {
    const directories = given.flatMap(withThreads);
    const opened: StateFolder[] = [];
    const copies = new Map<string, TaskCopy>();
    try {
      for (const directory of directories) {
        const folder = await openGlobal(directory);
        if (folder !== undefined) opened.push(folder);
      }
      const first = opened[0];
      if (first === undefined)
        throw new StreamsError(
          'STREAMS_STATE_MISSING',
          `${given.join(', ')}: no instance has committed anything there. Give the folders of all instances, or read the changelogs with --brokers.`,
        );
      const others = opened.slice(1);
      for (const { saved, directory } of others)
        if (saved!.applicationId !== first.saved!.applicationId)
          throw new StreamsError(
            'STREAMS_STATE_INCOMPATIBLE',
            `${directory} belongs to application ${saved!.applicationId}, ${first.directory} to ${first.saved!.applicationId}. Give the folders of one application.`,
          );
      for (const directory of directories)
        for (const [taskId] of storedTasks(directory)) {
          const copy = await openTaskCopy(directory, taskId);
          const other = copies.get(taskId);
          if (other !== undefined && other.reached >= copy.reached) await copy.folder.close();
          else {
            copies.set(taskId, copy);
            await other?.folder.close();
          }
        }
      for (const folder of others) await folder.close();
      return new InstanceFolders(copies, first);
    } catch (error) {
      for (const folder of [...opened, ...[...copies.values()].map((copy) => copy.folder)]) await folder.close();
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
   * @throws StreamsError `STREAMS_STATE_MISSING` if a task is in none of the folders.
   */
  partsOf(topology: Topology, spec: StoreSpec, partitions: number): readonly StorePart[] {
    if (topology.globalTables.some(({ store }) => store.name === spec.name)) {
      const number = this.#global.saved!.stores[spec.name]!;
      return [localPart(spec, this.#global.database, rowPrefix(number, sharedPartition), 0)];
    }
    const part = topology.subTopologies.find(({ stores }) => stores.includes(spec.name))!;
    return Array.from({ length: partitions }, (_, partition) => {
      const taskId = taskIdText({ subTopology: part.id, partition });
      const copy = this.#copies.get(taskId);
      if (copy === undefined)
        throw new StreamsError(
          'STREAMS_STATE_MISSING',
          `task ${taskId}, which has partition ${partition} of store ${spec.name}, is in none of the folders. Give the folders of all instances, or read the changelogs with --brokers.`,
          { taskId },
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
    await this.#global.close();
  }
}
