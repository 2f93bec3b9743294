import { readFileSync } from 'node:fs';
import test from 'ava';
import { longFlagOf } from '../../src/cli/read-options.ts';
import { gridProgram } from '../../topologies/grid/program.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

test('docs/cli.md has a section for each command, with all its options', (t) => {
  for (const { name, options = [] } of gridProgram.commands) {
    const section = sections.get(name) ?? '';
    t.not(section, '', name);
    for (const option of options) t.true(section.includes(`\`${longFlagOf(option)}`), `${name} ${option.flags}`);
  }
});

test('docs/cli.md names no option that no command has', (t) => {
  const known = new Set(gridProgram.commands.flatMap(({ options = [] }) => options.map(longFlagOf)));
  for (const flag of ['--help', '--import', '--log-level', '--set', '--config']) known.add(flag);
  for (const [flag] of page.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) t.true(known.has(flag), flag);
});

test('each command of the table leads to its section, and its words are those of the help', (t) => {
  // Cells are padded so that columns stand below each other.
  const rows = page.replaceAll(/ {2,}/g, ' ');
  for (const { name, summary } of gridProgram.commands) {
    const row = `| [\`${name}\`](#${name.replace(' ', '-')}) | ${summary}`;
    t.true(rows.includes(row), row);
  }
});
