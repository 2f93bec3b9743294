import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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
  for (const path of ['/', ...(await loaded())]) {
    const { text } = await ask(path);
    t.notRegex(
      text.replaceAll('http://www.w3.org/2000/svg', ''),
      /(https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}\/(?!leeoniya)/i,
      path,
    );
    t.notRegex(text, /@import|style="|setAttribute\('style|innerHTML ?=|\son[a-z]+="/, path);
  }
});

test('the script and the styles have names that change with their content, and may be kept for ever', async (t) => {
  const [styles, script] = await loaded();
  for (const [path, type] of [
    [styles, 'text/css; charset=utf-8'],
    [script, 'text/javascript; charset=utf-8'],
  ] as const) {
    const answer = await ask(path!);
    t.is(answer.status, 200);
    t.is(answer.type, type);
    t.is(answer.headers.get('cache-control'), 'private, max-age=31536000, immutable');
    const hash = createHash('sha256').update(answer.text).digest('base64url').slice(0, 12);
    t.true(path!.includes(hash), path);
  }
  t.is((await ask('/')).headers.get('cache-control'), 'no-cache');
  const other = await ask('/page/main-000000000000.js');
  t.is(other.status, 404);
  t.is(other.json().code, 'HTTP_NOT_FOUND');
});

test('the script is one module of JavaScript', async (t) => {
  const { text } = await ask((await loaded())[1]!);
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--check'], { input: text });
  t.is(status, 0, String(stderr));
  t.notRegex(text, /^import /m);
});

/** What the page loads: its styles and its script. */
async function loaded(): Promise<string[]> {
  const { text } = await ask('/');
  return [...text.matchAll(/(?:href|src)="(\/page\/[^"]+)"/g)].map(([, path]) => path!);
}
