/** Large values: aggregates that are JSON objects, of so many bytes, in a cache that holds few of them. Prints the rate, and the memory against the cache's size. */
import { printConditions } from './lib/conditions.ts';
import { lineOf } from './lib/figures.ts';
import { freshFolder } from './lib/folders.ts';
import { readOptions } from './lib/options.ts';
import { runTypeScript } from './lib/run-child.ts';

const { keys, rounds, cache, sizes } = readOptions({ keys: 100_000, rounds: 2, cache: 16, sizes: '200,20000' });
const mib = 1024 * 1024;
/** What a process may take beside its cache. */
const allowedBytes = cache * mib + 200e6;

printConditions();
for (const size of sizes.split(',')) {
  const state = await freshFolder('state');
  const args = [state, String(cache * mib), String(keys), String(rounds), size];
  const told: { commits: number; mappedBytes: number }[] = [];
  const run = await runTypeScript(`${import.meta.dirname}/lib/aggregate-json.ts`, args, (line) => {
    told.push(line as (typeof told)[number]);
  });
  const { wallSeconds, cpuSeconds, peakRssBytes } = run;
  const count = keys * rounds;
  const title = `${keys.toLocaleString('en-US')} keys, ${size} B, cache ${cache} MiB`;
  console.log(lineOf({ title, count, perSecond: count / wallSeconds, wallSeconds, cpuSeconds, peakRssBytes }));
  const mapped = Math.max(...told.map(({ mappedBytes }) => mappedBytes));
  console.log(
    `  memory: ${mb(peakRssBytes)} MB, of it up to ${mb(mapped)} MB of mapped files; allowed ${mb(allowedBytes)} MB (cache + 200 MB); ${told.at(-1)!.commits} commits`,
  );
}
await freshFolder('state');

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
