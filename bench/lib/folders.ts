import { mkdir, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './run-child.ts';

/** Where data sets are kept from run to run, and states are made. Nothing in it is precious. */
export const cacheFolder: string = join(root, '.cache', 'bench');

/** Path of a folder of the cache that is not there yet: what an earlier run left is deleted. */
export async function freshFolder(name: string): Promise<string> {
  const folder = join(cacheFolder, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(cacheFolder, { recursive: true });
  return folder;
}

/** @throws Error if the cache's disk has less room than this. */
export async function needRoom(bytes: number): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const { bavail, bsize } = await statfs(cacheFolder);
  const room = bavail * bsize;
  if (room < bytes) throw new Error(`${cacheFolder} has room for ${room} bytes, ${bytes} are needed`);
}

/** @throws Error unless both folders hold the same files with the same bytes. */
export async function expectSameFiles(actual: string, expected: string): Promise<void> {
  const names = (await readdir(expected)).sort();
  const found = (await readdir(actual)).sort();
  if (found.join() !== names.join()) throw new Error(`${actual} holds ${found.join(' ')}, not ${names.join(' ')}`);
  for (const name of names) {
    const [is, should] = await Promise.all([readFile(join(actual, name)), readFile(join(expected, name))]);
    if (!is.equals(should)) throw new Error(`${join(actual, name)} differs from ${join(expected, name)}`);
  }
}
