import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ServeOptions } from '../../src/server.ts';
import { fileNameOf } from './fenced-blocks.ts';
import { blocksOf, runProgram, writeBlocks } from './page-programs.ts';

const page = 'docs/kafka.md';

test('docs/kafka.md has a row for each option of serve, and no other', (t) => {
  const options: Readonly<Record<keyof ServeOptions, true>> = {
    ...{ port: true, host: true, token: true, open: true, hosts: true },
    ...{ collectors: true, routes: true, page: true, logger: true, version: true },
  };
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const [, table] = text.split('`serve` takes:\n\n');
  const rows = [...table!.split('\n\n')[0]!.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  t.deepEqual(rows, Object.keys(options));
});

test('the program of docs/kafka.md with metrics and an endpoint of its own serves them', async (t) => {
  const folder = writeBlocks(t, page);
  const block = blocksOf(page, 'ts').find(({ text }) => text.includes('MetricCollector'))!;
  const printed = await runProgram(join(folder, fileNameOf(block)), [], folder);
  t.regex(printed, /^shop_orders_total\{.*country="fr".*\} 0$/m);
  t.regex(printed, /^streams_client_info\{/m);
  t.regex(printed, /^shop_open 1$/m);
  t.regex(printed, /^\{"orders":0\}$/m);
});
