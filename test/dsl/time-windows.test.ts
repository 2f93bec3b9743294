import test from 'ava';
import fc from 'fast-check';
import { CalendarWindows } from '../../src/dsl/calendar-windows.ts';
import { TimeWindows } from '../../src/dsl/time-windows.ts';

/** Kafka Streams' TimeWindows.windowsFor with Java's long arithmetic, starts only. */
function kafkaStarts(timestamp: bigint, size: bigint, advance: bigint): bigint[] {
  const raw = timestamp - size + advance;
  const starts: bigint[] = [];
  for (let start = ((raw > 0n ? raw : 0n) / advance) * advance; start <= timestamp; start += advance)
    starts.push(start);
  return starts;
}

const hopping = (sizeMs: number, advanceMs: number): TimeWindows =>
  TimeWindows.ofSizeWithNoGrace(sizeMs).advanceBy(advanceMs);
const anyTimestamp = fc.oneof(
  fc.integer({ min: -100, max: 10_000 }),
  fc.integer({ min: 0, max: 4e12 }),
  fc.maxSafeNat(),
);
const sizeAndAdvance = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 604_800_000 })),
    fc.integer({ min: 1, max: 20 }),
  )
  .map(([size, parts]): [number, number] => [size, Math.max(1, Math.ceil(size / parts))]);

test('time 21 lies in the tumbling window [12, 24) of size 12', (t) => {
  const windows = TimeWindows.ofSizeWithNoGrace(12);
  t.deepEqual(windows.startsFor(21), [12]);
  t.is(windows.startOf(21), 12);
  t.is(windows.endOf(12), 24);
  t.false(windows.overlapping);
  t.is(windows.startOf(23), 12);
  t.is(windows.startOf(24), 24);
});

test('time 21 lies in three hopping windows of size 12 that start every 5', (t) => {
  const windows = hopping(12, 5);
  t.deepEqual(windows.startsFor(21), [10, 15, 20]);
  t.is(windows.startOf(21), 20);
  t.deepEqual(
    windows.startsFor(21).map((start) => windows.endOf(start)),
    [22, 27, 32],
  );
  t.true(windows.overlapping);
});

test('windows that barely overlap share 1 ms', (t) => {
  const windows = hopping(6, 5);
  t.deepEqual(windows.startsFor(7), [5]);
  t.deepEqual(windows.startsFor(10), [5, 10]);
});

test('no window starts before 0: the first ms lie in fewer windows, times before 0 in none', (t) => {
  const windows = hopping(12, 5);
  t.deepEqual(windows.startsFor(0), [0]);
  t.deepEqual(windows.startsFor(4), [0]);
  t.deepEqual(windows.startsFor(11), [0, 5, 10]);
  for (const before of [-1, -5, -21]) {
    t.deepEqual(windows.startsFor(before), []);
    t.deepEqual(TimeWindows.ofSizeWithNoGrace(12).startsFor(before), []);
    t.throws(() => windows.startOf(before), { instanceOf: RangeError });
  }
  t.throws(() => windows.startOf(Number.NaN), { instanceOf: RangeError });
});

test('the windows of a time are those of the formula in long arithmetic, up to 2^53', (t) => {
  fc.assert(
    fc.property(anyTimestamp, sizeAndAdvance, (timestamp, [size, advance]) => {
      const windows = hopping(size, advance);
      const expected = kafkaStarts(BigInt(timestamp), BigInt(size), BigInt(advance)).map(Number);
      const starts = windows.startsFor(timestamp);
      if (starts.length !== expected.length || starts.some((start, i) => start !== expected[i])) return false;
      return timestamp < 0 || windows.startOf(timestamp) === expected.at(-1);
    }),
    { numRuns: 3_000 },
  );
  t.pass();
});

test('the windows of a time are all that hold it', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      (timestamp, a, b) => {
        const windows = hopping(Math.max(a, b), Math.min(a, b));
        const holding: number[] = [];
        for (let start = 0; start <= timestamp; start += windows.advanceMs)
          if (timestamp < windows.endOf(start)) holding.push(start);
        return JSON.stringify(windows.startsFor(timestamp)) === JSON.stringify(holding);
      },
    ),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('a start that no window has, has no end', (t) => {
  for (const bad of [1, 11, -12, 12.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => TimeWindows.ofSizeWithNoGrace(12).endOf(bad), { instanceOf: RangeError }, String(bad));
  }
  t.is(hopping(12, 5).endOf(5), 17);
});

