import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type {
  Broker,
  BrokerProducer,
  FetcherOptions,
  OffsetToCommit,
  ProducerOptions,
  TopicPartition,
} from '../clients/broker.ts';
import { StreamsError, type StreamsErrorCode } from '../common/errors.ts';
import type { Header } from '../processor/record.ts';
import type { BrokerConformanceHarness } from './broker-conformance.ts';
import { Collector, type SeenRecord } from './broker-conformance-collector.ts';

/** What a case needs of the harness beyond connections. */
export type Capability = 'freeze' | 'cut' | 'compact';

/** A case of the suite: its title, what it does, and what it needs. */
export type BrokerCase = readonly [title: string, run: (kit: BrokerKit) => Promise<void>, needs?: Capability];

/** Kafka's topics drop old records by their time unless told otherwise. */
const keepAll = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': '9223372036854775807' };

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const textOf = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();

export const place = (topic: string, partition = 0): TopicPartition => ({ topic, partition });

export function position(topic: string, partition: number, offset: number, metadata = ''): OffsetToCommit {
  return { topic, partition, offset, metadata };
}

/** What a case works with: new names, clients that are closed after it, and ways to wait. */
export class BrokerKit {
  readonly harness: BrokerConformanceHarness;
  readonly #brokers: Broker[] = [];
  readonly #frozen = new Set<Broker>();
  readonly #run = randomBytes(5).toString('hex');
  #names = 0;
  #main: Promise<Broker> | undefined;

  constructor(harness: BrokerConformanceHarness) {
    this.harness = harness;
  }

  /** A name that nobody else has. */
  name(what: string): string {
    return `${what}-${this.#run}-${++this.#names}`;
  }

  /** A client of its own. */
  async connect(): Promise<Broker> {
    const broker = await this.harness.connect();
    this.#brokers.push(broker);
    return broker;
  }

  /** The client for all that needs none of its own. */
  main(): Promise<Broker> {
    this.#main ??= this.connect();
    return this.#main;
  }

  async topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name('topic');
    const { admin } = await this.main();
    const { replicationFactor = -1 } = this.harness;
    await admin.createTopics([{ topic, partitions, replicationFactor, configs: { ...keepAll, ...configs } }]);
    return topic;
  }

  /** A producer that is ready: transactional with an id of its own unless told otherwise. */
  async producer(options: Partial<ProducerOptions> = {}, broker?: Broker): Promise<BrokerProducer> {
    const from = broker ?? (await this.main());
    const producer = from.producer({ transactional: true, transactionalId: this.name('id'), ...options });
    await producer.init();
    return producer;
  }

  /** A producer whose records are seen at once. */
  plainProducer(options: Partial<ProducerOptions> = {}): Promise<BrokerProducer> {
    return this.producer({ transactional: false, ...options });
  }

  async collector(options: Partial<FetcherOptions> = {}, broker?: Broker): Promise<Collector> {
    return new Collector(broker ?? (await this.main()), options);
  }

  /** Waits for a condition that is true sooner or later. */
  async until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + (this.harness.patienceMs ?? 30_000);
    for (let tries = 0; !(await isTrue()); tries++) {
      assert.ok(Date.now() < end, `waited in vain until ${what}`);
      await (tries < 20 ? new Promise((resolve) => setImmediate(resolve)) : this.sleep(5));
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async ends(partition: TopicPartition): Promise<{ readonly stable: number; readonly latest: number }> {
    const { admin } = await this.main();
    const [[stable], [latest]] = await Promise.all([
      admin.offsets([partition], 'stable'),
      admin.offsets([partition], 'latest'),
    ]);
    return { stable: stable!, latest: latest! };
  }

  /** Waits until nothing of the partition is in an open transaction. Returns its end. */
  async settled(partition: TopicPartition): Promise<number> {
    let end = -1;
    await this.until(`no transaction is open in ${partition.topic}-${partition.partition}`, async () => {
      const { stable, latest } = await this.ends(partition);
      end = latest;
      return stable === latest;
    });
    return end;
  }

  /** All records that a read_committed reader gets of a partition without open transactions. */
  async committedRecords(topic: string, partition = 0): Promise<readonly SeenRecord[]> {
    return this.recordsUpTo(topic, partition, await this.settled(place(topic, partition)));
  }

  /** What a read_committed reader gets from the partition's start to this position. */
  async recordsUpTo(topic: string, partition: number, end: number): Promise<readonly SeenRecord[]> {
    const { admin } = await this.main();
    const [start] = await admin.offsets([place(topic, partition)], 'earliest');
    const collector = await this.collector();
    collector.fetcher.add({ topic, partition, offset: start! });
    await this.until(`${topic}-${partition} is read to ${end}`, () => collector.of(topic, partition).position >= end);
    await collector.fetcher.close();
    collector.check();
    return collector.of(topic, partition).records.filter(({ offset }) => offset < end);
  }

  /** Values of the records that a read_committed reader gets, as texts. */
  async committedValues(topic: string, partition = 0): Promise<readonly (string | undefined)[]> {
    return (await this.committedRecords(topic, partition)).map(({ value }) => textOf(value));
  }

  /** The position that a group has committed, and its metadata. */
  async committed(
    groupId: string,
    partition: TopicPartition,
  ): Promise<{ readonly offset: number; readonly metadata: string } | undefined> {
    const [found] = await (await this.main()).admin.committed(groupId, [partition]);
    return found && { offset: found.offset, metadata: found.metadata };
  }

  async freeze(broker: Broker): Promise<void> {
    this.#frozen.add(broker);
    await this.harness.freeze!(broker);
  }

  async thaw(broker: Broker): Promise<void> {
    this.#frozen.delete(broker);
    await this.harness.thaw!(broker);
  }

  async close(): Promise<void> {
    for (const broker of this.#frozen) await this.harness.thaw!(broker);
    await Promise.all(this.#brokers.map((broker) => broker.close()));
  }
}

/** Appends values, with a key, at a time. */
export function appendValues(
  producer: BrokerProducer,
  topic: string,
  partition: number,
  values: readonly string[],
  headers?: readonly Header[],
): void {
  for (const value of values) producer.append(topic, partition, 1_700_000_000_000, bytes('key'), bytes(value), headers);
}

/** Asserts that a call fails with one of these codes. Need not be awaited at once. */
export function fails(call: Promise<unknown>, ...codes: readonly StreamsErrorCode[]): Promise<StreamsError> {
  const failing = call.then(
    () => assert.fail(`the call should fail with ${codes.join(' or ')}`),
    (error: unknown) => {
      assert.ok(StreamsError.is(error), `a StreamsError, not ${String(error)}`);
      assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
      return error;
    },
  );
  failing.catch(() => {});
  return failing;
}

/** A row of numbers from 0 to 1 that looks random and depends on the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Runs a check with a new seed, which the error names. */
export async function withSeed(check: (random: () => number) => Promise<void>): Promise<void> {
  const seed = randomBytes(4).readUInt32BE();
  try {
    await check(randomFrom(seed));
  } catch (error) {
    if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
    throw error;
  }
}
