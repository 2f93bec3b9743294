import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import ts from 'typescript';
import { checkFolder, type RowFormat } from '../../src/index.ts';
import { fencedBlocks, fileNameOf, programsOf } from './fenced-blocks.ts';
import { entryPoints, runProgram, writeBlocks } from './page-programs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const blocks = fencedBlocks().filter(({ language }) => language === 'ts');

/** Pages whose blocks are programs that need nothing, and assert what the page says. */
const guides: readonly string[] = [
  'docs/coming-from-kafka-streams.md',
  'docs/operators.md',
  'docs/joins.md',
  'docs/windows-and-time.md',
  'docs/testing.md',
  'docs/state-and-queries.md',
  'docs/security.md',
];

/** Files as they would stand in a checkout, by path. */
const files = new Map(
  [...new Set(blocks.map(({ page }) => page))].flatMap((page) =>
    programsOf(page).map((block) => [join(root, 'examples', page.replaceAll(/\W/g, '-'), fileNameOf(block)), block]),
  ),
);

test('each block of TypeScript in README and docs compiles', (t) => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  const paths = Object.fromEntries(Object.entries(entryPoints).map(([name, path]) => [name, [join(root, path)]]));
  const program = ts.createProgram([...files.keys()], { ...options, paths }, hostOf({ ...options, paths }));
  t.true(files.size >= 4);
  for (const [path, { where }] of files) {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    t.deepEqual(
      found.map(({ messageText }) => `${where}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
      [],
    );
  }
});

function hostOf(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, directoryExists } = host;
  const folders = new Set([...files.keys()].map(dirname));
  host.readFile = (path) => files.get(path)?.text ?? readFile.call(host, path);
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path);
  host.directoryExists = (path) => folders.has(path) || directoryExists!.call(host, path);
  return host;
}

test('the program of docs/your-own-files.md prints what the page says of the file that it shows', async (t) => {
  const folder = writeBlocks(t, 'docs/your-own-files.md');
  const [content, printed] = fencedBlocks().filter(
    ({ page, language }) => page === 'docs/your-own-files.md' && language === '',
  );
  mkdirSync(join(folder, 'readings'));
  writeFileSync(join(folder, 'readings/january.csv'), Buffer.from(content!.text, 'latin1'));
  t.is(
    await runProgram(join(folder, 'daily-sums.ts'), [join(folder, 'readings'), join(folder, 'state')]),
    printed!.text,
  );
  const letter = JSON.parse(readFileSync(join(folder, 'state/readings-dead.jsonl'), 'utf8')) as {
    line: number;
    message: string;
  };
  t.is(letter.line, 8);
  t.true(readFileSync(join(root, 'docs/your-own-files.md'), 'utf8').includes(`\`${letter.message}\``));
});

test('the half hours in one row of docs/your-own-files.md are of their day, be it of 23, 24 or 25 hours', async (t) => {
  const page = 'docs/your-own-files.md';
  const folder = writeBlocks(t, page);
  const block = blocks.find((one) => one.page === page && one.text.includes('const halfHours'))!;
  const { format } = (await import(pathToFileURL(join(folder, fileNameOf(block))).href)) as {
    format: RowFormat<unknown, unknown>;
  };
  const header = ['meter', 'day', ...Array.from({ length: 50 }, (_, i) => `K${i + 1}`)].join();
  const directory = join(folder, 'days');
  mkdirSync(directory);
  const spans = [
    ['2024-03-31', 46, '2024-03-31T00:00Z', '2024-03-31T22:30Z'],
    ['2024-06-01', 48, '2024-05-31T23:00Z', '2024-06-01T22:30Z'],
    ['2024-10-27', 50, '2024-10-26T23:00Z', '2024-10-27T23:30Z'],
  ] as const;
  for (const [day, values, first, last] of spans) {
    const cells = Array.from({ length: 50 }, (_, i) => (i < values ? '0.5' : '')).join();
    writeFileSync(join(directory, 'day.csv'), `${header}\nA-7,${day},${cells}\n`);
    const { files } = await checkFolder({ topic: 'days', directory, format });
    t.like(files[0], { rows: values, dead: 0, firstMs: Date.parse(first), lastMs: Date.parse(last) });
  }
});

test('the program of docs/cli.md replays a folder and describes its topology', async (t) => {
  const folder = writeBlocks(t, 'docs/cli.md');
  mkdirSync(join(folder, 'words'));
  writeFileSync(join(folder, 'words/a.csv'), 'at,word\n2024-01-01T00:00:00Z,weir\n2024-01-02T00:00:00Z,weir\n');
  const program = async (...words: string[]): Promise<string> => runProgram(join(folder, 'main.ts'), words);
  const state = join(folder, 'state');
  const replayed = await program('replay', '--events', join(folder, 'words'), '--state', state, '--json');
  t.like(JSON.parse(replayed), { rows: 2, dead: 0, files: 1 });
  t.regex(await program('describe', '--state', state), /words-seen/);
});

for (const guide of guides)
  test(`the programs of ${guide} run, and their assertions hold`, async (t) => {
    const folder = writeBlocks(t, guide);
    const programs = blocks.filter(({ page }) => page === guide);
    t.true(programs.length > 0);
    for (const block of programs)
      await t.notThrowsAsync(import(pathToFileURL(join(folder, fileNameOf(block))).href), block.where);
  });

/** Pages whose tables say what leaves for what comes in. */
const tablePages = ['docs/operators.md', 'docs/joins.md'];

for (const name of tablePages)
  test(`each row of the tables of ${name} is asserted by a program of the page`, (t) => {
    const page = readFileSync(join(root, name), 'utf8');
    const asserted = new Set(
      [...page.matchAll(/\['(?:in )?([^']*)', '([^']*)'\]/g)].map(([, input, out]) => `${input} -> ${out}`),
    );
    const recordsIn = (cell: string): string => [...cell.matchAll(/`([^`]*)`/g)].map(([, record]) => record).join(' ');
    const rows = [...page.matchAll(/^\| (`\w*[ \w]*:.*) \|$/gm)].map(([, row]) => row!.split('|').map(recordsIn));
    t.true(rows.length > 15);
    for (const [input, ...outputs] of rows)
      for (const out of outputs) {
        const stated = `${input!.replace(/^in /, '')} -> ${out}`;
        t.true(asserted.has(stated), stated);
      }
  });
