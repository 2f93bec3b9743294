import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { typescript } from '../helpers/typescript-child.ts';
import { type FencedBlock, fencedBlocks, fileNameOf, programsOf } from './fenced-blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the entry points of the package are in a checkout. */
export const entryPoints = {
  'weir-streams': 'src/index.ts',
  'weir-streams/server': 'src/server.ts',
  'weir-streams/testing': 'src/testing.ts',
  'weir-streams/cli': 'src/cli.ts',
};

/** A folder with the programs of a page, and those that they import, as files; the package is the sources. */
export function writeBlocks(t: ExecutionContext, page: string): string {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/blocks-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const block of programsOf(page)) {
    const resolved = block.text.replaceAll(
      /'(weir-streams(?:\/\w+)?)'/g,
      (_, name: keyof typeof entryPoints) => `'${join(root, entryPoints[name])}'`,
    );
    writeFileSync(join(folder, fileNameOf(block)), resolved);
  }
  return folder;
}

/** The blocks of a page in one language, in their order. */
export function blocksOf(page: string, language: string): readonly FencedBlock[] {
  return fencedBlocks().filter((block) => block.page === page && block.language === language);
}

/** Runs a program in a folder. Resolves to what it printed. */
export async function runProgram(file: string, words: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...typescript, file, ...words], { cwd });
  return stdout;
}
