import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../../src/runtime/read-only-stores.ts';
import { asking } from './asking.ts';
import { fakeEngine, keyValueStore, versionedStore, windowStore } from './fake-engine.ts';

const start = Date.parse('2018-01-01T00:00:00Z');
const ask = asking({
  engine: fakeEngine([
    keyValueStore('kv', {
      a: { n: 1 },
      'b/c%20 é?': 2n ** 60n,
      bytes: new Uint8Array([1, 2, 3]),
      buffer: Buffer.from([255]),
      nothing: null,
    }),
    windowStore('windows', [
      ['x', start, 1],
      ['y', start, 2],
      ['x', start + 1000, 3],
      ['x', start + 2000, 4],
    ]),
    versionedStore('park'),
  ]),
});
const rows = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('a key-value store answers with value and timestamp', async (t) => {
  t.deepEqual((await ask('/stores/kv/a')).json(), { key: 'a', value: { n: 1 }, timestamp: 1 });
});

test('keys may hold anything when they are escaped', async (t) => {
  const key = 'b/c%20 é?';
  const answer = await ask(`/stores/kv/${encodeURIComponent(key)}`);
  t.deepEqual(answer.json(), { key, value: '1152921504606846976', timestamp: 1 });
});

test('bytes are written as base64, big integers as text, nothing as null', async (t) => {
  t.is((await ask('/stores/kv/bytes')).json().value, 'AQID');
  t.is((await ask('/stores/kv/buffer')).json().value, '/w==');
  t.is((await ask('/stores/kv/nothing')).json().value, null);
});

test('a store is streamed one JSON object a line, up to the limit', async (t) => {
  const all = await ask('/stores/kv');
  t.is(all.type, 'application/x-ndjson');
  t.deepEqual(
    rows(all.text).map(({ key }) => key),
    ['a', 'b/c%20 é?', 'bytes', 'buffer', 'nothing'],
  );
  t.is(rows((await ask('/stores/kv?limit=2')).text).length, 2);
  t.is(rows((await ask('/stores/kv?limit=5')).text).length, 5);
});

test('windows are asked for by ms or ISO time, from included, to not', async (t) => {
  const [first] = rows((await ask('/stores/windows')).text);
  t.deepEqual(first, {
    key: 'x',
    start: '2018-01-01T00:00:00.000Z',
    end: '2018-01-01T00:00:01.000Z',
    startMs: start,
    endMs: start + 1000,
    value: 1,
    timestamp: start,
  });
  for (const from of [start + 1000, '2018-01-01T00:00:01Z', '2018-01-01T01:00:01+01:00', '2018-01-01T00:00:01']) {
    const { text } = await ask(`/stores/windows?from=${from}&to=${start + 2000}`);
    t.deepEqual(
      rows(text).map(({ value }) => value),
      [3],
      String(from),
    );
  }
  t.is(rows((await ask('/stores/windows?to=2018-01-01')).text).length, 0);
});

test('the windows of one key come oldest first', async (t) => {
  const values = async (path: string) => rows((await ask(path)).text).map(({ value }) => value);
  t.deepEqual(await values('/stores/windows/windows/x'), [1, 3, 4]);
  t.deepEqual(await values(`/stores/windows/windows/x?from=${start + 1}&limit=1`), [3]);
  t.deepEqual(await values('/stores/windows/windows/z'), []);
});

test('a versioned store answers as of a time', async (t) => {
  const at = (asOf: string) => ask(`/stores/park/C:8?asOf=${asOf}`);
  t.deepEqual((await at('1500')).json(), { key: 'C:8', asOf: '1970-01-01T00:00:01.500Z', value: 'a' });
  t.is((await at('1970-01-01T00:00:02Z')).json().value, 'b');
  const ended = await ask('/stores/park/C:8');
  t.is(ended.status, 404);
  t.is(ended.json().detail, 'Store park has no key "C:8".');
  t.is((await at('999')).json().detail, 'Store park has no key "C:8" as of 1970-01-01T00:00:00.999Z.');
});

test('a versioned store is streamed with all versions', async (t) => {
  const [row] = rows((await ask('/stores/park')).text);
  t.is(row.key, 'C:8');
  t.deepEqual(row.versions[2], { validFrom: '1970-01-01T00:00:03.000Z', validFromMs: 3000, value: null });
});

test('a store whose partition moves is 503 with Retry-After, unless a copy that lags behind will do', async (t) => {
  const moving = new StreamsError('STREAMS_TASK_MIGRATED', 'partition 2 of store kv is on its way', {
    retriable: true,
  });
  const copy = keyValueStore('kv', { a: 1 });
  const asked: (StoreReadOptions | undefined)[] = [];
  const engine = {
    ...fakeEngine([copy]),
    store(_name: string, options?: StoreReadOptions) {
      asked.push(options);
      if (options?.stale === true) return copy;
      return {
        ...copy,
        get: async () => {
          throw moving;
        },
        all: async function* () {
          yield* [];
          throw moving;
        },
      };
    },
  };
  const askMoving = asking({ engine });
  for (const path of ['/stores/kv/a', '/stores/kv']) {
    const answer = await askMoving(path);
    t.is(answer.status, 503, path);
    t.is(answer.headers.get('retry-after'), '1');
    t.like(answer.json(), { code: 'STREAMS_TASK_MIGRATED', detail: 'partition 2 of store kv is on its way' });
    t.is((await askMoving(`${path}?stale=ok`)).status, 200);
    t.is((await askMoving(`${path}?stale=yes`)).status, 400);
  }
  t.deepEqual(
    asked.map((options) => options?.stale),
    [false, true, false, true],
  );
});

