import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { runCli } from '../../../../src/cli/cli.ts';
import { daysFromCivil } from '../../../../src/common/time/civil.ts';
import { generate } from '../../../../topologies/grid/generator/generate.ts';
import type { GenerateOptions } from '../../../../topologies/grid/generator/generate-plan.ts';
import { gridProgram } from '../../../../topologies/grid/program.ts';
import { Kept, type Ran } from '../../../cli/fixtures/run.ts';

/** A command line that runs in this process. */
export interface Running {
  readonly stdout: Kept;
  readonly stderr: Kept;
  readonly ended: Promise<Ran>;
  /** Sends it a signal, as a terminal or a service manager would. */
  signal(name: 'SIGINT' | 'SIGTERM'): void;
}

/** Starts `weir` in this process. A text is split at spaces. */
export function startWeir(line: string | readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const signals = new EventEmitter();
  const stdout = new Kept();
  const stderr = new Kept();
  const argv = typeof line === 'string' ? line.split(' ') : line;
  const ended = runCli({ ...gridProgram, argv, env, stdout, stderr, signals });
  return {
    stdout,
    stderr,
    ended: ended.then((code) => ({ code, stdout: stdout.text, stderr: stderr.text })),
    signal: (name) => signals.emit(name, name),
  };
}

/** Runs `weir` in this process. */
export function weir(line: string | readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran> {
  return startWeir(line, env).ended;
}

/** Runs `weir` and fails the test, with what it said, unless it ends with 0. Gives its standard output. */
export async function good(t: ExecutionContext, line: string | readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await weir(line);
  if (code !== 0) t.fail(`${line} ended with ${code}: ${stderr}`);
  return stdout;
}

/** The digest of a state. */
export async function digestOf(t: ExecutionContext, state: string): Promise<string> {
  return (await good(t, `digest --state ${state}`)).trim();
}

/** A folder that is gone after the test. */
export async function temporary(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A generated data set: `events`, `park` and `truth` in the folder. */
export async function dataSet(folder: string, options: Partial<GenerateOptions> = {}): Promise<void> {
  const plan = { from: daysFromCivil(2018, 3, 20), days: 10, meters: 20, concentrators: 4, seed: 5, eventsPerDay: 600 };
  await generate({ ...plan, out: folder, ...options });
}

/** Waits until a condition holds; gives up after two minutes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await delay(20)) if (await holds()) return;
  throw new Error('waited in vain');
}

/** The address that a server told, once it is there. */
export async function addressOf({ stdout, ended }: Running): Promise<string> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  let url: string | undefined;
  await until(() => {
    url = /^serving (http:\/\/127\.0\.0\.1:\d+)/m.exec(stdout.text)?.[1];
    return url !== undefined || over;
  });
  if (url === undefined) throw new Error((await ended).stderr);
  return url;
}

/** The rows of an event file from lines `time,type,id`, each of one civil day and arriving at its end. */
export function eventFile(date: string, lines: readonly string[]): string {
  const rows = lines.map((line) => {
    const [time, type, id] = line.split(',');
    const occurred = `${date} ${time}`;
    const eventId = occurred.replace(/\D/g, '');
    return `${eventId},${occurred},${date} 23:59:59,${type},${type === 'ev_C' ? 'C' : 'K'},${id},\n`;
  });
  return `id_evt,date_occur_evt,date_system_evt,type_evt,type_equipement,id_equipement,info_div\n${rows.join('')}`;
}

/** The golden data, beside the checkout. */
export const golden: string = join(import.meta.dirname, '../../../../../shared/data');
