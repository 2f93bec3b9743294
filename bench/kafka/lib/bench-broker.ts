import { setTimeout as delay } from 'node:timers/promises';
import type { Broker } from '../../../src/clients/broker.ts';
import { openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { startKafka } from '../../../test/helpers/kafka-broker.ts';
import { usageOf } from './process-usage.ts';

/** Old times and times to come are taken, and nothing is deleted. */
const keepsAll = {
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
} as const;

/** The one broker that all contenders use in turn. */
export interface BenchBroker {
  readonly bootstrap: string;
  readonly client: Broker;
  /** Of the broker; undefined where it is somebody else's. */
  readonly pid: number | undefined;
  /** User and system time of the broker so far; undefined where it is somebody else's, or not told. */
  cpuSeconds(): number | undefined;
  close(): Promise<void>;
}

/**
 * Starts a broker with an empty log, or takes one that runs.
 *
 * @param brokers - `host:port` of one that runs; '' for none.
 */
export async function openBenchBroker(brokers: string): Promise<BenchBroker> {
  const own = brokers === '' ? await startKafka() : undefined;
  const bootstrap = own?.bootstrap ?? brokers;
  const client = openKafkaBroker({ bootstrapServers: [bootstrap], clientId: 'bench' });
  return {
    bootstrap,
    client,
    pid: own?.pid,
    cpuSeconds: () => (own?.pid === undefined ? undefined : usageOf(own.pid)?.cpuSeconds),
    async close() {
      await client.close();
      await own?.stop();
    },
  };
}

/** Makes a topic anew. */
export async function freshTopic({ client }: BenchBroker, topic: string, partitions: number): Promise<void> {
  const { admin } = client;
  if ((await admin.partitionCounts([topic])).has(topic)) {
    await admin.deleteTopics([topic]);
    while ((await admin.partitionCounts([topic])).has(topic)) await delay(100);
  }
  await admin.createTopics([{ topic, partitions, replicationFactor: 1, configs: keepsAll }]);
}

/** Waits until a group has no members: those that were killed are members until their session is over. */
export async function untilEmpty({ client }: BenchBroker, groupId: string): Promise<void> {
  while ((await client.admin.describeGroup(groupId)).members.length > 0) await delay(100);
}

/** Deletes an application's internal topics and its group. */
export async function forget(broker: BenchBroker, applicationId: string): Promise<void> {
  const { admin } = broker.client;
  await untilEmpty(broker, applicationId);
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${applicationId}-`));
  if (topics.length > 0) await admin.deleteTopics(topics);
  await admin.deleteGroup(applicationId);
}

/** @throws Error unless a group has committed all partitions of a topic to their ends. */
export async function expectCommitted({ client }: BenchBroker, groupId: string, topic: string): Promise<void> {
  const count = (await client.admin.partitionCounts([topic])).get(topic) ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const [ends, committed] = await Promise.all([
    client.admin.offsets(partitions, 'stable'),
    client.admin.committed(groupId, partitions),
  ]);
  for (const [partition, end] of ends.entries())
    if (end > 0 && committed[partition]?.offset !== end)
      throw new Error(`${groupId} has committed ${committed[partition]?.offset} of ${topic} ${partition}, not ${end}`);
}
