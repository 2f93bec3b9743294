import { messageOf, StreamsError } from '../../common/errors.ts';
import { partitionKey } from '../broker.ts';
import { type ConnectionConfig, KafkaConnection } from './connection.ts';
import { ConnectionLost, check, errorOfCode, isRetriable, KafkaError } from './errors.ts';
import { type ClusterMetadata, findCoordinator, metadata } from './requests.ts';

/** Longest wait for metadata, which all users of the map share, ms. */
const metadataMs = 10_000;
/** Least time for a connection, however little of the time is left, ms. */
const leastConnectMs = 200;

/** What a coordinator looks after. */
export type CoordinatorOf = 'group' | 'transaction';

/**
 * Who is where in a cluster: addresses of brokers, leaders of partitions, coordinators. Learned from any broker that answers, kept until somebody says it is old.
 *
 * Nothing is retried here but the next broker after one that does not answer.
 */
export class ClusterMap {
  readonly #config: ConnectionConfig;
  readonly #bootstrap: readonly { host: string; port: number }[];
  readonly #brokers = new Map<number, { host: string; port: number }>();
  readonly #leaders = new Map<string, number>();
  readonly #coordinators = new Map<string, number>();
  readonly #bootstrapMs: number;
  #connection: KafkaConnection | undefined;
  /** Whether any broker has ever answered a question about the cluster: which versions it knows it says to anybody, before a login too. */
  #answered = false;
  #triedSinceMs: number | undefined;
  /** By address, what was the matter last. */
  readonly #failures = new Map<string, unknown>();
  #lastError: unknown = new ConnectionLost('no broker is known');
  #connecting: Promise<KafkaConnection> | undefined;
  #closed = false;

  /**
   * @param servers - `host:port`, at least one of them up.
   * @param bootstrapMs - How long these are tried before any broker has answered: an address that is mistyped never will.
   */
  constructor(config: ConnectionConfig, servers: readonly string[], bootstrapMs: number) {
    this.#config = config;
    this.#bootstrapMs = bootstrapMs;
    this.#bootstrap = servers.map(parseServer);
  }

