import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The package that this file is part of. */
export interface OwnPackage {
  /** Its folder. */
  readonly root: string;
  readonly version: string;
  /** Ranges of the packages that parts of it need, by name. */
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** The package `weir-streams`, whose root is two folders above the sources and three above what is built of them; undefined in a program that was bundled into one file. */
export function ownPackage(): OwnPackage | undefined {
  for (const up of ['../..', '../../..']) {
    const root = join(import.meta.dirname, up);
    try {
      const {
        name,
        version,
        peerDependencies = {},
      } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        readonly name?: string;
      } & Partial<OwnPackage>;
      if (name === 'weir-streams' && version !== undefined) return { root, version, peerDependencies };
    } catch {
      // Looked for in the next place.
    }
  }
  return undefined;
}

/** Address of a module of the package that can be loaded by itself (build/finish.mjs says which), such as `src/runtime/kafka/thread-entry`: the source, or what is built of it. Undefined as {@link ownPackage}. */
export function ownModule(path: string): URL | undefined {
  const root = ownPackage()?.root;
  if (root === undefined) return undefined;
  return pathToFileURL(import.meta.url.endsWith('.ts') ? join(root, `${path}.ts`) : join(root, 'dist', `${path}.js`));
}
