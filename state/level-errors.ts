import { messageOf, StreamsError } from '../src/common/errors.ts';
import type { Damage } from './level-files/damage.ts';

/** The code of an error of LevelDB or of Node. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** What a failed open means. */
export function openError(folder: string, error: unknown): StreamsError {
  if (StreamsError.is(error)) return error;
  // The cause tells why; the error around it only that the database is not open.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (codeOf(cause) === 'LEVEL_LOCKED') {
    return lockedElsewhere(folder, cause);
  }
  return codeOf(cause) === 'LEVEL_CORRUPTION' ? corruptError(folder, cause) : writeError(folder, cause);
}

/** Somebody else has the folder open. */
export function lockedError(folder: string, reason: string, cause?: unknown): StreamsError {
  return new StreamsError('STREAMS_STATE_STORE_LOCKED', `state folder ${folder} is locked: ${reason}.`, {
    file: folder,
    cause,
  });
}

/** Another process has the folder open. */
export function lockedElsewhere(folder: string, cause?: unknown): StreamsError {
  return lockedError(
    folder,
    'another process holds it. Stop that process, or give this one another state folder',
    cause,
  );
}

/** Another program's database is there. */
export function foreignError(folder: string): StreamsError {
  const message = `${folder} is the LevelDB database of another program, or of one that lost its file IDENTITY: nothing in it is changed. Give another folder.`;
  return new StreamsError('STREAMS_STATE_INCOMPATIBLE', message, { file: folder });
}

/** A file of the database is not what was written. */
export function damagedError(folder: string, { file, what }: Damage): StreamsError {
  return corruptError(folder, new Error(`${file} ${what}`));
}

/** What is on the disk cannot be read, or is not what was written. */
export function corruptError(folder: string, cause: unknown): StreamsError {
  const message = `state database ${folder} cannot be read: ${messageOf(cause)}. Check the disk; restore a copy of the folder, or move it away to rebuild the state.`;
  return new StreamsError('STREAMS_STATE_STORE_CORRUPT', message, { file: folder, cause });
}

/** The disk takes no more. */
export function writeError(folder: string, cause: unknown): StreamsError {
  const message = `state database ${folder} cannot be written: ${messageOf(cause)}. Check the space and permissions of the disk, then start again.`;
  return new StreamsError('STREAMS_STATE_STORE_WRITE', message, { file: folder, cause });
}
