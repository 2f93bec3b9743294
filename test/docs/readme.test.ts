import { readFileSync } from 'node:fs';
import test from 'ava';
import { commandLineNeed, installLine, kafkaNeed, serverNeed } from '../../src/common/optional-packages.ts';
import { KGroupedStream, KStream, KTable, StreamsBuilder, TimeWindowedKStream, TimeWindows } from '../../src/index.ts';
import { gridNeed } from '../../topologies/grid/packages.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('README.md', root), 'utf8');

test('the example of the README is the one that is compiled and run', (t) => {
  const shown = /^```ts\n([\s\S]*?)^```$/m.exec(page)?.[1];
  const [, ...run] = readFileSync(new URL('examples/readme.ts', root), 'utf8').split('\n\n');
  const imported = run
    .join('\n\n')
    .replace("'../src/index.ts'", "'weir-streams'")
    .replace("'../src/testing.ts'", "'weir-streams/testing'");
  t.is(shown, imported);
});

test('the lines that install the parts are those that the parts themselves name', (t) => {
  const lines = [...page.matchAll(/^npm install weir-streams ?(.*?) *#/gm)].map(([, packages]) => packages);
  t.deepEqual(
    lines,
    [[], kafkaNeed.packages, serverNeed.packages, commandLineNeed.packages, gridNeed.packages].map((packages) =>
      installLine(packages).replace(/^npm install ?/, ''),
    ),
  );
});

test('what the README says the DSL lacks is not there', (t) => {
  const limits = /^## Limits\n(.*?)^## /ms.exec(page)![1]!;
  const lacks = /Of the DSL there is no(.*?);/s.exec(limits)![1]!;
  const names = [...lacks.matchAll(/`(\w+)`/g)].map(([, name]) => name!).filter((name) => name !== 'suppress');
  t.true(names.length > 5);
  for (const { prototype } of [KStream, KTable, KGroupedStream, TimeWindowedKStream, StreamsBuilder, TimeWindows])
    for (const name of names) t.false(name in prototype, name);
});
