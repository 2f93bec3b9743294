import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** A fenced block of a page. */
export interface FencedBlock {
  /** `docs/cli.md:611`, the line of its fence. */
  readonly where: string;
  readonly page: string;
  /** What stands behind the fence: `ts`, `yaml`, or nothing. */
  readonly language: string;
  readonly text: string;
}

/** All fenced blocks of the README and of the pages below docs. */
export function fencedBlocks(): readonly FencedBlock[] {
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].flatMap((page) => {
    const text = readFileSync(new URL(page, root), 'utf8');
    return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: block, index }) => ({
      where: `${page}:${text.slice(0, index).split('\n').length}`,
      ...{ page, language: language!, text: block! },
    }));
  });
}

/** A block of TypeScript may begin with the name of its file, as in `// counts.ts`: blocks of a page may then import each other. */
export function fileNameOf(block: FencedBlock): string {
  return /^\/\/ (\S+\.ts)\n/.exec(block.text)?.[1] ?? `line-${block.where.split(':')[1]}.ts`;
}

/** The programs of a page, as files of one folder: its own, and those of other pages that they import. */
export function programsOf(page: string): readonly FencedBlock[] {
  const programs = fencedBlocks().filter(({ language }) => language === 'ts');
  const own = programs.filter((block) => block.page === page);
  const names = new Set(own.map(fileNameOf));
  const imported = own.flatMap(({ text }) => [...text.matchAll(/ from '\.\/([^']+)'/g)].map(([, name]) => name!));
  const borrowed = [...new Set(imported)].filter((name) => !names.has(name));
  return [...own, ...borrowed.flatMap((name) => programs.find((block) => fileNameOf(block) === name) ?? [])];
}
