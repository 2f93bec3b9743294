import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { utf8 } from '../../src/common/bytes.ts';
import { programHeader } from '../../src/http/access.ts';
import { remotePart, remoteState } from '../../src/http/remote-part.ts';
import { createServer } from '../../src/http/server.ts';
import { encodeRows, rowsType } from '../../src/runtime/parts/row-frames.ts';
import type { FoundPart, PartRequest, SharedParts, SharedState } from '../../src/runtime/parts/shared-state.ts';
import { wholeTime } from '../../src/runtime/parts/store-part.ts';
import type { ByteRow } from '../../src/runtime/stores/byte-rows.ts';
import { arrayPart, row, rowsIn, shown } from '../runtime/parts/byte-parts.ts';
import { asking } from './asking.ts';
import { fakeEngine, keyValueStore } from './fake-engine.ts';

const { fromMs, toMs } = wholeTime;
const state: SharedState = {
  format: 1,
  applicationId: 'grid',
  settings: { zone: 'Europe/Paris' },
  stores: [{ name: 'texts', layout: 'window, string -> string', partitions: [0, 1] }],
  operatorTimeMs: 7,
  final: false,
};

type Find = (partition: number, request: PartRequest) => FoundPart;

/** What an instance shares: a store `texts`, and whatever the functions find of it. */
function sharing(local: Find, any: Find = local): SharedParts {
  return {
    state: (scope) => ({ ...state, operatorTimeMs: scope === 'all' ? 3 : 7 }),
    localPart: (_store, partition, request) => local(partition, request),
    anyPart: (_store, partition, request) => any(partition, request),
  };
}

async function serving(t: ExecutionContext, shared: SharedParts, logger?: object): Promise<string> {
  const server = await createServer({
    engine: { ...fakeEngine([keyValueStore('texts', {})]), shared },
    metrics: { text: async () => ({ body: '', contentType: 'text/plain' }) },
    port: 0,
    ...(logger && { logger: logger as never }),
  });
  t.teardown(() => server.close());
  return server.url;
}

