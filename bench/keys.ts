/**
 * Many keys: a million meters send one event a day each, so that every event makes new rows, and rows of weeks, months and years that no longer fit in
 * the cache are read back. Prints the rate over all and in each quarter of the rows, and the memory.
 */
import { printConditions } from './lib/conditions.ts';
import { lineOf } from './lib/figures.ts';
import { freshFolder } from './lib/folders.ts';
import { meterDays } from './lib/meter-days.ts';
import { readOptions } from './lib/options.ts';
import type { Sample } from './lib/replay-keys.ts';
import { runTypeScript } from './lib/run-child.ts';

const { meters, days, cache, samples } = readOptions({ meters: 1_000_000, days: 30, cache: 256, samples: false });
const mib = 1024 * 1024;
/** What a process may take beside its cache. */
const allowedBytes = cache * mib + 300e6;

const data = await meterDays(meters, days);
printConditions();
const state = await freshFolder('state');
const told: Sample[] = [];
const args = [data.events, data.park, state, String(cache * mib)];
const run = await runTypeScript(`${import.meta.dirname}/lib/replay-keys.ts`, args, (line) => {
  const sample = line as Sample;
  told.push(sample);
  if (samples) console.log(JSON.stringify(sample));
});

const events = told.filter(({ phase }) => phase === 'events');
const [start, end] = [events[0]!, events.at(-1)!];
if (end.rows !== data.rows) throw new Error(`${end.rows} rows were read, not ${data.rows}`);
console.log(
  `park: ${start.seconds.toFixed(1)} s, rss ${mb(
    most(
      told.filter(({ phase }) => phase === 'park'),
      ({ rssBytes }) => rssBytes,
    ),
  )} MB`,
);
const wallSeconds = end.seconds - start.seconds;
const { peakRssBytes, cpuSeconds } = run;
const title = `${meters.toLocaleString('en-US')} meters, ${days} days, cache ${cache} MiB`;
console.log(
  lineOf({ title, count: data.rows, perSecond: data.rows / wallSeconds, wallSeconds, cpuSeconds, peakRssBytes }),
);
const rates = [0, 1, 2, 3].map((quarter) => rateOf(quarter / 4, (quarter + 1) / 4));
rates.forEach((rate, i) => {
  console.log(`  quarter ${i + 1}: ${Math.round(rate).toLocaleString('en-US')} rows/s`);
});
console.log(`  the last quarter has ${((100 * rates[3]!) / rates[0]!).toFixed(0)} % of the first one's rate`);
console.log(`  memory: ${mb(peakRssBytes)} MB, allowed ${mb(allowedBytes)} MB (cache + 300 MB)`);
console.log(
  `  of it in samples: up to ${mb(most(told, (at) => at.rssBytes - at.mappedBytes))} MB of its own, up to ${mb(most(told, (at) => at.mappedBytes))} MB of mapped files`,
);
const commits = end.commits - start.commits;
const committed = end.committedRows - start.committedRows;
const commitSeconds = end.commitSeconds - start.commitSeconds;
console.log(
  `  ${commits} commits of ${Math.round(committed / commits).toLocaleString('en-US')} rows, ${commitSeconds.toFixed(1)} s in all`,
);
await freshFolder('state');

/** Rows a second between two shares of the rows. */
function rateOf(fromShare: number, toShare: number): number {
  const [from, to] = [data.rows * fromShare, data.rows * toShare];
  return (to - from) / (timeOf(to) - timeOf(from));
}

/** When so many rows had been read, in seconds, between two samples in proportion. */
function timeOf(rows: number): number {
  const after = events.findIndex((sample) => sample.rows >= rows);
  const [a, b] = [events[Math.max(0, after - 1)]!, events[after]!];
  return b.rows === a.rows ? b.seconds : a.seconds + ((rows - a.rows) / (b.rows - a.rows)) * (b.seconds - a.seconds);
}

function most(of: readonly Sample[], bytes: (sample: Sample) => number): number {
  return Math.max(...of.map(bytes));
}

function mb(bytes: number): string {
  return Math.round(bytes / 1e6).toLocaleString('en-US');
}
