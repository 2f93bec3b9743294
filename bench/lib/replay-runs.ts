import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Figures, lineOf } from './figures.ts';
import { expectSameFiles, freshFolder } from './folders.ts';
import type { GridData } from './grid-data.ts';
import type { Loaded } from './replay-other.ts';
import { type ChildRun, root, runChild, runNode, runTypeScript } from './run-child.ts';

/**
 * The built program: replays into a new state, and exports.
 *
 * @param settings - Such as 'commit.interval.ms=500'.
 * @throws Error if a file is not as it must be.
 */
export async function runGrid(title: string, data: GridData, settings: readonly string[] = []): Promise<Figures> {
  const state = await freshFolder('state');
  const out = await freshFolder('out');
  const given = settings.flatMap((setting) => ['--set', setting]);
  const args = ['replay', '--events', data.events, '--park', data.park, '--state', state, '--out', out, ...given];
  const run = await runNode(join(root, 'dist', 'topologies', 'grid', 'main.js'), args);
  await expectSameFiles(out, data.truth);
  return printed(title, data.rows, run, [state, out]);
}

/** The topology of bench/topologies, in a process of its own, into a new state. Tells too how much of the time went into loading TypeScript. */
export async function runOther(title: string, data: GridData): Promise<Figures & Loaded> {
  const state = await freshFolder('state');
  const args = [data.events, data.park, state];
  let loadSeconds = 0;
  const run = await runTypeScript(join(import.meta.dirname, 'replay-other.ts'), args, (line) => {
    loadSeconds = (line as Loaded).loadSeconds;
  });
  return { ...(await printed(title, data.rows, run, [state])), loadSeconds };
}

/**
 * DuckDB, by its Python module.
 *
 * @throws Error if the module is not there, or a file is not as it must be.
 */
export async function runDuckDb(
  title: string,
  data: GridData,
  python: string,
  plan: 'plain' | 'expert',
  threads: number,
): Promise<Figures> {
  const out = await freshFolder('out');
  const script = join(root, 'bench', 'peers', 'duckdb_statistics.py');
  const run = await runChild(python, [script, plan, String(threads), data.events, data.park, out]);
  await expectSameFiles(out, data.truth);
  return printed(title, data.rows, run, [out]);
}

async function printed(title: string, count: number, run: ChildRun, folders: readonly string[]): Promise<Figures> {
  const { wallSeconds, cpuSeconds, peakRssBytes } = run;
  const figures = { title, count, perSecond: count / wallSeconds, wallSeconds, cpuSeconds, peakRssBytes };
  console.log(lineOf(figures));
  for (const folder of folders) await rm(folder, { recursive: true });
  return figures;
}
