import { mkdtemp, rm } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { EmbeddedStreams, KafkaStreams, Serdes, StreamsBuilder, type Topology } from '../../src/index.ts';
import { serve } from '../../src/server.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { ListFeed } from '../runtime/list-feed.ts';

function counts(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('words', { keySerde: Serdes.string, valueSerde: Serdes.json<unknown>() })
    .groupByKey()
    .count({ name: 'counts' });
  return builder.build();
}

async function get(url: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url + path);
  return { status: response.status, text: await response.text() };
}

/** Asks until the answer is so, at most for a minute. */
async function until(url: string, path: string, isSo: (text: string, status: number) => boolean): Promise<string> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { status, text } = await get(url, path);
    if (isSo(text, status)) return text;
    if (Date.now() > end) throw new Error(`${path}: ${status} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a client over files is served with page, health, metrics, topology and stores', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-serve-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const streams = await EmbeddedStreams.open(counts(), { stateDir, applicationId: 'words' });
  t.teardown(() => streams.close());
  const server = await serve(streams, { port: 0 });
  t.teardown(() => server.close());
  t.is((await get(server.url, '/readyz')).status, 503);
  const record = (key: string) => ({ key, value: key, timestamp: 1 });
  await streams.run([new ListFeed('words', ['ant', 'bee', 'ant'].map(record))]);
  t.is((await get(server.url, '/readyz')).status, 200);
  t.is((await get(server.url, '/healthz')).status, 200);
  t.regex((await get(server.url, '/')).text, /<html/);
  t.regex((await get(server.url, '/topology')).text, /counts/);
  t.regex((await get(server.url, '/metrics')).text, /^streams_task_records_processed_total\{[^}]*\} 3$/m);
  t.deepEqual(JSON.parse((await get(server.url, '/stores/counts/ant')).text).value, 2);
});

test('clients on Kafka are served before they start, and each answers for the rows of all', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('words', 2);
  const folder = await mkdtemp(join(tmpdir(), 'weir-serve-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const servers: string[] = [];
  for (const name of ['a', 'b']) {
    const streams = new KafkaStreams(counts(), {
      broker: cluster.connect(),
      applicationId: 'words',
      stateDir: join(folder, name),
      openDatabase: () => openMemoryDatabase(),
      commitIntervalMs: 10,
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 50,
    });
    t.teardown(() => streams.close());
    const server = await serve(streams, { port: 0 });
    t.teardown(() => server.close());
    servers.push(server.url);
    t.is((await get(server.url, '/readyz')).status, 503);
    t.is((await get(server.url, '/healthz')).status, 200);
    t.is(streams.applicationServer, new URL(server.url).host);
    await streams.start();
    t.throws(
      () => {
        streams.applicationServer = 'elsewhere:1';
      },
      { message: /before|say it/ },
    );
  }
  const keys = [...'abcdefghij'];
  for (const [i, key] of keys.entries()) cluster.write('words', i % 2, [{ key, value: '"x"', timestamp: 1 }]);
  for (const url of servers) {
    await until(url, '/readyz', (_text, status) => status === 200);
    const rows = await until(
      url,
      '/stores/counts',
      (text, status) => status === 200 && keys.every((key) => text.includes(`"${key}"`)),
    );
    t.true(rows.includes('"value":1'), rows);
    t.regex((await get(url, '/metrics')).text, /^streams_consumer_lag_records\{topic="words"/m);
  }
});

test('a port that is in use is said', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-serve-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const streams = await EmbeddedStreams.open(counts(), { stateDir });
  t.teardown(() => streams.close());
  const server = await serve(streams, { port: 0 });
  t.teardown(() => server.close());
  await t.throwsAsync(serve(streams, { port: server.port }), { code: 'STREAMS_PORT' });
});

test('a client that tells the others a name of its own is asked by it', async (t) => {
  const cluster = new MemoryCluster();
  cluster.createTopic('words', 1);
  const folder = await mkdtemp(join(tmpdir(), 'weir-serve-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const streams = new KafkaStreams(counts(), {
    broker: cluster.connect(),
    applicationId: 'words',
    applicationServer: 'Words-0.example:8080',
    stateDir: folder,
    openDatabase: () => openMemoryDatabase(),
  });
  t.teardown(() => streams.close());
  const server = await serve(streams, { port: 0 });
  t.teardown(() => server.close());
  const statusBy = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      httpGet({ host: '127.0.0.1', port: server.port, path: '/healthz', headers: { host }, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      }).on('error', reject);
    });
  t.is(await statusBy('words-0.example:8080'), 200);
  t.is(await statusBy('words-1.example:8080'), 421);
});
