/**
 * What a commit costs, by the number of rows that changed: in the grid's topology, where a changed day row changes others downstream, and in a plain table.
 * A cost that is linear shows as the same time for each row on all lines.
 */

import type { CommitFigures } from './lib/commit-rows.ts';
import { printConditions } from './lib/conditions.ts';
import { freshFolder } from './lib/folders.ts';
import { readOptions } from './lib/options.ts';
import { runTypeScript } from './lib/run-child.ts';

const { rows } = readOptions({ rows: '1000,10000,100000,1000000' });
printConditions();
console.log(
  `${'dirty rows'.padEnd(30)}${'written'.padStart(12)}${'ms'.padStart(10)}${'us/dirty'.padStart(10)}${'us/written'.padStart(12)}${'rss MB'.padStart(8)}`,
);
for (const topology of ['table', 'grid']) for (const count of rows.split(',')) await measure(topology, Number(count));

async function measure(topology: string, count: number): Promise<void> {
  const state = await freshFolder('state');
  let figures: CommitFigures | undefined;
  const script = `${import.meta.dirname}/lib/commit-rows.ts`;
  const onLine = (line: unknown): void => {
    figures = line as CommitFigures;
  };
  // A commit of a million day rows holds some five million rows at once.
  const { peakRssBytes } = await runTypeScript(script, [topology, String(count), state], onLine, [
    '--max-old-space-size=8192',
  ]);
  await freshFolder('state');
  const { commitMs, writtenRows } = figures!;
  const title = `${topology}, ${count.toLocaleString('en-US')}`;
  const micros = commitMs * 1000;
  const cells = [
    Math.round(writtenRows).toLocaleString('en-US').padStart(12),
    commitMs.toFixed(1).padStart(10),
    (micros / count).toFixed(2).padStart(10),
    (micros / writtenRows).toFixed(2).padStart(12),
    Math.round(peakRssBytes / 1e6)
      .toString()
      .padStart(8),
  ];
  console.log(title.padEnd(30) + cells.join(''));
}
