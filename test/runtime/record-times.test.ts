import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { HistogramValue } from '../../src/common/histogram.ts';
import { EmbeddedStreams, Serdes, StreamsBuilder, TimeWindows } from '../../src/index.ts';
import { addedTimes, noTimes, RecordTimesCounter } from '../../src/runtime/record-times.ts';
import { ListFeed } from './list-feed.ts';

const hour = 3600;

/** How many values are in the bucket that ends at a bound; `Infinity` for the last. */
function counted({ bounds, counts }: HistogramValue): Record<string, number> {
  return Object.fromEntries(
    counts.map((count, i) => [String(bounds[i] ?? Infinity), count]).filter(([, count]) => count !== 0),
  );
}

const total = ({ counts }: HistogramValue): number => counts.reduce((sum, count) => sum + count, 0);

test('records count by how far they lie behind the stream time, and by their age on the clock of their turn', (t) => {
  const times = new RecordTimesCounter();
  times.nowMs = 1_000_000;
  times.processed(999_960, 0);
  times.processed(999_900, 60);
  times.processed(990_000, 9960);
  times.processed(1_000_500, 0);
  times.dropped(7_200_000);
  times.commits();
  times.committed(1_000_000);
  const { lateness, droppedLateness, age } = times.value;
  t.deepEqual(counted(lateness), { 0: 2, 1: 1, 60: 1 });
  t.is(lateness.sum, 10.02);
  t.deepEqual(counted(droppedLateness), { [6 * hour]: 1 });
  t.is(droppedLateness.sum, 7200);
  // 40 ms, 100 ms, 10 s, and one from the future.
  t.deepEqual(counted(age), { 0.1: 3, 10: 1 });
  t.is(age.sum, 10.14);
});

test('a delay ends with the commit that began after its record was processed', (t) => {
  const times = new RecordTimesCounter();
  times.processed(1000, 0);
  times.processed(2000, 0);
  times.commits();
  times.processed(3000, 0);
  t.is(total(times.value.delay), 0);
  times.committed(3500);
  t.deepEqual(counted(times.value.delay), { 2.5: 2 });
  t.is(times.value.delay.sum, 4);
  times.commits();
  times.committed(13_000);
  t.deepEqual(counted(times.value.delay), { 2.5: 2, 10: 1 });
  times.commits();
  times.committed(99_000);
  t.is(total(times.value.delay), 3);
});

test('records of a commit that was given up have no delay', (t) => {
  const times = new RecordTimesCounter();
  times.processed(1000, 0);
  times.commits();
  times.processed(2000, 0);
  times.commits();
  times.committed(2500);
  t.deepEqual(counted(times.value.delay), { 0.5: 1 });
});

for (const records of [1023, 1024, 1025, 1537, 2048, 10_001])
  test(`of ${records} records of a commit each has a delay, or stands for some like it`, (t) => {
    const times = new RecordTimesCounter();
    // Half of them half a second old, half of them a minute, by turns: what takes every second one sees one kind.
    for (let i = 0; i < records; i++) times.processed(i % 2 === 0 ? 99_500 : 40_500, 0);
    times.commits();
    times.committed(100_000);
    const { delay } = times.value;
    t.is(total(delay), records);
    t.true(Math.abs((counted(delay)['0.5'] ?? 0) / records - 0.5) < 0.1);
    t.is((counted(delay)['0.5'] ?? 0) + (counted(delay)['60'] ?? 0), records);
  });

test('times of two tasks are added, and one look does not change', (t) => {
  const times = new RecordTimesCounter();
  times.processed(4000, 0);
  const one = times.value;
  times.processed(4000, 0);
  t.is(total(one.lateness), 1);
  t.is(total(addedTimes(one, times.value).lateness), 3);
  t.deepEqual(addedTimes(noTimes, one), one);
});

test('a folder of old records says how late those were that counted, and those that did not', async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-times-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const builder = new StreamsBuilder();
  builder
    .stream('in', { keySerde: Serdes.string, valueSerde: Serdes.json<{ readonly timestamp: number }>() })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(60_000, 30_000))
    .count({ name: 'counts' });
  const streams = await EmbeddedStreams.open(builder.build(), { stateDir, syncWrites: false });
  t.teardown(() => streams.close());
  // 100 s, 5 s before it, 70 s before it: its window ended at 60 s, and 100 s less a grace of 30 s is past that.
  const timestamps = [100_000, 95_000, 30_000];
  await streams.run([
    new ListFeed(
      'in',
      timestamps.map((timestamp) => ({ key: 'k', value: { timestamp }, timestamp })),
    ),
  ]);
  const { dropped, times } = streams.stats().work['0_0']!;
  t.is(dropped.late, 1);
  t.deepEqual(counted(times.lateness), { 0: 1, 60: 1, 600: 1 });
  t.deepEqual(counted(times.droppedLateness), { 600: 1 });
  t.is(times.droppedLateness.sum, 70);
  // All of them are of January 1970.
  t.deepEqual(counted(times.age), { Infinity: 3 });
  t.deepEqual(counted(times.delay), { Infinity: 3 });
});
