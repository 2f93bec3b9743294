import { readFileSync } from 'node:fs';
import { join } from 'node:path';

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
