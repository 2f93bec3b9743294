import test from 'ava';
import { durationMs, port, ratio, wholeNumber } from '../../src/cli/option-parsers.ts';

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
