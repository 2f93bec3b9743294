import { StreamsError } from '../../common/errors.ts';
import type { ProducerOptions, RefusedRecord } from '../broker.ts';
import { compressBatch, stampBatch } from '../record-batch/batch-stamp.ts';
import { batchLayout } from '../record-batch/layout.ts';
import { onlyRecord, splitBatch } from '../record-batch/split-batch.ts';
import { Backoff, Deadline, pause } from './backoff.ts';
import type { BrokerCalls } from './broker-calls.ts';
import type { ClusterMap } from './cluster-map.ts';
import {
  ConnectionLost,
  errorOfCode,
  isKafka,
  isMoved,
  isRetriable,
  isUnknown,
  KafkaError,
  newTopicMs,
} from './errors.ts';
import type { OutgoingPartition } from './producer-buffer.ts';
import { type OfTopic, produce } from './requests.ts';

/** Who writes. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A partition on its way to its leader. */
interface Sending extends OutgoingPartition {
  /** The first of its batches as it was sent: repeated as it is, so that the broker knows it again. */
  stamped: Buffer | undefined;
}

type ProduceAnswer = readonly OfTopic<{ partition: number; errorCode: number; baseOffset: number }>[];

/** What the broker has against a batch for one of its records. */
const refusals = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_TIMESTAMP', 'INVALID_RECORD'];
/** How long a broker waits for the replicas, ms. */
const brokerMs = 30_000;
/** Most bytes of one request. */
const maxRequestBytes = 32 * 1024 * 1024;
/** Sequence numbers begin again after this many. */
const sequences = 2 ** 31;

/**
 * Sends batches to the leaders, in order within each partition, each once: a batch of which no answer came is sent again with the same numbers.
 *
 * Errors are `KafkaError`, `ConnectionLost` or StreamsError.
 */
export class BatchSender {
  readonly #options: ProducerOptions;
  readonly #cluster: ClusterMap;
  readonly #calls: BrokerCalls;
  readonly #timeoutMs: number;
  readonly #closing: AbortSignal;
  readonly #sequences = new Map<string, number>();
  /** Position after the last record that was written, by partition, since `forget`. */
  readonly positions: Map<string, number> = new Map();
  identity: ProducerIdentity | undefined;

  constructor(
    options: ProducerOptions,
    cluster: ClusterMap,
    calls: BrokerCalls,
    timeoutMs: number,
    closing: AbortSignal,
  ) {
    this.#options = options;
    this.#cluster = cluster;
    this.#calls = calls;
    this.#timeoutMs = timeoutMs;
    this.#closing = closing;
  }

