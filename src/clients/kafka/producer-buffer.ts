import type { Header } from '../../processor/record.ts';
import { partitionKey, type TopicPartition } from '../broker.ts';
import { BatchWriter } from '../record-batch/batch-writer.ts';

/** Batches of one partition that wait to be sent, in order. */
export interface OutgoingPartition extends TopicPartition {
  readonly key: string;
  /** Sealed, neither compressed nor stamped. */
  readonly batches: Buffer[];
}

interface Buffered extends TopicPartition {
  readonly key: string;
  readonly full: BatchWriter[];
  writer: BatchWriter;
}

/** Records that were appended and not taken yet, as batches by partition. */
export class ProducerBuffer {
  readonly #maxBatchBytes: number;
  #topics = new Map<string, Buffered[]>();
  /** Bytes of the last batches of a partition: as many are to be expected the next time. */
  readonly #expected = new Map<string, number>();
  #last: Buffered | undefined;
  #bytes = 0;

  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers: readonly Header[] | undefined,
  ): void {
    let buffered = this.#last;
    if (buffered === undefined || buffered.partition !== partition || buffered.topic !== topic) {
      buffered = this.#of(topic, partition);
      this.#last = buffered;
    }
    let { writer } = buffered;
    let before = writer.size;
    if (!writer.append(timestamp, key, value, headers)) {
      buffered.full.push(writer);
      writer = new BatchWriter(this.#maxBatchBytes, this.#maxBatchBytes);
      before = 0;
      buffered.writer = writer;
      writer.append(timestamp, key, value, headers);
    }
    this.#bytes += writer.size - before;
  }

  /** Takes all out. */
  take(): OutgoingPartition[] {
    const taken: OutgoingPartition[] = [];
    for (const partitions of this.#topics.values()) {
      for (const { topic, partition, key, full, writer } of partitions.filter((of) => of !== undefined)) {
        this.#expected.set(key, writer.size);
        taken.push({ topic, partition, key, batches: [...full, writer].map((of) => of.seal()) });
      }
    }
    this.clear();
    return taken;
  }

  clear(): void {
    this.#topics = new Map();
    this.#last = undefined;
    this.#bytes = 0;
  }

  #of(topic: string, partition: number): Buffered {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = [];
      this.#topics.set(topic, partitions);
    }
    const known = partitions[partition];
    if (known) return known;
    const key = partitionKey(topic, partition);
    const expected = Math.ceil((this.#expected.get(key) ?? 0) * 1.25);
    const buffered = { topic, partition, key, full: [], writer: new BatchWriter(this.#maxBatchBytes, expected) };
    partitions[partition] = buffered;
    return buffered;
  }
}
