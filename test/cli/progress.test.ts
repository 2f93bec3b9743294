import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { defineCommand } from '../../src/cli/command-spec.ts';
import { startProgress } from '../../src/cli/progress.ts';
import type { ProgressSnapshot } from '../../src/cli/progress-text.ts';
import { durationText, eventTimeFormat, shortCount } from '../../src/cli/progress-text.ts';
import { Kept, run } from './fixtures/run.ts';

const done: ProgressSnapshot = {
  filesDone: 48,
  filesTotal: 48,
  rows: 414_720,
  bytes: 1000,
  bytesTotal: 1000,
  eventTimeMs: Date.UTC(2018, 0, 31, 22, 59, 50),
  late: 0,
  dead: 0,
};
const none: ProgressSnapshot = { ...done, filesDone: 0, rows: 0, bytes: 0, eventTimeMs: -1 };

function surface(stream: Kept): {
  stream: Kept;
  write: (text: string) => void;
  nowMs: () => number;
  clock: { ms: number };
} {
  const clock = { ms: 0 };
  return { stream, write: (text) => void stream.write(text), nowMs: () => clock.ms, clock };
}

test('without a terminal a line comes each 10 s, with the time left, and one at the end', (t) => {
  const stream = new Kept();
  const where = surface(stream);
  let at = none;
  const progress = startProgress(where, () => at, { zone: 'Europe/Paris' });
  where.clock.ms = 9_999;
  progress.tick();
  t.is(stream.text, '');
  at = { ...done, filesDone: 12, rows: 100_000, bytes: 250, late: 1234 };
  where.clock.ms = 10_000;
  progress.tick();
  progress.tick();
  t.is(
    stream.text,
    'replay: 12/48 files, 100,000 rows, 10K rows/s, event time 2018-01-31 23:59:50, late 1,234, dead 0, ETA 30 s\n',
  );
  stream.text = '';
  at = done;
  where.clock.ms = 20_000;
  progress.stop();
  progress.stop();
  t.is(
    stream.text,
    'replay: 48/48 files, 414,720 rows, 20.7K rows/s, event time 2018-01-31 23:59:50, late 0, dead 0, 20 s\n',
  );
});

test('the rate of a resumed replay is that of this run', (t) => {
  const stream = new Kept();
  const where = surface(stream);
  let at = { ...done, rows: 400_000 };
  const progress = startProgress(where, () => at);
  at = done;
  where.clock.ms = 1000;
  progress.stop();
  t.regex(stream.text, /414,720 rows, 14\.7K rows\/s/);
});

test('the pace follows the last seconds', (t) => {
  const stream = new Kept();
  const where = surface(stream);
  let at = none;
  const progress = startProgress(where, () => at);
  for (const [ms, rows] of [
    [10_000, 1_000_000],
    [20_000, 1_000_100],
  ] as const) {
    where.clock.ms = ms;
    at = { ...none, rows };
    progress.tick();
  }
  progress.stop();
  t.regex(stream.text.split('\n')[1]!, /10 rows\/s/);
});

test('a terminal gets a bar that is redrawn at most 10 times a second, and the last line', async (t) => {
  const stream = new Kept(true);
  let drawn = 0;
  const where = { stream, write: (text: string) => void stream.write(text) };
  const progress = startProgress(where, () => done, { zone: 'Europe/Paris' });
  const startMs = performance.now();
  while (performance.now() - startMs < 500 || drawn < 2) {
    progress.tick();
    await delay(1);
    drawn = stream.text.split('48/48 files').length - 1;
  }
  progress.stop();
  const most = 2 + (performance.now() - startMs) / 100;
  t.true(drawn >= 2 && drawn <= most, `${drawn}`);
  t.regex(
    stream.text,
    /replay █{16} 48\/48 files {2}[\d.]+K? rows\/s {2}2018-01-31 23:59:50 {2}late 0 {2}dead 0 {2}ETA -/,
  );
  t.regex(stream.text, /replay: 48\/48 files, 414,720 rows, .*, \d+\.\d s\n$/);
  // Saved cursors would be restored to a place that has scrolled away.
  t.false(stream.text.includes('\u001B7'));
});

test('a bar is no wider than its terminal', (t) => {
  const stream = new Kept(true);
  Object.defineProperty(stream, 'columns', { value: 40 });
  startProgress({ stream, write: (text) => void stream.write(text) }, () => done).stop();
  const drawn = stream.text.split('\u001B').filter((part) => part.includes('replay █'));
  t.true(drawn.length > 0);
  for (const bar of drawn) t.is(bar.slice(bar.indexOf('replay')).length, 40, bar);
});

test('log lines wipe the bar, and a progress left running is ended with its command', async (t) => {
  const work = defineCommand({
    name: 'work',
    summary: 'Work',
    examples: ['grid work'],
    kind: 'batch',
    async run({ progress, logger }) {
      progress.start(() => done);
      logger.warn({}, 'hello');
    },
  });
  const { stderr } = await run([work], 'work', { isTTY: true, env: { NO_COLOR: '1' } });
  const afterWipe = stderr.split('\r\u001B[2K')[1] ?? '';
  t.regex(afterWipe, /^\d\d:\d\d:\d\d\.\d{3} WARN {2}hello\n/);
  t.regex(stderr, /replay: 48\/48 files.*\n$/);
  t.regex((await run([work], 'work')).stderr, /^\{.*"hello"\}\nreplay: 48\/48 files.*\n$/);
});

test('lengths of time and counts are short', (t) => {
  t.deepEqual([0, 940, 9949, 9950, 59_499, 185_000, 7_440_000].map(durationText), [
    '0.0 s',
    '0.9 s',
    '9.9 s',
    '10 s',
    '59 s',
    '3 min 05 s',
    '2 h 04 min',
  ]);
  t.deepEqual([0, 999, 2_100_000].map(shortCount), ['0', '999', '2.1M']);
});

test('event times are written in their zone', (t) => {
  t.is(eventTimeFormat('UTC')(0), '1970-01-01 00:00:00');
  t.is(eventTimeFormat('Europe/Paris')(Date.UTC(2017, 6, 1, 22)), '2017-07-02 00:00:00');
  t.is(eventTimeFormat('UTC')(undefined), '-');
});
