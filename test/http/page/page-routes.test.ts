import { spawnSync } from 'node:child_process';
import test from 'ava';
import { gridPage } from '../../../topologies/grid/statistics/grid-page.ts';
import { asking } from '../asking.ts';

const ask = asking({ page: gridPage('Europe/Paris') });

test('the page shows the title of the application and links to the endpoints', async (t) => {
  const { status, type, text } = await ask('/');
  t.is(status, 200);
  t.is(type, 'text/html; charset=utf-8');
  t.regex(text, /<title>Grid statistics<\/title>/);
  t.regex(text, /<a href="\/metrics"/);
  t.notRegex(text, /href="[^"]*:/);
});

test('a title is text, whatever is in it', async (t) => {
  const { text } = await asking({ page: { title: '<script>alert("&")</script>', charts: [] } })('/');
  t.notRegex(text, /<script>alert/);
  t.regex(text, /<title>&#60;script&#62;alert\(&#34;&#38;&#34;\)&#60;\/script&#62;<\/title>/);
});

test('without an application there is a page of the engine alone', async (t) => {
  const engineOnly = asking();
  t.regex((await engineOnly('/')).text, /<title>weir<\/title>/);
  t.deepEqual((await engineOnly('/page.json')).json(), { title: 'weir', charts: [] });
});

test('nothing of the page comes from elsewhere, runs inline or is styled inline', async (t) => {
  const loaded = ['/', ...['page.css', ...(await modules())].map((file) => `/page/${file}`)];
  for (const path of loaded) {
    const { text } = await ask(path);
    t.notRegex(text.replaceAll('http://www.w3.org/2000/svg', ''), /(https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/i, path);
    t.notRegex(text, /@import|style="|setAttribute\('style|innerHTML|\son[a-z]+="/, path);
  }
});

test('every module that a module imports is served, and all of them are JavaScript', async (t) => {
  const names = await modules();
  t.true(names.length >= 8);
  for (const name of names) {
    const { status, type, text } = await ask(`/page/${name}`);
    t.is(status, 200, name);
    t.is(type, 'text/javascript; charset=utf-8');
    const { status: exit, stderr } = spawnSync(process.execPath, ['--input-type=module', '--check'], { input: text });
    t.is(exit, 0, `${name}: ${stderr}`);
  }
});

/** The modules of the page: main.js and what it leads to. */
async function modules(): Promise<string[]> {
  const found = ['main.js'];
  for (const name of found) {
    const { text } = await ask(`/page/${name}`);
    for (const [, imported] of text.matchAll(/from '\.\/([a-z-]+\.js)'/g)) {
      if (!found.includes(imported!)) found.push(imported!);
    }
  }
  return found;
}
