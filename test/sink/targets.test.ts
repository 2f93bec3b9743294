import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { silentLogger } from '../../src/common/logger.ts';
import { LocalTarget } from '../../src/sink/local-target.ts';
import { MemoryFiles, MemoryTarget } from '../../src/sink/memory-target.ts';
import { openTarget } from '../../src/sink/open-target.ts';
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

test('an address that lacks a slash is no folder', async (t) => {
  for (const to of ['s3:/bucket/day', 's3:bucket', 'HDFS:/namenode:9870/archive', 'swebhdfs:/host/x', 'file:/tmp/x'])
    await t.throwsAsync(openTarget(to, { timeoutMs: 1000, logger: silentLogger }), {
      code: 'STREAMS_USAGE',
      message: `'${to}' lacks a slash: give s3://bucket/prefix or hdfs://namenode:9870/path. A folder of such a name is ./${to}.`,
    });
});
