import test from 'ava';
import { MemoryCluster } from '../../src/clients/memory/memory-broker.ts';
import { brokerConformance } from '../../src/testing/broker-conformance.ts';

const cluster = new MemoryCluster();

for (const { title, run } of brokerConformance({
  connect: async () => cluster.connect(),
  sessionTimeoutMs: 300,
  freeze: (broker) => cluster.pause(broker),
  thaw: (broker) => cluster.resume(broker),
  cut: (broker, when) => cluster.cut(broker, when),
  compact: async (topic) => cluster.compact(topic),
})) {
  test(title, async (t) => {
    await t.notThrowsAsync(run());
  });
}
