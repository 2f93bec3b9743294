import test from 'ava';
import { unspokenOf } from '../../../src/clients/kafka/probe.ts';
import { deleteTopics, metadata } from '../../../src/clients/kafka/requests.ts';
import { StreamsError } from '../../../src/common/errors.ts';

type Versions = Record<number, { minVersion: number; maxVersion: number }>;

/** Requests by their keys, as the protocol numbers them, each in the versions that a broker of Kafka 3.7.2 says it speaks. */
const kafka37: Versions = versions({
  0: [0, 10],
  1: [0, 16],
  2: [0, 8],
  3: [0, 12],
  8: [0, 9],
  9: [0, 9],
  10: [0, 4],
  11: [0, 9],
  12: [0, 4],
  13: [0, 5],
  14: [0, 5],
  15: [0, 5],
  18: [0, 3],
  19: [0, 7],
  20: [0, 6],
  21: [0, 2],
  22: [0, 4],
  24: [0, 4],
  25: [0, 3],
  26: [0, 3],
  28: [0, 3],
  32: [0, 4],
  42: [0, 2],
});

/** The same of Kafka 4.3.1. */
const kafka43: Versions = versions({
  0: [0, 13],
  1: [4, 18],
  2: [1, 11],
  3: [0, 13],
  8: [2, 10],
  9: [1, 10],
  10: [0, 6],
  11: [0, 9],
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

test('brokers of Kafka 3.7 and of 4.3 understand all requests', (t) => {
  t.deepEqual(unspokenOf(kafka37), []);
  t.deepEqual(unspokenOf(kafka43), []);
});

test('no request is at the oldest version that brokers of Kafka 4 still speak', (t) => {
  const raised = Object.entries(kafka43).filter(([, { minVersion }]) => minVersion > 0);
  const withoutOldest = raised.map(([key, { minVersion, maxVersion }]) => [key, [minVersion + 1, maxVersion]]);
  t.deepEqual(unspokenOf({ ...kafka43, ...versions(Object.fromEntries(withoutOldest)) }), []);
});

test('one that cannot say when a position may still change does not', (t) => {
  t.deepEqual(unspokenOf({ ...kafka43, ...versions({ 9: [1, 6] }) }), ['OffsetFetch 7']);
});

test('a broker that has given up the old versions of a request, or does not know it at all, is told', (t) => {
  t.deepEqual(unspokenOf({ ...kafka43, ...versions({ 0: [8, 12] }) }), ['Produce 7']);
  const { 22: _, ...withoutProducerIds } = kafka43;
  t.deepEqual(unspokenOf(withoutProducerIds), ['InitProducerId 1']);
  // Metadata are asked for in two versions.
  t.deepEqual(unspokenOf({ ...kafka43, ...versions({ 3: [90, 99] }) }), ['Metadata 6', 'Metadata 12']);
});

test('a request that the broker does not speak any more, or not yet, is not sent', (t) => {
  const refused = (attempt: () => unknown): string => t.throws(attempt, { instanceOf: StreamsError })!.message;
  t.is(
    refused(() => metadata.exchange([], versions({ 3: [90, 99] }))),
    'The broker speaks Metadata 90 to 99, 6 is needed. Take a newer weir-streams.',
  );
  t.is(
    refused(() => deleteTopics.exchange({ topics: [], timeout: 1 }, versions({ 20: [0, 3] }))),
    'The broker speaks DeleteTopics 0 to 3, 4 is needed. Take a broker of Kafka 3.7 or later.',
  );
});
