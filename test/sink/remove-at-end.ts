import { rm } from 'node:fs/promises';
import test from 'ava';

const folders: string[] = [];

test.after.always(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Removes a folder when the tests of this file have ended. */
export function removeAtEnd(folder: string): string {
  folders.push(folder);
  return folder;
}
