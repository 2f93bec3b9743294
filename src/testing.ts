// A driver that runs a topology in a test

// Suites that every adapter of a port passes
export { byteStoresConformance } from './testing/byte-stores-conformance.ts';
export { databaseConformance } from './testing/database-conformance.ts';
export {
  type TestDriverOptions,
  type TestInputTopic,
  type TestOutputTopic,
  type TestRecord,
  TopologyTestDriver,
} from './testing/topology-test-driver.ts';
