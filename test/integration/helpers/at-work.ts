import type { ExecutionContext } from 'ava';
import type { Broker, BrokerProducer, Fetcher, GroupMember } from '../../../src/clients/broker.ts';
import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import { StreamsError } from '../../../src/common/errors.ts';
import { newName, newProducer, newTopic, readAll, textsOf, until } from './kafka-clients.ts';

const nothing = new Uint8Array(0);

/**
 * A writer, a reader and a member of a group at work on a topic of two partitions: transaction n writes the number n into each partition and commits n as the group's position. What a commit of
 * unknown outcome has done is asked of the broker.
 */
export class AtWork {
  readonly topic: string;
  /** Commits that have failed. */
  readonly failures: string[] = [];
  readonly #broker: Broker;
  readonly #group: string = newName('group');
  readonly #id: string = newName('id');
  readonly #read: FetchedRecords[][] = [[], []];
  readonly #readFailures: Error[] = [];
  readonly #told: string[] = [];
  readonly #fetcher: Fetcher;
  readonly #member: GroupMember;
  #position = 0;
  #rounds = 0;
  #isOver = false;
  #writing: Promise<void> | undefined;

  private constructor(broker: Broker, topic: string) {
    this.#broker = broker;
    this.topic = topic;
    this.#fetcher = broker.fetcher({
      receive: (records) => this.#read[records.partition]!.push(records),
      failed: (_partition, _kind, error) => this.#readFailures.push(error),
    });
    for (const partition of [0, 1]) this.#fetcher.add({ topic, partition, offset: 0 });
    this.#member = broker.member({
      groupId: this.#group,
      topics: [topic],
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      heartbeatIntervalMs: 100,
      userData: () => nothing,
      assign: async (members) =>
        new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: nothing }])),
      rebalancing: () => this.#told.push('rebalancing'),
      assigned: async (_assignment, generation) => void this.#told.push(`assigned ${generation}`),
      lost: (reason) => this.#told.push(`lost: ${reason}`),
      failed: (error) => this.#told.push(`failed: ${error.message}`),
    });
  }

  static async start(broker: Broker): Promise<AtWork> {
    const work = new AtWork(broker, await newTopic(broker, 2, { 'retention.ms': '-1' }));
    work.#member.start();
    work.#writing = work.#write();
    // Told at `end`.
    work.#writing.catch(() => {});
    return work;
  }

  /** Waits for twenty transactions more. */
  async goesOn(): Promise<void> {
    const before = this.#rounds;
    await until('it is at work', () => this.#rounds > before + 20);
  }

  /** Ends it, and looks at what was written, read and told: each number once, in order, and a member that has heard of nothing. */
  async end(t: ExecutionContext): Promise<void> {
    this.#isOver = true;
    await this.#writing;
    const committed = Array.from({ length: this.#position }, (_, i) => `${i + 1}`);
    for (const partition of [0, 1]) {
      t.deepEqual(await readAll(this.#broker, this.topic, partition), committed);
      const read = (): readonly (string | undefined)[] => this.#read[partition]!.flatMap(textsOf);
      await until('the reader has all', () => read().length >= committed.length);
      t.deepEqual(read(), committed);
    }
    t.deepEqual(this.#readFailures, []);
    await until('the member is confirmed', () => this.#member.confirm());
    t.deepEqual(
      this.#told.filter((what) => /lost|failed/.test(what)),
      [],
    );
    await this.#member.leave();
  }

  async #write(): Promise<void> {
    const first = { topic: this.topic, partition: 0 };
    let producer = await this.#newProducer();
    for (; !this.#isOver; this.#rounds++) {
      const next = this.#position + 1;
      for (const partition of [0, 1]) producer.append(this.topic, partition, 1, undefined, Buffer.from(`${next}`));
      try {
        await producer.commit(this.#group, [{ ...first, offset: next, metadata: '' }]);
        this.#position = next;
      } catch (error) {
        if (!StreamsError.is(error)) throw error;
        this.failures.push(error.message);
        // Go on from what the broker says, as a new owner.
        await producer.close();
        producer = await this.#newProducer();
        const [found] = await this.#broker.admin.committed(this.#group, [first]);
        this.#position = found?.offset ?? 0;
      }
    }
  }

  #newProducer(): Promise<BrokerProducer> {
    return newProducer(this.#broker, { transactionalId: this.#id });
  }
}
