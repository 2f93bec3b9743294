import { StreamsError } from '../../common/errors.ts';
import type { Header } from '../../processor/record.ts';
import type { BrokerProducer, OffsetToCommit, ProducerOptions } from '../broker.ts';
import { manyWaits } from './backoff.ts';
import { BatchSender } from './batch-sender.ts';
import { BrokerCalls } from './broker-calls.ts';
import type { ClusterMap } from './cluster-map.ts';
import type { Connections } from './connections.ts';
import { brokerError, check, isKafka } from './errors.ts';
import { type OutgoingPartition, ProducerBuffer } from './producer-buffer.ts';
import { initProducerId } from './requests.ts';
import { Transaction } from './transaction.ts';

/** Answers that say that somebody else has the transactional id now. */
const fenced = ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING'];

/** What one flush or commit has to send. */
interface Taken {
  readonly partitions: readonly OutgoingPartition[];
  readonly bytes: number;
}

/** Writes to a real broker. */
export class KafkaProducer implements BrokerProducer {
  readonly #options: ProducerOptions;
  readonly #closed: () => void;
  readonly #cluster: ClusterMap;
  readonly #connections: Connections;
  readonly #calls: BrokerCalls;
  readonly #sender: BatchSender;
  readonly #buffer: ProducerBuffer;
  readonly #transaction: Transaction | undefined;
  readonly #closing = manyWaits();
  #last: Promise<unknown> = Promise.resolve();
  #failure: StreamsError | undefined;
  #hasAppended = false;
  #unsent = 0;

  /** @param closed - called when it is closed. */
  constructor(
    options: ProducerOptions,
    cluster: ClusterMap,
    connections: Connections,
    timeoutMs: number,
    closed: () => void,
  ) {
    this.#closed = closed;
    if (options.transactional && options.transactionalId === undefined) {
      throw new TypeError('a transactional producer needs a transactionalId');
    }
    this.#options = options;
    this.#cluster = cluster;
    this.#connections = connections;
    const { signal } = this.#closing;
    this.#calls = new BrokerCalls(cluster, connections, timeoutMs, signal);
    this.#sender = new BatchSender(options, cluster, this.#calls, timeoutMs, signal);
    this.#buffer = new ProducerBuffer(options.maxBatchBytes ?? 1_000_000);
    if (options.transactionalId !== undefined) {
      this.#transaction = new Transaction(options.transactionalId, this.#calls, this.#sender);
    }
  }

  get bufferedBytes(): number {
    return this.#buffer.bytes + this.#unsent;
  }

  get hasAppended(): boolean {
    return this.#hasAppended;
  }

  init(): Promise<void> {
    return this.#inTurn(async () => {
      const timeout = this.#options.transactionTimeoutMs ?? 60_000;
      if (this.#transaction) return this.#transaction.init(timeout);
      await this.#calls.run('asking for a producer id', async (left) => {
        const args = { transactionalId: null, transactionTimeout: timeout };
        const answer = await this.#calls.toNode(await this.#cluster.anyNode(left()), initProducerId, args, left());
        check(answer.errorCode);
        const { producerId, producerEpoch } = answer;
        this.#sender.identity = { producerId: BigInt(producerId), producerEpoch };
      });
    });
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers?: readonly Header[],
  ): void {
    this.#buffer.append(topic, partition, timestamp, key, value, headers);
    this.#hasAppended = true;
  }

  flush(): Promise<void> {
    const taken = this.#take();
    return this.#inTurn(() => this.#send(taken));
  }

  async commit(groupId?: string, offsets: readonly OffsetToCommit[] = []): Promise<ReadonlyMap<string, number>> {
    if (offsets.length > 0 && !this.#options.transactional)
      throw new TypeError('offsets need a transactional producer');
    if (offsets.length > 0 && groupId === undefined) throw new TypeError('offsets need the id of their group');
    const taken = this.#take();
    this.#hasAppended = false;
    return this.#inTurn(async () => {
      // Partitions first: the coordinator takes one step after the other.
      await this.#addPartitions(taken.partitions);
      const committing = offsets.length > 0 ? this.#transaction?.commitOffsets(groupId!, offsets) : undefined;
      await Promise.all([this.#send(taken), committing]);
      if (this.#options.transactional && this.#transaction?.begun) await this.#transaction.end(true);
      return this.#takePositions();
    });
  }

  abort(): Promise<void> {
    this.#buffer.clear();
    this.#hasAppended = false;
    return this.#inTurn(async () => {
      if (this.#options.transactional && this.#transaction?.begun) await this.#transaction.end(false);
      this.#takePositions();
    });
  }

  async close(): Promise<void> {
    this.#failure ??= new StreamsError('STREAMS_CLOSED', 'The producer is closed.');
    this.#closing.abort();
    this.#connections.close();
    this.#closed();
  }

  #take(): Taken {
    const { bytes } = this.#buffer;
    this.#unsent += bytes;
    return { partitions: this.#buffer.take(), bytes };
  }

  async #addPartitions(partitions: readonly OutgoingPartition[]): Promise<void> {
    if (this.#options.transactional) await this.#transaction!.addPartitions(partitions);
  }

  async #send({ partitions, bytes }: Taken): Promise<void> {
    await this.#addPartitions(partitions);
    await this.#sender.send(partitions);
    this.#unsent -= bytes;
  }

  #takePositions(): ReadonlyMap<string, number> {
    const positions = new Map(this.#sender.positions);
    this.#sender.positions.clear();
    return positions;
  }

  /** One after the other; after the first failure none. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      try {
        return await work();
      } catch (error) {
        if (error instanceof TypeError || error instanceof RangeError) throw error;
        this.#failure ??= this.#known(error);
        throw this.#failure;
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }

  #known(error: unknown): StreamsError {
    const id = this.#options.transactionalId;
    const told = StreamsError.is(error) ? error.details.cause : error;
    if (id !== undefined && isKafka(told, ...fenced)) {
      const text = `Another producer with the transactional id "${id}" was initialised since: ${told.kafka}. Its owner goes on from what is committed.`;
      return new StreamsError('STREAMS_TASK_MIGRATED', text, { cause: error });
    }
    return brokerError(id === undefined ? 'writing' : `writing as ${id}`, error);
  }
}
