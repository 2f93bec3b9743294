import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { Broker, BrokerProducer, PartitionOffset, ProducerOptions } from '../../../src/clients/broker.ts';
import type { FetchedRecords } from '../../../src/clients/fetched-records.ts';
import { type KafkaBrokerOptions, openKafkaBroker } from '../../../src/clients/kafka/kafka-broker.ts';
import { type KafkaOptions, type KafkaServer, startKafka } from '../../helpers/kafka-broker.ts';
import { PartMissing, skipWithout } from '../../helpers/parts.ts';

/** A Kafka broker for the tests of a file, or what is missing for it. */
export class KafkaPart {
  readonly #server: KafkaServer | undefined;
  readonly #missing: PartMissing | undefined;
  readonly #clients = new Map<Broker, string>();

  private constructor(server: KafkaServer | undefined, missing: PartMissing | undefined) {
    this.#server = server;
    this.#missing = missing;
  }

  /** Starts it; it ends after the file's tests. */
  static async start(options: KafkaOptions): Promise<KafkaPart> {
    let part: KafkaPart;
    try {
      part = new KafkaPart(await startKafka({ throughProxy: true, ...options }), undefined);
    } catch (error) {
      if (!(error instanceof PartMissing)) throw error;
      part = new KafkaPart(undefined, error);
    }
    test.after.always(async () => {
      await Promise.all([...part.#clients.keys()].map((broker) => broker.close()));
      await part.#server?.stop();
    });
    return part;
  }

  get server(): KafkaServer {
    return this.#server!;
  }

  /** A test that needs the broker. */
  test(title: string, run: (t: ExecutionContext) => Promise<void>, declare: TestInterface = test): void {
    declare(title, async (t) => (this.#missing ? skipWithout(t, this.#missing) : run(t)));
  }

  /** A client behind the proxy, known there by its own id. */
  connect(options: Partial<KafkaBrokerOptions> = {}): Broker {
    const clientId = `client-${randomBytes(6).toString('hex')}`;
    const bootstrapServers = [this.server.proxied!];
    const broker = openKafkaBroker({ bootstrapServers, clientId, timeoutMs: 30_000, ...options });
    this.#clients.set(broker, clientId);
    return broker;
  }

  clientId(broker: Broker): string {
    return this.#clients.get(broker)!;
  }
}

type TestInterface = (title: string, run: (t: ExecutionContext) => Promise<void>) => void;

/** A name that nobody else has. */
export function newName(what: string): string {
  return `${what}-${randomBytes(5).toString('hex')}`;
}

/** A topic of its own. */
export async function newTopic(broker: Broker, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const topic = newName('topic');
  await broker.admin.createTopics([{ topic, partitions, replicationFactor: -1, configs }]);
  return topic;
}

/** A producer that is ready. */
export async function newProducer(broker: Broker, options: Partial<ProducerOptions> = {}): Promise<BrokerProducer> {
  const producer = broker.producer({ transactional: true, transactionalId: newName('id'), ...options });
  await producer.init();
  return producer;
}

/** Waits for what happens sooner or later. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Values of a partition from its start to its end, read_committed, as texts. Waits until no transaction is open. */
export async function readAll(broker: Broker, topic: string, partition = 0): Promise<(string | undefined)[]> {
  const [end] = await broker.admin.offsets([{ topic, partition }], 'latest');
  await until(
    `${topic} is stable to ${end}`,
    async () => (await broker.admin.offsets([{ topic, partition }], 'stable'))[0]! >= end!,
  );
  const read: FetchedRecords[] = [];
  let failure: Error | undefined;
  const fetcher = broker.fetcher({
    receive: (records) => read.push(records),
    failed: (_partition: PartitionOffset, _kind, error) => {
      failure = error;
    },
  });
  fetcher.add({ topic, partition, offset: 0 });
  await until(`${topic} is read to ${end}`, () => {
    if (failure) throw failure;
    return (read.at(-1)?.nextOffset ?? -1) >= end!;
  });
  await fetcher.close();
  return read.flatMap(textsOf);
}

/** The values of fetched records as texts. */
export function textsOf({ bytes, length, valueStarts, valueEnds }: FetchedRecords): (string | undefined)[] {
  return Array.from({ length }, (_, i) =>
    valueStarts[i]! < 0 ? undefined : bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!),
  );
}
