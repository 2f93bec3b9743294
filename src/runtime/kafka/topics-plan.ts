import type { TopicSpec } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { StoreSpec } from '../../processor/node.ts';
import type { SourceSpec } from '../../topology/node-spec.ts';
import type { SubTopology } from '../../topology/sub-topology.ts';
import type { Topology } from '../../topology/topology.ts';
import type { TaskId } from '../task.ts';
import { taskIdsOf } from '../task-ids.ts';
import { changelogTopic, repartitionTopic } from './internal-names.ts';

/** A topology's topics on a broker, and the tasks that follow from their partitions. */
export interface TopicsPlan {
  readonly tasks: readonly TaskId[];
  /** Tasks of each sub-topology, by its number. */
  readonly partitionsOf: ReadonlyMap<number, number>;
  /** Internal topics as they should be. */
  readonly internal: readonly TopicSpec[];
}

const day = 86_400_000;
/** A record may carry any time: the broker neither refuses one from 2099 nor deletes one from 2017. */
const anyTime = {
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.after.max.ms': '9223372036854775807',
  'message.timestamp.before.max.ms': '9223372036854775807',
};

/** The broker's name of a topic that the topology reads or writes. */
export function topicOnBroker(topology: Topology, applicationId: string, topic: string): string {
  return topology.repartitions.has(topic) ? repartitionTopic(applicationId, topic) : topic;
}

/** An input of a task: a topic as the topology and as the broker call it. */
export interface TaskInput {
  readonly source: SourceSpec;
  /** The topology's name of the topic. */
  readonly name: string;
  /** The broker's. */
  readonly topic: string;
  /** A repartition topic of the application. */
  readonly internal: boolean;
}

/** The inputs of a sub-topology's tasks, in the order of their topics. A task's metadata stands with the first of them. */
export function inputsOf(topology: Topology, applicationId: string, part: SubTopology): readonly TaskInput[] {
  return part.sources
    .flatMap((source) => source.topics.map((name) => ({ source, name })))
    .map(({ source, name }) => ({
      source,
      name,
      topic: topicOnBroker(topology, applicationId, name),
      internal: topology.repartitions.has(name),
    }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

/** Whether the changelog of a store loses rows by age. Else only somebody who deletes them makes it begin later than at 0. */
export function expires(spec: StoreSpec): boolean {
  return changelogConfigs(spec)['cleanup.policy'] !== 'compact';
}

/**
 * What internal topics and tasks a topology needs.
 *
 * @param sourcePartitions - Partitions of the topics that it reads from outside.
 * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_PARTITION_MISMATCH`
 */
export function planTopics(
  topology: Topology,
  options: {
    readonly applicationId: string;
    readonly replicationFactor: number;
    readonly sourcePartitions: ReadonlyMap<string, number>;
  },
): TopicsPlan {
  const { applicationId, replicationFactor, sourcePartitions } = options;
  const counts = repartitionCounts(topology, (topic) => {
    const count = sourcePartitions.get(topic);
    if (count !== undefined) return count;
    throw new StreamsError(
      'STREAMS_MISSING_SOURCE_TOPIC',
      `topic ${topic} does not exist on the broker. Create it, or name the topic that has the records.`,
      { topic },
    );
  });
  const tasks = taskIdsOf(topology, (topic) => counts(topic));
  const partitionsOf = new Map(
    topology.subTopologies.map(({ id }) => [id, tasks.filter(({ subTopology }) => subTopology === id).length]),
  );
  const internal: TopicSpec[] = [];
  for (const { topic } of topology.repartitions.values())
    internal.push({
      topic: repartitionTopic(applicationId, topic),
      partitions: counts(topic),
      replicationFactor,
      configs: { 'cleanup.policy': 'delete', 'segment.bytes': '52428800', 'retention.ms': '-1', ...anyTime },
    });
  for (const part of topology.subTopologies)
    for (const spec of storesOf(topology, part))
      internal.push({
        topic: changelogTopic(applicationId, spec.name),
        partitions: partitionsOf.get(part.id)!,
        replicationFactor,
        configs: { ...changelogConfigs(spec), ...anyTime },
      });
  return { tasks, partitionsOf, internal };
}

/** The stores of a sub-topology that its tasks own: not the global ones. */
export function storesOf(topology: Topology, part: SubTopology): readonly StoreSpec[] {
  return topology.stores.filter(({ name }) => part.stores.includes(name));
}

function changelogConfigs(spec: StoreSpec): Readonly<Record<string, string>> {
  const retentionMs = spec.windows?.retentionMs ?? Number.POSITIVE_INFINITY;
  // Kept for ever means that nothing may be deleted by age: then not even the policy may say so.
  if (spec.kind !== 'window' || retentionMs === Number.POSITIVE_INFINITY)
    return { 'cleanup.policy': 'compact', 'retention.ms': '-1' };
  return { 'cleanup.policy': 'compact,delete', 'retention.ms': String(Math.ceil(retentionMs + day)) };
}

/** Partitions of any topic of the topology: an internal one has as many as the most that flow into it, unless it says. */
function repartitionCounts(topology: Topology, ofSource: (topic: string) => number): (topic: string) => number {
  const known = new Map<string, number>();
  const ofTopic = (topic: string): number => {
    const spec = topology.repartitions.get(topic);
    if (spec === undefined) return ofSource(topic);
    if (spec.partitions !== undefined) return spec.partitions;
    const before = known.get(topic);
    if (before !== undefined) return before;
    // A cycle of topics would never end: its topics count as 1 for each other.
    known.set(topic, 1);
    const writers = topology.subTopologies.filter(({ sinks }) => sinks.some((sink) => sink.topic === topic));
    const sources = writers.flatMap((part) => part.sources.flatMap(({ topics }) => topics));
    const count = Math.max(1, ...sources.map(ofTopic));
    known.set(topic, count);
    return count;
  };
  return ofTopic;
}
