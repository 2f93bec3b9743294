import test from 'ava';
import { progressOf, summaryOf } from '../../src/cli/replay-progress.ts';
import type { EngineStats } from '../../src/runtime/engine-stats.ts';
import { type FeedProgress, newProgress } from '../../src/runtime/feed.ts';

function feed(topic: string, counts: Partial<FeedProgress>): FeedProgress {
  return { ...newProgress(topic), ...counts };
}

function stats(feeds: readonly FeedProgress[], streamTimes: readonly number[]): EngineStats {
  return { feeds, tasks: streamTimes.map((streamTimeMs) => ({ streamTimeMs })) } as unknown as EngineStats;
}

test('progress sums feeds; files of a topic that is read by partition count once, and are done when all have read them', (t) => {
  const feeds = [
    feed('a', { filesDone: 2, filesTotal: 3, rows: 10, dead: 1, bytes: 5, bytesTotal: 9 }),
    feed('a', { filesDone: 1, filesTotal: 3, rows: 20, late: 2, bytes: 4, bytesTotal: 9 }),
    feed('b', { filesDone: 4, filesTotal: 4, rows: 30, skipped: 5, bytes: 1, bytesTotal: 1 }),
  ];
  t.deepEqual(progressOf(stats(feeds, [-1, 70, 60])), {
    filesDone: 5,
    filesTotal: 7,
    rows: 60,
    bytes: 10,
    bytesTotal: 19,
    dead: 1,
    late: 2,
    skipped: 5,
    eventTimeMs: 70,
  });
  t.is(progressOf(stats([], [])).eventTimeMs, -1);
});

test('a summary tells what one run did, not what was there before', (t) => {
  const before = progressOf(stats([feed('a', { filesDone: 1, rows: 10, dead: 3 })], [1]));
  const after = progressOf(stats([feed('a', { filesDone: 4, rows: 25, dead: 3, late: 1, skipped: 2 })], [9]));
  t.deepEqual(summaryOf(before, after, 1234.6), { rows: 15, dead: 0, late: 1, skipped: 2, files: 3, seconds: 1.235 });
});
