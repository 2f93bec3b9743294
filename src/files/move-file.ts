import { constants } from 'node:fs';
import { copyFile, link, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';

/** What became of a file that was to be moved. */
export type MoveOutcome =
  /** It is there now, under this path. */
  | { readonly kind: 'moved'; readonly path: string }
  /** A file of this name with the same bytes was there already: the one to be moved was removed. */
  | { readonly kind: 'same'; readonly path: string }
  /** It is gone, or has another size than it should: it was left alone. */
  | { readonly kind: 'left' };

/** Errors of file systems on which a file has one name, or that are two. */
const withoutLinks = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
const compareBytes = 1 << 16;

/**
 * Moves a file of `size` bytes into a folder, without ever replacing another: where its name is taken by other bytes, `day.csv` becomes `day.2.csv`, `day.3.csv`, ...
 *
 * Killed in between it leaves the file where it was, or in both places; then the next call finishes what this one began.
 *
 * @throws StreamsError STREAMS_FILE
 */
export async function moveFile(from: string, folder: string, size: number): Promise<MoveOutcome> {
  try {
    if ((await sizeOf(from)) !== size) return { kind: 'left' };
    for (const name of namesOf(basename(from))) {
      const to = join(folder, name);
      const placed = await place(from, to);
      if (placed === 'taken') {
        if (!(await sameContent(from, to))) continue;
        await unlink(from);
        return { kind: 'same', path: to };
      }
      // Somebody has written to it since: the new rows are to be read first.
      if ((await sizeOf(to)) !== size) {
        await unlink(to);
        return { kind: 'left' };
      }
      await unlink(from);
      return { kind: 'moved', path: to };
    }
    throw new RangeError('names never end');
  } catch (error) {
    throw StreamsError.from(error, 'STREAMS_FILE', `${from} cannot be moved to ${folder}: ${messageOf(error)}`, {
      file: from,
    });
  }
}

/** Removes what moves that were killed have left of copies. */
export async function removeCopies(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('.') && name.endsWith(copySuffix)) await rm(join(folder, name), { force: true });
  }
}

const copySuffix = '.moving';

/** Gives the file its new name too, or a copy of it. */
async function place(from: string, to: string): Promise<'placed' | 'taken'> {
  try {
    await link(from, to);
    return 'placed';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return 'taken';
    if (!withoutLinks.has(code ?? '')) throw error;
  }
  if ((await sizeOf(to)) !== undefined) return 'taken';
  // A name that is not read as one of a whole file, until it is one.
  const copy = join(dirname(to), `.${basename(to)}${copySuffix}`);
  await copyFile(from, copy, constants.COPYFILE_FICLONE);
  const handle = await open(copy, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(copy, to);
  return 'placed';
}

/** `day.csv`, `day.2.csv`, `day.3.csv`, ... */
function* namesOf(name: string): Iterable<string> {
  yield name;
  const [, stem, suffix] = /^(.*?)(\.(?:csv|ndjson|jsonl)(?:\.(?:gz|zst))?)?$/s.exec(name)!;
  for (let n = 2; ; n++) yield `${stem}.${n}${suffix ?? ''}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sameContent(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([stat(a), stat(b)]);
  if (one.ino === other.ino && one.dev === other.dev) return true;
  if (one.size !== other.size || !other.isFile()) return false;
  const first = await open(a, 'r');
  try {
    const second = await open(b, 'r');
    try {
      const left = Buffer.alloc(compareBytes);
      const right = Buffer.alloc(compareBytes);
      for (let at = 0; at < one.size; at += compareBytes) {
        const length = Math.min(compareBytes, one.size - at);
        const [x, y] = await Promise.all([first.read(left, 0, length, at), second.read(right, 0, length, at)]);
        if (x.bytesRead !== length || y.bytesRead !== length) return false;
        if (!left.subarray(0, length).equals(right.subarray(0, length))) return false;
      }
      return true;
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
}