for (const [path, status, code, detail] of [
  ['/stores/none', 404, 'STREAMS_STATE_STORE_UNKNOWN', 'there is no store "none"'],
  ['/stores/none/a', 404, 'STREAMS_STATE_STORE_UNKNOWN', 'there is no store "none"'],
  ['/stores/kv/z', 404, 'HTTP_NOT_FOUND', 'Store kv has no key "z".'],
  ['/stores/kv/__proto__', 404, 'HTTP_NOT_FOUND', 'Store kv has no key "__proto__".'],
  ['/stores/kv/bad', 400, 'STREAMS_USAGE', '"bad" is not a key of store kv: keys are not bad'],
  [
    '/stores/windows?from=2018-01-02&to=2018-01-01',
    400,
    'STREAMS_USAGE',
    'from 2018-01-02T00:00:00.000Z is not before to 2018-01-01T00:00:00.000Z: from is included, to is not.',
  ],
  [
    '/stores/windows/windows/x?from=1&to=1',
    400,
    'STREAMS_USAGE',
    'from 1970-01-01T00:00:00.001Z is not before to 1970-01-01T00:00:00.001Z: from is included, to is not.',
  ],
  ['/stores/kv?from=1', 400, 'STREAMS_USAGE', 'Store kv is not a window store: it has no from and to.'],
  ['/stores/kv/a?asOf=1', 400, 'STREAMS_USAGE', 'Store kv is not a versioned store: it has no asOf.'],
  ['/stores/kv/windows/a', 400, 'STREAMS_USAGE', 'Store kv is not a window store: ask /stores/NAME/KEY.'],
  ['/stores/windows/x', 400, 'STREAMS_USAGE', 'Store windows is a window store: ask /stores/NAME/windows/KEY.'],
  ['/stores/kv?limit=0', 400, 'STREAMS_USAGE', 'limit: give a whole number from 1.'],
  [
    '/stores/windows?from=2018-02-30',
    400,
    'STREAMS_USAGE',
    'from: "2018-02-30" is not an instant; give ms since the epoch, or an ISO date or time such as 2017-12-15 or 2017-12-15T00:00+01:00.',
  ],
] as const) {
  test(`${path} is ${status} ${code}`, async (t) => {
    const answer = await ask(path);
    t.is(answer.status, status);
    t.is(answer.type, 'application/problem+json');
    t.like(answer.json(), { status, code, detail });
  });
}

const keysOf = async (path: string, store: ReadOnlyStore): Promise<unknown[]> => {
  const { status, text } = await asking({ engine: fakeEngine([store]) })(path);
  if (status !== 200) throw new Error((JSON.parse(text) as { detail: string }).detail);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { key: unknown }).key);
};

/** Keys in another order than that of texts by UTF-16, and one that is markup. */
const words = keyValueStore('words', { a: 1, ab: 2, b: 3, '<b>': 4, '\u{1F600}': 5, '\uFF5E': 6 });
/** A store with number keys, as JSON has them. */
const numbers: ReadOnlyStore = { ...keyValueStore('numbers', {}), ...numbered([2, 10, -1, 100]) } as ReadOnlyStore;

function numbered(keys: readonly number[]): object {
  return {
    async *all() {
      for (const key of keys) yield { key, value: 0, timestamp: 1 };
    },
    parseKey: JSON.parse,
  };
}

test('rows are found by the beginning of their keys', async (t) => {
  t.deepEqual(await keysOf('/stores/words?prefix=a', words), ['a', 'ab']);
  t.deepEqual(await keysOf('/stores/words?prefix=%3Cb', words), ['<b>']);
  t.deepEqual(await keysOf('/stores/words?prefix=z', words), []);
  t.deepEqual(await keysOf('/stores/numbers?prefix=10', numbers), [10, 100]);
});

test('rows are found by a range of keys, both ends included: texts by their bytes, numbers by their size', async (t) => {
  t.deepEqual(await keysOf('/stores/words?keyFrom=ab&keyTo=b', words), ['ab', 'b']);
  // U+1F600 is f0 9f 98 80 in UTF-8, behind ef bd 9e of U+FF5E; in UTF-16 it would stand before it.
  t.deepEqual(await keysOf(`/stores/words?keyFrom=${encodeURIComponent('\u{FF5E}')}`, words), [
    '\u{1F600}',
    '\u{FF5E}',
  ]);
  t.deepEqual(await keysOf('/stores/numbers?keyFrom=2&keyTo=10', numbers), [2, 10]);
  t.deepEqual(await keysOf('/stores/numbers?keyTo=2', numbers), [2, -1]);
});

test('a limit counts the rows that are found, and prefix, range and windows go together', async (t) => {
  t.deepEqual(await keysOf('/stores/words?keyFrom=a&limit=2', words), ['a', 'ab']);
  const windows = windowStore('w', [
    ['a', 0, 1],
    ['b', 0, 1],
    ['a', 1000, 1],
    ['ab', 2000, 1],
  ]);
  t.deepEqual(await keysOf('/stores/w?prefix=a&from=1000&to=2000', windows), ['a']);
});

test('a bound that is not a key, and one of keys without an order, are explained', async (t) => {
  await t.throwsAsync(keysOf('/stores/words?keyFrom=b&keyTo=a', words), {
    message: /keyFrom \\?"b\\?" comes after keyTo \\?"a\\?": no key is between them/,
  });
  await t.throwsAsync(keysOf('/stores/numbers?keyFrom=x', numbers), {
    message: /^"x" is not a key of store numbers: /,
  });
  await t.throwsAsync(keysOf('/stores/numbers?keyTo=%7B%7D', numbers), { message: /have no range: ask by prefix/ });
});
