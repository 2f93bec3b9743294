import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPackage } from '../../common/own-package.ts';

/** A file that the page loads. Its name changes with its content, so that a browser may keep it for ever. */
export interface PageFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** The script of the page, and its styles. */
export interface PageFiles {
  readonly script: PageFile;
  readonly styles: PageFile;
}

/** The page's script and styles: as they were built or, where the sources themselves run, bundled now, by the bundler that builds them. */
export async function pageFiles(): Promise<PageFiles> {
  const { js, css } = import.meta.url.endsWith('.ts') ? await bundled() : await read();
  return { script: named('main', 'js', 'text/javascript', js), styles: named('main', 'css', 'text/css', css) };
}

interface Bundle {
  readonly js: string;
  readonly css: string;
}

async function read(): Promise<Bundle> {
  const built = join(ownPackage()?.root ?? '.', 'dist/page');
  const [js, css] = await Promise.all(['main.js', 'main.css'].map((name) => readFile(join(built, name), 'utf8')));
  return { js: js!, css: css! };
}

async function bundled(): Promise<Bundle> {
  // Of those who work on the sources: what is installed has the bundle.
  const { buildSync } = await import('esbuild');
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../../page/main.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    outdir: 'page',
    write: false,
    logLevel: 'silent',
  });
  const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
  return { js: textOf('.js'), css: textOf('.css') };
}

function named(name: string, ending: string, type: string, text: string): PageFile {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 12);
  return { name: `${name}-${hash}.${ending}`, type, text };
}
