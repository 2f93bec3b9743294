import test from 'ava';
import { Histogram, together } from '../../src/common/histogram.ts';

test('a value counts in the first bucket whose bound it does not exceed, and one above all in the last', (t) => {
  const sizes = new Histogram([1, 5]);
  for (const value of [0.5, 1, 1.001, 5, 7]) sizes.observe(value);
  t.deepEqual(sizes.value, { bounds: [1, 5], counts: [2, 2, 1], sum: 14.501 });
});

test('a look at a histogram stays as it was taken', (t) => {
  const sizes = new Histogram([1]);
  const before = sizes.value;
  sizes.observe(3);
  t.deepEqual(before, { bounds: [1], counts: [0, 0], sum: 0 });
});

test('two histograms together count what both have counted', (t) => {
  const a = { bounds: [1, 2], counts: [1, 2, 3], sum: 10 };
  const b = { bounds: [1, 2], counts: [10, 0, 1], sum: 0.5 };
  t.deepEqual(together(a, b), { bounds: [1, 2], counts: [11, 2, 4], sum: 10.5 });
  t.deepEqual(a.counts, [1, 2, 3]);
});
