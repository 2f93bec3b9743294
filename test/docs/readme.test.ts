import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { KGroupedStream, KStream, KTable, StreamsBuilder, TimeWindowedKStream, TimeWindows } from '../../src/index.ts';

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

test('what the README links to is there', (t) => {
  const targets = [...page.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target!);
  t.true(targets.length >= 10);
  for (const target of targets) t.true(existsSync(new URL(target, root)), target);
});

test('what the README says the DSL lacks is not there', (t) => {
  const limits = /^## Limits\n(.*?)^## /ms.exec(page)![1]!;
  const lacks = /Of the DSL there is no(.*?);/s.exec(limits)![1]!;
  const names = [...lacks.matchAll(/`(\w+)`/g)].map(([, name]) => name!).filter((name) => name !== 'suppress');
  t.true(names.length > 5);
  for (const { prototype } of [KStream, KTable, KGroupedStream, TimeWindowedKStream, StreamsBuilder, TimeWindows])
    for (const name of names) t.false(name in prototype, name);
});

test('the headings that the README links into are there', (t) => {
  for (const [, target, anchor] of page.matchAll(/\]\(([^)#]+)#([^)]+)\)/g)) {
    const headings = readFileSync(new URL(target!, root), 'utf8').match(/^#+ .*$/gm) ?? [];
    const anchors = headings.map((line) => line.replace(/^#+ /, '').toLowerCase().replaceAll(' ', '-'));
    t.true(anchors.includes(anchor!), `${target}#${anchor}`);
  }
});