/** A server that answers in its own way. */
async function answering(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const rows = [0, 10, 20].flatMap((startMs) => ['a', 'b', 'ü/ ?&'].map((key) => row(startMs, key, `${key}@${startMs}`)));

test('a remote part gives what the part at the other instance gives', async (t) => {
  const local = arrayPart(1, rows);
  const remote = remotePart(
    await serving(
      t,
      sharing((partition) => (partition === 1 ? local : undefined)),
    ),
    'texts',
    1,
  );
  t.is(remote.partition, 1);
  t.deepEqual(shown(await rowsIn(remote.rows(fromMs, toMs))), shown(rows));
  t.deepEqual(await rowsIn(remote.rows(9.5, 20)), rows.slice(3, 6));
  t.deepEqual(await rowsIn(remote.rows(20, 20)), []);
  t.deepEqual(await rowsIn(remote.rows(toMs, toMs)), []);
  t.deepEqual(shown(await rowsIn(remote.rowsOfKey(utf8('ü/ ?&'), 10, toMs))), [
    '10 ü/ ?& ü/ ?&@10',
    '20 ü/ ?& ü/ ?&@20',
  ]);
  t.deepEqual(await remote.get(10, utf8('b')), row(10, 'b', 'b@10').value);
  t.is(await remote.get(11, utf8('b')), undefined);
});

test('an empty key and an empty value are there, not absent', async (t) => {
  const given: ByteRow = { startMs: 0, key: new Uint8Array(0), value: new Uint8Array(0) };
  const remote = remotePart(
    await serving(
      t,
      sharing(() => arrayPart(0, [given])),
    ),
    'texts',
    0,
  );
  t.deepEqual(await remote.get(0, given.key), given.value);
  t.deepEqual(await rowsIn(remote.rowsOfKey(given.key, fromMs, toMs)), [given]);
});

test('many rows come whole, and the reader need not hurry', async (t) => {
  const many = Array.from({ length: 100_000 }, (_, i) => row(Math.floor(i / 100), String(i).padStart(6, '0'), `v${i}`));
  const url = await serving(
    t,
    sharing(() => arrayPart(0, many, 1000)),
  );
  const remote = remotePart(url, 'texts', 0, { timeoutMs: 20_000 });
  let count = 0;
  let same = true;
  for await (const page of remote.rows(fromMs, toMs)) {
    if (count === 0) await new Promise((resolve) => setTimeout(resolve, 500));
    for (const { key } of page) same &&= Buffer.compare(key, many[count++]!.key) === 0;
  }
  t.is(count, many.length);
  t.true(same);
});

test('a reader that has seen enough closes the range at the other instance', async (t) => {
  let closed = false;
  const endless = {
    ...arrayPart(0, []),
    async *rows() {
      try {
        for (let i = 0; ; i++) yield [row(i, 'k', 'x'.repeat(1000))];
      } finally {
        closed = true;
      }
    },
  };
  const remote = remotePart(
    await serving(
      t,
      sharing(() => endless),
    ),
    'texts',
    0,
  );
  for await (const page of remote.rows(fromMs, toMs)) {
    t.true(page.length > 0);
    break;
  }
  while (!closed) await new Promise((resolve) => setTimeout(resolve, 5));
  t.pass();
});

test('scope and staleness decide whose part is read', async (t) => {
  const asked: string[] = [];
  const find =
    (scope: string): Find =>
    (partition, { stale }) => {
      asked.push(`${scope} ${partition}${stale ? ' stale' : ''}`);
      return arrayPart(partition, []);
    };
  const url = await serving(t, sharing(find('own'), find('all')));
  await remotePart(url, 'texts', 3).get(0, utf8('k'));
  await remotePart(url, 'texts', 4, { scope: 'all', stale: true }).get(0, utf8('k'));
  await rowsIn(remotePart(url, 'texts', 5, { stale: true }).rows(0, 1));
  t.deepEqual(asked, ['own 3', 'all 4 stale', 'own 5 stale']);
});

test('what an instance says of its application can be asked for, of itself or of all', async (t) => {
  const url = await serving(
    t,
    sharing(() => undefined),
  );
  t.deepEqual(await remoteState(url), state);
  t.deepEqual(await remoteState(`${url}/`, { scope: 'all' }), { ...state, operatorTimeMs: 3 });
});

test('a partition that is not at the instance now is 503 with Retry-After, and no error in its log', async (t) => {
  const errors: unknown[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (...all: unknown[]) => errors.push(all) };
  const url = await serving(
    t,
    sharing((partition) => (partition === 1 ? 'migrating' : undefined)),
    logger,
  );
  for (const path of ['1/row?key=aw', '1/rows', '2/row', '2/rows?scope=all']) {
    const response = await fetch(`${url}/internal/parts/texts/${path}`, { headers: { [programHeader]: '1' } });
    t.is(response.status, 503);
    t.is(response.headers.get('retry-after'), '1');
    t.is(((await response.json()) as { code: string }).code, 'STREAMS_TASK_MIGRATED');
  }
  const error = await t.throwsAsync(remotePart(url, 'texts', 1).get(0, utf8('k')), { code: 'STREAMS_TASK_MIGRATED' });
  t.is(error!.message, `${url}: partition 1 of store texts is on its way between instances. Ask again in a second.`);
  await t.throwsAsync(rowsIn(remotePart(url, 'texts', 2).rows(fromMs, toMs)), { code: 'STREAMS_TASK_MIGRATED' });
  t.deepEqual(errors, []);
});

test('who has time asks again until the partition has arrived', async (t) => {
  let asked = 0;
  const part = arrayPart(0, rows);
  const url = await serving(
    t,
    sharing(() => (++asked < 3 ? 'migrating' : part)),
  );
  t.deepEqual(shown(await rowsIn(remotePart(url, 'texts', 0, { retryForMs: 30_000 }).rows(fromMs, toMs))), shown(rows));
  t.is(asked, 3);
});

test('an answer that is cut is an error, wherever it is cut', async (t) => {
  const whole: Uint8Array[] = [];
  for await (const piece of encodeRows(arrayPart(0, rows).rows(fromMs, toMs))) whole.push(piece);
  const bytes = Buffer.concat(whole);
  for (const how of ['end', 'destroy'] as const) {
    let length = 0;
    const url = await answering(t, (_request, response) => {
      response.writeHead(200, { 'content-type': rowsType });
      response.write(bytes.subarray(0, length), () => response[how]());
    });
    for (length = 1; length < bytes.length; length += 5) {
      const remote = remotePart(url, 'texts', 0);
      const error = await t.throwsAsync(
        rowsIn(remote.rows(fromMs, toMs)),
        { code: 'STREAMS_TIMEOUT' },
        `${how} ${length}`,
      );
      t.true((error as { retriable?: boolean }).retriable);
    }
  }
});

test('a part that breaks in the midst breaks the answer', async (t) => {
  const breaking = {
    ...arrayPart(0, []),
    async *rows() {
      for (let i = 0; i < 500; i++) yield [row(i, 'k', 'x'.repeat(1000))];
      throw new Error('the disk is gone');
    },
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const remote = remotePart(
    await serving(
      t,
      sharing(() => breaking),
      logger,
    ),
    'texts',
    0,
  );
  let seen = 0;
  const reading = async (): Promise<void> => {
    for await (const page of remote.rows(fromMs, toMs)) seen += page.length;
  };
  const error = await t.throwsAsync(reading(), { code: 'STREAMS_TIMEOUT' });
  t.regex(error!.message, /\/internal\/parts\/texts\/0\/rows broke off/);
  t.true(seen > 0 && seen < 500);
});

test('an instance that does not answer, or stops in the midst, is given up after the time allowed', async (t) => {
  const silent = await answering(t, () => {});
  const error = await t.throwsAsync(remotePart(silent, 'texts', 0, { timeoutMs: 100 }).get(0, utf8('k')), {
    code: 'STREAMS_TIMEOUT',
  });
  t.regex(error!.message, /^http:\/\/127\.0\.0\.1:\d+ does not answer: no answer within 100 ms\. See that/);
  const stops = await answering(t, (_request, response) => {
    response.writeHead(200, { 'content-type': rowsType });
    response.write(Uint8Array.of(0, 0));
  });
  // A garbage collection between head and body lets `fetch` forget whose signal it follows.
  setFlagsFromString('--expose-gc');
  const collecting = setInterval(runInNewContext('gc') as () => void, 100);
  t.teardown(() => clearInterval(collecting));
  const stopped = await t.throwsAsync(rowsIn(remotePart(stops, 'texts', 0, { timeoutMs: 10_000 }).rows(fromMs, toMs)), {
    code: 'STREAMS_TIMEOUT',
  });
  t.regex(stopped!.message, /broke off: nothing more within 10000 ms/);
});

test('nobody at the address is an error that says so', async (t) => {
  const url = await answering(t, () => {});
  const free = await new Promise<number>((resolve) => {
    const server = createHttpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
  t.not(url, `http://127.0.0.1:${free}`);
  const error = await t.throwsAsync(remoteState(`http://127.0.0.1:${free}`), { code: 'STREAMS_TIMEOUT' });
  t.regex(error!.message, /does not answer: connect ECONNREFUSED/);
});

test('something else at the address is told from an instance', async (t) => {
  const page = await answering(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>hello</title>');
  });
  const error = await t.throwsAsync(remoteState(page), { code: 'STREAMS_STATE_INCOMPATIBLE' });
  t.regex(error!.message, /\/internal\/state answered 200 text\/html: there is no instance of this version/);
  await t.throwsAsync(remotePart(page, 'texts', 0).get(0, utf8('k')), { code: 'STREAMS_STATE_INCOMPATIBLE' });
  for (const text of ['null', '7', 'not JSON', '']) {
    const stranger = await answering(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    const told = await t.throwsAsync(remoteState(stranger), { code: 'STREAMS_STATE_INCOMPATIBLE' }, text);
    t.true(told!.message.includes(`answered ${JSON.stringify(text)}: there is no instance`), told!.message);
  }
  const newer = await answering(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...state, format: 2 }));
  });
  t.regex((await t.throwsAsync(remoteState(newer)))!.message, /in format 2, this version reads 1/);
  const silentOfIt = await serving(
    t,
    sharing(() => undefined),
  );
  await t.throwsAsync(remotePart(silentOfIt, 'none', 0).get(0, utf8('k')), { code: 'STREAMS_STATE_STORE_UNKNOWN' });
});

