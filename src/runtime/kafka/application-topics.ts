import type { BrokerAdmin } from '../../clients/broker.ts';
import type { SubTopology } from '../../topology/sub-topology.ts';
import type { Topology } from '../../topology/topology.ts';
import { changelogTopic, repartitionTopic } from './internal-names.ts';
import type { TopicRole } from './loss-errors.ts';
import { inputsOf, storesOf } from './topics-plan.ts';

/** What an application's state stands on: topics by their names on the broker, with what they are to it. */
export function topicRoles(topology: Topology, applicationId: string): ReadonlyMap<string, TopicRole> {
  const roles = new Map<string, TopicRole>();
  for (const topic of topology.sourceTopics) roles.set(topic, 'input');
  for (const { topic } of topology.globalTables) roles.set(topic, 'table');
  for (const { topic } of topology.repartitions.values())
    roles.set(repartitionTopic(applicationId, topic), 'repartition');
  for (const part of topology.subTopologies)
    for (const { name } of storesOf(topology, part)) roles.set(changelogTopic(applicationId, name), 'changelog');
  return roles;
}

/** The same topics, those that a sub-topology reads and writes first. */
export function topicsFrom(topology: Topology, applicationId: string, part: SubTopology): readonly string[] {
  const roles = topicRoles(topology, applicationId);
  const own = [
    ...inputsOf(topology, applicationId, part).map(({ topic }) => topic),
    ...storesOf(topology, part).map(({ name }) => changelogTopic(applicationId, name)),
    ...part.sinks.map(({ topic }) =>
      topology.repartitions.has(topic) ? repartitionTopic(applicationId, topic) : topic,
    ),
  ].filter((topic) => roles.has(topic));
  return [...new Set([...own, ...roles.keys()])];
}

/** What is asked of a cluster again and again. */
export interface TopicsNow {
  readonly partitions: ReadonlyMap<string, number>;
  readonly ids: ReadonlyMap<string, string>;
}

/** How topics are now; those that do not exist are left out. */
export async function topicsNow(admin: BrokerAdmin, topics: readonly string[]): Promise<TopicsNow> {
  const [partitions, ids] = await Promise.all([admin.partitionCounts(topics), admin.topicIds(topics)]);
  return { partitions, ids };
}
