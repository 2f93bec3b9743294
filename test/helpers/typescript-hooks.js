import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const rootUrl = new URL('../../', import.meta.url).href;
const root = fileURLToPath(rootUrl);

/** In node_modules, so that `npm ci` empties it. */
const cache = `${root}node_modules/.cache/weir-typescript/`;

/**
 * The source with its types blanked out. It keeps lines and columns, so stack traces and coverage are of the TypeScript without source maps. Kept beside others, under the name of
 * its file, with a digest of the source as the last line: most of what starts a test file would otherwise be the transpiler.
 */
async function withoutTypes(path) {
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

export async function load(url, context, nextLoad) {
  if (!url.startsWith(rootUrl) || !url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
  return { format: 'module', shortCircuit: true, source: await withoutTypes(fileURLToPath(url)) };
}
