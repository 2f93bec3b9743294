import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { LocalTarget } from '../../src/sink/local-target.ts';
import { MemoryFiles, MemoryTarget } from '../../src/sink/memory-target.ts';
import { sinkTargetConformance } from '../../src/testing/sink-target-conformance.ts';
import { removeAtEnd } from './remove-at-end.ts';

const memory = sinkTargetConformance(async () => {
  const files = new MemoryFiles();
  const open = async (): Promise<MemoryTarget> => new MemoryTarget(files);
  return { fresh: open, again: open };
});
for (const { title, run } of memory) test(`memory: ${title}`, (t) => t.notThrowsAsync(run()));

const folders = sinkTargetConformance(async () => {
  const folder = removeAtEnd(await mkdtemp(join(tmpdir(), 'weir-target-')));
  const open = (): Promise<LocalTarget> => LocalTarget.open(folder);
  return { fresh: open, again: open };
});
for (const { title, run } of folders) test(`folder: ${title}`, (t) => t.notThrowsAsync(run()));

test('a folder that cannot be made is told with its place and what to do', async (t) => {
  const folder = removeAtEnd(await mkdtemp(join(tmpdir(), 'weir-target-')));
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const error = await t.throwsAsync(LocalTarget.open(join(file, 'below')), { code: 'STREAMS_SINK' });
  t.true(error!.message.includes(file), error!.message);
});
