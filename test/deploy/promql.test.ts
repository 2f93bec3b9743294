import test from 'ava';
import { askedBy } from './promql.ts';

test('metrics, matched labels, ranges and functions are found', (t) => {
  t.deepEqual(askedBy('sum by (topic, a) (rate(x_total{job="$job",i=~"b|}"}[5m])) / y > 0.5').selectors, [
    { metric: 'x_total', labels: ['job', 'i'], range: '5m', within: 'rate' },
    { metric: 'y', labels: [], range: undefined, within: undefined },
  ]);
  t.deepEqual(askedBy('sum by (topic, a) (rate(x_total[5m])) / on (job) y').groupLabels, ['topic', 'a', 'job']);
});

test('words of the language, numbers and functions are no metrics', (t) => {
  const { selectors } = askedBy('time() - max(a offset 10m) or vector(0) and topk(5, b) unless absent(c == 1)');
  t.deepEqual(
    selectors.map(({ metric, within }) => `${metric} ${within}`),
    ['a max', 'b topk', 'c absent'],
  );
});

test('what an aggregation with labels holds is within it', (t) => {
  const { selectors } = askedBy('deriv(sum by (job) (a)[10m:30s]) > 0');
  t.deepEqual(selectors, [{ metric: 'a', labels: [], range: undefined, within: 'sum' }]);
});
