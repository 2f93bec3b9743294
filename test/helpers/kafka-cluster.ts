import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { type KafkaServer, prepareKafka } from './kafka-broker.ts';
import { freePort } from './parts.ts';

/** How many brokers there are, and of how many copies one must be written before a record is. */
const size = 3;
const inSync = 2;

/** Everything is there three times, so that each broker may be killed. */
const replicated: Readonly<Record<string, string>> = {
  'default.replication.factor': String(size),
  'min.insync.replicas': String(inSync),
  'offsets.topic.replication.factor': String(size),
  'transaction.state.log.replication.factor': String(size),
  'transaction.state.log.min.isr': String(inSync),
  // Three of them share the machine.
  'num.network.threads': '2',
  'num.io.threads': '2',
  'log.cleaner.enable': 'false',
};

/** Three real Kafka brokers on loopback, each with a controller of the quorum: one of them may be killed at a time. */
export class KafkaCluster {
  readonly servers: readonly KafkaServer[];

  private constructor(servers: readonly KafkaServer[]) {
    this.servers = servers;
  }

  /**
   * Starts them on free ports with empty logs.
   *
   * @throws PartMissing where Java or the jars are missing.
   */
  static async start(properties: Readonly<Record<string, string>> = {}): Promise<KafkaCluster> {
    const controllers: number[] = [];
    for (let i = 0; i < size; i++) controllers.push(await freePort());
    const voters = controllers.map((port, i) => `${i + 1}@127.0.0.1:${port}`).join(',');
    const servers: KafkaServer[] = [];
    try {
      for (const [i, controller] of controllers.entries()) {
        const own = { 'node.id': String(i + 1), 'controller.quorum.voters': voters };
        servers.push(
          await prepareKafka({ heap: '256m', controller, properties: { ...replicated, ...own, ...properties } }),
        );
      }
      await Promise.all(servers.map((server) => server.start()));
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      throw error;
    }
    return new KafkaCluster(servers);
  }

  /** `host:port` of all, as `bootstrap.servers` has them. */
  get bootstrap(): string {
    return this.servers.map(({ bootstrap }) => bootstrap).join(',');
  }

  /** Gives each partition of the topics another leader; the former ones stay as followers. */
  async moveLeaders(topics: readonly string[]): Promise<void> {
    await this.#asAdmin(async (admin) => {
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
      const moved = found.map(({ name, partitions }) => ({
        topic: name,
        partitionAssignment: partitions.map(({ partitionId, replicas }) => ({
          partition: partitionId,
          replicas: [...replicas.slice(1), replicas[0]!],
        })),
      }));
      await admin.alterPartitionReassignments({ topics: moved });
    });
    // The first copy of each list is to lead.
    await this.servers[0]!.tool('org.apache.kafka.tools.LeaderElectionCommand', [
      ...['--bootstrap-server', this.bootstrap, '--election-type', 'preferred', '--all-topic-partitions'],
    ]);
  }

  /** Gives a topic more partitions: so many in all. */
  async growTopic(topic: string, count: number): Promise<void> {
    // Kafka's own tool, which waits for a controller where the one that it asks first is away.
    await this.servers[0]!.tool('org.apache.kafka.tools.TopicCommand', [
      ...['--bootstrap-server', this.bootstrap, '--alter', '--topic', topic, '--partitions', String(count)],
    ]);
  }

  /** Waits until every copy of every partition is in sync: only then the next broker may be killed. */
  async untilInSync(): Promise<void> {
    let last = 'no answer';
    for (const end = Date.now() + 120_000; Date.now() < end; await delay(300)) {
      try {
        const { topics } = await this.#asAdmin((admin) => admin.fetchTopicMetadata());
        const behind = topics.flatMap(({ name, partitions }) =>
          partitions
            .filter(({ isr, replicas, leader }) => leader < 0 || isr.length < replicas.length)
            .map(({ partitionId, isr }) => `${name}-${partitionId}: ${isr}`),
        );
        if (behind.length === 0) return;
        last = behind.join(', ');
      } catch (error) {
        last = String(error);
      }
    }
    throw new Error(`copies are behind: ${last}`);
  }

  async #asAdmin<T>(act: (admin: Admin) => Promise<T>): Promise<T> {
    const brokers = this.servers.map(({ bootstrap }) => bootstrap);
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    try {
      await admin.connect();
      return await act(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Ends all and deletes their data. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
