import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { type Invocation, parseCommandLine } from '../../src/cli/command-line.ts';
import { commonOptions, readSetFlags } from '../../src/cli/common-options.ts';
import { readArguments, readOptions } from '../../src/cli/read-options.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { gridProgram } from '../../topologies/grid/program.ts';
import { run } from '../cli/fixtures/run.ts';
import { fencedBlocks, fileNameOf } from './fenced-blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A line that a reader types. */
interface ShellLine {
  readonly where: string;
  readonly words: readonly string[];
}

const lines: readonly ShellLine[] = fencedBlocks()
  .filter(({ language }) => language === '' || language === 'sh')
  .flatMap(({ where, text }) =>
    text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .flatMap((line) => line.split(' && '))
      .map((line) => ({ where, words: wordsOf(line) })),
  );

/** Words of a line without its prompt, variables, comment and redirection. */
function wordsOf(line: string): readonly string[] {
  const typed = line
    .replace(/^\$ /, '')
    .replace(/\s#.*$/, '')
    .replace(/\s>.*$/, '');
  const words = [...typed.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  return words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)));
}

/** What is given to the program, if the line runs it. */
function argumentsOf([first, ...rest]: readonly string[]): readonly string[] | undefined {
  if (first === 'weir') return rest;
  if (first === 'npx' && rest[0] === 'weir') return rest.slice(1);
  if (first !== 'docker') return undefined;
  const at = rest.findIndex((word, i) => i > 0 && (word.endsWith('/main.js') || word.startsWith('weir:')));
  return at < 0 || rest[0] === 'build' ? undefined : rest.slice(at + 1);
}

const commands = lines.flatMap(({ where, words }) => {
  const argv = argumentsOf(words);
  return argv === undefined ? [] : [{ where, argv }];
});

function understood(argv: readonly string[]): Invocation | number {
  const stream = { write: () => true, isTTY: false } as never;
  const surface = { stdout: stream, stderr: stream, writeOut: () => {}, writeErr: () => {}, env: {} };
  return parseCommandLine(gridProgram, commonOptions, argv, surface);
}

test('each command line of README and docs is one that the program understands, with values that it takes', (t) => {
  t.true(commands.length > 40);
  for (const { where, argv } of commands) {
    t.notThrows(
      () => {
        const found = understood(argv);
        if (typeof found === 'number') return;
        const { command, options, args } = found;
        const specs = [...(command.options ?? []), ...commonOptions.everywhere, ...commonOptions.settings];
        const { values, settings } = readOptions(specs, options, {});
        readArguments(command.arguments ?? [], args);
        loadConfig({ flags: readSetFlags((values['set'] ?? []) as readonly string[]), options: settings });
      },
      `${where}: weir ${argv.join(' ')}`,
    );
  }
});

/** Whether a page shows the program that one of its lines runs. */
function onPage(where: string, program: string): boolean {
  return fencedBlocks().some((block) => where.startsWith(`${block.page}:`) && fileNameOf(block) === program);
}

test('scripts and programs of other lines are there', (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  let found = 0;
  for (const { where, words } of lines) {
    const [first, second] = words;
    if (first === 'npm' && !['ci', 'install', 'init', 'pkg'].includes(second!)) {
      found++;
      t.true((second === 'run' ? words[2]! : second!) in scripts, `${where}: ${words.join(' ')}`);
    } else if (first === 'node') {
      found++;
      const program = words.find((word) => /\.(ts|js)$/.test(word))!;
      const known = program.startsWith('dist/') || onPage(where, program) || existsSync(join(root, program));
      t.true(known, `${where}: ${words.join(' ')}`);
    }
  }
  t.true(found > 3);
});

/** Lines that need no server, and no folder but those of the README. */
function isSelfContained(line: string): boolean {
  return (
    /^(replay|check|query|export|digest|describe|verify|repair|park show|config print)\b/.test(line) &&
    !/ \/|:\/\/|--brokers|--follow|incoming|archive|--events a\b|Asia|--config/.test(line)
  );
}

test.serial('command lines that need no server run, one after the other, in a folder with data', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-docs-'));
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
  const { commands: specs } = gridProgram;
  const made =
    'generate --out data --from 2018-01-01 --days 4 --events-per-day 500 --meters 20 --concentrators 4 --seed 1';
  const first = [made, 'replay --events data/events --park data/park'];
  const typed = commands.map(({ argv }) => argv.join(' ')).filter(isSelfContained);
  t.true(typed.length > 10);
  for (const line of [...first, ...new Set(typed)]) {
    const { code, stderr } = await run(specs, line, { env: {} });
    t.is(code, 0, `weir ${line}: ${stderr}`);
  }
});
