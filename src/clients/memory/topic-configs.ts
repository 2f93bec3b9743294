import { BrokerFault } from './broker-fault.ts';

const forever = '9223372036854775807';

/** Kafka's defaults of what a topic can be configured with. */
const topicDefaults: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'delete.retention.ms': '86400000',
  'file.delete.delay.ms': '60000',
  'flush.messages': forever,
  'flush.ms': forever,
  'index.interval.bytes': '4096',
  'local.retention.bytes': '-2',
  'local.retention.ms': '-2',
  'max.compaction.lag.ms': forever,
  'max.message.bytes': '1048588',
  'message.timestamp.after.max.ms': '3600000',
  'message.timestamp.before.max.ms': forever,
  'message.timestamp.type': 'CreateTime',
  'min.cleanable.dirty.ratio': '0.5',
  'min.compaction.lag.ms': '0',
  'min.insync.replicas': '1',
  preallocate: 'false',
  'remote.storage.enable': 'false',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
  'segment.bytes': '1073741824',
  'segment.index.bytes': '10485760',
  'segment.jitter.ms': '0',
  'segment.ms': '604800000',
  'unclean.leader.election.enable': 'false',
};

/** What is asked for, over Kafka's defaults. @throws BrokerFault `INVALID_CONFIG` for a name that Kafka does not know. */
export function topicConfigsOf(configs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const name of Object.keys(configs)) {
    if (!Object.hasOwn(topicDefaults, name)) {
      throw new BrokerFault('INVALID_CONFIG', `unknown topic config ${name}`);
    }
  }
  return { ...topicDefaults, ...configs };
}

/** What a broker checks of each record that is written to a topic. */
export interface RecordRules {
  readonly appendTime: boolean;
  readonly compact: boolean;
  readonly maxBytes: number;
  /** ms that a record's time may lie before and after the broker's. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

export function recordRulesOf(configs: Readonly<Record<string, string>>): RecordRules {
  return {
    appendTime: configs['message.timestamp.type'] === 'LogAppendTime',
    compact: configs['cleanup.policy']!.includes('compact'),
    maxBytes: Number(configs['max.message.bytes']),
    beforeMs: Number(configs['message.timestamp.before.max.ms']),
    afterMs: Number(configs['message.timestamp.after.max.ms']),
  };
}