test('each setting gives new windows and leaves the old ones', (t) => {
  const plain = TimeWindows.ofSizeWithNoGrace(60_000);
  const all = plain.advanceBy(20_000).grace(5_000).retention(65_000);
  t.deepEqual(
    [plain.sizeMs, plain.advanceMs, plain.graceMs, plain.retentionMs],
    [60_000, 60_000, 0, Number.POSITIVE_INFINITY],
  );
  t.deepEqual([all.sizeMs, all.advanceMs, all.graceMs, all.retentionMs], [60_000, 20_000, 5_000, 65_000]);
  t.is(TimeWindows.ofSizeAndGrace(60_000, 7).graceMs, 7);
  t.is(all.retention(Number.POSITIVE_INFINITY).retentionMs, Number.POSITIVE_INFINITY);
});

test('sizes, advances and graces that make no windows are refused', (t) => {
  const windows = TimeWindows.ofSizeAndGrace(12, 3);
  for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    t.throws(() => TimeWindows.ofSizeWithNoGrace(bad), { instanceOf: RangeError, message: /window size/ });
    t.throws(() => windows.advanceBy(bad), { instanceOf: RangeError, message: /advance/ });
    if (bad !== 0) t.throws(() => windows.grace(bad), { instanceOf: RangeError, message: /grace/ });
  }
  t.throws(() => windows.advanceBy(13), {
    instanceOf: RangeError,
    message: /advance must be the window size, 12 ms, or less/,
  });
  t.throws(() => TimeWindows.ofSizeWithNoGrace('12' as never), {
    instanceOf: TypeError,
    message: /window size must be a number of ms, not string/,
  });
});

test('a retention shorter than size and grace is refused, whichever is set last', (t) => {
  const windows = TimeWindows.ofSizeAndGrace(12, 3);
  t.is(windows.retention(15).retentionMs, 15);
  t.throws(() => windows.retention(14), {
    instanceOf: RangeError,
    message: /retention must be window size \+ grace or more, 12 \+ 3 ms, not 14/,
  });
  t.throws(() => windows.retention(15).grace(4), { instanceOf: RangeError, message: /retention/ });
  t.throws(() => windows.retention(Number.NaN), { instanceOf: RangeError });
});

test('tumbling windows cover those whose size divides theirs, and nothing else', (t) => {
  const hour = TimeWindows.ofSizeWithNoGrace(3_600_000);
  t.true(hour.covers(hour));
  t.true(hour.covers(TimeWindows.ofSizeAndGrace(60_000, 9)));
  t.false(hour.covers(TimeWindows.ofSizeWithNoGrace(7_000)));
  t.false(TimeWindows.ofSizeWithNoGrace(60_000).covers(hour));
  t.false(hour.covers(hopping(60_000, 30_000)), 'a record counts in several hopping windows');
  t.false(hopping(3_600_000, 60_000).covers(TimeWindows.ofSizeWithNoGrace(60_000)));
  t.false(TimeWindows.ofSizeWithNoGrace(31_622_400_000).covers(CalendarWindows.day('Europe/Paris')));
});

test('windows that cover others hold each of them in exactly one window', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (coarseSize, fineSize) => {
      const coarse = TimeWindows.ofSizeWithNoGrace(coarseSize);
      let inOne = true;
      for (let start = 0; start < coarseSize * fineSize; start += fineSize) {
        inOne &&= coarse.startOf(start) === coarse.startOf(start + fineSize - 1);
      }
      return coarse.covers(TimeWindows.ofSizeWithNoGrace(fineSize)) === inOne;
    }),
  );
  t.pass();
});

test('time windows are described by size, advance and grace', (t) => {
  t.is(TimeWindows.ofSizeAndGrace(300_000, 60_000).describe(), 'time 300000 grace 60000');
  t.is(hopping(300_000, 60_000).retention(1e9).describe(), 'time 300000 advance 60000 grace 0');
});
