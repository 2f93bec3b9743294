import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, DatabaseFactory, KeyRange, WriteBatch } from '../../state/database.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { concatBytes, fromUtf8, prefixEnd, utf8 } from '../common/bytes.ts';
import { folderReason, StreamsError } from '../common/errors.ts';
import { makeFolder } from '../common/make-folder.ts';
import { stateOption } from '../common/remedies.ts';
import type { SavedTask } from './task.ts';

/** Settings that results depend on: saved with the state, and not to be changed afterwards. */
export type StateSettings = Readonly<Record<string, string | number | boolean | null>>;

/** What a state folder says of itself. */
export interface SavedState {
  readonly format: number;
  readonly applicationId: string;
  /** The topology's description and its stores. */
  readonly topology: string;
  readonly settings: StateSettings;
  /** Numbers of the stores in row keys. */
  readonly stores: Readonly<Record<string, number>>;
  /** Numbers of stores that the program does not have any more, whose rows are still to be deleted. Absent: none. */
  readonly retired?: readonly number[];
  /** True once the open windows were closed: no more input. */
  readonly final: boolean;
  /** Global tables whose load was begun and committed in part. */
  readonly loading?: readonly string[];
  /** Totals over all runs. */
  readonly totals: { readonly commits: number; readonly committedRows: number; readonly commitSeconds: number };
}

/** Version of the layout of rows: 2 since stores have a log of rows beside their pages, and pages two places. A folder with a greater one was written by newer code; one with a lesser one goes on as this. */
export const stateFormat = 2;

/** The folder in a state folder in which stores are made anew. */
export const rebuildFolder = 'rebuild';

const metaByte = 0;
const rowByte = 1;
const stateKey = metaKey('state');

/** Key of a row about the state itself: `| 0 | name |`. */
export function metaKey(name: string): Uint8Array {
  return concatBytes(Uint8Array.of(metaByte), utf8(name));
}

/**
 * A state folder: one database with the rows of all stores, the positions, clocks and settings.
 *
 * ```
 * | 0 | name |                                     about the state: `state`, `task/0_3`, `feed/<topic>/...`
 * | 1 | store u16 BE | partition u16 BE | row |    rows of stores; partition ffff: of global tables
 * ```
 */
export class StateFolder {
  readonly directory: string;
  readonly database: Database;
  #saved: SavedState | undefined;

  private constructor(directory: string, database: Database) {
    this.directory = directory;
    this.database = database;
  }

  /**
   * Opens a folder.
   *
   * @param create - False: a folder without state is an error.
   * @throws StreamsError `STREAMS_STATE_MISSING`, `STREAMS_STATE_STORE_LOCKED`, `STREAMS_STATE_NEWER`, `STREAMS_STATE_STORE_CORRUPT`
   */
  static async open(
    directory: string,
    options: { readonly create: boolean; readonly openDatabase?: DatabaseFactory | undefined },
  ): Promise<StateFolder> {
    const location = join(directory, 'db');
    if (!options.create && !(await exists(location)))
      throw new StreamsError(
        'STREAMS_STATE_MISSING',
        `${directory} holds no state. Give the folder of an earlier replay with ${stateOption}.`,
      );
    if (options.create) await makeFolder(directory).catch((error: unknown) => failedFolder(directory, error));
    const folder = new StateFolder(directory, await (options.openDatabase ?? openLevelDatabase)(location));
    try {
      folder.#saved = folder.#readState();
      if (folder.#saved === undefined && !options.create)
        throw new StreamsError(
          'STREAMS_STATE_MISSING',
          `${directory} holds no committed state. Run a replay into it first.`,
        );
    } catch (error) {
      await folder.close();
      throw error;
    }
    return folder;
  }

  /** What was saved, undefined in a new folder. */
  get saved(): SavedState | undefined {
    return this.#saved;
  }

  /** Adds the state's own description to a commit. */
  save(batch: WriteBatch, state: SavedState): void {
    batch.put(stateKey, utf8(JSON.stringify(state)));
    this.#saved = state;
  }

  saveTask(batch: WriteBatch, taskId: string, saved: SavedTask): void {
    batch.put(metaKey(`task/${taskId}`), utf8(JSON.stringify(saved)));
  }

  forgetTask(batch: WriteBatch, taskId: string): void {
    batch.del(metaKey(`task/${taskId}`));
  }

  savedTask(taskId: string): SavedTask | undefined {
    const bytes = this.database.get(metaKey(`task/${taskId}`));
    return bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as SavedTask);
  }

  /** The tasks of which something is saved. */
  async taskIds(): Promise<readonly string[]> {
    const prefix = metaKey('task/');
    const ids: string[] = [];
    for await (const page of this.database.pages({ gte: prefix, lt: metaKey('task0') }))
      for (const [key] of page) ids.push(fromUtf8(key.subarray(prefix.length)));
    return ids;
  }

  close(): Promise<void> {
    return this.database.close();
  }

  #readState(): SavedState | undefined {
    const bytes = this.database.get(stateKey);
    if (bytes === undefined) return undefined;
    const state = JSON.parse(fromUtf8(bytes)) as SavedState;
    if (state.format > stateFormat)
      throw new StreamsError(
        'STREAMS_STATE_NEWER',
        `${this.directory} was written in format ${state.format}, this version reads up to ${stateFormat}. Use the newer version, or a new folder.`,
      );
    return state;
  }
}

/** The rows of all stores. */
export const allRows: KeyRange = { gte: Uint8Array.of(rowByte), lt: Uint8Array.of(rowByte + 1) };

/** The rows of a store, of all its partitions. */
export function storeRange(store: number): KeyRange {
  const prefix = Uint8Array.of(rowByte, store >> 8, store);
  return { gte: prefix, lt: prefixEnd(prefix)! };
}

/** The partition number of stores that all tasks share. */
export const sharedPartition = 0xffff;

/** The prefix of a store's rows. */
export function rowPrefix(store: number, partition: number): Uint8Array {
  return Uint8Array.of(rowByte, store >> 8, store, partition >> 8, partition);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function failedFolder(directory: string, error: unknown): never {
  throw StreamsError.from(
    error,
    'STREAMS_STATE_STORE_WRITE',
    `the state folder ${directory} cannot be made: ${folderReason(error)}. Give a writable one with ${stateOption}.`,
  );
}
