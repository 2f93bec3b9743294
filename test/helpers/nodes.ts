import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PartMissing } from './parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The oldest Node that the package says it runs on, and the newest of each line after it. */
export const nodeVersions = ['20.19.0', '22', '24'] as const;

export type NodeVersion = (typeof nodeVersions)[number];

/**
 * The path of a Node of this version; fetched by npm the first time.
 *
 * @throws PartMissing where npm cannot fetch it.
 */
export function nodeOf(version: NodeVersion): string {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = `${root}.cache/node-${version}`;
  const node = `${folder}/node_modules/${name}/bin/node`;
  if (existsSync(node)) return node;
  // Complete or not there at all: several processes may fetch at once.
  const own = `${folder}.${process.pid}`;
  mkdirSync(own, { recursive: true });
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', own, `${name}@${version}`];
  const fetched = spawnSync('npm', args, { encoding: 'utf8' });
  try {
    if (fetched.status !== 0) throw new PartMissing(`npm could not fetch Node ${version}: ${fetched.stderr}`);
    renameSync(own, folder);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(node)) throw error;
  }
  return node;
}
