import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { isOfKind } from '../runtime/folder-kind.ts';
import { isInstanceFolder } from '../runtime/kafka/folder-parts.ts';
import { globalDirectory } from '../runtime/kafka/global-folder.ts';
import { storedTasks } from '../runtime/kafka/stored-tasks.ts';
import { StateFolder } from '../runtime/state-folder.ts';
import { type Check, failed, ok, warning } from './doctor-check.ts';
import { typedDuration } from './option-parsers.ts';

const about = 'state folder';
const mib = 2 ** 20;
const freeBytesNeeded = 100 * mib;
const freeBytesWanted = 1024 * mib;

/** Whether a state folder can be written, how much room it has, and whose state it holds. */
export async function folderChecks(directory: string, applicationId: string): Promise<readonly Check[]> {
  const path = resolve(directory);
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory())
    return [failed(about, `${directory} is not a folder`, 'Name another one with --state.')];
  const nearest = found === undefined ? await nearestFolder(path) : path;
  try {
    await access(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    const text = `${found === undefined ? `${directory} does not exist, and ${nearest}` : directory} cannot be written: ${messageOf(error)}`;
    return [failed(about, text, 'Give this user the right to write there, or name another folder with --state.')];
  }
  const room = await freeBytes(nearest);
  return [
    ok(about, found === undefined ? `${directory} does not exist yet, and can be made` : `${directory} can be written`),
    ...(room === undefined ? [] : [spaceCheck(room)]),
    ...(found === undefined ? [] : [await ownerCheck(directory, applicationId, found.uid)]),
  ];
}

/** Whether so much room will do. */
export function spaceCheck(bytes: number): Check {
  const text = `${Math.floor(bytes / mib)} MiB are free`;
  const remedy = 'Make room, or name a folder on another disk with --state.';
  if (bytes < freeBytesNeeded) return failed(about, text, remedy);
  return bytes < freeBytesWanted ? warning(about, text, remedy) : ok(about, text);
}

async function ownerCheck(directory: string, applicationId: string, uid: number): Promise<Check> {
  if (!(await isInstanceFolder(directory))) {
    if (!(await isOfKind(directory, 'replay'))) return ok(about, `${directory} holds no state yet`);
    return failed(
      about,
      `${directory} holds the state of a replay, and run takes none of those`,
      'Name another folder with --state.',
    );
  }
  if (await isOfKind(directory, 'replay'))
    return failed(
      about,
      `${directory} holds the state of a replay and that of an instance on Kafka`,
      `Delete ${join(directory, 'db')} if the replay is no longer wanted, or name another folder with --state.`,
    );
  const me = process.getuid?.();
  // Files that this user made there could not be written by the other.
  if (me !== undefined && me !== uid)
    return warning(about, `${directory} belongs to user ${uid}`, 'To see whose state it holds, ask as that user.');
  return stateCheck(directory, applicationId);
}

async function stateCheck(directory: string, applicationId: string): Promise<Check> {
  try {
    const folder = await StateFolder.open(globalDirectory(directory), { create: false });
    const { saved } = folder;
    await folder.close();
    const { applicationId: owner, settings } = saved!;
    if (owner !== applicationId)
      return failed(
        about,
        `${directory} belongs to application ${owner}, not to ${applicationId}`,
        'Give each application its own with --state.',
      );
    const tasks = storedTasks(directory).length;
    const { zone, grace, partitions } = settings;
    const made = [
      ...(zone === undefined ? [] : [`zone ${zone}`]),
      ...(grace === undefined ? [] : [`grace ${typedDuration(Number(grace))}`]),
      ...(partitions === undefined ? [] : [`partitions ${partitions}`]),
    ];
    return ok(
      about,
      `${directory} holds ${tasks} ${tasks === 1 ? 'task' : 'tasks'} of ${owner}${made.length === 0 ? '' : `, made with ${made.join(', ')}`}`,
    );
  } catch (error) {
    if (!StreamsError.is(error)) throw error;
    if (error.code === 'STREAMS_STATE_STORE_LOCKED') return ok(about, `${directory} is in use: an instance runs`);
    if (error.code === 'STREAMS_STATE_MISSING') return ok(about, `${directory} holds no state yet`);
    return failed(
      about,
      error.message.replace(/\.$/, ''),
      'On Kafka a folder can be deleted: the next start restores it.',
    );
  }
}

async function freeBytes(folder: string): Promise<number | undefined> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );
}

async function nearestFolder(path: string): Promise<string> {
  const above = dirname(path);
  if (above === path) return path;
  const found = await stat(above).catch(() => undefined);
  return found === undefined ? nearestFolder(above) : above;
}
