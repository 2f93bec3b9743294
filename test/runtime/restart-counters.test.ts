import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { EmbeddedStreams, Serdes, StreamsBuilder } from '../../src/index.ts';
import { createMetrics } from '../../src/observability/registry.ts';
import { CounterWatch, isCounter } from '../observability/scrapes.ts';
import { ListFeed } from './list-feed.ts';

/** Of each of 3 keys, so many records. */
const records = (each: number) =>
  Array.from({ length: 3 * each }, (_, i) => ({ key: `k${i % 3}`, value: 'x', timestamp: i }));

/** A feed that was at 1000 rows, 7 of them dead, when its state was opened. */
class SavedFeed extends ListFeed {
  override async open(): Promise<void> {
    Object.assign(this.progress, { rows: 1000, bytes: 9000, dead: 7, deadByReason: { date: 7 } });
  }
}

test('a state that is opened again has counters of this process only, and what it knows of before at /tasks', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-counters-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.json<{ readonly timestamp: number }>() })
    .groupByKey()
    .count({ name: 'counts' });
  const topology = builder.build();
  const first = await EmbeddedStreams.open(topology, { stateDir, syncWrites: false });
  t.teardown(() => first.close());
  await first.run([new ListFeed('in', records(20))]);
  t.is(first.stats().work['0_0']!.processed, 60);
  await first.close();

  const second = await EmbeddedStreams.open(topology, { stateDir, syncWrites: false });
  t.teardown(() => second.close());
  const watch = new CounterWatch(createMetrics({ stats: () => second.stats(), version: '1', processMetrics: false }));
  for (const [series, value] of await watch.scrape()) if (isCounter(series)) t.is(value, 0, series);
  const feed = new SavedFeed('in', records(5));
  const opened = second.run([feed]);
  for (const [series, value] of await watch.scrape())
    if (/dead|consumed|late_records|skipped/.test(series)) t.true(value <= 15, `${series} ${value}`);
  await opened;
  feed.progress.rows += 15;
  feed.progress.bytesRead += 150;
  const after = await watch.scrape();
  t.is(after.get('streams_task_records_processed_total{topology="0",task_id="0_0"}'), 15);
  t.is(after.get('streams_records_consumed_total{topic="in"}'), 15);
  t.is(after.get('streams_bytes_consumed_total{topic="in"}'), 150);
  t.is(after.get('streams_feed_dead_records_total{topic="in",reason="date"}'), 0);
  t.is(second.stats().tasks[0]!.processed, 75);
  t.deepEqual(watch.fallen, []);
});
