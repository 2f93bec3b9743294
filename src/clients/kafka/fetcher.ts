import { StreamsError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import {
  type Fetcher,
  type FetcherOptions,
  type PartitionOffset,
  partitionKey,
  type TopicPartition,
} from '../broker.ts';
import type { FetchedRecords } from '../fetched-records.ts';
import { decodeRecords } from '../record-batch/decode-records.ts';
import { unreadableError } from '../record-batch/unreadable-batch.ts';
import type { ClusterMap } from './cluster-map.ts';
import type { Connections } from './connections.ts';
import { brokerError, errorOfCode, isKafka, isMoved, isRetriable } from './errors.ts';
import { FetchLanes, type LaneOwner } from './fetch-lanes.ts';
import type { FetchAnswer, FetchedPartition } from './fetch-request.ts';
import { Leaders } from './leaders.ts';
import { Reading } from './reading.ts';

/** Reads partitions from their leaders. */
export class KafkaFetcher implements Fetcher, LaneOwner {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  readonly isolationLevel: 0 | 1;
  readonly #options: FetcherOptions;
  readonly #cluster: ClusterMap;
  readonly #connections: () => Connections;
  readonly #logger: Logger;
  readonly #checkCrcs: boolean;
  readonly #whenClosed: () => void;
  readonly #readings = new Map<string, Reading>();
  readonly #nodes = new Map<number, FetchLanes>();
  readonly #leaders: Leaders;
  #closed = false;

  /**
   * @param connections - makes a set of connections of its own.
   * @param closed - called when it is closed.
   */
  constructor(
    options: FetcherOptions,
    cluster: ClusterMap,
    connections: () => Connections,
    { logger, checkCrcs }: { readonly logger: Logger; readonly checkCrcs: boolean },
    closed: () => void,
  ) {
    this.#options = options;
    this.#whenClosed = closed;
    this.maxWaitMs = options.maxWaitMs ?? 500;
    this.maxBytes = options.maxBytes ?? 10_485_760;
    this.maxPartitionBytes = options.maxPartitionBytes ?? 1_048_576;
    this.isolationLevel = options.isolation === 'read_uncommitted' ? 0 : 1;
    this.#cluster = cluster;
    this.#connections = connections;
    this.#logger = logger;
    this.#checkCrcs = checkCrcs;
    this.#leaders = new Leaders(cluster, this.#readings, {
      found: (nodeId) => this.#lanes(nodeId).wake(),
      refused: (reading, error) => this.#end(reading, 'failed', error),
    });
  }

  add(partition: PartitionOffset): void {
    if (this.#closed) throw new StreamsError('STREAMS_CLOSED', 'The fetcher is closed.');
    const key = partitionKey(partition.topic, partition.partition);
    const reading = new Reading(partition);
    this.#readings.delete(key);
    this.#readings.set(key, reading);
    this.#leaders.find();
  }

  remove({ topic, partition }: TopicPartition): void {
    this.#readings.delete(partitionKey(topic, partition));
  }

  pause({ topic, partition }: TopicPartition): void {
    const reading = this.#readings.get(partitionKey(topic, partition));
    if (reading) reading.paused = true;
  }

  resume({ topic, partition }: TopicPartition): void {
    const reading = this.#readings.get(partitionKey(topic, partition));
    if (reading === undefined || !reading.paused) return;
    reading.paused = false;
    if (reading.leader !== undefined) this.#lanes(reading.leader).wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#readings.clear();
    this.#leaders.close();
    for (const lanes of this.#nodes.values()) lanes.close();
    this.#nodes.clear();
    this.#whenClosed();
  }

  due(nodeId: number): Reading[] {
    const due: Reading[] = [];
    for (const reading of this.#readings.values()) if (reading.leader === nodeId && !reading.paused) due.push(reading);
    return due;
  }

  fetched(_nodeId: number, readings: readonly Reading[], answer: FetchAnswer): void {
    const asked = new Map(readings.map((reading) => [partitionKey(reading.topic, reading.partition), reading]));
    for (const partition of answer.partitions) {
      const key = partitionKey(partition.topic, partition.partition);
      const reading = asked.get(key);
      if (reading === undefined || this.#readings.get(key) !== reading) continue;
      const error = errorOfCode(partition.errorCode, key);
      if (error === undefined) this.#receive(key, reading, partition, answer.bytes);
      else if (isKafka(error, 'CORRUPT_MESSAGE'))
        this.#damaged(reading, `cannot be read by the broker itself (${error.kafka})`);
      else if (isKafka(error, 'OFFSET_OUT_OF_RANGE')) this.#end(reading, 'out-of-range', error);
      else if (isRetriable(error)) {
        reading.backOff();
        if (isMoved(error)) this.#moved(reading);
      } else this.#end(reading, 'failed', brokerError(`reading ${key}`, error));
    }
  }

  failed(nodeId: number, readings: readonly Reading[], error: unknown): void {
    if (!isRetriable(error)) {
      for (const reading of readings) this.#end(reading, 'failed', brokerError(`reading from broker ${nodeId}`, error));
      return;
    }
    this.#logger.debug({ nodeId, error: String(error) }, 'a fetch has failed, it is tried again');
    this.#cluster.forgetNode(nodeId);
    for (const reading of this.#readings.values()) {
      if (reading.leader !== nodeId) continue;
      reading.backOff();
      this.#moved(reading);
    }
  }

  #moved(reading: Reading): void {
    this.#cluster.forgetLeader(reading.topic, reading.partition);
    reading.leader = undefined;
    this.#leaders.find();
  }

  #receive(key: string, reading: Reading, { start, end, aborted, ...ends }: FetchedPartition, bytes: Buffer): void {
    const { topic, partition, position } = reading;
    const committed = this.isolationLevel === 1;
    const stableEnd = committed ? ends.lastStableOffset : ends.highWatermark;
    const { records, failure } = decodeRecords({
      topic,
      partition,
      bytes,
      start,
      end,
      position,
      aborted: committed ? aborted : undefined,
      stableEnd,
      checkCrcs: this.#checkCrcs,
    });
    const moved = records.nextOffset > position;
    const news = moved || !reading.told || stableEnd !== reading.stableEnd;
    reading.position = records.nextOffset;
    reading.stableEnd = stableEnd;
    reading.told = true;
    reading.hot = moved;
    if (moved) {
      // Who was served goes to the end of the queue: a fetch may be full before it comes to all.
      this.#readings.delete(key);
      this.#readings.set(key, reading);
    }
    if (news) this.#giveOut(reading, records);
    if (failure !== undefined) this.#end(reading, 'failed', failure);
    else if (end > start && !moved) this.#stuck(reading);
    else reading.goesOn();
  }

  #giveOut(reading: Reading, records: FetchedRecords): void {
    try {
      this.#options.receive(records);
    } catch (error) {
      this.#end(reading, 'failed', error as Error);
    }
  }

  /** Bytes and not one whole batch: asked for again, but not for ever. */
  #stuck(reading: Reading): void {
    if (reading.isStuck()) this.#damaged(reading, 'is damaged: its length or its offset does not go with the log');
    else reading.backOff();
  }

  #damaged(reading: Reading, reason: string): void {
    const { topic, partition, position } = reading;
    this.#end(reading, 'failed', unreadableError(topic, partition, { kind: 'damaged', offset: position, reason }));
  }

  #end(reading: Reading, kind: 'out-of-range' | 'failed', error: Error): void {
    const { topic, partition, position } = reading;
    const key = partitionKey(topic, partition);
    if (this.#readings.get(key) !== reading) return;
    this.#readings.delete(key);
    this.#options.failed({ topic, partition, offset: position }, kind, error);
  }

  #lanes(nodeId: number): FetchLanes {
    const known = this.#nodes.get(nodeId);
    if (known) return known;
    const lanes = new FetchLanes(nodeId, this, this.#connections);
    this.#nodes.set(nodeId, lanes);
    return lanes;
  }
}
