import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { folderReason, StreamsError } from '../common/errors.ts';
import { makeFolder } from '../common/make-folder.ts';

/**
 * Writes a file under another name, and gives it its own when it is whole and on the disk: it replaces an older one in one step. Its folder is made if it is
 * absent.
 *
 * @throws {@link StreamsError} `STREAMS_FILE` - if the file system refuses; other errors of `write` as they are. The file under way is not left behind.
 */
export async function writeWholeFile<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const unfinished = `${file}.${process.pid}.tmp`;
  await named(dirname(file), (folder) => makeFolder(folder));
  return named(file, async () => {
    try {
      const result = await writeNew(unfinished, write);
      await rename(unfinished, file);
      return result;
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw error;
    }
  });
}

async function writeNew<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'w');
  try {
    const result = await write(handle);
    await handle.datasync();
    return result;
  } finally {
    await handle.close();
  }
}

/** Names the path in an error of the file system; other errors are not ours to explain. */
async function named<T>(path: string, act: (path: string) => Promise<T>): Promise<T> {
  try {
    return await act(path);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const message = `cannot write ${path}: ${folderReason(error)}. Give a place that can be written, with room for it.`;
    throw new StreamsError('STREAMS_FILE', message, { file: path, cause: error });
  }
}
