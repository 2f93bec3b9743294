import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes, equalBytes, utf8 } from '../../src/common/bytes.ts';
import { closedMarkName } from './closed-mark.ts';
import { NumberReader } from './read-numbers.ts';

/** Name of the file in a database's folder that holds its identity: 32 hexadecimal digits. */
export const identityName = 'IDENTITY';

/** Sequence number and count of a log's record stand before its changes. */
const batchHeaderBytes = 12;
const removal = 0;
const prefix = concatBytes(Uint8Array.of(0xff, 0xff, 0xff), utf8('weir-database-'));

/** The identity of the database in a folder; undefined where none is written. */
export async function readIdentity(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, identityName), 'latin1').catch(() => '');
  return /^([0-9a-f]{32})\n$/.exec(text)?.[1];
}

/** The identity of the database in a folder, which gets one if it has none. */
export async function identify(folder: string): Promise<string> {
  const known = await readIdentity(folder);
  if (known !== undefined) return known;
  const identity = randomBytes(16).toString('hex');
  const path = join(folder, identityName);
  const part = await open(`${path}.part`, 'w');
  try {
    await part.writeFile(`${identity}\n`);
    await part.sync();
  } finally {
    await part.close();
  }
  await rename(`${path}.part`, path);
  return identity;
}

/**
 * Whether a folder has a LevelDB database with content that another program wrote: each of ours has an identity before its first row.
 *
 * One that lost its identity and was closed in order is known by the mark of its last close.
 */
export async function isForeign(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  if (!names.includes('CURRENT') || names.includes(identityName) || names.includes(closedMarkName)) return false;
  if (names.some((name) => /\.(ldb|sst)$/.test(name))) return true;
  const logs = names.filter((name) => name.endsWith('.log'));
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.some((size) => size > 0);
}

/**
 * A key that no database has. Each batch begins with its removal, which nobody sees but who reads the log: so the log of another database is known as such, though its records are whole
 * and count on.
 */
export function identityKey(identity: string): Uint8Array {
  return concatBytes(prefix, utf8(identity));
}

/** Whether a log's record was written by another database. One that does not say who wrote it may be of an earlier version. */
export function isOfAnother(record: Uint8Array, identity: string): boolean {
  try {
    const reader = new NumberReader(record, batchHeaderBytes);
    if (reader.bytes(1)[0] !== removal) return false;
    const key = reader.bytes(reader.next());
    return equalBytes(key.subarray(0, prefix.length), prefix) && !equalBytes(key, identityKey(identity));
  } catch {
    return false;
  }
}
