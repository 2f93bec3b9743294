import { type CommittedOffset, type OffsetToCommit, partitionKey, type TopicPartition } from '../broker.ts';
import type { BrokerCalls } from './broker-calls.ts';
import { check } from './errors.ts';
import { groupByTopic, type OfTopic, offsetCommit, offsetFetch } from './requests.ts';

/** Positions to commit, as requests carry them. */
export function offsetsByTopic(
  offsets: readonly OffsetToCommit[],
): OfTopic<{ partition: number; offset: string; metadata: string }>[] {
  return groupByTopic(offsets, ({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata }));
}

/** What a group has committed, in the order asked. Waits until no transaction can change it any more. */
export async function committedOffsets(
  calls: BrokerCalls,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<readonly (CommittedOffset | undefined)[]> {
  if (partitions.length === 0) return [];
  const topics = groupByTopic(partitions, ({ partition }) => partition);
  return calls.run(`asking for the offsets of group ${groupId}`, async (left) => {
    const answer = await calls.toCoordinator('group', groupId, offsetFetch, { groupId, topics }, left());
    check(answer.errorCode, groupId);
    const found = new Map<string, CommittedOffset>();
    for (const { topic, partitions } of answer.topics) {
      for (const { partition, errorCode, offset, metadata } of partitions) {
        check(errorCode, partitionKey(topic, partition));
        if (offset >= 0) found.set(partitionKey(topic, partition), { offset, metadata: metadata ?? '' });
      }
    }
    return partitions.map(({ topic, partition }) => found.get(partitionKey(topic, partition)));
  });
}

/** Sets positions of a group without members. */
export async function commitAsAdmin(
  calls: BrokerCalls,
  groupId: string,
  offsets: readonly OffsetToCommit[],
): Promise<void> {
  if (offsets.length === 0) return;
  const args = { groupId, generation: -1, memberId: '', groupInstanceId: null, topics: offsetsByTopic(offsets) };
  await calls.run(`setting the offsets of group ${groupId}`, async (left) => {
    const answer = await calls.toCoordinator('group', groupId, offsetCommit, args, left());
    for (const { topic, partitions } of answer.topics) {
      for (const { partition, errorCode } of partitions) check(errorCode, partitionKey(topic, partition));
    }
  });
}
