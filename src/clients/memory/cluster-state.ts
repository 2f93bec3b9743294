import type { OffsetToCommit, PartitionOffset, TopicPartition } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import type { MemberName } from './group-membership.ts';
import { checkMetadata } from './group-offsets.ts';
import type { ProduceBatch } from './produce-buffer.ts';
import { type Refusal, TopicCatalogue } from './topic-catalogue.ts';
import type { Transaction } from './transaction.ts';
import { type ProducerIdentity, TransactionCoordinator } from './transaction-coordinator.ts';

/** What became of batches. */
export interface WriteAnswer {
  /** Position after each batch that was written. */
  readonly positions: ReadonlyMap<ProduceBatch, number>;
  /** Batches of which nothing was written, and the records that are to blame. */
  readonly refused: ReadonlyMap<ProduceBatch, readonly Refusal[]>;
}

/** What the broker in memory keeps. */
export class ClusterState {
  readonly clusterId: string;
  readonly topics: TopicCatalogue;
  readonly groups: GroupCoordinator = new GroupCoordinator();
  readonly transactions: TransactionCoordinator;

  constructor(clusterId: string, now: () => number, step: () => Promise<void>) {
    this.clusterId = clusterId;
    this.topics = new TopicCatalogue(now);
    this.transactions = new TransactionCoordinator(this.groups, step);
  }

  /** Writes batches, each wholly or not at all. @throws BrokerFault where nothing was written. */
  write(owner: ProducerIdentity, transaction: Transaction | undefined, batches: readonly ProduceBatch[]): WriteAnswer {
    const logs = batches.map((batch) => this.topics.log(batch));
    for (const log of logs) this.transactions.checkWrite(owner, log);
    const positions = new Map<ProduceBatch, number>();
    const refused = new Map<ProduceBatch, readonly Refusal[]>();
    batches.forEach((batch, i) => {
      const refusals = this.topics.refusals(batch.topic, batch.columns);
      if (refusals.length > 0) {
        refused.set(batch, refusals);
        return;
      }
      const log = logs[i]!;
      transaction?.logs.add(log);
      positions.set(batch, log.append(this.topics.timed(batch.topic, batch.columns), transaction));
    });
    return { positions, refused };
  }

  /** Takes positions into the producer's transaction. */
  async addOffsets(owner: ProducerIdentity, groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    this.#checkOffsets(offsets);
    await this.transactions.addOffsets(owner, groupId, offsets);
  }

  /** Commits positions in the name of a member. */
  commit(groupId: string, member: MemberName, generation: number, offsets: readonly OffsetToCommit[]): void {
    this.#checkOffsets(offsets);
    this.groups.membership(groupId).checkCommit(member, generation);
    this.groups.offsets(groupId).set(offsets);
  }

  /** Sets positions from outside the group. */
  setCommitted(groupId: string, offsets: readonly OffsetToCommit[]): void {
    this.#checkOffsets(offsets);
    this.groups.setCommitted(groupId, offsets);
  }

  deleteTopic(topic: string): void {
    const logs = this.topics.logs(topic);
    this.topics.delete(topic);
    this.groups.forgetTopic(logs.map(({ partition }) => ({ topic, partition })));
  }

  deleteRecords(before: PartitionOffset): void {
    const log = this.topics.log(before);
    if (!(before.offset >= 0 && before.offset <= log.end)) {
      const what = `${nameOf(before)} cannot begin at ${before.offset}: it ends at ${log.end}`;
      throw new BrokerFault('OFFSET_OUT_OF_RANGE', what);
    }
    log.deleteBefore(before.offset);
  }

  #checkOffsets(offsets: readonly OffsetToCommit[]): void {
    for (const offset of offsets) this.topics.log(offset);
    checkMetadata(offsets);
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
