import type { Broker } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import { verifyTopic } from '../runtime/kafka/prepare-topics.ts';
import { planTopics } from '../runtime/kafka/topics-plan.ts';
import type { Topology } from '../topology/topology.ts';
import type { Cluster } from './doctor-brokers.ts';
import { type Check, failed, ok, warning } from './doctor-check.ts';

const about = 'internal topics';

/**
 * Whether the internal topics are as the topology needs them; those that are missing are made by the first start.
 *
 * Those are made before the application's group is: if there is a group, a missing one was lost.
 * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`, `STREAMS_BROKER`
 */
export async function internalChecks(
  { admin }: Broker,
  topology: Topology,
  config: Config,
  options: { readonly applicationId: string; readonly cluster: Cluster; readonly hasRun: boolean },
): Promise<readonly Check[]> {
  const { applicationId, cluster, hasRun } = options;
  const sourcePartitions = await admin.partitionCounts(topology.sourceTopics);
  const { internal, tasks } = planTopics(topology, { applicationId, replicationFactor: -1, sourcePartitions });
  const counts = await admin.partitionCounts(internal.map(({ topic }) => topic));
  const configs = await admin.topicConfigs([...counts.keys()]);
  const checks: Check[] = [];
  for (const spec of internal) {
    const { topic } = spec;
    if (counts.has(topic))
      try {
        verifyTopic(spec, counts.get(topic), configs.get(topic) ?? {});
      } catch (error) {
        if (!StreamsError.is(error)) throw error;
        checks.push({ about: `topic ${topic}`, result: 'failed', text: error.message });
      }
    else if (hasRun)
      checks.push(
        failed(
          `topic ${topic}`,
          'does not exist, though the application has run: what it held is lost',
          topic.endsWith('-changelog')
            ? 'weir reset --refill makes it again from copies of the state that are whole; where there are none, run weir reset and start again: all is counted again.'
            : 'Run weir reset and start again: all is counted again.',
        ),
      );
  }
  const missing = internal.length - counts.size;
  if (missing > 0 && !hasRun) checks.push(...copiesChecks(config, cluster));
  if (checks.some(({ result }) => result === 'failed')) return checks;
  const there = `${counts.size} of ${internal.length} are there, as ${tasks.length} tasks need them`;
  return [ok(about, missing > 0 ? `${there}; the first start makes the others` : there), ...checks];
}

/** Whether the brokers can make internal topics with as many copies as they are to have. */
export function copiesChecks(config: Config, { brokers, configs }: Cluster): readonly Check[] {
  const set = config.get('replication.factor');
  const copies = set === -1 ? Number(configs?.['default.replication.factor'] ?? Number.NaN) : set;
  const many = `${brokers} ${brokers === 1 ? 'broker' : 'brokers'}`;
  if (copies > brokers)
    return [
      failed(
        about,
        `they are to have ${copies} copies, and there is only ${many}`,
        `Set replication.factor to at most ${brokers}.`,
      ),
    ];
  if (copies === 1 && brokers > 1)
    return [
      warning(
        about,
        `they are made with one copy, on ${many}: if one is lost, so is the state`,
        `Set replication.factor to ${Math.min(3, brokers)}.`,
      ),
    ];
  return [];
}
