import type { BrokerAdmin, TopicSpec } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';

/**
 * Creates the internal topics that are missing, and checks those that exist.
 *
 * @throws StreamsError `STREAMS_INTERNAL_TOPIC` for one that exists with another number of partitions, or a configuration with which records would be lost.
 */
export async function prepareTopics(admin: BrokerAdmin, topics: readonly TopicSpec[], logger: Logger): Promise<void> {
  const names = topics.map(({ topic }) => topic);
  const existing = await admin.partitionCounts(names);
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  const created = new Set(missing.length === 0 ? [] : await admin.createTopics(missing));
  if (created.size > 0) logger.info({ topics: [...created] }, 'internal topics created');
  // Those that another instance has created meanwhile are checked too.
  const check = topics.filter(({ topic }) => !created.has(topic));
  if (check.length === 0) return;
  const checked = check.map(({ topic }) => topic);
  const counts = await admin.partitionCounts(checked);
  const configs = await admin.topicConfigs(checked);
  for (const spec of check) verifyTopic(spec, counts.get(spec.topic), configs.get(spec.topic) ?? {});
}

/**
 * Checks an internal topic that exists against what it should be.
 *
 * @throws StreamsError `STREAMS_INTERNAL_TOPIC`
 */
export function verifyTopic(
  spec: TopicSpec,
  partitions: number | undefined,
  configs: Readonly<Record<string, string>>,
): void {
  const { topic } = spec;
  if (partitions !== undefined && partitions !== spec.partitions)
    throw new StreamsError(
      'STREAMS_INTERNAL_TOPIC',
      `internal topic ${topic} has ${partitions} partitions, but the topology needs ${spec.partitions}: as many as the topics that it is made from have now. Keys would be placed elsewhere than their rows are. Run weir reset and start over, or use another application.id.`,
      { topic },
    );
  const has = configs['cleanup.policy'];
  const wants = spec.configs['cleanup.policy']!;
  if (has !== undefined && sorted(has) !== sorted(wants)) throw wrong(topic, 'cleanup.policy', has, wants);
  const retention = configs['retention.ms'];
  const keeps = Number(spec.configs['retention.ms']);
  if (
    wants.includes('delete') &&
    retention !== undefined &&
    retention !== '-1' &&
    (keeps < 0 || Number(retention) < keeps)
  )
    throw wrong(topic, 'retention.ms', retention, spec.configs['retention.ms']!);
  const type = configs['message.timestamp.type'];
  if (type !== undefined && type !== 'CreateTime') throw wrong(topic, 'message.timestamp.type', type, 'CreateTime');
  for (const bound of ['message.timestamp.after.max.ms', 'message.timestamp.before.max.ms']) {
    const value = configs[bound];
    if (value !== undefined && value !== spec.configs[bound]) throw wrong(topic, bound, value, spec.configs[bound]!);
  }
}

function sorted(policies: string): string {
  return policies
    .split(',')
    .map((policy) => policy.trim())
    .sort()
    .join(',');
}

function wrong(topic: string, name: string, has: string, wants: string): StreamsError {
  return new StreamsError(
    'STREAMS_INTERNAL_TOPIC',
    `internal topic ${topic} has ${name}=${has}, and with it records would be lost. Set it: kafka-configs.sh --alter --topic ${topic} --add-config ${name}=${wants.includes(',') ? `[${wants}]` : wants}`,
    { topic },
  );
}
