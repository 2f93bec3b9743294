import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PartMissing } from './parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The Python of an environment of its own in `.cache`, with packages of PyPI; made the first time.
 *
 * @param name - of the environment: one for each set of packages.
 * @throws PartMissing
 */
export function pythonHome(name: string, packages: readonly string[]): string {
  const home = `${root}.cache/${name}`;
  const program = `${home}/bin/python`;
  if (existsSync(home)) return program;
  const own = `${home}.${process.pid}`;
  for (const [command, args] of [
    ['python3', ['-m', 'venv', own]],
    [`${own}/bin/pip`, ['install', '-q', ...packages]],
  ] as const) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
    if (status === 0) continue;
    rmSync(own, { recursive: true, force: true });
    throw new PartMissing(
      `${packages.join(' ')} cannot be installed: ${command} failed: ${error?.message ?? ''}${stdout}${stderr}`,
    );
  }
  try {
    renameSync(own, home);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return program;
}
