import test from 'ava';
import { unspokenOf } from '../../../src/clients/kafka/probe.ts';

type Versions = Record<number, { minVersion: number; maxVersion: number }>;

/** Requests by their keys, as the protocol numbers them, each in the versions that a broker of Kafka 4.0.0 says it speaks. */
const kafka40: Versions = versions({
  0: [0, 12],
  1: [4, 17],
  2: [1, 10],
  3: [0, 13],
  8: [2, 9],
  9: [1, 9],
  10: [0, 6],
  11: [2, 9],
  12: [0, 4],
  13: [0, 5],
  14: [0, 5],
  15: [0, 6],
  18: [0, 4],
  19: [2, 7],
  20: [1, 6],
  21: [0, 2],
  22: [0, 5],
  24: [0, 5],
  25: [0, 4],
  26: [0, 5],
  28: [0, 5],
  32: [1, 4],
  42: [0, 2],
});

function versions(of: Readonly<Record<number, readonly [number, number]>>): Versions {
  return Object.fromEntries(
    Object.entries(of).map(([key, [minVersion, maxVersion]]) => [key, { minVersion, maxVersion }]),
  );
}

test('a broker of Kafka 4.0 understands all requests', (t) => {
  t.deepEqual(unspokenOf(kafka40), []);
});

test('one that cannot say when a position may still change does not', (t) => {
  t.deepEqual(unspokenOf({ ...kafka40, ...versions({ 9: [1, 6] }) }), ['OffsetFetch 7']);
});

test('a broker that has given up the old versions of a request, or does not know it at all, is told', (t) => {
  t.deepEqual(unspokenOf({ ...kafka40, ...versions({ 0: [8, 12] }) }), ['Produce 7']);
  const { 22: _, ...withoutProducerIds } = kafka40;
  const [missing, ...more] = unspokenOf(withoutProducerIds);
  t.regex(missing!, /^InitProducerId \d to \d$/);
  t.deepEqual(more, []);
});

test('versions that lie apart are told', (t) => {
  const [missing] = unspokenOf({ ...kafka40, ...versions({ 3: [90, 99] }) });
  t.regex(missing!, /^Metadata 0 to \d$/);
});
