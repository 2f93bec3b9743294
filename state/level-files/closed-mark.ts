import { open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../src/common/crc.ts';

/** Name of the file in a database's folder that says what the others were when it was closed. */
export const closedMarkName = 'CLOSED';

/** What a file was. */
export interface FileMark {
  readonly bytes: number;
  readonly crc32c: number;
}

/**
 * What the files of a database were when it was closed: all but its tables, which the manifest knows. Records that are gone from the end of a log are missed by nobody else.
 *
 * It speaks of one manifest. Whoever opens the database, with this code or without, begins a new one, so an old mark says nothing.
 */
export interface ClosedMark {
  readonly manifest: number;
  readonly files: Readonly<Record<string, FileMark>>;
}

/** The number of the manifest that CURRENT names; undefined for another text. */
export function manifestOf(current: Uint8Array): number | undefined {
  const found = /^MANIFEST-(\d{1,15})\n$/.exec(Buffer.from(current).toString('latin1'));
  return found === null ? undefined : Number(found[1]);
}

export function markOf(bytes: Uint8Array): FileMark {
  return { bytes: bytes.length, crc32c: crc32c(bytes) };
}

/**
 * Writes the mark of a database that has just been closed: one line of JSON, its CRC-32C in hexadecimal before it. The log is made durable first: a mark that outlives it would
 * miss what a loss of power took.
 */
export async function writeClosedMark(folder: string): Promise<void> {
  const files: Record<string, FileMark> = {};
  const current = await readFile(join(folder, 'CURRENT'));
  const manifest = manifestOf(current);
  for (const name of await readdir(folder)) {
    if (name !== 'CURRENT' && !name.endsWith('.log') && !name.startsWith('MANIFEST-')) continue;
    files[name] = markOf(name === 'CURRENT' ? current : await readFile(join(folder, name)));
    if (name.endsWith('.log') && files[name].bytes > 0) await makeDurable(join(folder, name));
  }
  const text = Buffer.from(JSON.stringify({ manifest, files }));
  const path = join(folder, closedMarkName);
  await writeFile(`${path}.part`, `${crc32c(text).toString(16).padStart(8, '0')} ${text}\n`);
  await rename(`${path}.part`, path);
}

/** A mark that is not whole counts as none: it only adds to what the files say of themselves. */
export async function readClosedMark(folder: string): Promise<ClosedMark | undefined> {
  const bytes = await readFile(join(folder, closedMarkName)).catch(() => undefined);
  const text = bytes?.subarray(9, -1);
  if (text === undefined || bytes?.toString('latin1', 0, 8) !== crc32c(text).toString(16).padStart(8, '0'))
    return undefined;
  return JSON.parse(text.toString()) as ClosedMark;
}

async function makeDurable(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
