import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootUrl = new URL('../../', import.meta.url).href;
const root = fileURLToPath(rootUrl);

/** In node_modules, so that `npm ci` empties it. */
const cache = `${root}node_modules/.cache/weir-typescript/`;

/**
 * The source with its types blanked out. It keeps lines and columns, so stack traces and coverage are of the TypeScript without source maps. It is kept under the name of its file, with
 * a digest of the source as the last line.
 */
export async function withoutTypes(path) {
  const source = readFileSync(path, 'utf8');
  const mark = `\n//${createHash('sha1').update(source).digest('hex')}`;
  const cached = cache + relative(root, path);
  try {
    const kept = readFileSync(cached, 'utf8');
    if (kept.endsWith(mark)) return kept;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { default: blankSpace } = await import('ts-blank-space');
  const code = blankSpace(source) + mark;
  mkdirSync(dirname(cached), { recursive: true });
  const written = `${cached}.${process.pid}`;
  writeFileSync(written, code);
  renameSync(written, cached);
  return code;
}

/** Once for all files of a run: each process that finds one missing loads the whole TypeScript compiler. */
export async function fillCache() {
  for (const folder of ['src', 'state', 'topologies', 'test', 'examples', 'bench', 'grafana'])
    for (const name of readdirSync(root + folder, { recursive: true }))
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) await withoutTypes(join(root, folder, name));
}