for (const [path, status, code] of [
  ['/internal/parts/none/0/rows', 404, 'STREAMS_STATE_STORE_UNKNOWN'],
  ['/internal/parts/texts/one/rows', 400, 'STREAMS_USAGE'],
  ['/internal/parts/texts/0/rows?from=x', 400, 'STREAMS_USAGE'],
  ['/internal/parts/texts/0/rows?to=99999999999999999', 400, 'STREAMS_USAGE'],
  ['/internal/parts/texts/0/row?key=%2B', 400, 'STREAMS_USAGE'],
  ['/internal/parts/texts/0/row?scope=some', 400, 'STREAMS_USAGE'],
  ['/internal/state?scope=', 400, 'STREAMS_USAGE'],
] as const) {
  test(`${path} is ${status} ${code}`, async (t) => {
    const shared = sharing(() => arrayPart(0, []));
    const answer = await asking({ engine: { ...fakeEngine([keyValueStore('texts', {})]), shared } })(path);
    t.is(answer.status, status);
    t.is(answer.json().code, code);
  });
}

test('an engine that shares nothing has no such paths, and they are named to nobody', async (t) => {
  t.is((await asking()('/internal/state')).status, 404);
  const shared = sharing(() => undefined);
  const ask = asking({ engine: { ...fakeEngine(), shared } });
  t.notRegex((await ask('/nowhere')).text, /internal/);
  t.notRegex((await ask('/')).text, /internal/);
});
