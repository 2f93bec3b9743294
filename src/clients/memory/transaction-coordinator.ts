import type { OffsetToCommit } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';
import type { GroupCoordinator } from './group-coordinator.ts';
import type { PartitionLog } from './partition-log.ts';
import { Transaction } from './transaction.ts';

/** Who writes: one `init` of a producer. */
export interface ProducerIdentity {
  readonly transactionalId: string | undefined;
  readonly producerId: number;
  readonly epoch: number;
}

interface Owner {
  readonly transactionalId: string;
  producerId: number;
  epoch: number;
  timeoutMs: number;
  transaction: Transaction | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Set while markers are written. */
  completing: Promise<void> | undefined;
}

/** As in Kafka, where an epoch has 16 bits: after it the id gets a new producer id. */
const lastEpoch = 32766;

/**
 * Transactional ids: who owns them, and their transactions.
 *
 * The end of a transaction is decided at once and carried out a little later, a step for each partition and group, as markers are written by a broker.
 */
export class TransactionCoordinator {
  readonly #owners = new Map<string, Owner>();
  readonly #groups: GroupCoordinator;
  readonly #step: () => Promise<void>;
  #producers = 0;

  /** @param step - resolves when the broker has time to do the next thing. */
  constructor(groups: GroupCoordinator, step: () => Promise<void>) {
    this.#groups = groups;
    this.#step = step;
  }

  /** A new owner of the id: earlier ones are fenced from here on, and what they left open is over when it resolves. */
  async init(transactionalId: string | undefined, timeoutMs: number): Promise<ProducerIdentity> {
    if (transactionalId === undefined) return { transactionalId, producerId: ++this.#producers, epoch: 0 };
    let owner = this.#owners.get(transactionalId);
    if (owner === undefined) {
      const producerId = ++this.#producers;
      owner = {
        transactionalId,
        producerId,
        epoch: -1,
        timeoutMs,
        transaction: undefined,
        timer: undefined,
        completing: undefined,
      };
      this.#owners.set(transactionalId, owner);
    }
    while (owner.transaction !== undefined || owner.completing !== undefined) {
      if (owner.completing === undefined) this.#fence(owner);
      await owner.completing;
    }
    owner.timeoutMs = timeoutMs;
    this.#bump(owner);
    const { producerId, epoch } = owner;
    return { transactionalId, producerId, epoch };
  }

  /** The producer's open transaction: a new one where there is none. Waits until the one before is carried out. */
  async begin(identity: ProducerIdentity): Promise<Transaction> {
    const owner = this.#owner(identity);
    while (owner.completing !== undefined) {
      await owner.completing;
      this.#owner(identity);
    }
    if (owner.transaction !== undefined) return owner.transaction;
    const transaction = new Transaction(owner.producerId);
    owner.transaction = transaction;
    owner.timer = setTimeout(() => void this.#expire(owner, transaction), owner.timeoutMs).unref();
    return transaction;
  }

  /** @throws BrokerFault where a log is one that the producer may not write to any more. */
  checkWrite(identity: ProducerIdentity, log: PartitionLog): void {
    if (log.isFenced(identity.producerId, identity.epoch)) throw fenced(identity);
  }

  async addOffsets(identity: ProducerIdentity, groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    const transaction = await this.begin(identity);
    const held = transaction.offsets.get(groupId) ?? [];
    this.#groups.offsets(groupId).hold(offsets);
    transaction.offsets.set(groupId, [...held, ...offsets]);
  }

  /** Decides how the producer's open transaction ends. */
  end(identity: ProducerIdentity, outcome: 'committed' | 'aborted'): void {
    const owner = this.#owner(identity);
    if (owner.transaction !== undefined) this.#complete(owner, outcome);
  }

  #owner(identity: ProducerIdentity): Owner {
    const owner = this.#owners.get(identity.transactionalId!)!;
    if (owner.producerId !== identity.producerId || owner.epoch !== identity.epoch) throw fenced(identity);
    return owner;
  }

  #fence(owner: Owner): void {
    this.#bump(owner);
    this.#complete(owner, 'aborted');
  }

  #bump(owner: Owner): void {
    if (owner.epoch < lastEpoch) {
      owner.epoch++;
      return;
    }
    owner.producerId = ++this.#producers;
    owner.epoch = 0;
  }

  async #expire(owner: Owner, transaction: Transaction): Promise<void> {
    await this.#step();
    if (owner.transaction === transaction) this.#fence(owner);
  }

  #complete(owner: Owner, outcome: 'committed' | 'aborted'): void {
    const transaction = owner.transaction!;
    clearTimeout(owner.timer);
    owner.transaction = undefined;
    owner.completing = this.#carryOut(transaction, outcome).then(() => {
      owner.completing = undefined;
    });
  }

  async #carryOut(transaction: Transaction, outcome: 'committed' | 'aborted'): Promise<void> {
    await this.#step();
    // Records of a log count from its marker on: until then its stable end holds them back.
    transaction.outcome = outcome;
    for (const log of transaction.logs) {
      log.mark(transaction);
      await this.#step();
    }
    for (const [groupId, offsets] of transaction.offsets) {
      this.#groups.offsets(groupId).settle(offsets, outcome === 'committed');
      await this.#step();
    }
  }
}

function fenced({ transactionalId, producerId }: ProducerIdentity): BrokerFault {
  const who = transactionalId ?? `producer ${producerId}`;
  return new BrokerFault('PRODUCER_FENCED', `a newer producer owns ${who}`);
}
