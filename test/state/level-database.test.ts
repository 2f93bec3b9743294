import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Level } from 'level';
import { readInt64, writeInt64 } from '../../src/common/bytes.ts';
import { StreamsError } from '../../src/common/errors.ts';
import { databaseConformance } from '../../src/testing/database-conformance.ts';
import type { Database } from '../../state/database.ts';
import { openLevelDatabase, verifyLevelDatabase } from '../../state/level-database.ts';
import { typescript } from '../helpers/typescript-child.ts';

for (const { title, run } of databaseConformance((location) => openLevelDatabase(location), { persistent: true })) {
  test(title, async (t) => {
    await t.notThrowsAsync(run());
  });
}

const scriptOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-level-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function put(database: Database, ...keys: readonly number[]): Promise<void> {
  const batch = database.batch();
  for (const key of keys) batch.put(Uint8Array.of(key), Uint8Array.of(key));
  await batch.write({ sync: false });
}

/** A database with table files: the log of the first open becomes one at the second. */
async function folderWithTables(t: ExecutionContext): Promise<string> {
  const folder = await newFolder(t);
  for (const keys of [[1, 2], [3]]) {
    const database = await openLevelDatabase(folder);
    await put(database, ...keys);
    await database.close();
  }
  return folder;
}

test('a second handle of one process is refused, by whatever path, until the first is closed', async (t) => {
  const folder = await newFolder(t);
  const location = join(folder, 'state');
  const first = await openLevelDatabase(location);
  await symlink(location, join(folder, 'link'));
  for (const path of [location, join(folder, 'link'), join(folder, 'other', '..', 'state')]) {
    const error = await t.throwsAsync(openLevelDatabase(path), { code: 'STREAMS_STATE_STORE_LOCKED' });
    t.true(error.message.includes(location) && error.message.includes('this process'));
  }
  await put(first, 1);
  await first.close();
  const second = await openLevelDatabase(join(folder, 'link'));
  t.teardown(() => second.close());
  t.deepEqual(second.get(Uint8Array.of(1)), Uint8Array.of(1));
});

