// What tsc has built, made fit for a package: of luxon only what is used, and no types but those that the entry points show.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Names that only @types/node or the DOM's types have, and what stands for them where neither is there. */
const globals = {
  Buffer: 'Uint8Array',
  AbortSignal: '{ readonly aborted: boolean }',
  Request: 'unknown',
  Response: 'unknown',
};

await bundle('src/common/time/zone.js', 'luxon', 'src/zones/IANAZone.js');
keepTypes();

/** Builds what a module uses of a package into it. Luxon takes 4.6 MB of an install, and one class of it is used. */
async function bundle(module, name, part) {
  const file = join(dist, module);
  const folder = join(root, 'node_modules', name);
  const licence = readFileSync(join(folder, 'LICENSE.md'), 'utf8').trim();
  const entry = `export { default as IANAZone } from '${join(folder, part)}';`;
  const found = (b) => {
    b.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) =>
      importer === file ? { path, external: true } : undefined,
    );
    b.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: 'part' }));
    b.onLoad({ filter: /.*/, namespace: 'part' }, () => ({ contents: entry, resolveDir: root }));
  };
  await build({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    format: 'esm',
    target: 'node20',
    banner: { js: `/*! With a part of ${name}, under this licence:\n${licence}\n*/` },
    plugins: [{ name: 'part', setup: found }],
    logLevel: 'warning',
  });
}

/** A type for one file: the global one where there is such a thing. */
function globalType(name) {
  return `type ${name} = typeof globalThis extends { ${name}: { prototype: infer T } } ? T : ${globals[name]};\n`;
}

/** Removes the types that none of the package's entry points reaches, and makes the others right without @types/node. */
function keepTypes() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
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
  for (const name of readdirSync(dist, { recursive: true }))
    if (name.endsWith('.d.ts') && !kept.has(join(dist, name))) rmSync(join(dist, name));
}