  /** Sends all and waits for the answers. */
  async send(partitions: readonly OutgoingPartition[]): Promise<void> {
    let open: Sending[] = partitions.map((of) => ({ ...of, stamped: undefined }));
    const deadline = new Deadline(this.#timeoutMs);
    const patience = new Deadline(newTopicMs);
    const backoff = new Backoff();
    while (open.length > 0) {
      const before = open.reduce((sum, { batches }) => sum + batches.length, 0);
      let failure: Error | undefined;
      const failed = (error: Error): void => {
        failure ??= error;
      };
      try {
        const groups = await this.#byLeader(open, deadline.left, failed);
        await Promise.all([...groups].map(([nodeId, of]) => this.#drain(nodeId, of, deadline, failed)));
      } catch (error) {
        if (!isRetriable(error)) throw error;
        failed(error as Error);
      }
      open = open.filter(({ batches }) => batches.length > 0);
      if (open.length === 0) return;
      if (open.reduce((sum, { batches }) => sum + batches.length, 0) < before) backoff.reset();
      else if (isUnknown(failure) && patience.passed) throw failure;
      const wait = backoff.next();
      if (this.#closing.aborted || deadline.left <= wait)
        throw failure ?? new ConnectionLost('no answer to Produce in time');
      await pause(wait, this.#closing);
    }
  }

  /** Partitions by their leaders; those that have none now are left for the next round. */
  async #byLeader(
    open: readonly Sending[],
    timeoutMs: number,
    failed: (error: Error) => void,
  ): Promise<ReadonlyMap<number, Sending[]>> {
    const leader = ({ topic, partition }: Sending): number | undefined => this.#cluster.leader(topic, partition);
    const unknown = open.filter((of) => leader(of) === undefined);
    if (unknown.length > 0) {
      const topics = new Set(unknown.map(({ topic }) => topic));
      const { topicMetadata } = await this.#cluster.metadata([...topics], timeoutMs);
      for (const { topic, partition, key } of unknown.filter((of) => leader(of) === undefined)) {
        const answer = topicMetadata.find((of) => of.topic === topic);
        const isThere = answer?.partitionMetadata.some(({ partitionId }) => partitionId === partition);
        const error = errorOfCode(answer?.topicErrorCode ?? 0, topic);
        if (error && !isRetriable(error)) throw error;
        failed(error ?? new KafkaError(isThere ? 'LEADER_NOT_AVAILABLE' : 'UNKNOWN_TOPIC_OR_PARTITION', key));
      }
    }
    const groups = new Map<number, Sending[]>();
    for (const of of open) {
      const nodeId = leader(of);
      if (nodeId === undefined) continue;
      const group = groups.get(nodeId);
      if (group) group.push(of);
      else groups.set(nodeId, [of]);
    }
    return groups;
  }

  /** Sends to one leader until all is written; what fails in a way that passes is left for the next round. */
  async #drain(
    nodeId: number,
    partitions: readonly Sending[],
    deadline: Deadline,
    failed: (error: Error) => void,
  ): Promise<void> {
    let open = [...partitions];
    while (open.length > 0) {
      if (deadline.passed) throw new ConnectionLost(`broker ${nodeId}: not all was written in time`);
      const round = this.#round(open);
      let answer: ProduceAnswer;
      try {
        answer = await this.#produce(nodeId, round, deadline.left);
      } catch (error) {
        if (!isRetriable(error)) throw error;
        failed(error as Error);
        return;
      }
      const later = new Set<Sending>();
      for (const { topic, partitions: answered } of answer) {
        for (const { partition, errorCode, baseOffset } of answered) {
          const of = round.find((one) => one.partition === partition && one.topic === topic);
          const error = errorOfCode(errorCode, of?.key);
          if (of === undefined) continue;
          if (error === undefined) this.#written(of, baseOffset);
          else if (isKafka(error, 'DUPLICATE_SEQUENCE_NUMBER')) this.#written(of, -1);
          else if (isKafka(error, ...refusals)) this.#refused(of, error);
          else if (isRetriable(error)) {
            if (isMoved(error)) this.#cluster.forgetLeader(topic, partition);
            failed(error);
            later.add(of);
          } else throw error;
        }
      }
      open = open.filter((of) => of.batches.length > 0 && !later.has(of));
    }
  }

  /** As many partitions as fit into a request. */
  #round(open: readonly Sending[]): Sending[] {
    let size = 0;
    return open.filter(({ batches }) => {
      const fits = size === 0 || size + batches[0]!.length <= maxRequestBytes;
      if (fits) size += batches[0]!.length;
      return fits;
    });
  }

  #produce(nodeId: number, round: readonly Sending[], timeoutMs: number): Promise<ProduceAnswer> {
    const { transactional, transactionalId } = this.#options;
    const batches = round.map((of) => ({ topic: of.topic, partition: of.partition, bytes: this.#stamped(of) }));
    const args = { transactionalId: transactional ? (transactionalId ?? null) : null, timeout: brokerMs, batches };
    return this.#calls.toNode(nodeId, produce, args, Math.min(brokerMs + 5000, timeoutMs));
  }

  #stamped(of: Sending): Buffer {
    if (of.stamped) return of.stamped;
    if (this.identity === undefined) throw new TypeError('init of the producer comes before all else');
    const { producerId, producerEpoch } = this.identity;
    const batch = compressBatch(of.batches[0]!, this.#options.compression ?? 'none');
    const baseSequence = this.#sequences.get(of.key) ?? 0;
    stampBatch(batch, { producerId, producerEpoch, baseSequence, transactional: this.#options.transactional });
    of.stamped = batch;
    return batch;
  }

  /** @param baseOffset - of the first record; -1: not known. */
  #written(of: Sending, baseOffset: number): void {
    const count = of.batches.shift()!.readInt32BE(batchLayout.count);
    of.stamped = undefined;
    this.#sequences.set(of.key, ((this.#sequences.get(of.key) ?? 0) + count) % sequences);
    if (baseOffset >= 0) this.positions.set(of.key, baseOffset + count);
    else this.positions.delete(of.key);
  }

  /** A batch that the broker does not take is halved, until the record is found that it does not take. */
  #refused(of: Sending, error: KafkaError): void {
    const batch = of.batches.shift()!;
    of.stamped = undefined;
    if (batch.readInt32BE(batchLayout.count) > 1) {
      of.batches.unshift(...splitBatch(batch));
      return;
    }
    const { topic, partition } = of;
    const record: RefusedRecord = { topic, partition, ...onlyRecord(batch), reason: error.kafka };
    if (this.#options.refused?.(record) === 'continue') return;
    const text = `The broker does not take a record of ${of.key}: ${error.message}. Raise the topic's limit, or go on without such records.`;
    throw new StreamsError('STREAMS_BROKER', text, { topic, partition, cause: error });
  }
}
