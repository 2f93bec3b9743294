import { StreamsError } from '../../common/errors.ts';
import { type Logger, silentLogger } from '../../common/logger.ts';
import { defaultOf } from '../../config/defaults.ts';
import type {
  Broker,
  BrokerAdmin,
  BrokerProducer,
  Fetcher,
  FetcherOptions,
  GroupMember,
  GroupMemberOptions,
  ProducerOptions,
} from '../broker.ts';
import { checkCodec } from '../record-batch/compression.ts';
import { KafkaAdmin } from './admin.ts';
import { manyWaits } from './backoff.ts';
import { BrokerCalls } from './broker-calls.ts';
import { ClusterMap } from './cluster-map.ts';
import type { ConnectionConfig } from './connection.ts';
import { Connections } from './connections.ts';
import { KafkaFetcher } from './fetcher.ts';
import { KafkaGroupMember } from './group-member.ts';
import { kafkajs } from './kafkajs.ts';
import { KafkaProducer } from './producer.ts';
import type { TlsOptions } from './tls-options.ts';

/** How a Kafka cluster is reached. */
export interface KafkaBrokerOptions {
  /** `host:port` of some of the brokers. */
  readonly bootstrapServers: readonly string[];
  /** The client's name in the broker's logs and tools. */
  readonly clientId: string;
  /** TLS: certificates as PEM, options as of `tls.connect`. @defaultValue false */
  readonly ssl?: TlsOptions | boolean;
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
  /** How long one call is tried, ms: each method of the admin, each flush and commit of a producer. @defaultValue 300000 */
  readonly timeoutMs?: number;
  /** How long the bootstrap servers are tried before any broker has answered, ms. @defaultValue 5000 */
  readonly bootstrapTimeoutMs?: number;
  /** Whether the CRC-32C of each batch that is read is compared with its bytes. @defaultValue true */
  readonly checkCrcs?: boolean;
  /** Gets what kafkajs says too, at debug level. @defaultValue silent */
  readonly logger?: Logger;
}

/**
 * A Kafka cluster (brokers of Kafka 3.7 and later). Nothing is connected before it is needed.
 *
 * @throws StreamsError `STREAMS_CONFIG` for addresses that are none, and where `kafkajs` is not installed.
 */
export function openKafkaBroker(options: KafkaBrokerOptions): Broker {
  kafkajs();
  return new KafkaBroker(options);
}

class KafkaBroker implements Broker {
  readonly admin: BrokerAdmin;
  readonly #config: ConnectionConfig;
  readonly #cluster: ClusterMap;
  readonly #connections: Connections;
  readonly #timeoutMs: number;
  readonly #checkCrcs: boolean;
  readonly #closing = manyWaits();
  /** What was made and not closed, with the way to close it. */
  readonly #open = new Map<object, () => Promise<void>>();

  constructor(options: KafkaBrokerOptions) {
    if (options.bootstrapServers.length === 0) {
      throw new StreamsError('STREAMS_CONFIG', 'No broker is named. Give at least one bootstrap server.');
    }
    this.#timeoutMs = options.timeoutMs ?? defaultOf('task.timeout.ms');
    this.#checkCrcs = options.checkCrcs ?? defaultOf('check.crcs');
    this.#config = {
      clientId: options.clientId,
      ssl: options.ssl === true ? {} : options.ssl === false ? undefined : options.ssl,
      sasl: options.sasl,
      connectTimeoutMs: Math.min(10_000, this.#timeoutMs),
      requestTimeoutMs: Math.min(30_000, this.#timeoutMs),
      logger: options.logger ?? silentLogger,
    };
    this.#cluster = new ClusterMap(
      this.#config,
      options.bootstrapServers,
      options.bootstrapTimeoutMs ?? defaultOf('bootstrap.timeout.ms'),
    );
    this.#connections = this.#newConnections();
    const { logger } = this.#config;
    const calls = new BrokerCalls(this.#cluster, this.#connections, this.#timeoutMs, this.#closing.signal, logger);
    this.admin = new KafkaAdmin(this.#cluster, calls);
  }

  producer(options: ProducerOptions): BrokerProducer {
    checkCodec(options.compression ?? 'none');
    const producer: KafkaProducer = new KafkaProducer(
      options,
      this.#cluster,
      this.#newConnections(),
      this.#timeoutMs,
      () => this.#open.delete(producer),
    );
    this.#open.set(producer, () => producer.close());
    return producer;
  }

  fetcher(options: FetcherOptions): Fetcher {
    const fetcher: KafkaFetcher = new KafkaFetcher(
      options,
      this.#cluster,
      () => this.#newConnections(),
      { logger: this.#config.logger, checkCrcs: this.#checkCrcs },
      () => this.#open.delete(fetcher),
    );
    this.#open.set(fetcher, () => fetcher.close());
    return fetcher;
  }

  member(options: GroupMemberOptions): GroupMember {
    const member: KafkaGroupMember = new KafkaGroupMember(
      options,
      this.#cluster,
      () => this.#newConnections(),
      this.#config.logger,
      () => this.#open.delete(member),
    );
    this.#open.set(member, () => (options.groupInstanceId === undefined ? member.leave() : member.stop()));
    return member;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((close) => close()));
    this.#closing.abort();
    this.#connections.close();
    this.#cluster.close();
  }

  #newConnections(): Connections {
    return new Connections(this.#config, this.#cluster);
  }
}
