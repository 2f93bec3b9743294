import { inspect } from 'node:util';
import test from 'ava';
import { StreamsError } from '../../src/common/errors.ts';
import { failureOf, type ProcessorNode } from '../../src/processor/node.ts';

test('what prints an error, as Node does of one that nobody catches, prints its cause and the trace of it once', (t) => {
  const cause = new TypeError('the price is missing');
  const error = new StreamsError('STREAMS_PROCESSING', 'node prices failed', { nodeName: 'prices', cause });
  const printed = inspect(error, { customInspect: false });
  t.is(printed.split('TypeError: the price is missing').length, 2, printed);
  t.true(printed.includes("details: { nodeName: 'prices' }"), printed);
  t.is(JSON.stringify(error.details), '{"nodeName":"prices"}');
  t.is(error.cause, cause);
  t.is(error.details.cause, cause);
});

test('an error that names its node keeps its cause', (t) => {
  const cause = new TypeError('NaN');
  const error = new StreamsError('STREAMS_SERIALIZATION', 'it does not survive', { store: 'sums', cause });
  const named = failureOf({ name: 'sums' } as ProcessorNode, error);
  t.like(named.details, { nodeName: 'sums', store: 'sums' });
  t.is(named.cause, cause);
});
