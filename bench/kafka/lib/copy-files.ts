/** Copies the files of a folder and makes them durable: what writing files costs without anything else. Arguments: from, to. */
import { copyFile, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const [from, to] = process.argv.slice(2) as [string, string];
await mkdir(to, { recursive: true });
for (const name of await readdir(from)) {
  await copyFile(join(from, name), join(to, name));
  const handle = await open(join(to, name), 'r+');
  await handle.datasync();
  await handle.close();
}
