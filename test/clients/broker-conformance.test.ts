import assert from 'node:assert/strict';
import test from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { type BrokerConformanceHarness, brokerConformance } from '../../src/testing/broker-conformance.ts';
import { brokenAdapters } from './broken-adapters.ts';

for (const { mistake, foundBy, breakIt } of brokenAdapters) {
  test(`the suite finds an adapter that ${mistake}`, async (t) => {
    // On a busy machine a mistake may not come to light within a short session.
    for (const sessionTimeoutMs of [150, 600, 2400]) {
      const error = await errorOf(breakIt, foundBy, sessionTimeoutMs);
      if (error === undefined) continue;
      t.true(error instanceof assert.AssertionError, String(error));
      return;
    }
    t.fail('it is not found');
  });
}

/** What a case of the suite says of an adapter. */
async function errorOf(
  breakIt: (typeof brokenAdapters)[number]['breakIt'],
  title: string,
  sessionTimeoutMs: number,
): Promise<unknown> {
  const cluster = new MemoryCluster();
  // A broken adapter hands out another object than the cluster's client.
  const clients = new Map<unknown, ReturnType<MemoryCluster['connect']>>();
  const harness: BrokerConformanceHarness = {
    connect: async () => {
      const client = cluster.connect();
      const broken = breakIt(client, cluster);
      clients.set(broken, client);
      return broken;
    },
    sessionTimeoutMs,
    patienceMs: 2000,
    freeze: (broker) => cluster.pause(clients.get(broker)!),
    thaw: (broker) => cluster.resume(clients.get(broker)!),
    cut: (broker, when) => cluster.cut(clients.get(broker)!, when),
  };
  return brokerConformance(harness)
    .find((each) => each.title === title)!
    .run()
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

test('cases that need what a harness does not have are left out, no title comes twice', (t) => {
  const nothing = { connect: () => Promise.reject(new Error()), sessionTimeoutMs: 1 };
  const all = brokerConformance({
    ...nothing,
    freeze: () => {},
    thaw: () => {},
    cut: () => {},
    compact: async () => {},
  });
  const least = brokerConformance(nothing);
  t.is(new Set(all.map(({ title }) => title)).size, all.length);
  t.true(least.length < all.length - 10);
  t.false(least.some(({ title }) => /stopped|cut|compacted/.test(title)));
});
