import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { EmbeddedStreams, Serdes, StreamsBuilder } from '../../src/index.ts';
import { serve } from '../../src/server.ts';
import { withoutApplication } from '../observability/scrapes.ts';

async function served(t: import('ava').ExecutionContext): Promise<{ readonly url: string; readonly stateDir: string }> {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-server-metrics-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const builder = new StreamsBuilder();
  const text = { keySerde: Serdes.string, valueSerde: Serdes.string };
  builder.stream('words', text).groupByKey().count({ name: 'counts' });
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir });
  const server = await serve(streams, { port: 0 });
  t.teardown(async () => {
    await server.close();
    await streams.close();
  });
  return { url: server.url, stateDir };
}

/** Samples of a metric by their labels. */
async function samples(url: string, name: string): Promise<ReadonlyMap<string, number>> {
  const body = withoutApplication(await (await fetch(`${url}/metrics`)).text());
  const found = body.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
  return new Map([...found].map(([, labels = '', value]) => [labels, Number(value)]));
}

test('requests are counted by their path as declared and their status, in buckets that grow and end with all of them', async (t) => {
  const { url } = await served(t);
  for (const path of ['/healthz', '/healthz', '/stores/counts', '/stores/none', '/nowhere', '/elsewhere']) {
    await (await fetch(url + path)).arrayBuffer();
  }
  const name = 'streams_http_request_duration_seconds';
  const counts = await samples(url, `${name}_count`);
  t.is(counts.get('route="/healthz",code="200"'), 2);
  t.is(counts.get('route="other",code="404"'), 2, 'paths that are none are one series, however many are tried');
  const stores = [...counts.keys()].filter((labels) => labels.includes('/stores/:'));
  t.is(stores.length, 2, stores.join(' '));
  const buckets = [...(await samples(url, `${name}_bucket`))].filter(([labels]) =>
    labels.startsWith('route="/healthz"'),
  );
  const values = buckets.map(([, value]) => value);
  t.deepEqual(
    values,
    [...values].sort((a, b) => a - b),
  );
  t.true(buckets.at(-1)![0].endsWith('le="+Inf"'));
  t.is(values.at(-1), 2);
});

test('a request that has not been made has no series', async (t) => {
  const { url } = await served(t);
  t.is((await samples(url, 'streams_http_request_duration_seconds_count')).size, 0);
});

test('the free bytes and the size of the disk are those of the file system that holds the state', async (t) => {
  const { url, stateDir } = await served(t);
  const { bsize, blocks } = await statfs(stateDir);
  t.is((await samples(url, 'streams_state_disk_size_bytes')).get(''), blocks * bsize);
  const free = (await samples(url, 'streams_state_disk_free_bytes')).get('')!;
  t.true(free > 0 && free <= blocks * bsize);
});
