import { type Broker, type BrokerProducer, partitionKey } from '../../clients/broker.ts';
import { partitionOf } from '../../common/bytes.ts';
import { StreamsError } from '../../common/errors.ts';
import { type Logger, silentLogger } from '../../common/logger.ts';
import type { Version } from '../../processor/rows.ts';
import { historySerde } from '../../serde/history.ts';
import type { Serde } from '../../serde/serde.ts';
import { readToEnd } from './read-to-end.ts';

/** What the topic of a global history table is to hold. */
export interface HistoryTopicOptions<K, V> {
  readonly topic: string;
  /** Every key once, with all its versions. Keys that are not among them are removed from the table. */
  readonly histories: Iterable<readonly [key: K, versions: readonly Version<V>[]]>;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** Of a topic that is created. @defaultValue -1: the broker's */
  readonly replicationFactor?: number;
  readonly logger?: Logger;
  /** Aborted: nothing is changed. */
  readonly signal?: AbortSignal;
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
  const { topic, logger = silentLogger, replicationFactor = -1 } = options;
  const { partitions, maxMessageBytes } = await openTopic(broker, topic, replicationFactor, logger);
  const producer = broker.producer({
    transactionalId: `${topic}-load`,
    transactional: true,
    transactionTimeoutMs,
    maxBatchBytes: Math.min(largestBatchBytes, maxMessageBytes),
  });
  try {
    // Ends other loads first: what is read afterwards is what will be changed.
    await producer.init();
    const found = await readHistories(broker, topic, partitions);
    return await writeDifference(producer, broker, found, partitions, options);
  } catch (error) {
    await producer.abort().catch(() => {});
    throw StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED' ? overtaken(topic, error) : error;
  } finally {
    await producer.close();
  }
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

/** What a topic holds: the last value of each key, both as latin1 texts, which take less memory than bytes; and where its partitions end. */
interface FoundHistories {
  readonly values: Map<string, string>;
  readonly ends: number[];
}

async function readHistories(broker: Broker, topic: string, count: number): Promise<FoundHistories> {
  const values = new Map<string, string>();
  const ends = new Array<number>(count).fill(0);
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  await readToEnd(broker, partitions, (records) => {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds, offsets, length } = records;
    for (let i = 0; i < length; i++) {
      ends[records.partition] = offsets[i]! + 1;
      if (keyStarts[i]! < 0) continue;
      const key = bytes.toString('latin1', keyStarts[i], keyEnds[i]);
      if (valueStarts[i]! < 0) values.delete(key);
      else values.set(key, bytes.toString('latin1', valueStarts[i], valueEnds[i]));
    }
  });
  return { values, ends };
}

async function writeDifference<K, V>(
  producer: BrokerProducer,
  broker: Broker,
  { values, ends }: FoundHistories,
  partitions: number,
  { topic, histories, keySerde, valueSerde, signal }: HistoryTopicOptions<K, V>,
): Promise<HistoryTopicChange> {
  const serde = historySerde(valueSerde);
  const nowMs = Date.now();
  const counts = { added: 0, changed: 0, removed: 0, unchanged: 0 };
  const append = (key: Uint8Array, value: Uint8Array): void =>
    producer.append(topic, partitionOf(key, partitions), nowMs, key, value);
  const pause = async (): Promise<void> => {
    signal?.throwIfAborted();
    if (producer.bufferedBytes >= flushBytes) await producer.flush();
  };
  let seen = 0;
  for (const [key, versions] of histories) {
    const keyBytes = keySerde.serialize(key);
    const value = serde.serialize(versions);
    const text = latin1(keyBytes);
    const before = values.get(text);
    values.delete(text);
    if (before === latin1(value)) counts.unchanged++;
    else {
      if (before === undefined) counts.added++;
      else counts.changed++;
      append(keyBytes, value);
    }
    if (++seen % keysAtOnce === 0) await pause();
  }
  const none = serde.serialize([]);
  const noneText = latin1(none);
  for (const [key, before] of values) {
    if (before === noneText) continue;
    counts.removed++;
    append(Buffer.from(key, 'latin1'), none);
    if (++seen % keysAtOnce === 0) await pause();
  }
  await pause();
  const written = await producer.commit();
  return { ...counts, ends: await endsAfter(broker, topic, ends, written, counts) };
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
