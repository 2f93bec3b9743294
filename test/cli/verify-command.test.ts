import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { verifyCommand } from '../../src/cli/verify-command.ts';
import { openLevelDatabase } from '../../state/level-database.ts';
import { filesBelow } from '../helpers/damages.ts';
import { CountsWorld, counts, countsSpec } from './fixtures/counted.ts';
import type { Ran } from './fixtures/run.ts';

const verify = (folder: string): Promise<Ran> => counts(verifyCommand(countsSpec), `verify --state ${folder}`);

test('of an instance on Kafka each database is named as whole, or each damage with its file, and nothing is changed', async (t) => {
  const world = new CountsWorld(t);
  await world.ranOnce('a', ['ant', 1000], ['bee', 2000]);
  const folder = world.folder('a');
  const before = await contents(folder);
  const whole = await verify(folder);
  t.deepEqual(whole, {
    code: 0,
    stdout: ['global', 'tasks/0_0', 'tasks/0_1', 'tasks/1_0', 'tasks/1_1'].map((at) => `${at}/db is whole\n`).join(''),
    stderr: '',
  });
  t.deepEqual(await contents(folder), before);
  const log = before.find(([name, size]) => name.startsWith('tasks/0_0') && name.endsWith('.log') && size > 0)![0];
  const bytes = await readFile(join(folder, log));
  bytes[20] = bytes[20]! ^ 1;
  await writeFile(join(folder, log), bytes);
  await rm(join(folder, 'tasks', '1_1', 'db'), { recursive: true });
  const { code, stdout, stderr } = await verify(folder);
  t.is(code, 1);
  t.regex(stdout, new RegExp(`^${log} is not what it was when it was closed\n`));
  t.regex(stdout, /^tasks\/1_1\/db is missing\n/m);
  t.regex(stderr, /^STREAMS_STATE_STORE_CORRUPT: .* has \d damages?\. /);
});

test('a folder that somebody has open, or that holds no state, ends with 3', async (t) => {
  const world = new CountsWorld(t);
  const streams = await world.start('a');
  const held = await verify(world.folder('a'));
  t.is(held.code, 3);
  t.regex(held.stderr, /^STREAMS_STATE_STORE_LOCKED/);
  await streams.close();
  for (const folder of ['nowhere', '.']) {
    const { code, stderr } = await verify(world.folder(folder));
    t.is(code, 3, folder);
    t.regex(stderr, /^STREAMS_STATE_MISSING/);
  }
});

test('of a replay the database and the letters are looked at; a missing database is a damage', async (t) => {
  const world = new CountsWorld(t);
  const folder = world.folder('state');
  const database = await openLevelDatabase(join(folder, 'db'));
  const batch = database.batch();
  batch.put(Uint8Array.of(1), Uint8Array.of(2));
  await batch.write({ sync: false });
  await database.close();
  const letter = '{"file":"a.csv","line":2,"offset":11,"reason":"date","raw":"eA=="}\n';
  await writeFile(join(folder, 'dead.jsonl'), letter);
  t.is((await verify(folder)).stdout, 'db is whole\ndead.jsonl is whole\n');
  await appendFile(join(folder, 'dead.jsonl'), `${letter.slice(0, 30)}\n${letter}`);
  t.is((await verify(folder)).stdout, 'dead.jsonl has no letter in line 2\n');
  const emptied = world.folder('emptied');
  await cp(folder, emptied, { recursive: true });
  for (const name of await filesBelow(join(emptied, 'db'))) await rm(join(emptied, 'db', name));
  const { code, stdout } = await verify(emptied);
  t.is(code, 1);
  t.regex(stdout, /^db\/CURRENT is missing\n/);
});

async function contents(folder: string): Promise<(readonly [name: string, size: number])[]> {
  const names = (await filesBelow(folder)).filter((name) => !/LOG(\.old)?$/.test(name));
  return Promise.all(names.map(async (name) => [name, (await readFile(join(folder, name))).length] as const));
}
