import { type Broker, type BrokerProducer, partitionKey } from '../../clients/broker.ts';
import { equalBytes, partitionOf } from '../../common/bytes.ts';
import { StreamsError } from '../../common/errors.ts';
import { type Logger, silentLogger } from '../../common/logger.ts';
import type { Version } from '../../processor/rows.ts';
import { historySerde } from '../../serde/history.ts';
import type { Serde } from '../../serde/serde.ts';
import type { Histories } from '../histories.ts';
import { readToEnd } from './read-to-end.ts';

/** What the topic of a global history table is to hold. */
export interface HistoryTopicOptions<K, V> {
  readonly topic: string;
  /** Keys that are not among them are removed from the table. */
  readonly histories: Histories<K, V>;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** Of a topic that is created. @defaultValue -1: the broker's */
  readonly replicationFactor?: number;
  readonly logger?: Logger;
  /** Aborted: nothing is changed. */
  readonly signal?: AbortSignal;
  /** Told of each key that changes: its versions before and after. */
  readonly changes?: (key: K, before: readonly Version<V>[], after: readonly Version<V>[]) => void;
  /** A record of another topic, partition 0, that is written in the same transaction. */
  readonly alongside?: { readonly topic: string; readonly key: Uint8Array; readonly value: Uint8Array };
}

/** What a load has changed, in keys. */
export interface HistoryTopicChange {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** Of each partition the position after its last record: whoever has read so far has applied the load. */
  readonly ends: readonly number[];
}

/** How the topic of a global table is kept: the last record of each key, for ever. */
export const historyTopicConfigs: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
};

const flushBytes = 8 * 1024 * 1024;
const largestBatchBytes = 1_000_000;
/** Time enough for tens of millions of keys, ms. */
const transactionTimeoutMs = 300_000;
/** Keys between two looks at the signal. */
const keysAtOnce = 4096;

/**
 * Makes a topic say what the histories say: writes those that differ, in one transaction. It is created where it is missing, with one partition.
 *
 * A key that is gone gets an empty history, no tombstone: compaction would forget a tombstone, and with it a reader that comes late the removal.
 *
 * @throws StreamsError `STREAMS_TASK_MIGRATED` - another load of the same topic has begun meanwhile. `STREAMS_BROKER`
 */
export async function writeHistoryTopic<K, V>(
  broker: Broker,
  options: HistoryTopicOptions<K, V>,
): Promise<HistoryTopicChange> {
  const { topic, logger = silentLogger, replicationFactor = -1, alongside } = options;
  const { partitions, maxMessageBytes } = await openTopic(broker, topic, replicationFactor, logger);
  if (alongside !== undefined) await openTopic(broker, alongside.topic, replicationFactor, logger);
  const producer = broker.producer({
    transactionalId: `${topic}-load`,
    transactional: true,
    transactionTimeoutMs,
    maxBatchBytes: Math.min(largestBatchBytes, maxMessageBytes),
  });
  try {
    // Ends other loads first: what is read afterwards is what will be changed.
    await producer.init();
    const found = new FoundHistories(options);
    await found.read(broker, partitions);
    return await writeDifference(producer, broker, found, options);
  } catch (error) {
    await producer.abort().catch(() => {});
    throw StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED' ? overtaken(topic, error) : error;
  } finally {
    await producer.close();
  }
}

/** What `writeHistoryTopic` would change. Nothing is written, and a topic that is missing is not made. */
export async function compareHistoryTopic<K, V>(
  broker: Broker,
  options: HistoryTopicOptions<K, V>,
): Promise<HistoryTopicChange> {
  const found = new FoundHistories(options);
  await found.read(broker, (await broker.admin.partitionCounts([options.topic])).get(options.topic) ?? 0);
  const counts = { added: 0, changed: 0, removed: 0, unchanged: 0 };
  for (const { kind } of found.differences(counts)) counts[kind]++;
  return { ...counts, ends: found.ends };
}

async function openTopic(
  { admin }: Broker,
  topic: string,
  replicationFactor: number,
  logger: Logger,
): Promise<{ readonly partitions: number; readonly maxMessageBytes: number }> {
  const spec = { topic, partitions: 1, replicationFactor, configs: historyTopicConfigs };
  const exists = (await admin.partitionCounts([topic])).has(topic);
  const created = !exists && (await admin.createTopics([spec])).includes(topic);
  if (created) logger.info({ topic }, 'topic created');
  const partitions = (await admin.partitionCounts([topic])).get(topic) ?? 1;
  const configs = (await admin.topicConfigs([topic])).get(topic) ?? {};
  const policy = configs['cleanup.policy'];
  if (!created && policy !== undefined && policy !== 'compact') {
    logger.warn(
      { topic, policy },
      `topic ${topic} has cleanup.policy=${policy}: the broker deletes its records by age. Set it to compact, or the table will lose its rows`,
    );
  }
  return { partitions, maxMessageBytes: Number(configs['max.message.bytes'] ?? largestBatchBytes) };
}

