import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EmbeddedStreams, type Feed, Serdes, StreamsBuilder } from '../../src/index.ts';
import { ListFeed, type ListRecord } from './list-feed.ts';

const serdes = { keySerde: Serdes.string, valueSerde: Serdes.json<ListRecord>() };
const records: readonly ListRecord[] = ['x', 'y'].map((value) => ({ key: 'a', value, timestamp: 0 }));

/** Counts what comes by `middle`, into which `in` is written. */
async function opened(t: ExecutionContext): Promise<EmbeddedStreams> {
  const builder = new StreamsBuilder();
  builder.stream('in', serdes).to('middle', serdes);
  builder.stream('middle', serdes).groupByKey().count({ name: 'counts' });
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-feeds-'));
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir, output: () => {} });
  t.teardown(async () => {
    await streams.close();
    await rm(stateDir, { recursive: true, force: true });
  });
  return streams;
}

async function counted(streams: EmbeddedStreams): Promise<unknown> {
  const store = streams.store('counts');
  if (store.kind !== 'key-value') throw new TypeError('not a key-value store');
  return (await store.get('a'))?.value;
}

test('two feeds of the same records of a topic are refused before anything is read', async (t) => {
  const streams = await opened(t);
  const placed = (partition?: number): Feed =>
    Object.assign(new ListFeed('middle', records), partition === undefined ? {} : { partition });
  for (const pair of [
    [placed(), placed()],
    [placed(0), placed(0)],
    [placed(0), placed()],
    [placed(), placed(0)],
  ])
    await t.throwsAsync(streams.run(pair), { code: 'STREAMS_CONFIG', message: /two feeds have .* of topic middle/ });
  t.is(await counted(streams), undefined);
  await streams.run([placed()]);
  t.is(await counted(streams), 2);
});

test('a topic that is written and read needs a feed over files, where nothing brings its records back', async (t) => {
  const streams = await opened(t);
  await t.throwsAsync(streams.run([new ListFeed('in', records)]), {
    code: 'STREAMS_CONFIG',
    message: /KSTREAM-SINK-\d+ writes to topic middle, which the topology reads and which has no feed/,
  });
  await streams.run([new ListFeed('in', records), new ListFeed('middle', records)]);
  t.is(await counted(streams), 2);
});
