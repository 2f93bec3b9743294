import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import ts from 'typescript';
import { typescript } from '../helpers/typescript-child.ts';
import { fencedBlocks, fileNameOf } from './fenced-blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const entryPoints = {
  'weir-streams': 'src/index.ts',
  'weir-streams/server': 'src/server.ts',
  'weir-streams/testing': 'src/testing.ts',
  'weir-streams/cli': 'src/cli.ts',
};
const blocks = fencedBlocks().filter(({ language }) => language === 'ts');

/** Pages whose blocks are programs that need nothing, and assert what the page says. */
const guides: readonly string[] = [
  'docs/coming-from-kafka-streams.md',
  'docs/operators.md',
  'docs/windows-and-time.md',
  'docs/testing.md',
  'docs/state-and-queries.md',
];

/** Files as they would stand in a checkout, by path. */
const files = new Map(
  blocks.map((block) => [join(root, 'examples', block.page.replaceAll(/\W/g, '-'), fileNameOf(block)), block]),
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

async function run(file: string, ...words: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [...typescript, file, ...words])).stdout;
}

/** A folder with the blocks of a page as files. */
function writeBlocks(t: ExecutionContext, page: string): string {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/blocks-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const block of blocks.filter((one) => one.page === page)) {
    const resolved = block.text.replaceAll(
      /'(weir-streams(?:\/\w+)?)'/g,
      (_, name: keyof typeof entryPoints) => `'${join(root, entryPoints[name])}'`,
    );
    writeFileSync(join(folder, fileNameOf(block)), resolved);
  }
  return folder;
}

test('the program of docs/your-own-files.md prints what the page says of the file that it shows', async (t) => {
  const folder = writeBlocks(t, 'docs/your-own-files.md');
  const [content, printed] = fencedBlocks().filter(
    ({ page, language }) => page === 'docs/your-own-files.md' && language === '',
  );
  mkdirSync(join(folder, 'readings'));
  writeFileSync(join(folder, 'readings/january.csv'), Buffer.from(content!.text, 'latin1'));
  t.is(await run(join(folder, 'daily-sums.ts'), join(folder, 'readings'), join(folder, 'state')), printed!.text);
  const letter = JSON.parse(readFileSync(join(folder, 'state/dead.jsonl'), 'utf8')) as {
    line: number;
    message: string;
  };
  t.is(letter.line, 8);
  t.true(readFileSync(join(root, 'docs/your-own-files.md'), 'utf8').includes(`\`${letter.message}\``));
});

test('the program of docs/cli.md replays a folder and describes its topology', async (t) => {
  const folder = writeBlocks(t, 'docs/cli.md');
  mkdirSync(join(folder, 'words'));
  writeFileSync(join(folder, 'words/a.csv'), 'at,word\n2024-01-01T00:00:00Z,weir\n2024-01-02T00:00:00Z,weir\n');
  const program = async (...words: string[]): Promise<string> => run(join(folder, 'main.ts'), ...words);
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

test('each row of the tables of docs/operators.md is asserted by a program of the page', (t) => {
  const page = readFileSync(join(root, 'docs/operators.md'), 'utf8');
  const asserted = new Set(
    [...page.matchAll(/\['(?:in )?([^']*)', '([^']*)'\]/g)].map(([, input, out]) => `${input} -> ${out}`),
  );
  const recordsIn = (cell: string): string => [...cell.matchAll(/`([^`]*)`/g)].map(([, record]) => record).join(' ');
  const rows = [...page.matchAll(/^\| (`\w*[ \w]*:.*) \|$/gm)].map(([, row]) => row!.split('|').map(recordsIn));
  t.true(rows.length > 20);
  for (const [input, ...outputs] of rows)
    for (const out of outputs) t.true(asserted.has(`${input!.replace(/^in /, '')} -> ${out}`), `${input} -> ${out}`);
});
