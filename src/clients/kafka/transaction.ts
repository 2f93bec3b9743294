import type { OffsetToCommit, TopicPartition } from '../broker.ts';
import type { Api } from './api.ts';
import { Deadline } from './backoff.ts';
import type { BatchSender } from './batch-sender.ts';
import type { BrokerCalls } from './broker-calls.ts';
import { codesOf } from './broker-calls.ts';
import type { CoordinatorOf } from './cluster-map.ts';
import { brokerError, errorOfCode, isUnknown, newTopicMs } from './errors.ts';
import { offsetsByTopic } from './group-offsets.ts';
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  groupByTopic,
  initProducerId,
  txnOffsetCommit,
} from './requests.ts';

/** The transactions of one transactional id, as its coordinator keeps them. Each step may be repeated, so a lost answer does no harm. */
export class Transaction {
  readonly #transactionalId: string;
  readonly #calls: BrokerCalls;
  readonly #sender: BatchSender;
  readonly #added = new Set<string>();
  #begun = false;

  constructor(transactionalId: string, calls: BrokerCalls, sender: BatchSender) {
    this.#transactionalId = transactionalId;
    this.#calls = calls;
    this.#sender = sender;
  }

  /** Whether something was added that is neither committed nor aborted. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Ends what earlier owners left open, fences them, and says who the sender is from now on. */
  async init(transactionTimeout: number): Promise<void> {
    const transactionalId = this.#transactionalId;
    const args = { transactionalId, transactionTimeout };
    const { producerId, producerEpoch } = await this.#ask('transaction', transactionalId, initProducerId, args);
    this.#sender.identity = { producerId: BigInt(producerId), producerEpoch };
  }

  /** Makes the partitions part of the transaction, before their first records. */
  async addPartitions(partitions: readonly (TopicPartition & { key: string })[]): Promise<void> {
    const fresh = partitions.filter(({ key }) => !this.#added.has(key));
    if (fresh.length === 0) return;
    this.#begun = true;
    const topics = groupByTopic(fresh, ({ partition }) => partition);
    await this.#ask('transaction', this.#transactionalId, addPartitionsToTxn, { ...this.#writer(), topics });
    for (const { key } of fresh) this.#added.add(key);
  }

  /** Makes the group's offsets part of the transaction. */
  async commitOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    this.#begun = true;
    await this.#ask('transaction', this.#transactionalId, addOffsetsToTxn, { ...this.#writer(), groupId });
    const args = { ...this.#writer(), groupId, topics: offsetsByTopic(offsets) };
    await this.#ask('group', groupId, txnOffsetCommit, args);
  }

  /** Ends the transaction: all of it is seen, or nothing. */
  async end(commit: boolean): Promise<void> {
    await this.#ask('transaction', this.#transactionalId, endTxn, { ...this.#writer(), transactionResult: commit });
    this.#added.clear();
    this.#begun = false;
  }

  #writer(): { transactionalId: string; producerId: string; producerEpoch: number } {
    const { identity } = this.#sender;
    if (identity === undefined) throw new TypeError('init of the producer comes before all else');
    const { producerId, producerEpoch } = identity;
    return { transactionalId: this.#transactionalId, producerId: String(producerId), producerEpoch };
  }

  #ask<Args, Result>(of: CoordinatorOf, id: string, api: Api<Args, Result>, args: Args): Promise<Result> {
    const patience = new Deadline(newTopicMs);
    const what = `${api.name} of ${this.#transactionalId}`;
    return this.#calls.run(what, async (left) => {
      const result = await this.#calls.toCoordinator(of, id, api, args, left());
      for (const code of codesOf(result)) {
        const error = errorOfCode(code);
        if (isUnknown(error) && patience.passed) throw brokerError(what, error);
        if (error) throw error;
      }
      return result;
    });
  }
}
