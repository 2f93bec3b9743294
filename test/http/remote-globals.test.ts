import test, { type ExecutionContext } from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { remoteGlobals } from '../../src/http/remote-globals.ts';
import type { RunningServer } from '../../src/http/running-server.ts';
import type { ServedEngine } from '../../src/http/served-engine.ts';
import { createServer } from '../../src/http/server.ts';
import { kafkaStats } from '../observability/fake-stats.ts';
import { fakeEngine } from './fake-engine.ts';

async function serve(t: ExecutionContext, engine: Partial<ServedEngine> = {}): Promise<RunningServer> {
  const server = await createServer({
    engine: { ...fakeEngine(), ...engine },
    metrics: { text: async () => ({ body: '', contentType: 'text/plain' }) },
    port: 0,
  });
  t.teardown(() => server.close());
  return server;
}

test('another instance says how far its global tables are', async (t) => {
  const { url } = await serve(t, {
    kafka: () =>
      kafkaStats({
        globals: [
          { topic: 'park', partition: 1, position: 9, lag: 0 },
          { topic: 'park', partition: 0, position: 7, lag: 1 },
          { topic: 'names', partition: 0, position: 3, lag: 0 },
        ],
      }),
  });
  t.deepEqual(await remoteGlobals(url), { park: [7, 9], names: [3] });
});

test('one that does not say it, that starts, or that is gone is an error', async (t) => {
  const silent = await serve(t);
  const error = await t.throwsAsync(remoteGlobals(silent.url), { code: 'STREAMS_STATE_INCOMPATIBLE' });
  t.true(error.message.startsWith(silent.url), error.message);
  const starting = await serve(t, {
    stats() {
      throw new StreamsError('STREAMS_TASK_MIGRATED', 'the instance is starting', { retriable: true });
    },
  });
  await t.throwsAsync(remoteGlobals(starting.url), { code: 'STREAMS_TASK_MIGRATED' });
  await silent.close();
  await t.throwsAsync(remoteGlobals(silent.url), { code: 'STREAMS_TIMEOUT' });
});

test('one that takes too long is an error', async (t) => {
  // A port that takes connections and never answers.
  const { createServer: listen } = await import('node:net');
  const deaf = listen();
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
  t.teardown(() => deaf.close());
  const { port } = deaf.address() as { readonly port: number };
  await t.throwsAsync(remoteGlobals(`http://127.0.0.1:${port}`, { timeoutMs: 30 }), { code: 'STREAMS_TIMEOUT' });
});
