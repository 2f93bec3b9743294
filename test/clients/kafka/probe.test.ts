import test from 'ava';
import { unspokenOf } from '../../../src/clients/kafka/probe.ts';

type Versions = Record<number, { minVersion: number; maxVersion: number }>;

/** Requests by their keys, as the protocol numbers them, each in the versions that a broker of this release speaks. */
const kafka25: Versions = versions({
  0: [0, 8],
  1: [0, 11],
  2: [0, 5],
  3: [0, 9],
  8: [0, 8],
  9: [0, 7],
  10: [0, 3],
  11: [0, 7],
  12: [0, 4],
  13: [0, 4],
  14: [0, 5],
  15: [0, 5],
  18: [0, 3],
  19: [0, 5],
  20: [0, 4],
  21: [0, 1],
  22: [0, 3],
  24: [0, 1],
  25: [0, 1],
  26: [0, 1],
  28: [0, 3],
  32: [0, 2],
  42: [0, 2],
});

function versions(of: Readonly<Record<number, readonly [number, number]>>): Versions {
  return Object.fromEntries(
    Object.entries(of).map(([key, [minVersion, maxVersion]]) => [key, { minVersion, maxVersion }]),
  );
}

test('a broker of Kafka 4.0 understands all requests', (t) => {
  t.deepEqual(unspokenOf(kafka25), []);
});

test('one of Kafka 2.4 does not: it cannot say when a position may still change', (t) => {
  t.deepEqual(unspokenOf({ ...kafka25, ...versions({ 9: [0, 6] }) }), ['OffsetFetch 7']);
});

test('a broker that has given up the old versions of a request, or does not know it at all, is told', (t) => {
  t.deepEqual(unspokenOf({ ...kafka25, ...versions({ 0: [8, 12] }) }), ['Produce 7']);
  const { 22: _, ...withoutProducerIds } = kafka25;
  const [missing, ...more] = unspokenOf(withoutProducerIds);
  t.regex(missing!, /^InitProducerId \d to \d$/);
  t.deepEqual(more, []);
});

test('versions that lie apart are told', (t) => {
  const [missing] = unspokenOf({ ...kafka25, ...versions({ 3: [90, 99] }) });
  t.regex(missing!, /^Metadata 0 to \d$/);
});