test('a database that another process holds is refused, with the folder and what to do', async (t) => {
  const folder = await newFolder(t);
  const holder = spawn(process.execPath, [...typescript, scriptOf('lock-holder.ts'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = await once(createInterface(holder.stdout), 'line');
  t.is(said, 'open');
  const error = await t.throwsAsync(openLevelDatabase(folder), { code: 'STREAMS_STATE_STORE_LOCKED' });
  t.true(error.message.includes(folder));
  t.regex(error.message, /another process holds it\. Stop that process/);
  holder.stdin.end();
  await once(holder, 'exit');
  await (await openLevelDatabase(folder)).close();
});

test('a refused second handle does not free the folder for other processes', async (t) => {
  const folder = await newFolder(t);
  const database = await openLevelDatabase(folder);
  t.teardown(() => database.close());
  await t.throwsAsync(openLevelDatabase(folder), { code: 'STREAMS_STATE_STORE_LOCKED' });
  const other = spawn(process.execPath, [...typescript, scriptOf('lock-holder.ts'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = await once(createInterface(other.stdout), 'line');
  other.stdin.end();
  t.is(said, 'STREAMS_STATE_STORE_LOCKED');
});

test('a damaged or missing file at open is STREAMS_STATE_STORE_CORRUPT', async (t) => {
  const damages: Record<string, (folder: string, names: readonly string[]) => Promise<void>> = {
    'CURRENT with other content': (folder) => writeFile(join(folder, 'CURRENT'), 'nonsense'),
    'CURRENT missing': (folder) => unlink(join(folder, 'CURRENT')),
    'the manifest cut off': (folder, names) =>
      truncate(join(folder, names.find((name) => name.startsWith('MANIFEST'))!), 20),
    'the manifest missing': (folder, names) => unlink(join(folder, names.find((name) => name.startsWith('MANIFEST'))!)),
    'a log missing': (folder, names) => unlink(join(folder, names.find((name) => name.endsWith('.log'))!)),
    'a table missing': (folder, names) => unlink(join(folder, names.find((name) => name.endsWith('.ldb'))!)),
  };
  for (const [damage, inflict] of Object.entries(damages)) {
    const folder = await folderWithTables(t);
    await inflict(folder, await readdir(folder));
    const error = await t.throwsAsync(openLevelDatabase(folder), { code: 'STREAMS_STATE_STORE_CORRUPT' }, damage);
    t.true(error.message.includes(folder), damage);
    // The refused open holds nothing: the next one meets the same error, not a lock.
    await t.throwsAsync(openLevelDatabase(folder), { code: 'STREAMS_STATE_STORE_CORRUPT' }, damage);
  }
});

test('a message of damage names the file, and is none of a full disk', async (t) => {
  const folder = await folderWithTables(t);
  const manifest = (await readdir(folder)).find((name) => name.startsWith('MANIFEST'))!;
  await unlink(join(folder, manifest));
  const error = await t.throwsAsync(openLevelDatabase(folder));
  t.regex(error!.message, new RegExp(`${manifest} is missing\\. Check the disk; restore a copy of the folder`));
  t.notRegex(error!.message, /space|permissions|written/);
});

test('the log of another database in the place of its own is damage, though it is whole', async (t) => {
  const folders = [await newFolder(t), await newFolder(t)] as const;
  const copies = [await newFolder(t), await newFolder(t)] as const;
  for (const [i, folder] of folders.entries()) {
    const database = await openLevelDatabase(folder);
    await put(database, i, i + 10);
    // As a killed process leaves it: there is no mark of a close.
    await cp(folder, copies[i]!, { recursive: true });
    await database.close();
  }
  const log = (await readdir(copies[0])).find((name) => name.endsWith('.log'))!;
  const opened = await openLevelDatabase(copies[1]);
  t.deepEqual(opened.get(Uint8Array.of(11)), Uint8Array.of(11));
  await opened.close();
  await cp(join(folders[1], log), join(copies[0], log));
  await t.throwsAsync(openLevelDatabase(copies[0]), {
    code: 'STREAMS_STATE_STORE_CORRUPT',
    message: /\.log is the log of another database/,
  });
});

test('a table that is damaged while the database is open is STREAMS_STATE_STORE_CORRUPT, in get, getMany and a range', async (t) => {
  const folder = await folderWithTables(t);
  const table = join(folder, (await readdir(folder)).find((name) => name.endsWith('.ldb'))!);
  const database = await openLevelDatabase(folder);
  t.teardown(() => database.close());
  await writeFile(table, (await readFile(table)).fill(0xee));
  t.throws(() => database.get(Uint8Array.of(1)), { code: 'STREAMS_STATE_STORE_CORRUPT' });
  await t.throwsAsync(database.getMany([Uint8Array.of(1)]), { code: 'STREAMS_STATE_STORE_CORRUPT' });
  await t.throwsAsync(
    async () => {
      for await (const _ of database.pages({}));
    },
    { code: 'STREAMS_STATE_STORE_CORRUPT' },
  );
});

test('a folder that cannot be made is STREAMS_STATE_STORE_WRITE', async (t) => {
  const folder = await newFolder(t);
  await writeFile(join(folder, 'file'), '');
  const error = await t.throwsAsync(openLevelDatabase(join(folder, 'file', 'state')), {
    code: 'STREAMS_STATE_STORE_WRITE',
  });
  t.true(error.message.includes(folder));
  await mkdir(join(folder, 'state', 'LOCK'), { recursive: true });
  await t.throwsAsync(openLevelDatabase(join(folder, 'state')), { code: 'STREAMS_STATE_STORE_WRITE' });
});

test('once a write fails no later one is acknowledged, and after a new open all acknowledged ones are there', async (t) => {
  if (process.platform !== 'linux') {
    t.log('skipped: the size of files is limited with prlimit, which is Linux only');
    t.pass();
    return;
  }
  const folder = await newFolder(t);
  const command = 'ulimit -S -f 1024 && exec "$0" "$@"';
  const child = spawn(
    'bash',
    ['-c', command, process.execPath, ...typescript, scriptOf('full-disk-writer.ts'), folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [[line]] = await Promise.all([once(createInterface(child.stdout), 'line'), once(child, 'exit')]);
  const { acknowledged, errors, readable } = JSON.parse(String(line));
  t.deepEqual(
    errors.map((error: { code: string }) => error.code),
    ['STREAMS_STATE_STORE_WRITE', 'STREAMS_STATE_STORE_WRITE'],
  );
  t.true(errors[0].message.includes(folder));
  t.is(readable, 1000);
  t.true(acknowledged > 0 && acknowledged < 11, `${acknowledged}`);
  const database = await openLevelDatabase(folder);
  t.teardown(() => database.close());
  const rows = new Map<number, number>();
  for await (const page of database.pages({})) {
    for (const [key] of page) rows.set(key[0]!, (rows.get(key[0]!) ?? 0) + 1);
  }
  for (let n = 0; n < acknowledged; n++) t.is(rows.get(n), 100);
  // The failed batch may be there, but then all of it.
  t.true([undefined, 100].includes(rows.get(acknowledged)));
  t.is(rows.get(acknowledged + 1), undefined);
});

test('after kill -9 while writing, every acknowledged batch is there and none is torn', async (t) => {
  const folder = await newFolder(t);
  for (const [round, sync] of ['sync', 'no sync', 'sync', 'no sync', 'no sync'].entries()) {
    const writer = spawn(process.execPath, [...typescript, scriptOf('crash-writer.ts'), folder, sync], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acknowledged = 0;
    const lines = createInterface(writer.stdout).on('line', (line) => {
      acknowledged = Number(line);
    });
    await once(lines, 'line');
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200));
    writer.kill('SIGKILL');
    await Promise.all([once(writer, 'exit'), once(lines, 'close')]);
    const database = await openLevelDatabase(folder);
    const last = readInt64(database.get(new Uint8Array(1))!, 0);
    t.true(last >= acknowledged && last <= acknowledged + 1, `round ${round}: ${last} of ${acknowledged} acknowledged`);
    await assertWholeUpTo(t, database, last);
    await database.close();
    t.log(`round ${round}, ${sync}: killed after batch ${last}`);
  }
});

async function assertWholeUpTo(t: ExecutionContext, database: Database, last: number): Promise<void> {
  for (let i = 0; i < 40; i++) t.is(readInt64(database.get(Uint8Array.of(1, i))!, 0), last);
  const expected = new Uint8Array(10);
  let count = 0;
  for await (const page of database.pages({ gte: Uint8Array.of(2) })) {
    for (const [key] of page) {
      expected[0] = 2;
      writeInt64(expected, 1, Math.floor(count / 5) + 1);
      expected[9] = count % 5;
      if (!expected.every((byte, at) => key[at] === byte)) t.fail(`row ${count} is ${key.join(' ')}`);
      count++;
    }
  }
  t.is(count, last * 5);
}

test('errors are StreamsErrors with the folder in their details', async (t) => {
  const folder = await newFolder(t);
  const database = await openLevelDatabase(folder);
  await database.close();
  const error = t.throws(() => database.get(Uint8Array.of(1)));
  t.true(StreamsError.is(error) && error.details.file === folder);
});

test('the database of another program is refused, and nothing in it changes', async (t) => {
  const folder = await newFolder(t);
  // As LevelDB leaves it, without what this program adds.
  const open = async (): Promise<Level<string, string>> => {
    const level = new Level<string, string>(folder);
    await level.open();
    return level;
  };
  for (let content = 0; content < 2; content++) {
    const level = await open();
    await level.put('a', 'b');
    await level.close();
    const before = await contentOf(folder);
    const refused = await t.throwsAsync(openLevelDatabase(folder), { instanceOf: StreamsError });
    t.is(refused.code, 'STREAMS_STATE_INCOMPATIBLE');
    t.regex(refused.message, /LevelDB database of another program.*Give another folder/);
    const verified = await t.throwsAsync(verifyLevelDatabase(folder), { instanceOf: StreamsError });
    t.is(verified.code, 'STREAMS_STATE_INCOMPATIBLE');
    t.deepEqual(await contentOf(folder), before);
  }
});

test('a database that was killed before it had its identity is opened', async (t) => {
  const folder = await newFolder(t);
  const level = new Level<string, string>(folder);
  await level.open();
  await level.close();
  const database = await openLevelDatabase(folder);
  await put(database, 1);
  t.deepEqual(database.get(Uint8Array.of(1)), Uint8Array.of(1));
  await database.close();
});

async function contentOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'latin1')])),
  );
}

test('a batch is what was put last under each key, however large and small values follow each other', async (t) => {
  const sizes = fc.oneof(fc.constant(-1), fc.nat(40), fc.nat(40), fc.constantFrom(8191, 8192, 20_000));
  const change = fc.tuple(fc.nat(30), sizes);
  const folder = await newFolder(t);
  const database = await openLevelDatabase(folder);
  const expected = new Map<number, Uint8Array>();
  // One buffer for all: a batch keeps nothing of the caller's.
  const key = new Uint8Array(1);
  const value = new Uint8Array(20_000);
  let fill = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 200 }), async (changes) => {
      const batch = database.batch();
      for (const [name, size] of changes) {
        key[0] = name;
        fill = (fill + 1) % 251;
        value.fill(fill);
        if (size < 0) {
          batch.del(key);
          expected.delete(name);
        } else {
          batch.put(key, value.subarray(0, size));
          expected.set(name, value.slice(0, size));
        }
      }
      t.is(batch.length, changes.length);
      await batch.write({ sync: false });
      for (let name = 0; name <= 30; name++)
        t.deepEqual(database.get(Uint8Array.of(name)), expected.get(name), `key ${name}`);
    }),
    { numRuns: 60 },
  );
  await database.close();
});
