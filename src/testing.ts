// A driver that runs a topology in a test

export {
  type TestDriverOptions,
  type TestInputTopic,
  type TestOutputTopic,
  type TestRecord,
  TopologyTestDriver,
} from './testing/topology-test-driver.ts';

// A Kafka cluster in memory

export type { CutWhen, MemoryRequest } from './clients/memory/link.ts';
export {
  MemoryCluster,
  type MemoryClusterOptions,
  type MemoryConnectOptions,
  type MemoryRecord,
} from './clients/memory/memory-broker.ts';
export { recordsOf, type SimpleRecord } from './clients/memory/records-of.ts';

// Suites that every adapter of a port passes

export { type BrokerConformanceHarness, brokerConformance } from './testing/broker-conformance.ts';
export { byteStoresConformance } from './testing/byte-stores-conformance.ts';
export { databaseConformance } from './testing/database-conformance.ts';
export { type SinkTargetUnderTest, sinkTargetConformance } from './testing/sink-target-conformance.ts';
