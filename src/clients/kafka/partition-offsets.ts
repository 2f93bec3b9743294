import { StreamsError } from '../../common/errors.ts';
import { type OffsetAt, type PartitionOffset, partitionKey, type TopicPartition } from '../broker.ts';
import { Deadline } from './backoff.ts';
import type { BrokerCalls } from './broker-calls.ts';
import type { ClusterMap } from './cluster-map.ts';
import { errorOfCode, isKafka, isMoved, KafkaError } from './errors.ts';
import { deleteRecords, groupByTopic, listOffsets } from './requests.ts';

/** A topic that was made just now may not be known to each broker: how long it is waited for, ms. */
const newTopicMs = 700;

/** Positions of the partitions' ends, in the order asked. */
export async function listEnds(
  cluster: ClusterMap,
  calls: BrokerCalls,
  partitions: readonly TopicPartition[],
  at: OffsetAt,
): Promise<readonly number[]> {
  const found = new Map<string, number>();
  const timestamp = at === 'earliest' ? -2 : -1;
  const isolationLevel = at === 'stable' ? 1 : 0;
  await atLeaders(cluster, calls, `asking for the ${at} offsets`, partitions, async (nodeId, of, left) => {
    const topics = groupByTopic(of, ({ partition }) => ({ partition, timestamp }));
    const { responses } = await calls.toNode(nodeId, listOffsets, { isolationLevel, topics }, left());
    return responses.flatMap((response) =>
      response.partitions.map(({ partition, errorCode, offset }) => {
        if (errorCode === 0) found.set(partitionKey(response.topic, partition), Number(offset));
        return { topic: response.topic, partition, errorCode };
      }),
    );
  });
  return partitions.map(({ topic, partition }) => found.get(partitionKey(topic, partition))!);
}

/** Deletes the records before these positions. */
export async function deleteRecordsBefore(
  cluster: ClusterMap,
  calls: BrokerCalls,
  before: readonly PartitionOffset[],
): Promise<void> {
  await atLeaders(cluster, calls, 'deleting records', before, async (nodeId, of, left) => {
    const topics = groupByTopic(of, ({ partition, offset }) => ({ partition, offset: String(offset) }));
    const answer = await calls.toNode(nodeId, deleteRecords, { topics, timeout: Math.min(30_000, left()) }, left());
    return answer.topics.flatMap(({ topic, partitions }) => partitions.map((of) => ({ topic, ...of })));
  });
}

interface Outcome extends TopicPartition {
  readonly errorCode: number;
}

/** Asks the leaders for all partitions, and again for those that failed in a way that passes. */
async function atLeaders<P extends TopicPartition>(
  cluster: ClusterMap,
  calls: BrokerCalls,
  what: string,
  partitions: readonly P[],
  ask: (nodeId: number, of: readonly P[], left: () => number) => Promise<readonly Outcome[]>,
): Promise<void> {
  const open = new Map(partitions.map((of) => [partitionKey(of.topic, of.partition), of]));
  const patience = new Deadline(newTopicMs);
  if (open.size === 0) return;
  await calls.run(what, async (left) => {
    const byLeader = await leadersOf(cluster, [...open.values()], patience, left());
    let failure: KafkaError | undefined;
    const outcomes = await Promise.all([...byLeader].map(([nodeId, of]) => ask(nodeId, of, left)));
    for (const { topic, partition, errorCode } of outcomes.flat()) {
      const error = errorOfCode(errorCode, partitionKey(topic, partition));
      if (error === undefined) open.delete(partitionKey(topic, partition));
      else {
        if (isMoved(error)) cluster.forgetLeader(topic, partition);
        failure ??= error;
      }
    }
    if (failure) throw failure;
    if (open.size > 0) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer leaves partitions out');
  });
}

async function leadersOf<P extends TopicPartition>(
  cluster: ClusterMap,
  partitions: readonly P[],
  patience: Deadline,
  timeoutMs: number,
): Promise<ReadonlyMap<number, P[]>> {
  const unknown = partitions.filter(({ topic, partition }) => cluster.leader(topic, partition) === undefined);
  if (unknown.length > 0) {
    const { topicMetadata } = await cluster.metadata([...new Set(unknown.map(({ topic }) => topic))], timeoutMs);
    for (const { topic, partition } of unknown) {
      if (cluster.leader(topic, partition) !== undefined) continue;
      const answer = topicMetadata.find((of) => of.topic === topic);
      const error = errorOfCode(answer?.topicErrorCode ?? 3, topic);
      if (error && !isKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error;
      const known = answer?.partitionMetadata.some(({ partitionId }) => partitionId === partition);
      if (known) throw new KafkaError('LEADER_NOT_AVAILABLE', partitionKey(topic, partition));
      if (!patience.passed) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', partitionKey(topic, partition));
      throw missing(topic, partition, error === undefined);
    }
  }
  const byLeader = new Map<number, P[]>();
  for (const of of partitions) {
    const leader = cluster.leader(of.topic, of.partition)!;
    const list = byLeader.get(leader);
    if (list) list.push(of);
    else byLeader.set(leader, [of]);
  }
  return byLeader;
}

function missing(topic: string, partition: number, topicExists: boolean): StreamsError {
  const text = topicExists
    ? `Topic "${topic}" has no partition ${partition}. Create it with more partitions.`
    : `Topic "${topic}" does not exist. Create it, or correct its name.`;
  return new StreamsError('STREAMS_MISSING_SOURCE_TOPIC', text, { topic, partition });
}
