import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { EmbeddedStreams, Serdes, StreamsBuilder } from '../../src/index.ts';
import { ListFeed } from './list-feed.ts';

test('a client over files that is paused takes nothing until it is resumed, and ends at its signal all the same', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.json<unknown>() })
    .groupByKey()
    .count({ name: 'counts' });
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-pause-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir, syncWrites: false });
  t.teardown(() => streams.close());
  const feed = () => new ListFeed('in', [{ key: 'a', value: 1, timestamp: 1 }]);
  const processed = () => streams.stats().tasks[0]!.processed;
  streams.pause();
  const stop = new AbortController();
  const paused = streams.run([feed()], { signal: stop.signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.is(processed(), 0);
  stop.abort();
  await paused;
  t.is(processed(), 0);
  const resumed = streams.run([feed()]);
  streams.resume();
  await resumed;
  t.is(processed(), 1);
});
