import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package that this file is part of: its folder and version. */
export interface OwnPackage {
  readonly root: string;
  readonly version: string;
}

/** The package `weir-streams`, whose root is two folders above the sources and three above what is built of them; undefined in a program that was bundled into one file. */
export function ownPackage(): OwnPackage | undefined {
  for (const up of ['../..', '../../..']) {
    const root = join(import.meta.dirname, up);
    try {
      const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        readonly name?: string;
        readonly version?: string;
      };
      if (name === 'weir-streams' && version !== undefined) return { root, version };
    } catch {
      // Looked for in the next place.
    }
  }
  return undefined;
}
