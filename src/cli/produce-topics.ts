import type { BrokerAdmin } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';

/** A topic to write to. */
export interface OpenTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Bytes of a record batch that it takes. */
  readonly maxMessageBytes: number;
}

/** How topics are created that are missing. */
export interface OpenTopicsOptions {
  /** Undefined: 1 where a topic is created, any number where it exists. */
  readonly partitions: number | undefined;
  readonly replicationFactor: number;
  readonly logger: Logger;
}

/** What a topic of events is created with: no event is too old to be kept, or too far ahead to be taken. */
export const eventTopicConfigs: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
  'message.timestamp.before.max.ms': '9223372036854775807',
};

const defaultMessageBytes = 1_048_588;

/**
 * Topics for events, created where they are missing. Those that exist are left as they are; where they would lose events there is a warning.
 *
 * @throws {@link StreamsError} `STREAMS_PARTITION_MISMATCH` - one has another number of partitions than is asked for. `STREAMS_INPUT_REFUSED` - one does not keep event times.
 */
export async function openTopics(
  admin: BrokerAdmin,
  topics: readonly string[],
  { partitions, replicationFactor, logger }: OpenTopicsOptions,
): Promise<readonly OpenTopic[]> {
  const before = await admin.partitionCounts(topics);
  const missing = topics.filter((topic) => !before.has(topic));
  const created = new Set<string>();
  if (missing.length > 0) {
    const specs = missing.map((topic) => ({
      topic,
      partitions: partitions ?? 1,
      replicationFactor,
      configs: eventTopicConfigs,
    }));
    for (const topic of await admin.createTopics(specs)) {
      created.add(topic);
      logger.info({ topic, partitions: partitions ?? 1 }, 'topic created');
    }
  }
  const counts = await admin.partitionCounts(topics);
  const configs = await admin.topicConfigs(topics);
  return topics.map((topic) => {
    const count = counts.get(topic) ?? 1;
    const config = configs.get(topic) ?? {};
    if (!created.has(topic)) check(topic, count, config, partitions, logger);
    return {
      topic,
      partitions: count,
      maxMessageBytes: Number(config['max.message.bytes'] ?? defaultMessageBytes),
    };
  });
}

function check(
  topic: string,
  count: number,
  config: Readonly<Record<string, string>>,
  partitions: number | undefined,
  logger: Logger,
): void {
  if (partitions !== undefined && partitions !== count) {
    throw new StreamsError(
      'STREAMS_PARTITION_MISMATCH',
      `topic ${topic} exists with ${count} partitions, not ${partitions}. Leave --partitions out, or name another topic.`,
      { topic },
    );
  }
  if (config['message.timestamp.type'] === 'LogAppendTime') {
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `topic ${topic} has message.timestamp.type=LogAppendTime: the broker would replace the time of each event. Set it to CreateTime, or name another topic.`,
      { topic },
    );
  }
  const loses = losses(config);
  if (loses.length > 0) {
    logger.warn(
      { topic, configs: loses },
      `topic ${topic} will lose events: ${loses.join(', ')}. To keep all of them, set cleanup.policy=delete, retention.ms=-1 and retention.bytes=-1`,
    );
  }
  const afterMs = Number(config['message.timestamp.after.max.ms'] ?? 0);
  if (afterMs < Number.MAX_SAFE_INTEGER && config['message.timestamp.after.max.ms'] !== undefined) {
    logger.info({ topic, afterMs }, 'the topic refuses events that lie further ahead of the clock than this');
  }
}

/** Settings with which events would be deleted. */
function losses(config: Readonly<Record<string, string>>): string[] {
  const found: string[] = [];
  const policy = config['cleanup.policy'] ?? '';
  if (policy.includes('compact')) found.push(`cleanup.policy=${policy}`);
  if (policy === 'compact') return found;
  for (const name of ['retention.ms', 'retention.bytes']) {
    const value = config[name];
    if (value !== undefined && Number(value) >= 0) found.push(`${name}=${value}`);
  }
  return found;
}
