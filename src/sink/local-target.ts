import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '../common/make-folder.ts';
import { sinkError } from './sink-error.ts';
import {
  assertPath,
  flatName,
  type PendingFile,
  pathOf,
  pendingFolder,
  type SinkTarget,
  type TargetFile,
} from './target.ts';

const partSuffix = '.part';
const sealedSuffix = '.sealed';

/**
 * A folder of this machine. What is under way stands in `_pending` below it, on the same file system, so that a file becomes visible by one rename; files and
 * folders are synced before the next step relies on them.
 */
export class LocalTarget implements SinkTarget {
  readonly url: string;
  readonly #root: string;
  readonly #pending: string;

  private constructor(root: string) {
    this.url = root;
    this.#root = root;
    this.#pending = join(root, pendingFolder);
  }

  /** Makes the folder if it is not there. */
  static async open(directory: string): Promise<LocalTarget> {
    const target = new LocalTarget(resolve(directory));
    await target.#try('the folder cannot be made', () => makeFolder(target.#pending));
    return target;
  }

  async open(owner: string): Promise<PendingFile> {
    const path = join(this.#pending, `${owner}.${randomUUID()}${partSuffix}`);
    const handle = await this.#try('a file cannot be made', () => open(path, 'wx'));
    return new LocalFile(
      handle,
      path,
      (work) => this.#try('a file cannot be written', work),
      (final) => this.#sealedPath(final),
    );
  }

  async commit(path: string): Promise<void> {
    assertPath(path);
    const from = this.#sealedPath(path);
    const to = join(this.#root, path);
    await this.#try(`${path} cannot be made visible`, async () => {
      await makeFolder(dirname(to));
      await place(from, to);
      await syncFolders(dirname(to), this.#root);
    });
  }

  async sealed(): Promise<readonly string[]> {
    const names = await this.#try('the folder cannot be read', () => readdir(this.#pending));
    const paths = names
      .filter((name) => name.endsWith(sealedSuffix))
      .map((name) => pathOf(name.slice(0, -sealedSuffix.length)));
    const waiting: string[] = [];
    for (const path of paths.sort()) {
      // A rename that was cut between its two names: visible already.
      if ((await sizeOf(join(this.#root, path))) === undefined) waiting.push(path);
      else await rm(this.#sealedPath(path), { force: true });
    }
    return waiting;
  }

  async abort(path: string): Promise<void> {
    await this.#try(`${path} cannot be removed`, () => rm(this.#sealedPath(path), { force: true }));
  }

  async abandon(owner: string): Promise<void> {
    await this.#try('the folder cannot be cleaned', async () => {
      for (const name of await readdir(this.#pending)) {
        if (name.startsWith(`${owner}.`) && name.endsWith(partSuffix))
          await rm(join(this.#pending, name), { force: true });
      }
    });
  }

  async list(prefix: string): Promise<readonly TargetFile[]> {
    return this.#try('the folder cannot be read', async () => {
      const found: TargetFile[] = [];
      for (const entry of await readdir(this.#root, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name)
          .slice(this.#root.length + 1)
          .replaceAll('\\', '/');
        if (path.startsWith(`${pendingFolder}/`) || !path.startsWith(prefix)) continue;
        found.push({ path, bytes: (await stat(join(this.#root, path))).size });
      }
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    });
  }

  read(path: string): Promise<Uint8Array> {
    assertPath(path);
    return this.#try(`${path} cannot be read`, async () => new Uint8Array(await readFile(join(this.#root, path))));
  }

  async remove(path: string): Promise<void> {
    assertPath(path);
    await this.#try(`${path} cannot be removed`, () => rm(join(this.#root, path), { force: true }));
  }

  async close(): Promise<void> {}

  #sealedPath(path: string): string {
    assertPath(path);
    return join(this.#pending, flatName(path) + sealedSuffix);
  }

  async #try<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw sinkError(this.url, what, error, todoOf(error));
    }
  }
}

class LocalFile implements PendingFile {
  readonly #path: string;
  readonly #try: <T>(work: () => Promise<T>) => Promise<T>;
  readonly #sealedPath: (path: string) => string;
  #handle: FileHandle | undefined;

  constructor(
    handle: FileHandle,
    path: string,
    attempt: <T>(work: () => Promise<T>) => Promise<T>,
    sealedPath: (path: string) => string,
  ) {
    this.#handle = handle;
    this.#path = path;
    this.#try = attempt;
    this.#sealedPath = sealedPath;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const handle = this.#opened();
    await this.#try(async () => {
      for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
    });
  }

  async seal(path: string): Promise<void> {
    const handle = this.#opened();
    const to = this.#sealedPath(path);
    await this.#try(async () => {
      await handle.datasync();
      await handle.close();
      this.#handle = undefined;
      await rename(this.#path, to);
      await syncFolders(dirname(to), dirname(to));
    });
  }

  async abort(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) return;
    await handle.close();
    await rm(this.#path, { force: true });
  }

  #opened(): FileHandle {
    if (this.#handle === undefined) throw new TypeError('the file was sealed or given up');
    return this.#handle;
  }
}

/** Moves a file to a name that may be taken already: by the same file, from an attempt that was cut. Never replaces what readers may have open. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return unlinkIfThere(from);
    if (code === 'ENOENT' && (await sizeOf(to)) !== undefined) return;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    // A file system without a second name for a file.
    if ((await sizeOf(to)) === undefined) return rename(from, to);
  }
  await unlinkIfThere(from);
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A new name lasts when its folder is synced; so does a new folder. */
async function syncFolders(from: string, root: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (folder === root || folder === dirname(folder)) return;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function todoOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return 'Make room on the disk and start again: what is not visible yet is written again.';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return 'Grant the right to write there, or name another folder.';
  return 'Check the folder and the disk, and start again: what is not visible yet is written again.';
}
