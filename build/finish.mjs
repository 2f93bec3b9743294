// The package, beside the types that tsc has written: the sources as few modules, and no types but those that the entry points show.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Names that only @types/node or the DOM's types have, and what stands for them where neither is there. */
const globals = {
  Buffer: 'Uint8Array',
  AbortSignal: '{ readonly aborted: boolean }',
  Request: 'unknown',
  Response: 'unknown',
  URL: '{ readonly href: string }',
};

/** What stream threads load by themselves. */
const threads = [
  'dist/src/runtime/kafka/thread-entry.js',
  'dist/src/cli/run-module.js',
  'dist/topologies/grid/application-spec.js',
];

keepTypes();
await bundle();

/**
 * Builds the entry points, and chunks of what they share: some hundred modules take Node longer to find than to run.
 * What is imported when it is needed stays a chunk of its own, and packages stay outside.
 */
async function bundle() {
  const entries = [
    ...Object.values(exports).flatMap((entry) => entry.default ?? []),
    ...Object.values(bin),
    ...threads,
  ];
  await build({
    entryPoints: entries.map((path) => join(root, path).replace(`${dist}/`, `${root}/`).replace(/\.js$/, '.ts')),
    outdir: dist,
    outbase: root,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    plugins: [{ name: 'part of luxon', setup: partOfLuxon }],
    logLevel: 'warning',
  });
}

/** Luxon takes 4.6 MB of an install, and one class of it is used: that is built in. */
function partOfLuxon(b) {
  const folder = join(root, 'node_modules/luxon');
  const licence = readFileSync(join(folder, 'LICENSE.md'), 'utf8').trim();
  const contents = `/*! With a part of luxon, under this licence:\n${licence}\n*/
    export { default as IANAZone } from '${join(folder, 'src/zones/IANAZone.js')}';`;
  b.onResolve({ filter: /^luxon$/ }, ({ path }) => ({ path, namespace: 'part' }));
  b.onLoad({ filter: /.*/, namespace: 'part' }, () => ({ contents, resolveDir: root }));
}

/** A type for one file: the global one where there is such a thing. */
function globalType(name) {
  return `type ${name} = typeof globalThis extends { ${name}: { prototype: infer T } } ? T : ${globals[name]};\n`;
}

/** Removes what no entry point reaches of the types, and whatever else is there, and makes the others right without @types/node. */
function keepTypes() {
  const kept = new Set(Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [join(root, types)])));
  // A set that grows while it is gone through.
  for (const file of kept) {
    const text = readFileSync(file, 'utf8');
    for (const [, path] of text.matchAll(/(?:from|import|import\() ?['"](\.[^'"]+)['"]/g)) {
      const next = join(dirname(file), path.replace(/\.[jt]s$/, '.d.ts'));
      if (existsSync(next)) kept.add(next);
    }
    const named = Object.keys(globals).filter((name) => new RegExp(`\\b${name}\\b`).test(text));
    if (named.length > 0) writeFileSync(file, text + named.map(globalType).join(''));
  }
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !kept.has(file)) rmSync(file);
  }
}
