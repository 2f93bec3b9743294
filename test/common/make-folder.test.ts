import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeFolder } from '../../src/common/make-folder.ts';

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-folder-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a folder is made with those above it, by several at once too, and one that is there stays', async (t) => {
  const folder = join(await newFolder(t), 'a', 'b', 'c');
  await Promise.all(Array.from({ length: 8 }, () => makeFolder(folder)));
  await makeFolder(folder);
  t.true((await stat(folder)).isDirectory());
});

test('a file in the place of the folder, or of one above it, is an error; a link to a folder is one', async (t) => {
  const folder = await newFolder(t);
  await writeFile(join(folder, 'file'), '');
  await t.throwsAsync(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await t.throwsAsync(makeFolder(join(folder, 'file', 'a')), { code: 'ENOTDIR' });
  await symlink(folder, join(folder, 'link'));
  await makeFolder(join(folder, 'link', 'a'));
  t.true((await stat(join(folder, 'a'))).isDirectory());
  await symlink('loop', join(folder, 'loop'));
  await t.throwsAsync(makeFolder(join(folder, 'loop', 'a')), { code: 'ELOOP' });
});

const untilEnded = existsSync('/proc/self') ? test : test.skip;
untilEnded(
  'where the folder above takes none, though it is there, that is an error and no attempt without an end',
  async (t) => {
    await t.throwsAsync(makeFolder('/proc/weir/state'), { code: 'ENOENT' });
  },
);
