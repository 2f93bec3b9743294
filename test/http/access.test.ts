import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import type { StreamsError } from '../../src/common/errors.ts';
import { remotePart, remoteState } from '../../src/http/remote-part.ts';
import type { RunningServer } from '../../src/http/running-server.ts';
import { createServer, type ServerOptions } from '../../src/http/server.ts';
import { wholeTime } from '../../src/runtime/parts/store-part.ts';
import { arrayPart, row, rowsIn } from '../runtime/parts/byte-parts.ts';
import { fakeEngine, keyValueStore } from './fake-engine.ts';

const token = 'a-token-of-the-test';

async function serverOf(t: ExecutionContext, more: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const part = arrayPart(0, [row(0, 'a', 'x', 1)]);
  const store = keyValueStore('texts', { a: 'x' });
  const server = await createServer({
    engine: {
      ...fakeEngine(),
      storeNames: () => ['texts'],
      store: () => store,
      shared: { state: () => t.fail() as never, localPart: () => part, anyPart: () => part },
    },
    metrics: { text: async () => ({ body: 'up 1\n', contentType: 'text/plain' }) },
    port: 0,
    ...more,
  });
  t.teardown(() => server.close());
  return server;
}

/** Asks with headers that `fetch` does not let one choose: status and code. */
function ask(
  { port }: RunningServer,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{
  readonly status: number;
  readonly code: unknown;
  readonly detail: unknown;
  readonly asks: string | undefined;
}> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => {
        const isProblem = response.headers['content-type'] === 'application/problem+json';
        const { code, detail } = (isProblem ? JSON.parse(text) : {}) as { code?: string; detail?: string };
        resolve({ status: response.statusCode!, code, detail, asks: response.headers['www-authenticate'] });
      });
    });
    asked.on('error', reject).end();
  });
}

test('a request by a name that leads here only because somebody says so is refused', async (t) => {
  const server = await serverOf(t, { hosts: ['Grid.example'] });
  for (const host of ['localhost', '127.0.0.1', '[::1]', '10.0.0.7', 'grid.example', hostname()])
    t.is((await ask(server, '/stores/texts', { host: `${host}:${server.port}` })).status, 200, host);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'grid.example.evil'])
    t.like(await ask(server, '/healthz', { host: `${host}:${server.port}` }), {
      status: 421,
      code: 'HTTP_HOST_UNKNOWN',
    });
});

test('an address that others reach needs a token, or the word that it is open', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1'])
    await t.throwsAsync(serverOf(t, { host }), {
      code: 'STREAMS_CONFIG',
      message: /--http-token FILE.*--open/,
    } as never);
  const open = await serverOf(t, { host: '0.0.0.0', open: true });
  t.is(open.told, `${open.url} and at all addresses of this machine for everybody who can reach it`);
  t.is((await ask(open, '/stores/texts')).status, 200);
  const asking = await serverOf(t, { host: '0.0.0.0', token });
  t.is(asking.told, `${asking.url} and at all addresses of this machine for those who have the token`);
  const own = await serverOf(t);
  t.is(own.told, own.url);
});

test('with a token all is refused without it but whether the process is well', async (t) => {
  const server = await serverOf(t, { token });
  for (const path of ['/healthz', '/readyz']) t.is((await ask(server, path)).status, 200, path);
  const basic = (password: string): string => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  for (const path of ['/', '/metrics', '/tasks', '/stores/texts', '/internal/parts/texts/0/rows', '/nothing'])
    for (const authorization of ['', 'Bearer', `Bearer ${token}x`, 'Bearer a', token, basic(''), basic(`${token}x`)]) {
      const answer = await ask(server, path, authorization === '' ? {} : { authorization });
      t.like(answer, { status: 401, code: 'HTTP_UNAUTHORIZED' }, `${path} ${authorization}`);
      t.is(answer.asks, 'Basic realm="weir", charset="UTF-8"');
    }
  for (const authorization of [`Bearer ${token}`, `bearer ${token}`, basic(token)])
    t.is((await ask(server, '/stores/texts', { authorization })).status, 200, authorization);
});

test('/internal is for instances and commands, which have the token too', async (t) => {
  const { fromMs, toMs } = wholeTime;
  const server = await serverOf(t);
  for (const path of ['/internal/parts/texts/0/rows', '/%69nternal/parts/texts/0/rows', '/intern%61l/state'])
    t.like(await ask(server, path), { status: 403, code: 'HTTP_FORBIDDEN' }, path);
  t.is((await rowsIn(remotePart(server.url, 'texts', 0).rows(fromMs, toMs))).length, 1);

  const closed = await serverOf(t, { token });
  t.is((await rowsIn(remotePart(closed.url, 'texts', 0, { token }).rows(fromMs, toMs))).length, 1);
  for (const given of [{}, { token: 'another' }]) {
    const error = await t.throwsAsync<StreamsError>(
      rowsIn(remotePart(closed.url, 'texts', 0, given).rows(fromMs, toMs)),
    );
    t.is(error?.code, 'STREAMS_CONFIG');
    t.regex(error!.message, /asks for a token: .*http\.token\.file/);
  }
});

test('a token of several words is one, and an empty one is none', async (t) => {
  const words = 'correct horse battery';
  const server = await serverOf(t, { token: words });
  t.is((await ask(server, '/stores/texts', { authorization: `Bearer ${words}` })).status, 200);
  for (const given of ['correct', `${words} staple`, 'correct  horse battery'])
    t.is((await ask(server, '/stores/texts', { authorization: `Bearer ${given}` })).status, 401, given);
  for (const host of ['0.0.0.0', '127.0.0.1'])
    await t.throwsAsync(serverOf(t, { host, token: '' }), {
      code: 'STREAMS_CONFIG',
      message: /token is empty/,
    } as never);
});

const loopbacks = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses.map(({ address }) => address))
  .filter((address) => address === '127.0.0.1' || address === '::1');

for (const host of loopbacks)
  test(`a client of HTTP/1.0 that names no host is answered at ${host}`, async (t) => {
    const server = await serverOf(t, { host });
    const socket = connect(server.port, host);
    t.teardown(() => socket.destroy());
    socket.end('GET /healthz HTTP/1.0\r\n\r\n');
    let text = '';
    for await (const piece of socket) text += String(piece);
    t.regex(text, /^HTTP\/1\.\d 200 /);
  });

test('who asks an instance by a name that it does not know is told so', async (t) => {
  const server = await serverOf(t);
  // Whatever name the client has for it.
  const known = createHttpServer((_request, response) => {
    void ask(server, '/internal/state', { host: `alias.example:${server.port}` }).then(({ status, detail }) => {
      response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ detail }));
    });
  });
  await new Promise<void>((resolve) => known.listen(0, '127.0.0.1', resolve));
  t.teardown(() => known.close());
  const { port } = known.address() as AddressInfo;
  const error = await t.throwsAsync<StreamsError>(remoteState(`http://127.0.0.1:${port}`), { code: 'STREAMS_CONFIG' });
  t.regex(error!.message, /is not asked by the name alias\.example\. Name it with http\.hosts/);
});
