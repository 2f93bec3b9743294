import type { Database } from '../../state/database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import type { Broker, BrokerAdmin, BrokerProducer, TopicSpec } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { readToEnd } from '../runtime/kafka/read-to-end.ts';
import { CapturedRows } from './captured-rows.ts';

/**
 * The saved positions of feeds as a compacted topic: each row is a record, so that it can be written in the transaction that holds what was read.
 *
 * One partition; key and value are those of the row, a deleted row is a tombstone.
 */
export class PositionTopic {
  readonly topic: string;
  readonly #broker: Broker;

  constructor(broker: Broker, topic: string) {
    this.#broker = broker;
    this.topic = topic;
  }

  /**
   * Creates the topic if it is missing. Returns whether it was.
   *
   * @throws StreamsError `STREAMS_INTERNAL_TOPIC` - it is there, and would lose positions.
   */
  async prepare(replicationFactor: number, logger: Logger): Promise<boolean> {
    const { topic } = this;
    const { admin } = this.#broker;
    const spec: TopicSpec = { topic, partitions: 1, replicationFactor, configs };
    if (!(await admin.partitionCounts([topic])).has(topic)) {
      const created = await admin.createTopics([spec]);
      if (created.includes(topic)) {
        logger.info({ topic }, 'topic of positions created');
        return true;
      }
    }
    await this.#check(admin);
    return false;
  }

  /** All rows as they are committed. Nobody may write to the topic meanwhile. */
  async read(): Promise<Database> {
    const rows = new CapturedRows();
    await readToEnd(this.#broker, [{ topic: this.topic, partition: 0 }], (records) => {
      const { bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
      for (let i = 0; i < records.length; i++) {
        if (keyStarts[i]! < 0) throw this.#unreadable(records.offsets[i]!);
        const key = bytes.subarray(keyStarts[i], keyEnds[i]);
        if (valueStarts[i]! < 0) rows.del(key);
        else rows.put(key, bytes.subarray(valueStarts[i], valueEnds[i]));
      }
    });
    const database = await openMemoryDatabase();
    await rows.copyTo(database);
    return database;
  }

  /** Adds rows to a producer's transaction. */
  append(producer: BrokerProducer, rows: CapturedRows): void {
    const nowMs = Date.now();
    for (const [key, value] of rows.rows()) producer.append(this.topic, 0, nowMs, key, value);
  }

  async #check(admin: BrokerAdmin): Promise<void> {
    const { topic } = this;
    const count = (await admin.partitionCounts([topic])).get(topic);
    const found = (await admin.topicConfigs([topic])).get(topic) ?? {};
    const policy = found['cleanup.policy'];
    if (count === 1 && (policy === undefined || policy === 'compact')) return;
    const facts = count === 1 ? `cleanup.policy=${policy}` : `${count} partitions`;
    throw new StreamsError(
      'STREAMS_INTERNAL_TOPIC',
      `topic ${topic}, which holds how far files were read, has ${facts}. It needs one partition and cleanup.policy=compact.`,
      { topic },
    );
  }

  #unreadable(offset: number): StreamsError {
    const { topic } = this;
    return new StreamsError(
      'STREAMS_INTERNAL_TOPIC',
      `record ${offset} of ${topic} is none of ours, so how far files were read is not known. See who writes to that topic.`,
      { topic, partition: 0, offset },
    );
  }
}

const configs: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
  // Each commit writes a row or two again: small segments are compacted soon, so that a start reads little.
  'segment.bytes': '16777216',
  'min.cleanable.dirty.ratio': '0.1',
};
