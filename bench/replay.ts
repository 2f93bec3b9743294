/**
 * How fast files become statistics: the built program replays a generated data set into a new durable state and exports the 24 files, its start and end
 * included. Each run's files are compared with the true ones.
 *
 * `--topology other` does the same with bench/topologies/substation-peak.ts besides, and tells how many times the grid's time it takes. `--peers` runs DuckDB
 * besides, by the module `duckdb` of `--python`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { printConditions } from './lib/conditions.ts';
import { type Figures, median } from './lib/figures.ts';
import { type GridData, gridData } from './lib/grid-data.ts';
import { readOptions } from './lib/options.ts';
import type { Loaded } from './lib/replay-other.ts';
import { runDuckDb, runGrid, runOther } from './lib/replay-runs.ts';
import { root } from './lib/run-child.ts';

const options = readOptions({
  days: 1462,
  meters: 25,
  concentrators: 5,
  runs: 3,
  topology: 'grid',
  peers: false,
  python: 'python3',
  set: '',
});
const { days, meters, concentrators, runs, topology, peers, python, set } = options;
if (topology !== 'grid' && topology !== 'other') throw new TypeError(`--topology is ${topology}: give grid or other`);
if (!existsSync(join(root, 'dist', 'topologies', 'grid', 'main.js'))) throw new Error('run `npm run build` first');

const all = await gridData({ days, meters, concentrators });
const quarter = await gridData({ days: Math.ceil(days / 4), meters, concentrators });
printConditions();

/** What is measured, each in turn, so that a busy minute strikes all alike. */
const contenders: [title: string, run: (title: string) => Promise<Figures>][] = [['grid', grid(all)]];
if (topology === 'other') contenders.push(['other', (title) => runOther(title, all)]);
if (peers) {
  for (const plan of ['plain', 'expert'] as const)
    for (const threads of [1, 2]) contenders.push([`duckdb ${plan}, ${threads} threads`, duckDb(plan, threads)]);
}
const figures = contenders.map((): Figures[] => []);
for (let run = 1; run <= runs; run++)
  for (const [i, [title, measure]] of contenders.entries())
    figures[i]!.push(await measure(`${title}, ${all.days} days, run ${run} of ${runs}`));

console.log('medians');
const medians = figures.map(median);
for (const [i, found] of medians.entries()) {
  const { wallSeconds, cpuSeconds } = found;
  console.log(
    `  ${contenders[i]![0]}: ${wallSeconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} CPU s${comparison(found)}`,
  );
}
const smallTitle = `${topology}, ${quarter.days} days`;
const small = await (topology === 'grid' ? grid(quarter)(smallTitle) : runOther(smallTitle, quarter));
const large = medians[topology === 'grid' ? 0 : 1]!;
const [least, most] = [small, large].map(({ peakRssBytes }) => Math.round(peakRssBytes / 1e6));
console.log(`memory: ${least} MB with ${quarter.days} days, ${most} MB with ${all.days}`);

function grid(data: GridData): (title: string) => Promise<Figures> {
  return (title) => runGrid(title, data, set === '' ? [] : set.split(','));
}

function duckDb(plan: 'plain' | 'expert', threads: number): (title: string) => Promise<Figures> {
  return (title) => runDuckDb(title, all, python, plan, threads);
}

/** How many times the grid's time it took, and how much of it a built program would not need: to load TypeScript. */
function comparison(found: Figures & Partial<Loaded>): string {
  if (found === medians[0]) return '';
  const { wallSeconds, loadSeconds } = found;
  const times = `, ${(wallSeconds / medians[0]!.wallSeconds).toFixed(2)} times the grid's time`;
  return loadSeconds === undefined ? times : `${times} (of it ${loadSeconds.toFixed(2)} s to load its TypeScript)`;
}
