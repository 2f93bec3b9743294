import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { isInstanceFolder } from '../runtime/kafka/folder-parts.ts';
import { globalDirectory } from '../runtime/kafka/global-folder.ts';
import { StateFolder } from '../runtime/state-folder.ts';

/** Where local state is looked for. */
export interface FolderRequest {
  readonly directory: string;
  readonly applicationId: string;
  /** Whether the user has named the folder; else it is left alone unless it is the application's. */
  readonly named: boolean;
}

/** An instance's local state, which nobody else can open. */
export interface LocalState {
  /** Folders that are there, in the order in which they are deleted. */
  readonly paths: readonly string[];
  /** Deletes the copies of tasks, and goes on holding the folder. `deleted` is told of each path. */
  deleteTasks(deleted: (path: string) => void): Promise<void>;
  /** Deletes the rest. */
  deleteGlobals(deleted: (path: string) => void): Promise<void>;
  /** Gives the folder back. */
  close(): Promise<void>;
}

/** The local state that is to go, or why none is. */
export type FoundState = { readonly state: LocalState } | { readonly left: string };

/** The folder of global tables says whose the state is, and is deleted last and at once. */
const halfDeleted = 'global-deleted';

/**
 * Looks for the local state of an application, and holds it.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` while somebody has the folder open, `STREAMS_STATE_INCOMPATIBLE` for a folder that was named and is another's.
 */
export async function findLocalState(request: FolderRequest): Promise<FoundState> {
  const { directory, applicationId, named } = request;
  if (!(await isInstanceFolder(directory))) return withoutGlobals(request);
  let folder: StateFolder | undefined;
  try {
    folder = await StateFolder.open(globalDirectory(directory), { create: false });
  } catch (error) {
    if (!StreamsError.is(error)) throw error;
    if (error.code === 'STREAMS_STATE_STORE_LOCKED')
      throw new StreamsError(
        'STREAMS_INPUT_REFUSED',
        `${directory} is in use: an instance has it open. Stop it first, or name another folder with --state.`,
        { file: directory, cause: error },
      );
    // Whose it was cannot be read any more: only who names the folder means it.
    if (!named || !['STREAMS_STATE_MISSING', 'STREAMS_STATE_STORE_CORRUPT'].includes(error.code))
      return { left: `${directory} cannot be read (${messageOf(error)})` };
  }
  const owner = folder?.saved?.applicationId ?? applicationId;
  if (owner === applicationId) return { state: await stateOf(directory, folder) };
  await folder?.close();
  if (!named) return { left: `${directory} belongs to application ${owner}` };
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${directory} belongs to application ${owner}, not to ${applicationId}. Give its own folder with --state, or its name with --application-id.`,
    { file: directory },
  );
}

async function withoutGlobals({ directory, named }: FolderRequest): Promise<FoundState> {
  const rest = join(directory, halfDeleted);
  if (await isThere(rest)) return { state: await stateOf(directory, undefined) };
  if (!(await isThere(join(directory, 'db')))) return { left: `${directory} holds no state of an instance on Kafka` };
  if (!named) return { left: `${directory} holds the state of a replay` };
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${directory} holds the state of a replay, not of an instance on Kafka. Delete it yourself if you mean it, or name another folder with --state.`,
    { file: directory },
  );
}

async function stateOf(directory: string, folder: StateFolder | undefined): Promise<LocalState> {
  const tasks = join(directory, 'tasks');
  const rest = join(directory, halfDeleted);
  const global = globalDirectory(directory);
  const there = new Map<string, boolean>();
  for (const path of [tasks, rest, global]) there.set(path, await isThere(path));
  const remove = async (path: string, deleted: (path: string) => void): Promise<void> => {
    if (!there.get(path)) return;
    await rm(path, { recursive: true, force: true });
    deleted(path);
  };
  return {
    paths: [...there.keys()].filter((path) => there.get(path)),
    deleteTasks: (deleted) => remove(tasks, deleted),
    async deleteGlobals(deleted) {
      await remove(rest, deleted);
      await folder?.close();
      if (!there.get(global)) return;
      // Half of it would say no more whose the folder is.
      await rename(global, rest);
      await rm(rest, { recursive: true, force: true });
      deleted(global);
    },
    close: async () => folder?.close(),
  };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
