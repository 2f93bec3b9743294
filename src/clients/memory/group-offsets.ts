import { type CommittedOffset, type OffsetToCommit, partitionKey, type TopicPartition } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';

const maxMetadataBytes = 4096;

/** @throws BrokerFault `OFFSET_METADATA_TOO_LARGE` */
export function checkMetadata(offsets: readonly OffsetToCommit[]): void {
  for (const { metadata, topic, partition } of offsets) {
    if (Buffer.byteLength(metadata) > maxMetadataBytes) {
      const what = `the metadata committed with ${partitionKey(topic, partition)} has more than ${maxMetadataBytes} bytes`;
      throw new BrokerFault('OFFSET_METADATA_TOO_LARGE', what);
    }
  }
}

/** What a group has committed, and what transactions that are not over will commit. */
export class GroupOffsets {
  readonly #committed = new Map<string, CommittedOffset>();
  readonly #pending = new Map<string, number>();
  #waiting: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#committed.size === 0 && this.#pending.size === 0;
  }

  set(offsets: readonly OffsetToCommit[]): void {
    for (const { topic, partition, offset, metadata } of offsets) {
      this.#committed.set(partitionKey(topic, partition), { offset, metadata });
    }
  }

  /** Takes positions of a transaction that is open: nobody reads these partitions' positions until it is over. */
  hold(offsets: readonly OffsetToCommit[]): void {
    for (const { topic, partition } of offsets) {
      const key = partitionKey(topic, partition);
      this.#pending.set(key, (this.#pending.get(key) ?? 0) + 1);
    }
  }

  /** The transaction is over. */
  settle(offsets: readonly OffsetToCommit[], committed: boolean): void {
    if (committed) this.set(offsets);
    for (const { topic, partition } of offsets) {
      const key = partitionKey(topic, partition);
      const left = this.#pending.get(key)! - 1;
      if (left === 0) this.#pending.delete(key);
      else this.#pending.set(key, left);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Waits until no transaction holds the partitions. */
  async read(partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | undefined)[]> {
    const keys = partitions.map(({ topic, partition }) => partitionKey(topic, partition));
    while (keys.some((key) => this.#pending.has(key))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return keys.map((key) => this.#committed.get(key));
  }

  forget(): void {
    this.#committed.clear();
  }

  /** Forgets the positions of a topic that was deleted. */
  forgetTopic(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#committed.delete(partitionKey(topic, partition));
  }
}
