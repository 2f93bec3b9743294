import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { typescript } from '../../helpers/typescript-child.ts';

const run = promisify(execFile);
const source = new URL('../../../src/', import.meta.url).href;

/** What a process prints that finds none of the native packages. */
async function withoutBuilds(program: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-no-build-'));
  try {
    const block = `const { _resolveFilename } = require('node:module');
require('node:module')._resolveFilename = function (name, ...rest) {
  if (['@node-rs/crc32', 'lz4-napi', 'snappy'].includes(name)) throw new Error('no build of ' + name);
  return _resolveFilename.call(this, name, ...rest);
};`;
    await writeFile(join(folder, 'block.cjs'), block);
    await writeFile(join(folder, 'main.mjs'), program);
    const args = [...typescript, '--require', join(folder, 'block.cjs'), join(folder, 'main.mjs')];
    return (await run(process.execPath, args)).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a codec whose package has no build here is told as such, not as damage', async (t) => {
  const out = await withoutBuilds(`
    const { decompress } = await import('${source}clients/record-batch/compression.ts');
    for (const codec of [2, 3])
      try { decompress(codec, Buffer.from([1, 2, 3])); } catch (error) { console.log(error.name, error.message); }
  `);
  t.regex(
    out,
    /^UnsupportedData is compressed with snappy: snappy is not installed, or has no build for .*npm install snappy@7\)/m,
  );
  t.regex(
    out,
    /^UnsupportedData is compressed with lz4: lz4-napi is not installed, or has no build for .*npm install lz4-napi@2\).*compression\.type/m,
  );
});

test('a codec whose package has no build here is refused before anything is written with it', async (t) => {
  const out = await withoutBuilds(`
    const { checkCodec } = await import('${source}clients/record-batch/compression.ts');
    for (const codec of ['gzip', 'snappy', 'lz4'])
      try { checkCodec(codec); } catch (error) { console.log(error.code, error.message); }
  `);
  t.regex(
    out,
    /^STREAMS_CONFIG compression\.type is snappy: snappy is not installed, or has no build for .*gzip or none\.$/m,
  );
  t.regex(
    out,
    /^STREAMS_CONFIG compression\.type is lz4: lz4-napi is not installed, or has no build for .*gzip or none\.$/m,
  );
  t.notRegex(out, /is gzip/);
});

test('without a native package checksums are the same', async (t) => {
  const out = await withoutBuilds(`
    const { crc32c } = await import('${source}common/crc.ts');
    console.log(crc32c(Buffer.from('123456789')).toString(16), crc32c(Buffer.from('x123456789x'), 1, 10).toString(16));
  `);
  t.is(out.trim(), 'e3069283 e3069283');
});