  /** Where a broker listens. @throws ConnectionLost for one that is not known. */
  address(nodeId: number): { host: string; port: number } {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) throw new ConnectionLost(`broker ${nodeId} is not in the cluster's metadata`);
    return address;
  }

  /** The leader of a partition, as far as it is known. */
  leader(topic: string, partition: number): number | undefined {
    return this.#leaders.get(partitionKey(topic, partition));
  }

  /** The leader is not what it was, or not to be reached. */
  forgetLeader(topic: string, partition: number): void {
    this.#leaders.delete(partitionKey(topic, partition));
  }

  /** A broker is not to be reached: its partitions and coordinators may be elsewhere now, and so may it. */
  forgetNode(nodeId: number): void {
    this.#brokers.delete(nodeId);
    for (const [key, leader] of this.#leaders) if (leader === nodeId) this.#leaders.delete(key);
    for (const [key, coordinator] of this.#coordinators) if (coordinator === nodeId) this.#coordinators.delete(key);
  }

  /** Asks for metadata of these topics, of none for [], of all for undefined, and learns from them. */
  async metadata(topics: readonly string[] | undefined, timeoutMs?: number): Promise<ClusterMetadata> {
    const connection = await this.#any(timeoutMs);
    const answer = await connection
      .call(metadata, topics, Math.min(metadataMs, timeoutMs ?? metadataMs))
      .catch((error: unknown) => this.#failed(connection.address, error));
    this.#answered = true;
    if (answer.brokers.length > 0) {
      this.#brokers.clear();
      for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    }
    for (const { topic, partitionMetadata } of answer.topicMetadata) {
      for (const { partitionId, leader } of partitionMetadata) {
        if (leader >= 0) this.#leaders.set(partitionKey(topic, partitionId), leader);
        else this.forgetLeader(topic, partitionId);
      }
    }
    return answer;
  }

  /** The coordinator of a group or of a transactional id. */
  async coordinator(of: CoordinatorOf, id: string, timeoutMs?: number): Promise<number> {
    const key = `${of} ${id}`;
    const known = this.#coordinators.get(key);
    if (known !== undefined) return known;
    const connection = await this.#any(timeoutMs);
    const args = { groupId: id, coordinatorType: of === 'group' ? (0 as const) : (1 as const) };
    const answer = await connection
      .call(findCoordinator, args, timeoutMs)
      .catch((error: unknown) => this.#failed(connection.address, error));
    this.#answered = true;
    check(answer.errorCode, answer.errorMessage);
    const { nodeId, host, port } = answer.coordinator;
    this.#brokers.set(nodeId, { host, port });
    this.#coordinators.set(key, nodeId);
    return nodeId;
  }

  /** The coordinator is not what it was. */
  forgetCoordinator(of: CoordinatorOf, id: string): void {
    this.#coordinators.delete(`${of} ${id}`);
  }

  /** Some broker that is up. */
  async anyNode(timeoutMs?: number): Promise<number> {
    if (this.#brokers.size === 0) await this.metadata([], timeoutMs);
    const nodes = [...this.#brokers.keys()];
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    if (node === undefined) throw new ConnectionLost('the cluster has no brokers for now');
    return node;
  }

  /** How much of a time is left to whoever tries: before any broker has answered, it ends with that of the bootstrap. */
  patienceMs(leftMs: number): number {
    return this.#answered ? leftMs : Math.min(leftMs, Math.max(0, this.#bootstrapLeft));
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  async #any(timeoutMs?: number): Promise<KafkaConnection> {
    if (this.#closed) throw new StreamsError('STREAMS_CLOSED', 'The broker client is closed.');
    if (this.#connection?.isOpen) return this.#connection;
    this.#connecting ??= this.#connectAny(timeoutMs).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connectAny(timeoutMs?: number): Promise<KafkaConnection> {
    if (!this.#answered && this.#bootstrapLeft <= 0) throw this.#nobodyThere();
    // In any order: one that does not answer is not to hold up each attempt.
    const addresses = [...shuffled([...this.#brokers.values()]), ...shuffled(this.#bootstrap)];
    for (const [i, { host, port }] of addresses.entries()) {
      try {
        const waitMs = this.#answered ? timeoutMs : this.#shareOfBootstrap(addresses.length - i, timeoutMs);
        this.#connection = await KafkaConnection.open(this.#config, host, port, waitMs);
        if (this.#closed) this.#connection.close();
        return this.#connection;
      } catch (error) {
        if (!isRetriable(error)) throw error;
        this.#lastError = error;
        this.#failures.set(`${host}:${port}`, error);
      }
    }
    throw this.#lastError;
  }

  #failed(address: string, error: unknown): never {
    if (!this.#answered) {
      this.#lastError = error;
      this.#failures.set(address, error);
    }
    throw error;
  }

  get #bootstrapLeft(): number {
    this.#triedSinceMs ??= performance.now();
    return this.#triedSinceMs + this.#bootstrapMs - performance.now();
  }

  /** Each of the addresses that are left has its part of the time: one that says nothing does not use up that of the others. */
  #shareOfBootstrap(addresses: number, timeoutMs = Number.POSITIVE_INFINITY): number {
    return Math.min(timeoutMs, Math.max(leastConnectMs, this.#bootstrapLeft / addresses));
  }

  #whatFailed(): string {
    const messages = [...this.#failures.values()].map(messageOf);
    return [...new Set(messages.length === 0 ? [messageOf(this.#lastError)] : messages)].join('; ');
  }

  #nobodyThere(): StreamsError {
    // Who asks later has the whole time again.
    this.#triedSinceMs = undefined;
    const which = this.#bootstrap.length === 1 ? 'no broker' : `none of the ${this.#bootstrap.length} brokers`;
    return new StreamsError(
      'STREAMS_BROKER',
      `${which} of bootstrap.servers (--brokers) has answered for ${this.#bootstrapMs / 1000} s (bootstrap.timeout.ms): ${this.#whatFailed()}. Check the address, that the broker runs, and that security.protocol is that of its listener.`,
      { cause: this.#lastError },
    );
  }
}

/** The error of a topic in an answer, if its leaders cannot be used. */
export function topicError(topic: ClusterMetadata['topicMetadata'][number]): KafkaError | undefined {
  const error = errorOfCode(topic.topicErrorCode);
  if (error) return error;
  const without = topic.partitionMetadata.find(({ leader }) => leader < 0);
  return without && new KafkaError('LEADER_NOT_AVAILABLE', `${topic.topic}-${without.partitionId}`);
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

function parseServer(server: string): { host: string; port: number } {
  const at = server.lastIndexOf(':');
  const port = Number(server.slice(at + 1));
  if (at <= 0 || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw new StreamsError(
      'STREAMS_CONFIG',
      `"${server}" is not a broker address. Write host:port, such as localhost:9092.`,
    );
  }
  // An IPv6 address stands in brackets.
  return { host: server.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port };
}
