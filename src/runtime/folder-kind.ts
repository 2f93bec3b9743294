import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StreamsError } from '../common/errors.ts';
import { stateOption } from '../common/remedies.ts';

/** What made a state folder: a replay of files keeps one database in it, an instance on Kafka one for its global tables and one for each task. */
export type FolderKind = 'replay' | 'instance';

/** Folders below a state folder that tell what made it. */
const marks = { replay: ['db'], instance: ['global', 'tasks'] } as const;
const names = { replay: 'a replay', instance: 'an instance on Kafka' } as const;

/**
 * Refuses a state folder that the other kind of application made: each would leave the rows of the other in place, and who reads the folder would get those of one of
 * them.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE`
 */
export async function refuseOtherKind(directory: string, wanted: FolderKind): Promise<void> {
  const other = wanted === 'replay' ? 'instance' : 'replay';
  if (!(await isOfKind(directory, other))) return;
  const both = await isOfKind(directory, wanted);
  const remedy = both
    ? `Delete ${marks[other].map((name) => join(directory, name)).join(' and ')} if that state is no longer wanted, or name another folder with ${stateOption}`
    : `Name another folder with ${stateOption}`;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${directory} holds the state of ${both ? `${names.replay} and that of ${names.instance}` : names[other]}, and this needs ${both ? 'a folder of one of them' : `that of ${names[wanted]}, or none yet`}. ${remedy}.`,
    { file: directory },
  );
}

/** Whether a folder holds what such an application made. */
export async function isOfKind(directory: string, kind: FolderKind): Promise<boolean> {
  for (const name of marks[kind])
    if (
      await stat(join(directory, name)).then(
        (found) => found.isDirectory(),
        () => false,
      )
    )
      return true;
  return false;
}
