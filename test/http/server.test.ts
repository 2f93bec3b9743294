import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { createServer, type ServerOptions } from '../../src/http/server.ts';
import { endlessStore, fakeEngine, keyValueStore } from './fake-engine.ts';

const options = (more: Partial<ServerOptions> = {}): ServerOptions => ({
  engine: fakeEngine(),
  metrics: { text: async () => ({ body: 'up 1\n', contentType: 'text/plain' }) },
  port: 0,
  ...more,
});

/** The head of an answer whose body is not read. */
function head(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get(url, { agent: false }, resolve).on('error', reject));
}

/** Sends bytes as they are and gives what comes back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

test('port 0 takes a free port of the loopback and says where', async (t) => {
  const server = await createServer(options());
  t.true(server.port > 0);
  t.is(server.url, `http://127.0.0.1:${server.port}`);
  const response = await fetch(`${server.url}/metrics`);
  t.is(await response.text(), 'up 1\n');
  t.is(response.headers.get('content-length'), '5');
  await server.close();
  await t.throwsAsync(fetch(server.url));
});

test('Request and Response of the process stay as they were', async (t) => {
  const before = [globalThis.Request, globalThis.Response];
  const server = await createServer(options());
  t.teardown(() => server.close());
  t.deepEqual([globalThis.Request, globalThis.Response], before);
});

test('requests that the server refuses are counted by their status', async (t) => {
  const counted: string[] = [];
  const observed = (route: string, code: number): void => void counted.push(`${route} ${code}`);
  const server = await createServer(options({ token: 'secret', observed }));
  t.teardown(() => server.close());
  t.is((await fetch(`${server.url}/metrics`)).status, 401);
  t.regex(
    await raw(server.port, 'GET /metrics HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n'),
    / 421 /,
  );
  t.deepEqual(counted, ['other 401', 'other 421']);
});

test('a server for all addresses is reached on the loopback', async (t) => {
  const server = await createServer(options({ host: '0.0.0.0', open: true }));
  t.teardown(() => server.close());
  t.is(server.url, `http://127.0.0.1:${server.port}`);
  t.is((await fetch(`${server.url}/healthz`)).status, 200);
});

test('a port in use is an error that names it and says what to do', async (t) => {
  const server = await createServer(options());
  t.teardown(() => server.close());
  const error = await t.throwsAsync(createServer(options({ port: server.port })));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_PORT');
  t.is(
    error!.message,
    `port ${server.port} of 127.0.0.1 is in use: stop the other process, or take another port (0 takes any free one)`,
  );
});

test('an address that is none of this machine is an error too', async (t) => {
  const error = await t.throwsAsync(createServer(options({ open: true, host: '203.0.113.7' })));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_PORT');
  t.regex(error!.message, /^cannot listen on port 0 of 203\.0\.113\.7: it is not an address of this machine/);
});

test('a slow client holds back the rows, and one that goes away ends them', async (t) => {
  const store = endlessStore('endless');
  const server = await createServer(options({ engine: fakeEngine([store]) }));
  t.teardown(() => server.close());
  const response = await head(`${server.url}/stores/endless`);
  let before = -1;
  // Nobody reads: after the buffers of both sides are full no row is taken any more.
  while (before !== store.taken) {
    before = store.taken;
    await sleep(100);
  }
  t.true(before < 50_000, `${before} rows of 1 kB were taken`);
  response.destroy();
  await until(() => store.closed === 1);
  t.pass();
});

test('closing cuts off an endless answer and closes its store first', async (t) => {
  const store = endlessStore('endless');
  const server = await createServer(options({ engine: fakeEngine([store]) }));
  const response = await head(`${server.url}/stores/endless`);
  response.on('error', () => {});
  await server.close();
  t.is(store.closed, 1);
});

test('an answer that breaks half-way is a broken connection, not a short answer', async (t) => {
  const logged: string[] = [];
  const store = {
    ...keyValueStore('broken', {}),
    async *all() {
      for (let i = 0; i < 5000; i++) yield { key: 'k', value: 'x'.repeat(1000), timestamp: 1 };
      throw new StreamsError('STREAMS_STATE_STORE_CORRUPT', 'block 7 is unreadable');
    },
  };
  const logger = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void logged.push(message) };
  const server = await createServer(options({ engine: fakeEngine([store]), logger }));
  t.teardown(() => server.close());
  const response = await fetch(`${server.url}/stores/broken`);
  t.is(response.status, 200);
  await t.throwsAsync(response.text());
  t.deepEqual(logged, ['an answer broke off: block 7 is unreadable']);
});

test('malformed and oversized requests are refused and harm nobody', async (t) => {
  const server = await createServer(options());
  t.teardown(() => server.close());
  const rest = 'HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
  t.regex(await raw(server.port, `GET /${'a'.repeat(20_000)} ${rest}`), /^HTTP\/1\.1 431 /);
  t.regex(await raw(server.port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  const badHost = await raw(server.port, 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n');
  t.regex(badHost, /^HTTP\/1\.1 400 .*application\/problem\+json.*STREAMS_USAGE/s);
  t.regex(await raw(server.port, `GET /../../etc/passwd ${rest}`), /^HTTP\/1\.1 404 /);
  t.regex(await raw(server.port, `GET /page/..%2f..%2fpackage.json ${rest}`), /^HTTP\/1\.1 404 /);
  t.is((await fetch(`${server.url}/healthz`)).status, 200);
});
