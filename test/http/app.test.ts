import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import type { Logger } from '../../src/common/logger.ts';
import type { Route } from '../../src/http/route.ts';
import { asking } from './asking.ts';
import { endlessStore, fakeEngine, keyValueStore } from './fake-engine.ts';

const echo: Route = {
  path: '/echo/:what',
  summary: 'Says it again.',
  query: {
    volume: { description: 'How loud.', values: ['low', 'high'] },
    times: {
      description: 'How often.',
      parse(text) {
        if (!/^\d+$/.test(text)) throw new Error('give a number');
        return String(Number(text));
      },
    },
  },
  handle({ params, query }) {
    if (params.what === 'usage') throw new StreamsError('STREAMS_USAGE', 'say something else');
    if (params.what === 'corrupt') throw new StreamsError('STREAMS_STATE_STORE_CORRUPT', 'store x is corrupt');
    if (params.what === 'closed') throw new StreamsError('STREAMS_CLOSED', 'the engine is closed');
    if (params.what === 'mistake') throw new TypeError('secret');
    return Response.json({ params, query });
  },
};
const ask = asking({ routes: [echo] });

test('a route of the application gets decoded parts of the path and a checked query', async (t) => {
  const answer = await ask('/echo/a%2Fb%20c?volume=low&times=007');
  t.is(answer.status, 200);
  t.deepEqual(answer.json(), { params: { what: 'a/b c' }, query: { volume: 'low', times: '7' } });
});

for (const [query, detail] of [
  ['volume=loud', 'volume must be one of low, high, not "loud".'],
  ['times=x', 'times: give a number.'],
  ['volme=low', '"volme" is not a query parameter here: did you mean "volume"?'],
  [
    'volme=low&tmes=1',
    '"volme" is not a query parameter here: did you mean "volume"?; "tmes" is not a query parameter here: did you mean "times"?',
  ],
  ['times=1&times=2', '"times" is given twice.'],
  ['times=x&volume=', 'times: give a number; volume must be one of low, high, not "".'],
  ['__proto__=1', '"__proto__" is not a query parameter here: this path takes volume, times.'],
] as const) {
  test(`a bad query is 400 and says why: ${query}`, async (t) => {
    const answer = await ask(`/echo/x?${query}`);
    t.is(answer.status, 400);
    t.deepEqual(answer.json(), {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail,
      code: 'STREAMS_USAGE',
    });
  });
}

test('a path that takes no query says so', async (t) => {
  t.is(
    (await ask('/metrics?format=json')).json().detail,
    '"format" is not a query parameter here: this path takes none.',
  );
});

test('errors with a code keep it; their status says whose fault it is', async (t) => {
  const answers = await Promise.all(['usage', 'corrupt', 'closed'].map((what) => ask(`/echo/${what}`)));
  t.deepEqual(
    answers.map((answer) => [answer.status, answer.json().code, answer.json().detail]),
    [
      [400, 'STREAMS_USAGE', 'say something else'],
      [500, 'STREAMS_STATE_STORE_CORRUPT', 'store x is corrupt'],
      [503, 'STREAMS_CLOSED', 'the engine is closed'],
    ],
  );
});

test('a mistake of the program is 500 without its text, which goes to the log', async (t) => {
  const logged: string[] = [];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (_, message) => logged.push(message) };
  const answer = await asking({ routes: [echo], logger })('/echo/mistake');
  t.is(answer.status, 500);
  t.is(answer.json().code, 'HTTP_INTERNAL');
  t.notRegex(answer.text, /secret/);
  t.deepEqual(logged, ['secret']);
});

test('an unknown path is 404 and names those there are', async (t) => {
  for (const path of ['/nowhere', '/metrics/', '/page/none.js', '/stores/a/b/c', '//', '/%']) {
    const answer = await ask(path);
    t.is(answer.status, 404, path);
    t.is(answer.json().code, 'HTTP_NOT_FOUND');
  }
  t.regex(String((await ask('/nowhere')).json().detail), /\/metrics .*\/echo\/:what/);
});

test('there is no way out of the paths by dots', async (t) => {
  for (const path of [
    '/../etc/passwd',
    '/page/..%2f..%2fpackage.json',
    '/page/%2e%2e/secret',
    '/stores/..%2f..%2fetc',
    '/page/constructor',
  ]) {
    t.is((await ask(path)).status, 404, path);
  }
});

test('long addresses get short answers', async (t) => {
  const long = 'x'.repeat(10_000);
  for (const path of [`/${long}`, `/echo/x?${long}=1`, `/echo/x?volume=${long}`, `/stores/${long}`]) {
    const answer = await ask(path);
    t.true(answer.status === 400 || answer.status === 404);
    if (!path.startsWith('/stores')) t.true(answer.text.length < 1000, path.slice(0, 20));
  }
});

test('only GET and HEAD are answered', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await ask('/tasks', { method });
    t.is(answer.status, 405);
    t.is(answer.headers.get('allow'), 'GET, HEAD');
    t.is(answer.json().code, 'HTTP_METHOD_NOT_ALLOWED');
  }
});

test('HEAD is answered like GET without a body, and leaves no store open', async (t) => {
  const store = endlessStore('endless');
  const head = asking({ engine: fakeEngine([store]) });
  for (const path of ['/tasks', '/', '/stores/endless']) {
    const answer = await head(path, { method: 'HEAD' });
    t.is(answer.status, 200);
    t.is(answer.text, '');
    t.truthy(answer.type);
  }
  t.is((await head('/nowhere', { method: 'HEAD' })).status, 404);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(store.closed, 1);
});

test('every answer forbids sniffing, foreign scripts and embedding, and allows no other origin', async (t) => {
  for (const path of ['/', '/tasks', '/nowhere', '/metrics', '/page/main.js']) {
    const { headers } = await ask(path);
    t.is(headers.get('x-content-type-options'), 'nosniff');
    t.regex(headers.get('content-security-policy')!, /^default-src 'none'; script-src 'self'; style-src 'self'/);
    t.is(headers.get('access-control-allow-origin'), null);
  }
});

test('an error in the first rows is a proper answer; one in later rows breaks the stream', async (t) => {
  const failing = (after: number) => ({
    ...keyValueStore(`after-${after}`, {}),
    async *all() {
      for (let i = 0; i < after; i++) yield { key: 'k', value: 'x'.repeat(1000), timestamp: 1 };
      throw new StreamsError('STREAMS_STATE_STORE_CORRUPT', 'block 7 is unreadable');
    },
  });
  const broken = asking({ engine: fakeEngine([failing(0), failing(500)]) });
  const early = await broken('/stores/after-0');
  t.is(early.status, 500);
  t.is(early.json().code, 'STREAMS_STATE_STORE_CORRUPT');
  await t.throwsAsync(broken('/stores/after-500'), { message: 'block 7 is unreadable' });
});

test('/favicon.ico is empty', async (t) => {
  const answer = await ask('/favicon.ico');
  t.is(answer.status, 204);
  t.is(answer.text, '');
});
