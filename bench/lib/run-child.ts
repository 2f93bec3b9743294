import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What a process took from its start to its end. */
export interface ChildRun {
  readonly wallSeconds: number;
  /** User and system time of all its threads. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly stdout: string;
}

/** A line that a measured process wrote to file descriptor 3: its usage at the end, before that whatever it likes. */
interface Line {
  readonly usage?: Pick<ChildRun, 'cpuSeconds' | 'peakRssBytes'>;
}

/** The folder of the checkout. */
export const root: string = join(import.meta.dirname, '..', '..');

const preload = join(import.meta.dirname, 'report-usage.mjs');

/** Runs a JavaScript program in Node and measures it. */
export function runNode(script: string, args: readonly string[]): Promise<ChildRun> {
  return runChild(process.execPath, ['--import', preload, script, ...args]);
}

/** As `runNode`, a TypeScript program of this folder. What it tells with `tellParent` goes to `onLine`. */
export function runTypeScript(
  script: string,
  args: readonly string[],
  onLine?: (line: unknown) => void,
  nodeOptions: readonly string[] = [],
): Promise<ChildRun> {
  const options = [...nodeOptions, '--import', preload, '--import', 'tsx'];
  return runChild(process.execPath, [...options, script, ...args], onLine);
}

/**
 * Runs a program that reports its usage on file descriptor 3, and measures it.
 *
 * @throws Error with what it wrote to stderr, if it fails.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  onLine: (line: unknown) => void = () => {},
): Promise<ChildRun> {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const stdout = collect(child.stdout as Readable);
  const stderr = collect(child.stderr as Readable);
  let usage: Line['usage'];
  createInterface(child.stdio[3] as Readable).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    if (line.usage === undefined) onLine(line);
    else usage = line.usage;
  });
  let wallSeconds = 0;
  child.on('exit', () => {
    wallSeconds = (performance.now() - startedAt) / 1000;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0 || usage === undefined) {
    throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}:\n${stderr.join('').slice(-4000)}`);
  }
  return { wallSeconds, ...usage, stdout: stdout.join('') };
}

function collect(stream: Readable): string[] {
  const chunks: string[] = [];
  stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  return chunks;
}
