/**
 * What the runtime's cache and commit cost on top of LevelDB: rows with keys of 16 bytes and values of 32 are put through a cached table and committed
 * in batches, and the same rows are written in raw chained batches; in turn, each into a new database in a process of its own.
 *
 * The clock stands while rows are made. Every key is new, in no order, so every put of the table also asks the database whether it has the key.
 */
import { printConditions } from './lib/conditions.ts';
import { type Figures, lineOf, median } from './lib/figures.ts';
import { freshFolder } from './lib/folders.ts';
import { readOptions } from './lib/options.ts';
import { runTypeScript } from './lib/run-child.ts';
import type { StoreFigures } from './lib/write-rows.ts';

const { runs, rows, batch, sync } = readOptions({
  runs: 3,
  rows: '1000000,5000000',
  batch: '10000,100000',
  sync: false,
});
printConditions();
for (const count of numbers(rows)) for (const perCommit of numbers(batch)) await compare(count, perCommit);
await freshFolder('store');

async function compare(count: number, perCommit: number): Promise<void> {
  const ways = { raw: [] as Figures[], table: [] as Figures[] };
  const size = `${inMillions(count)} rows, ${perCommit.toLocaleString('en-US')} a commit`;
  for (let run = 0; run < runs; run++) {
    ways.raw.push(await write('raw', `raw batches, ${size}`, count, perCommit));
    ways.table.push(await write('table', `cache and commit, ${size}`, count, perCommit));
  }
  const [raw, table] = [median(ways.raw), median(ways.table)];
  const share = (100 * table.perSecond) / raw.perSecond;
  console.log(`${size}: ${share.toFixed(0)} % of raw batches${sync ? ', all synced' : ''}`);
}

async function write(way: 'raw' | 'table', title: string, count: number, perCommit: number): Promise<Figures> {
  const folder = await freshFolder('store');
  let measured: StoreFigures | undefined;
  const args = [way, folder, String(count), String(perCommit), String(sync)];
  const { peakRssBytes } = await runTypeScript(`${import.meta.dirname}/lib/write-rows.ts`, args, (line) => {
    measured = line as StoreFigures;
  });
  const { wallSeconds, cpuSeconds } = measured!;
  const figures = { title, count, perSecond: count / wallSeconds, wallSeconds, cpuSeconds, peakRssBytes };
  console.log(lineOf(figures));
  return figures;
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}

function inMillions(count: number): string {
  return count % 1_000_000 === 0 ? `${count / 1_000_000}M` : count.toLocaleString('en-US');
}