/** A key whose history is to be written. */
interface Difference {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * How a topic compares with the histories that it is to hold. Of a key that says the same already only one byte is kept, so that the memory grows with what differs.
 */
class FoundHistories<K, V> {
  /** Of each partition the position after its last record. */
  readonly ends: number[] = [];
  readonly #options: HistoryTopicOptions<K, V>;
  readonly #serde: Serde<readonly Version<V>[]>;
  /** By the number of the history: 1 where the last record of the key says the same. */
  readonly #same: Uint8Array;
  /** The last values of other keys, both as latin1 texts, which take less memory than bytes. */
  readonly #others: Map<string, string> = new Map();
  readonly #none: Uint8Array;

  constructor(options: HistoryTopicOptions<K, V>) {
    this.#options = options;
    this.#serde = historySerde(options.valueSerde);
    this.#same = new Uint8Array(options.histories.size);
    this.#none = this.#serde.serialize([]);
  }

  async read(broker: Broker, count: number): Promise<void> {
    const { topic } = this.#options;
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    for (let partition = 0; partition < count; partition++) this.ends[partition] = 0;
    await readToEnd(broker, partitions, (records) => {
      const { bytes, keyStarts, keyEnds, valueStarts, valueEnds, offsets, length } = records;
      for (let i = 0; i < length; i++) {
        this.ends[records.partition] = offsets[i]! + 1;
        if (keyStarts[i]! < 0) continue;
        const value = valueStarts[i]! < 0 ? undefined : bytes.subarray(valueStarts[i], valueEnds[i]);
        this.#take(bytes.subarray(keyStarts[i], keyEnds[i]), value);
      }
    });
  }

  /** What is to be written. Keys that say the same are counted as unchanged. */
  *differences(counts: { unchanged: number }): Iterable<Difference> {
    const { histories, keySerde } = this.#options;
    for (let index = 0; index < histories.size; index++) {
      const versions = histories.versions(index);
      if (versions.length === 0) continue;
      if (this.#same[index] === 1) {
        counts.unchanged++;
        continue;
      }
      const key = histories.key(index);
      const bytes = keySerde.serialize(key);
      const text = latin1(bytes);
      const before = this.#others.get(text);
      this.#others.delete(text);
      this.#tell(key, before, versions);
      yield { kind: before === undefined ? 'added' : 'changed', key: bytes, value: this.#serde.serialize(versions) };
    }
    const none = latin1(this.#none);
    for (const [text, before] of this.#others) {
      if (before === none) continue;
      const key = Buffer.from(text, 'latin1');
      this.#tell(keySerde.deserialize(key), before, []);
      yield { kind: 'removed', key, value: this.#none };
    }
  }

  #take(key: Buffer, value: Buffer | undefined): void {
    const { histories, keySerde } = this.#options;
    const index = histories.find(keySerde.deserialize(key));
    const same =
      index >= 0 && value !== undefined && equalBytes(value, this.#serde.serialize(histories.versions(index)));
    if (index >= 0) this.#same[index] = same ? 1 : 0;
    if (same || value === undefined) this.#others.delete(latin1(key));
    else this.#others.set(latin1(key), latin1(value));
  }

  #tell(key: K, before: string | undefined, after: readonly Version<V>[]): void {
    const { changes } = this.#options;
    if (changes === undefined) return;
    changes(key, before === undefined ? [] : this.#serde.deserialize(Buffer.from(before, 'latin1')), after);
  }
}

async function writeDifference<K, V>(
  producer: BrokerProducer,
  broker: Broker,
  found: FoundHistories<K, V>,
  { topic, signal, alongside }: HistoryTopicOptions<K, V>,
): Promise<HistoryTopicChange> {
  const nowMs = Date.now();
  const partitions = found.ends.length;
  const counts = { added: 0, changed: 0, removed: 0, unchanged: 0 };
  const pause = async (): Promise<void> => {
    signal?.throwIfAborted();
    if (producer.bufferedBytes >= flushBytes) await producer.flush();
  };
  let seen = 0;
  for (const { kind, key, value } of found.differences(counts)) {
    counts[kind]++;
    producer.append(topic, partitionOf(key, partitions), nowMs, key, value);
    if (++seen % keysAtOnce === 0) await pause();
  }
  await pause();
  if (alongside !== undefined) producer.append(alongside.topic, 0, nowMs, alongside.key, alongside.value);
  const written = await producer.commit();
  return { ...counts, ends: await endsAfter(broker, topic, found.ends, written, counts) };
}

async function endsAfter(
  broker: Broker,
  topic: string,
  ends: readonly number[],
  written: ReadonlyMap<string, number>,
  { added, changed, removed }: { readonly added: number; readonly changed: number; readonly removed: number },
): Promise<readonly number[]> {
  if (added + changed + removed === 0) return ends;
  if (written.size > 0) return ends.map((end, partition) => written.get(partitionKey(topic, partition)) ?? end);
  // A broker that was asked twice does not say where it wrote: before the marker of the transaction, which stands last.
  const partitions = ends.map((_, partition) => ({ topic, partition }));
  const last = await broker.admin.offsets(partitions, 'stable');
  return last.map((end, partition) => Math.max(ends[partition]!, end - 1));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function overtaken(topic: string, cause: StreamsError): StreamsError {
  return new StreamsError(
    'STREAMS_TASK_MIGRATED',
    `another load of topic ${topic} has begun, and this one has changed nothing. Run one at a time.`,
    { topic, cause },
  );
}
