import { randomUUID } from 'node:crypto';
import type { TopicPartition, TopicSpec } from '../broker.ts';
import { BrokerFault } from './broker-fault.ts';
import { PartitionLog } from './partition-log.ts';
import { bytesOfRecord, type RecordColumns } from './record-columns.ts';
import { type RecordRules, recordRulesOf, topicConfigsOf } from './topic-configs.ts';

interface Topic {
  readonly id: string;
  readonly configs: Readonly<Record<string, string>>;
  readonly rules: RecordRules;
  readonly logs: PartitionLog[];
}

/** A record that its topic does not take. */
export interface Refusal {
  readonly index: number;
  readonly reason: string;
}

/** The topics, their configuration and their partitions. */
export class TopicCatalogue {
  readonly #topics = new Map<string, Topic>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get names(): string[] {
    return [...this.#topics.keys()];
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  create({ topic, partitions, configs }: Omit<TopicSpec, 'replicationFactor'>): void {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || topic === '.' || topic === '..') {
      throw new BrokerFault('INVALID_TOPIC_EXCEPTION', `the topic's name ${JSON.stringify(topic)} is illegal`);
    }
    if (this.has(topic)) throw new BrokerFault('TOPIC_ALREADY_EXISTS', `topic ${topic} exists`);
    const count = partitions === -1 ? 1 : partitions;
    if (!Number.isInteger(count) || count < 1) {
      throw new BrokerFault('INVALID_PARTITIONS', `topic ${topic} cannot have ${partitions} partitions`);
    }
    const all = topicConfigsOf(configs);
    const rules = recordRulesOf(all);
    const logs = Array.from({ length: count }, (_, partition) => new PartitionLog(topic, partition, rules.appendTime));
    this.#topics.set(topic, { id: randomUUID(), configs: all, rules, logs });
  }

  grow(topic: string, partitions: number): void {
    const { logs, rules } = this.#topic(topic);
    if (!Number.isInteger(partitions) || partitions <= logs.length)
      throw new BrokerFault(
        'INVALID_PARTITIONS',
        `topic ${topic} has ${logs.length} partitions: ${partitions} are no more`,
      );
    while (logs.length < partitions) logs.push(new PartitionLog(topic, logs.length, rules.appendTime));
  }

  delete(topic: string): void {
    for (const log of this.#topic(topic).logs) log.delete();
    this.#topics.delete(topic);
  }

  id(topic: string): string {
    return this.#topic(topic).id;
  }

  logs(topic: string): readonly PartitionLog[] {
    return this.#topic(topic).logs;
  }

  log({ topic, partition }: TopicPartition): PartitionLog {
    const log = this.#topics.get(topic)?.logs[partition];
    if (log === undefined) throw unknown(`${topic}-${partition}`);
    return log;
  }

  configs(topic: string): Readonly<Record<string, string>> {
    return this.#topic(topic).configs;
  }

  /** The records that the topic does not take. */
  refusals(topic: string, columns: RecordColumns): readonly Refusal[] {
    const { rules } = this.#topic(topic);
    const now = this.#now();
    const refused: Refusal[] = [];
    for (let index = 0; index < columns.length; index++) {
      const reason = reasonToRefuse(rules, columns, index, now);
      if (reason !== undefined) refused.push({ index, reason });
    }
    return refused;
  }

  /** The records with the time of their arrival, where the topic wants it. */
  timed(topic: string, columns: RecordColumns): RecordColumns {
    if (!this.#topic(topic).rules.appendTime) return columns;
    return { ...columns, timestamps: new Float64Array(columns.length).fill(this.#now()) };
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw unknown(name);
    return topic;
  }
}

const unknown = (what: string): BrokerFault => new BrokerFault('UNKNOWN_TOPIC_OR_PARTITION', `there is no ${what}`);

function reasonToRefuse(rules: RecordRules, columns: RecordColumns, i: number, now: number): string | undefined {
  if (rules.compact && columns.keyStarts[i]! < 0) return 'INVALID_RECORD';
  if (!rules.appendTime) {
    const timestamp = columns.timestamps[i]!;
    if (timestamp < 0 || timestamp - now > rules.afterMs || now - timestamp > rules.beforeMs)
      return 'INVALID_TIMESTAMP';
  }
  return bytesOfRecord(columns, i) > rules.maxBytes ? 'MESSAGE_TOO_LARGE' : undefined;
}
