import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { KafkaStreams, Serdes, StreamsBuilder, type StreamsError, type Topology } from '../../src/index.ts';
import { planTopics } from '../../src/runtime/kafka/topics-plan.ts';
import type { ReadOnlyKeyValueStore } from '../../src/runtime/read-only-stores.ts';
import { KafkaPart, newName, newProducer, until } from './helpers/kafka-clients.ts';

const kafka = await KafkaPart.start({ throughProxy: false, properties: { 'group.min.session.timeout.ms': '300' } });

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** An application that counts words by themselves, and by their first letter behind a repartition topic. */
class Words {
  readonly id = newName('words');
  readonly input = newName('in');
  readonly broker: Broker = kafka.connect({ bootstrapServers: [kafka.server.bootstrap] });
  readonly #t: ExecutionContext;
  readonly #said: string[] = [];
  readonly stateDir: string = mkdtempSync(join(tmpdir(), 'weir-losses-'));

  constructor(t: ExecutionContext) {
    this.#t = t;
    t.teardown(() => rmSync(this.stateDir, { recursive: true, force: true }));
  }

  topology(): Topology {
    const builder = new StreamsBuilder();
    const words = builder.stream(this.input, texts);
    words.groupByKey().count({ name: 'by-word' });
    words.groupBy((word) => word.slice(0, 1), { name: 'letter', ...texts }).count({ name: 'by-letter' });
    return builder.build();
  }

  changelog = (): string => `${this.id}-by-letter-changelog`;
  repartition = (): string => `${this.id}-letter-repartition`;

  async makeInput(): Promise<void> {
    await this.broker.admin.createTopics([{ topic: this.input, partitions: 1, replicationFactor: -1, configs: {} }]);
  }

  async say(...words: readonly string[]): Promise<void> {
    const producer = await newProducer(this.broker, { transactional: false });
    for (const word of words) producer.append(this.input, 0, Date.now(), Buffer.from(word), Buffer.from(word));
    await producer.commit();
    await producer.close();
    this.#said.push(...words);
  }

  client(): KafkaStreams {
    const streams = new KafkaStreams(this.topology(), {
      broker: this.broker,
      applicationId: this.id,
      stateDir: this.stateDir,
      commitIntervalMs: 50,
      sessionTimeoutMs: 6000,
      metadataMaxAgeMs: 300,
    });
    this.#t.teardown(() => streams.close());
    return streams;
  }

