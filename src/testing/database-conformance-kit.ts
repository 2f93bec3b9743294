import assert from 'node:assert/strict';
import type { Database, Entry, KeyRange, Reader } from '../../state/database.ts';
import { StreamsError } from '../common/errors.ts';

/** A check of a new database, which can be closed and opened again in the same place. */
export type Check = (database: Database, reopen: () => Promise<Database>) => Promise<void>;

/** A case: its title, and what it checks. */
export type DatabaseCase = readonly [title: string, check: Check];

/** Bytes of these values. */
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
/** In hexadecimal digits. */
export const asText = (value: Uint8Array | undefined): string | undefined =>
  value && Buffer.from(value).toString('hex');

/** Writes entries in one batch; null removes a key. */
export async function write(
  database: Database,
  ...entries: readonly (readonly [Uint8Array, Uint8Array | null])[]
): Promise<void> {
  const batch = database.batch();
  for (const [key, value] of entries) {
    if (value === null) batch.del(key);
    else batch.put(key, value);
  }
  await batch.write({ sync: false });
}

/** All entries of a range, whose pages are looked at too. */
export async function read(reader: Reader, range: KeyRange = {}, pageSize?: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of reader.pages(range, pageSize)) {
    assert.ok(page.length > 0, 'a page is never empty');
    assert.ok(page.length <= (pageSize ?? 1000), 'a page has at most pageSize entries');
    entries.push(...page);
  }
  return entries;
}

/** The keys of a range, in hexadecimal digits. */
export async function keys(reader: Reader, range: KeyRange = {}): Promise<string[]> {
  return (await read(reader, range)).map(([key]) => asText(key)!);
}

/** Whether an error says that the database, or the snapshot, is not open. */
export const isNotOpen = (error: unknown): boolean =>
  StreamsError.is(error) && error.code === 'STREAMS_STATE_STORE_NOT_OPEN';

/** Writes so many entries in one batch: the key of each is its number in two bytes, its value the lower of them. */
export async function writeNumbers(database: Database, count: number): Promise<void> {
  const batch = database.batch();
  // Written in an order that is not the keys'.
  for (let i = 0; i < count; i++) {
    const n = (i * 7919) % count;
    batch.put(bytes(n >> 8, n & 255), bytes(n & 255));
  }
  await batch.write({ sync: false });
}
