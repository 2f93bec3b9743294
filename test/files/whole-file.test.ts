import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { writeWholeFile } from '../../src/files/whole-file.ts';

test('a file appears when it is whole, in a folder that is made, and replaces an older one', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'weir-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const file = join(root, 'a/b.csv');
  t.is(await writeWholeFile(file, async (handle) => (await handle.write('old')).bytesWritten), 3);
  await writeWholeFile(file, async (handle) => {
    await handle.write('new');
    t.is(await readFile(file, 'utf8'), 'old');
  });
  t.is(await readFile(file, 'utf8'), 'new');
  t.deepEqual(await readdir(join(root, 'a')), ['b.csv']);
});

test('a file that fails leaves the older one and nothing else', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'weir-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const file = join(root, 'b.csv');
  await writeFile(file, 'old');
  const failure = new Error('no more rows');
  t.is(await t.throwsAsync(writeWholeFile(file, () => Promise.reject(failure))), failure);
  t.is(await readFile(file, 'utf8'), 'old');
  t.deepEqual(await readdir(root), ['b.csv']);
  const error = await t.throwsAsync(writeWholeFile(join(file, 'c.csv'), async () => {}));
  t.like(error, { code: 'STREAMS_FILE' });
  t.true(error?.message.startsWith(`cannot write ${file}: `));
});
