import type { BrokerAdmin, TopicPartition } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import { refuseWhileRunning } from '../runtime/kafka/alone.ts';
import { changelogTopic, isInternalTopic, repartitionTopic } from '../runtime/kafka/internal-names.ts';
import { numberedInGroup } from '../runtime/kafka/program-numbers.ts';
import { storesOf, topicOnBroker } from '../runtime/kafka/topics-plan.ts';
import { taskIdText } from '../runtime/task.ts';
import type { Topology } from '../topology/topology.ts';

/** What an application has left at a broker. */
export interface BrokerTraces {
  /** Whether its group exists. */
  readonly group: boolean;
  /** Partitions with a committed position, by topic. */
  readonly positions: ReadonlyMap<string, number>;
  /** Its internal topics that exist, with their partitions. */
  readonly topics: ReadonlyMap<string, number>;
  /** Every task that it can have had. */
  readonly taskIds: readonly string[];
  /** Topics that exist, are not the topology's, and are called as if they were internal ones of the application. */
  readonly alike: readonly string[];
}

/**
 * Looks for what an application has left.
 *
 * @throws StreamsError `STREAMS_INPUT_REFUSED` while it runs, `STREAMS_BROKER`
 */
export async function findTraces(admin: BrokerAdmin, topology: Topology, applicationId: string): Promise<BrokerTraces> {
  const group = await refuseWhileRunning(admin, applicationId);
  const internal = internalTopics(topology, applicationId);
  const names = await admin.listTopics();
  const alike = names.filter((name) => isInternalTopic(applicationId, name) && !internal.includes(name)).sort();
  const inputs = topology.subTopologies.flatMap(({ sources }) =>
    sources.flatMap(({ topics }) => topics.map((topic) => topicOnBroker(topology, applicationId, topic))),
  );
  const counts = await admin.partitionCounts([...new Set([...inputs, ...internal])]);
  // A program before may have had other tasks, and topics other numbers of partitions.
  const numbers = new Set([
    ...topology.subTopologies.map(({ id }) => id),
    ...(await numbersInGroup(admin, topology, applicationId)),
  ]);
  const partitions = Math.max(0, ...counts.values());
  const taskIds = [...numbers].flatMap((subTopology) =>
    Array.from({ length: partitions }, (_, partition) => taskIdText({ subTopology, partition })),
  );
  return {
    group,
    positions: group ? await positionsOf(admin, applicationId, inputs, counts) : new Map(),
    topics: new Map(internal.flatMap((topic) => (counts.has(topic) ? [[topic, counts.get(topic)!]] : []))),
    taskIds,
    alike,
  };
}

/** The numbers that sub-topologies have had, as far as the group tells. */
async function numbersInGroup(admin: BrokerAdmin, given: Topology, applicationId: string): Promise<readonly number[]> {
  try {
    const { topology } = await numberedInGroup(given, { admin, applicationId });
    return [...topology.subTopologies.map(({ id }) => id), ...Object.keys(topology.formerParts).map(Number)];
  } catch (error) {
    // Whatever is missing or does not fit is what the reset is for.
    if (StreamsError.is(error) && error.code !== 'STREAMS_BROKER') return [];
    throw error;
  }
}

/** The names of a topology's internal topics; none that it reads or writes by its own name. */
function internalTopics(topology: Topology, applicationId: string): readonly string[] {
  const foreign = new Set([
    ...topology.sourceTopics,
    ...topology.globalTables.map(({ topic }) => topic),
    ...sinkTopics(topology),
  ]);
  return [
    ...[...topology.repartitions.values()].map(({ topic }) => repartitionTopic(applicationId, topic)),
    ...topology.subTopologies
      .flatMap((part) => storesOf(topology, part))
      .map(({ name }) => changelogTopic(applicationId, name)),
  ].filter((topic) => !foreign.has(topic));
}

/** Topics that the topology writes results to. */
export function sinkTopics(topology: Topology): readonly string[] {
  const sinks = topology.subTopologies.flatMap((part) => part.sinks.map(({ topic }) => topic));
  return [...new Set(sinks.filter((topic) => !topology.repartitions.has(topic)))];
}

async function positionsOf(
  admin: BrokerAdmin,
  groupId: string,
  topics: readonly string[],
  counts: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const partitions: readonly TopicPartition[] = [...new Set(topics)].flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  );
  const committed = await admin.committed(groupId, partitions);
  const found = new Map<string, number>();
  partitions.forEach(({ topic }, i) => {
    if (committed[i] !== undefined) found.set(topic, (found.get(topic) ?? 0) + 1);
  });
  return found;
}
