import test from 'ava';
import { civilDate, durationMs, port, ratio, typedDuration, wholeNumber } from '../../src/cli/option-parsers.ts';

test('lengths of time have units', (t) => {
  t.deepEqual(
    ['0', '250ms', '1s', '90m', '24h', '1d12h'].map(durationMs),
    [0, 250, 1000, 5_400_000, 86_400_000, 129_600_000],
  );
  for (const bad of ['', '24', '-1h', '1.5h', '1w', 'h', '99999999999999d'])
    t.throws(() => durationMs(bad), undefined, bad);
});

test('ports are whole numbers up to 65535', (t) => {
  t.is(port('0'), 0);
  t.is(port('65535'), 65_535);
  for (const bad of ['', '65536', '-1', '80.5', '0x50', '1e3'])
    t.throws(() => port(bad), { message: 'expected a whole number from 0 to 65535' });
});

test('whole numbers have a least value', (t) => {
  t.is(wholeNumber(1)('12'), 12);
  t.throws(() => wholeNumber(1)('0'), { message: 'expected a whole number of at least 1' });
});

test('ratios are numbers from 0 to 1 or percentages', (t) => {
  t.deepEqual(['0', '.5', '0.01', '1%', '100%'].map(ratio), [0, 0.5, 0.01, 0.01, 1]);
  for (const bad of ['', '2', '101%', 'x', '1e-3']) t.throws(() => ratio(bad), undefined, bad);
});

test('a length of time is written so that it is read back, in one unit', (t) => {
  t.deepEqual([0, 250, 61_000, 5_400_000, 86_400_000].map(typedDuration), ['0', '250ms', '61s', '90m', '24h']);
  for (const ms of [0, 1, 59_999, 60_000, 3_600_001, 604_800_000]) t.is(durationMs(typedDuration(ms)), ms);
});

test('dates are those of the calendar', (t) => {
  t.is(civilDate('2016-02-29'), '2016-02-29');
  for (const bad of ['', '2017-02-29', '2017-1-1', '20170101', '2017-01-01 '])
    t.throws(() => civilDate(bad), { message: 'expected a date such as 2018-01-31' });
});
