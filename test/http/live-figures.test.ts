import { get } from 'node:http';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import type { RunningServer } from '../../src/http/running-server.ts';
import { mostScans } from '../../src/http/scan-limit.ts';
import { createServer } from '../../src/http/server.ts';
import type { EngineStats } from '../../src/runtime/engine-stats.ts';
import { engineStats } from '../observability/fake-stats.ts';
import { fakeEngine, keyValueStore } from './fake-engine.ts';

const metrics = { text: async () => ({ body: '', contentType: 'text/plain' }) };

async function serving(stats: () => EngineStats = () => engineStats()): Promise<RunningServer> {
  const engine = fakeEngine([keyValueStore('counts', {})], stats);
  return createServer({ engine, metrics, port: 0 });
}

interface Stream {
  readonly status: number;
  readonly type: string;
  /** Reads until so many events have come, or the stream ended. */
  events(count: number): Promise<{ readonly event: string; readonly data: Record<string, unknown> }[]>;
  close(): void;
}

/** A client of its own connection, as a browser is. */
async function listenTo(url: string): Promise<Stream> {
  const abort = new AbortController();
  const response = await fetch(`${url}/live`, { signal: abort.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    async events(count) {
      for (;;) {
        const found = [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)];
        if (found.length >= count) return found.map(([, event, data]) => ({ event: event!, data: JSON.parse(data!) }));
        const { done, value } = await reader.read();
        if (done) return found.map(([, event, data]) => ({ event: event!, data: JSON.parse(data!) }));
        text += value;
      }
    },
    close: () => abort.abort(),
  };
}

test('/live sends the figures of /tasks with the stores, again and again, as they are then', async (t) => {
  let processed = 100;
  const server = await serving(() => engineStats({ commits: processed++ }));
  t.teardown(() => server.close());
  const stream = await listenTo(server.url);
  t.is(stream.type, 'text/event-stream');
  const [first, second] = await stream.events(2);
  t.is(first!.event, 'figures');
  t.like(first!.data, { applicationId: 'test', state: 'RUNNING' });
  t.deepEqual(first!.data.stores, [{ name: 'counts', kind: 'key-value' }]);
  const commits = (event: typeof first) => (event!.data.commits as { count: number }).count;
  t.true(commits(second) > commits(first));
  stream.close();
});

test('those who listen at the same time get the same events: they are made once', async (t) => {
  let looks = 0;
  const server = await serving(() => {
    looks++;
    return engineStats();
  });
  t.teardown(() => server.close());
  const streams = await Promise.all(Array.from({ length: 8 }, () => listenTo(server.url)));
  const firsts = await Promise.all(streams.map((stream) => stream.events(1)));
  const times = new Set(firsts.map(([event]) => event!.data.nowMs));
  t.true(times.size < 8, `${times.size} different events`);
  t.true(looks < 16, `${looks} looks at the engine`);
  for (const stream of streams) stream.close();
});

test('while there are no figures, a problem is sent in the words of the engine, and the stream goes on', async (t) => {
  let starting = true;
  const server = await serving(() => {
    if (starting) throw new StreamsError('STREAMS_TASK_MIGRATED', 'the instance is starting. Ask again in a second.');
    return engineStats();
  });
  t.teardown(() => server.close());
  const stream = await listenTo(server.url);
  const [problem] = await stream.events(1);
  t.is(problem!.event, 'problem');
  t.deepEqual(problem!.data, {
    code: 'STREAMS_TASK_MIGRATED',
    detail: 'the instance is starting. Ask again in a second.',
  });
  starting = false;
  const all = await stream.events(2);
  t.is(all[1]!.event, 'figures');
  stream.close();
});

test('no more clients listen than there may be, and one that goes makes room', async (t) => {
  const server = await serving();
  t.teardown(() => server.close());
  const streams = await Promise.all(Array.from({ length: mostScans.live }, () => listenTo(server.url)));
  t.true(streams.every(({ status }) => status === 200));
  const refused = await fetch(`${server.url}/live`);
  t.is(refused.status, 503);
  t.is(refused.headers.get('retry-after'), '1');
  t.is(((await refused.json()) as { code: string }).code, 'HTTP_BUSY');
  // Rows are still to be had.
  t.is((await fetch(`${server.url}/stores/counts`)).status, 200);
  streams[0]!.close();
  let status = 503;
  while (status !== 200) {
    const again = await listenTo(server.url);
    status = again.status;
    again.close();
  }
  t.is(status, 200);
  for (const stream of streams) stream.close();
});

test('a server that closes ends the streams as they should end, not by cutting them off', async (t) => {
  const server = await serving();
  const ended = new Promise<boolean>((resolve, reject) => {
    get(`${server.url}/live`, (response) => {
      response.once('data', () => server.close().catch(reject));
      response
        .resume()
        .on('end', () => resolve(response.complete))
        .on('error', reject);
    }).on('error', reject);
  });
  t.true(await ended);
});
