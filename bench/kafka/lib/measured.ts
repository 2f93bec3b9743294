import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../lib/folders.ts';
import { type ChildRun, root, runChild } from '../../lib/run-child.ts';

const built = join(cacheFolder, 'built');
const preload = join(root, 'bench', 'lib', 'report-usage.mjs');
const peer = join(cacheFolder, 'kafka-streams-peer');
const pom = join(root, 'bench', 'kafka', 'java', 'pom.xml');

/** All else of the JVM is its own default, but for what `--java-options` gives. */
const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';

/** What a measured process tells first. */
interface Started {
  readonly pid?: number;
}

/** How a measured process is followed. */
export interface Following {
  /** Gets what the process tells. */
  readonly onLine?: (line: unknown) => void;
  /** Gets its process id as soon as it is there. */
  readonly onPid?: (pid: number) => void;
}

/** Builds weir and the programs of this folder as they are now: what is measured runs from JavaScript, as in production. */
export async function buildWeir(): Promise<void> {
  await rm(built, { recursive: true, force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  succeed(process.execPath, [tsc, '-p', join(root, 'bench', 'kafka', 'tsconfig.build.json')]);
}

/** Builds the Java peer: needs Maven, and the network the first time. */
export function buildPeer(): void {
  const fetch = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(peer, 'lib')}`];
  succeed('mvn', ['-q', '-B', '-f', pom, `-Dbuilt=${peer}`, 'compile', ...fetch]);
}

function succeed(command: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error ?? `${stdout}${stderr}`}`);
}

/** Runs the built program `weir`, measured. */
export function runWeir(args: readonly string[], following: Following = {}): Promise<ChildRun> {
  return runBuilt('topologies/grid/main.js', args, following);
}

/** Runs a built program of bench/kafka/lib, measured. */
export function runProgram(name: string, args: readonly string[], following: Following = {}): Promise<ChildRun> {
  return runBuilt(`bench/kafka/lib/${name}.js`, args, following);
}

function runBuilt(script: string, args: readonly string[], following: Following): Promise<ChildRun> {
  return follow('exec "$@"', [process.execPath, '--import', preload, join(built, script), ...args], following);
}

/** How the Java peer is run. */
export interface JavaRun extends Following {
  /** Options of the JVM, such as -Xmx512m. */
  readonly javaOptions: readonly string[];
}

/** Runs the Java peer, measured. What it prints is what it tells. */
export function runPeer(args: Readonly<Record<string, string>>, run: JavaRun): Promise<ChildRun> {
  const command = ['java', quiet, ...run.javaOptions, '-cp', `${join(peer, 'classes')}:${join(peer, 'lib')}/*`];
  const given = Object.entries(args).map(([name, value]) => `${name}=${value}`);
  return follow('exec "$@" >&3', [...command, 'weir.bench.Main', ...given], run);
}

/** Through a shell that tells its process id and becomes the program. */
function follow(exec: string, command: readonly string[], { onLine, onPid }: Following): Promise<ChildRun> {
  return runChild('sh', ['-c', `echo "{\\"pid\\":$$}" >&3; ${exec}`, 'sh', ...command], (line) => {
    const { pid } = line as Started;
    if (pid !== undefined) onPid?.(pid);
    else onLine?.(line);
  });
}
