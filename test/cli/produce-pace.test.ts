import test from 'ava';
import { Pace, RatePace, speed } from '../../src/cli/produce-pace.ts';

const hour = 3_600_000;

test('a speed is a factor, with or without x; max has none', (t) => {
  t.is(speed('60x'), 60);
  t.is(speed('0.5x'), 0.5);
  t.is(speed('3'), 3);
  t.is(speed('max'), undefined);
  for (const text of ['', 'x', '0x', '-1x', '60 x', 'fast', '1e3x', 'Infinity']) {
    t.throws(() => speed(text), { message: /60x/ }, text);
  }
});

test('an event is due as long after the first as it happened, divided by the speed', (t) => {
  let now = 1000;
  const pace = new Pace(60, () => now);
  t.is(pace.waitMs(5_000_000), 0);
  t.is(pace.waitMs(5_060_000), 1000);
  now += 400;
  t.is(pace.waitMs(5_060_000), 600, 'its turn is asked for again');
  now += 700;
  t.is(pace.waitMs(5_060_000), -100);
  t.is(pace.waitMs(5_120_000), 900, 'what was late does not delay the rest');
});

test('an event out of order is due at once and moves nothing', (t) => {
  let now = 0;
  const pace = new Pace(1, () => now);
  pace.waitMs(10 * hour);
  now = hour;
  t.true(pace.waitMs(11 * hour) <= 0);
  t.true(pace.waitMs(2 * hour) <= 0);
  t.is(pace.waitMs(12 * hour), hour);
});

test('a hole of more than a day is not waited for', (t) => {
  const pace = new Pace(1, () => 0);
  pace.waitMs(0);
  t.is(pace.waitMs(24 * hour), 24 * hour);
  t.is(pace.waitMs(49 * hour), 0);
  t.is(pace.waitMs(50 * hour), hour);
});

test('an event with a date far away holds up nothing', (t) => {
  const pace = new Pace(1, () => 0);
  pace.waitMs(0);
  t.is(pace.waitMs(4_070_908_800_000), 0);
  t.is(pace.waitMs(1000), 0);
  t.is(pace.waitMs(3000), 2000);
});

test('after a rest the next event is due at once, and the pace goes on from it', (t) => {
  let now = 0;
  const pace = new Pace(1, () => now);
  pace.waitMs(0);
  now = 10 * hour;
  pace.rest();
  t.is(pace.waitMs(hour), 0);
  t.is(pace.waitMs(2 * hour), hour);
});

test('at a rate records go out evenly, whatever their event time', (t) => {
  let now = 1000;
  const pace = new RatePace(2, () => now);
  t.is(pace.waitMs(), 0);
  t.is(pace.waitMs(), 500);
  now += 400;
  t.is(pace.waitMs(), 100, 'its turn is asked for again');
  now += 700;
  t.true(pace.waitMs() <= 0);
  t.true(pace.waitMs() <= 0, 'what was late is made up for');
  t.is(pace.waitMs(), 400);
  now += 60_000;
  pace.rest();
  t.is(pace.waitMs(), 0);
  t.is(pace.waitMs(), 500, 'what could not be sent in a rest is not');
});
