import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'llms.txt', ...docs.map((name) => `docs/${name}`)];
const textOf = (page: string | URL): string => readFileSync(new URL(page, root), 'utf8');

/** Where a page links to in this repository, and the heading there. */
function linksOf(page: string): readonly { readonly target: URL; readonly anchor: string }[] {
  const prose = textOf(page).replaceAll(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => new URL(link!, new URL(page, root)))
    .filter(({ protocol }) => protocol === 'file:')
    .map((link) => ({ target: new URL(link.pathname, root), anchor: decodeURIComponent(link.hash.slice(1)) }));
}

/** The headings of a page as links name them: in lower case, blanks as hyphens, without other signs. */
function anchorsOf(page: URL): readonly string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

for (const page of pages)
  test(`what ${page} links to is there`, (t) => {
    t.notThrows(() => textOf(page));
    for (const { target, anchor } of linksOf(page)) {
      t.true(existsSync(target), target.href);
      if (anchor !== '') t.true(anchorsOf(target).includes(anchor), `${target.href}#${anchor}`);
    }
  });

test('what the pages link to is in the package', (t) => {
  const { files } = JSON.parse(textOf('package.json')) as { readonly files: readonly string[] };
  const patterns = files.map((path) => new RegExp(`^${path.replaceAll('.', '\\.').replace('*', '[^/]*')}(/|$)`));
  const links = pages.flatMap((page) => linksOf(page).map(({ target }) => ({ page, target })));
  t.true(links.length > 50);
  for (const { page, target } of links) {
    const path = target.href.slice(root.href.length);
    t.true(
      patterns.some((pattern) => pattern.test(path)),
      `${page}: ${path}`,
    );
  }
});

for (const page of ['README.md', 'llms.txt'])
  test(`${page} leads to each page of docs`, (t) => {
    const targets = new Set(linksOf(page).map(({ target }) => target.href));
    for (const name of docs) t.true(targets.has(new URL(`docs/${name}`, root).href), name);
  });
