import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const rootUrl = new URL('../../', import.meta.url).href;
const root = fileURLToPath(rootUrl);
const require = createRequire(import.meta.url);

/** In node_modules, so that `npm ci` empties it. */
const cache = `${root}node_modules/.cache/weir-typescript/`;

/** Where the tests' TypeScript is. */
const folders = new Set(['src', 'state', 'topologies', 'test', 'examples', 'bench', 'grafana']);

/** When a run of tests has filled the cache, ms: of sources that have not changed since its processes read nothing. */
const filledAt = 'TYPESCRIPT_CACHE_FILLED_AT';

/** Whether the module is TypeScript of this repository. */
export function isOurs(url) {
  return url.endsWith('.ts') && url.startsWith(rootUrl) && !url.includes('/node_modules/');
}

/**
 * The source with its types blanked out. It keeps lines and columns, so stack traces and coverage are of the TypeScript without source maps. It is kept under the name of its file, with
 * a digest of the source as the last line.
 */
export function withoutTypes(path) {
  const name = relative(root, path);
  const cached = cache + name;
  const isFilled = folders.has(name.split('/')[0]) && statSync(path).ctimeMs < Number(process.env[filledAt]);
  if (isFilled) return readFileSync(cached, 'utf8');
  const source = readFileSync(path, 'utf8');
  const mark = `\n//${createHash('sha1').update(source).digest('hex')}`;
  try {
    const kept = readFileSync(cached, 'utf8');
    if (kept.endsWith(mark)) return kept;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  // It loads the whole TypeScript compiler: only where it is needed.
  const { default: blankSpace } = require('ts-blank-space');
  const code = blankSpace(source) + mark;
  mkdirSync(dirname(cached), { recursive: true });
  const written = `${cached}.${process.pid}`;
  writeFileSync(written, code);
  renameSync(written, cached);
  return code;
}

/** Once for all files of a run: each process that finds one missing loads the whole TypeScript compiler. */
export function fillCache() {
  const begun = Date.now();
  for (const folder of folders)
    for (const name of readdirSync(root + folder, { recursive: true }))
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) withoutTypes(join(root, folder, name));
  process.env[filledAt] = String(begun);
}