  /** What the stores hold, and what they must hold: arithmetic over what was said. */
  async isRight(streams: KafkaStreams): Promise<void> {
    const expected = { 'by-word': tally(this.#said), 'by-letter': tally(this.#said.map((word) => word.slice(0, 1))) };
    const found = async (): Promise<Record<string, Record<string, number>>> => {
      const all: Record<string, Record<string, number>> = {};
      for (const store of Object.keys(expected)) {
        const rows: Record<string, number> = {};
        for await (const { key, value } of (streams.store(store) as ReadOnlyKeyValueStore<string, number>).all())
          rows[key] = value;
        all[store] = rows;
      }
      return all;
    };
    await until('the numbers are right', async () => JSON.stringify(await found()) === JSON.stringify(expected));
    this.#t.deepEqual(await found(), expected);
  }

  /** Counts some words with an instance that is closed then. */
  async ranOnce(): Promise<void> {
    await this.makeInput();
    await this.say('ant', 'ape', 'bee', 'ant');
    const streams = this.client();
    await streams.start();
    await until('it runs', () => streams.state === 'RUNNING');
    await this.isRight(streams);
    await streams.close();
  }

  /** Deletes a topic and makes it again, as it was. */
  async makeAnew(topic: string): Promise<void> {
    const { internal } = planTopics(this.topology(), {
      applicationId: this.id,
      replicationFactor: -1,
      sourcePartitions: new Map([[this.input, 1]]),
    });
    const spec = internal.find((each) => each.topic === topic);
    await this.broker.admin.deleteTopics([topic]);
    await this.broker.admin.createTopics([spec ?? { topic, partitions: 1, replicationFactor: -1, configs: {} }]);
  }

  async empty(topic: string): Promise<void> {
    const [offset] = await this.broker.admin.offsets([{ topic, partition: 0 }], 'stable');
    await this.broker.admin.deleteRecords([{ topic, partition: 0, offset: offset! }]);
  }

  async grow(topic: string): Promise<void> {
    const { server } = kafka;
    const args = ['--bootstrap-server', server.bootstrap, '--alter', '--topic', topic, '--partitions', '2'];
    await server.tool('org.apache.kafka.tools.TopicCommand', args);
  }

  async setBack(): Promise<void> {
    const { server } = kafka;
    await server.tool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...['--bootstrap-server', server.bootstrap, '--group', this.id, '--topic', this.input],
      ...['--reset-offsets', '--to-earliest', '--execute'],
    ]);
  }
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of [...words].sort()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

type Outcome = 'right' | readonly [code: string, says: RegExp];
type Loss = (words: Words) => Promise<unknown>;

const reset = /weir reset/;
const accept = /--accept-loss/;

const stopped: Readonly<Record<string, readonly [Loss, Outcome]>> = {
  'changelog deleted': [(w) => w.broker.admin.deleteTopics([w.changelog()]), ['STREAMS_INTERNAL_TOPIC', /--refill/]],
  'changelog recreated': [(w) => w.makeAnew(w.changelog()), ['STREAMS_INTERNAL_TOPIC', /--refill/]],
  'repartition topic recreated': [(w) => w.makeAnew(w.repartition()), ['STREAMS_INTERNAL_TOPIC', reset]],
  'input recreated': [(w) => w.makeAnew(w.input), ['STREAMS_INPUT_REFUSED', accept]],
  'input deleted': [(w) => w.broker.admin.deleteTopics([w.input]), ['STREAMS_MISSING_SOURCE_TOPIC', /does not exist/]],
  'input emptied': [(w) => w.empty(w.input), 'right'],
  'input grown': [(w) => w.grow(w.input), ['STREAMS_INTERNAL_TOPIC', reset]],
  'positions deleted': [(w) => w.broker.admin.deleteGroup(w.id), ['STREAMS_INPUT_REFUSED', accept]],
  'positions set back': [(w) => w.setBack(), ['STREAMS_INPUT_REFUSED', accept]],
  'folder deleted': [async (w) => rmSync(w.stateDir, { recursive: true }), 'right'],
};

for (const [name, [loss, outcome]] of Object.entries(stopped))
  kafka.test(`while the application is stopped: ${name}`, async (t) => {
    const words = new Words(t);
    await words.ranOnce();
    await loss(words);
    const streams = words.client();
    await streams.start().catch(() => {});
    if (outcome === 'right') {
      await words.say('ant', 'cow');
      await until('it runs', () => streams.state === 'RUNNING');
      await words.isRight(streams);
    } else await isRefused(t, streams, outcome);
  });

const running: Readonly<Record<string, readonly [Loss, Outcome]>> = {
  'changelog recreated': [(w) => w.makeAnew(w.changelog()), ['STREAMS_INTERNAL_TOPIC', /--refill/]],
  'repartition topic recreated': [(w) => w.makeAnew(w.repartition()), ['STREAMS_INTERNAL_TOPIC', reset]],
  'input recreated': [(w) => w.makeAnew(w.input), ['STREAMS_INPUT_REFUSED or STREAMS_MISSING_SOURCE_TOPIC', accept]],
  'input emptied': [(w) => w.empty(w.input), 'right'],
  'input grown': [(w) => w.grow(w.input), ['STREAMS_INTERNAL_TOPIC', reset]],
};

for (const [name, [loss, outcome]] of Object.entries(running))
  kafka.test(`while the application runs: ${name}`, async (t) => {
    const words = new Words(t);
    await words.makeInput();
    await words.say('ant', 'bee');
    const streams = words.client();
    await streams.start();
    await until('it runs', () => streams.state === 'RUNNING');
    await words.isRight(streams);
    await loss(words);
    if (outcome === 'right') {
      await words.say('ant');
      await words.isRight(streams);
    } else await isRefused(t, streams, outcome);
  });

async function isRefused(
  t: ExecutionContext,
  streams: KafkaStreams,
  [code, says]: readonly [string, RegExp],
): Promise<void> {
  await until('it is refused', () => streams.state === 'ERROR');
  const failure = streams.failure as StreamsError;
  // A look may fall between the deletion and the creation.
  t.true(code.split(' or ').includes(failure.code), `${failure.code}: ${failure.message}`);
  t.regex(failure.message, says);
}
