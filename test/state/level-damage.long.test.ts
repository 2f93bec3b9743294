import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fromUtf8, utf8 } from '../../src/common/bytes.ts';
import { StreamsError } from '../../src/common/errors.ts';
import type { Database } from '../../state/database.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { damagesOf } from '../../state/level-files/check-folder.ts';
import { copyOfOpen, damage, randomOf } from '../helpers/damages.ts';

const options = { writeBufferBytes: 64 * 1024, maxFileBytes: 1024 * 1024 };
const seed = Number(process.env['DAMAGE_SEED'] ?? Date.now() % 1_000_000);
const tries = Number(process.env['DAMAGE_TRIES'] ?? 50);
const keys = 300;
const commits = 120;

/** What a key says after so many commits: in each, every third key counts one more, and every seventh is deleted when it is a multiple of 50. */
function truth(commit: number): ReadonlyMap<string, string> {
  const rows = new Map<string, number>();
  for (let n = 1; n <= commit; n++)
    for (let key = n % 3; key < keys; key += 3) {
      if (n % 50 === 0 && key % 7 === 0) rows.delete(`key-${key}`);
      else rows.set(`key-${key}`, (rows.get(`key-${key}`) ?? 0) + 1);
    }
  return new Map([...rows].map(([key, count]) => [key, textOf(key, count)]));
}

/** Some hundred bytes, some of which Snappy finds again. */
function textOf(key: string, count: number): string {
  return `${key} counts ${count} `.repeat(1 + (count % 5)) + Buffer.from(String(count * 7919)).toString('base64');
}

async function commitTo(database: Database, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) {
    const [before, after] = [truth(n - 1), truth(n)];
    const batch = database.batch();
    for (const [key, value] of after) if (before.get(key) !== value) batch.put(utf8(key), utf8(value));
    for (const key of before.keys()) if (!after.has(key)) batch.del(utf8(key));
    batch.put(utf8('commit'), utf8(String(n)));
    await batch.write({ sync: false });
  }
}

/** The commit whose rows the database has. @throws Error where they are those of none */
async function commitOf(database: Database): Promise<number> {
  const rows = new Map<string, string>();
  for await (const page of database.pages({}))
    for (const [key, value] of page) rows.set(fromUtf8(key), fromUtf8(value));
  const commit = Number(rows.get('commit') ?? 0);
  rows.delete('commit');
  const expected = truth(commit);
  if (rows.size !== expected.size) throw new Error(`commit ${commit} has ${expected.size} rows, found ${rows.size}`);
  for (const [key, value] of expected) {
    if (rows.get(key) !== value) throw new Error(`${key} of commit ${commit} is ${value}, found ${rows.get(key)}`);
    const got = database.get(utf8(key));
    if (got === undefined || fromUtf8(got) !== value) throw new Error(`${key} of commit ${commit} is not got`);
  }
  return commit;
}

interface Folders {
  readonly root: string;
  readonly older: string;
  readonly killed: string;
  readonly closed: string;
}

async function noDamage(folder: string): Promise<boolean> {
  for await (const _ of damagesOf(folder)) return false;
  return true;
}

/** The same database: early, as a killed process leaves it, and closed. */
async function makeFolders(t: ExecutionContext): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), 'weir-damage-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const folders = { root, older: join(root, 'older'), killed: join(root, 'killed'), closed: join(root, 'closed') };
  let database = await openLevelDatabase(folders.closed, options);
  await commitTo(database, 1, 40);
  await database.close();
  await cp(folders.closed, folders.older, { recursive: true });
  database = await openLevelDatabase(folders.closed, options);
  await commitTo(database, 41, commits);
  await copyOfOpen(folders.closed, folders.killed, noDamage);
  await database.close();
  return folders;
}

for (const state of ['closed', 'killed'] as const)
  test(`any single damage to a ${state} database is noticed, or does no harm`, async (t) => {
    t.timeout(300_000);
    const random = randomOf(seed);
    const folders = await makeFolders(t);
    const outcomes = { noticed: 0, harmless: 0, older: 0 };
    const folder = join(folders.root, 'damaged');
    for (let i = 0; i < tries; i++) {
      await rm(folder, { recursive: true, force: true });
      await cp(folders[state], folder, { recursive: true });
      const what = await damage(folder, folders.older, random);
      if (what === undefined) continue;
      let database: Database;
      try {
        database = await openLevelDatabase(folder, options);
      } catch (error) {
        t.true(StreamsError.is(error) && error.code === 'STREAMS_STATE_STORE_CORRUPT', `${what}: ${error}`);
        outcomes.noticed++;
        continue;
      }
      try {
        const commit = await commitOf(database);
        // Only what was being written when the process was killed may be gone: input is read again from there.
        if (state === 'closed') t.is(commit, commits, what);
        outcomes[commit === commits ? 'harmless' : 'older']++;
        if (commit < commits) {
          await commitTo(database, commit + 1, commits);
          t.is(await commitOf(database), commits, what);
        }
      } catch (error) {
        t.fail(`seed ${seed}, ${what}: ${error}`);
      } finally {
        await database.close();
      }
    }
    t.log(`seed ${seed}: ${JSON.stringify(outcomes)}`);
    t.true(outcomes.noticed > tries / 4);
  });
