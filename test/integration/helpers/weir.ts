import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How a run of the program ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program to its end, whatever its exit code. */
export async function tryWeir(args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, ['dist/topologies/grid/main.js', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === null) throw new Error(`weir ${args.join(' ')} was killed by ${signal}: ${stderr.join('')}`);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** Runs the built program; any exit code but 0 is an error. Gives what it printed. */
export async function weir(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryWeir(args);
  if (code !== 0) throw new Error(`weir ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** The digest of a state folder. */
export async function digestOf(state: string): Promise<string> {
  const digest = (await weir(['digest', '--state', state])).trim();
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`no digest: ${digest}`);
  return digest;
}

/** All files of a folder by name. */
export async function filesOf(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort()) files[name] = await readFile(join(folder, name), 'utf8');
  return files;
}

/** The 24 files that a state exports. */
export async function exported(state: string, out: string): Promise<Record<string, string>> {
  await weir(['export', '--state', state, '--out', out]);
  return filesOf(out);
}
