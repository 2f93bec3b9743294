import { StreamsError } from '../../common/errors.ts';
import type {
  BrokerAdmin,
  CommittedOffset,
  GroupDescription,
  OffsetAt,
  OffsetToCommit,
  PartitionOffset,
  TopicPartition,
  TopicSpec,
} from '../broker.ts';
import type { BrokerCalls } from './broker-calls.ts';
import type { ClusterMap } from './cluster-map.ts';
import { topicError } from './cluster-map.ts';
import { decodeAssignment } from './consumer-protocol.ts';
import { check, errorOfCode, isKafka, KafkaError } from './errors.ts';
import { commitAsAdmin, committedOffsets } from './group-offsets.ts';
import { deleteRecordsBefore, listEnds } from './partition-offsets.ts';
import {
  createTopics,
  deleteGroups,
  deleteTopics,
  describeConfigs,
  describeGroups,
  leaveGroup,
  topicIds,
} from './requests.ts';

const topicResource = 2;

/** What a real broker keeps about topics and groups. */
export class KafkaAdmin implements BrokerAdmin {
  readonly #cluster: ClusterMap;
  readonly #calls: BrokerCalls;

  constructor(cluster: ClusterMap, calls: BrokerCalls) {
    this.#cluster = cluster;
    this.#calls = calls;
  }

  async partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (topics.length === 0) return new Map();
    return this.#calls.run('asking for the partitions of topics', async (left) => {
      const counts = new Map<string, number>();
      for (const { topic, topicErrorCode, partitionMetadata } of (
        await this.#cluster.metadata([...new Set(topics)], left())
      ).topicMetadata) {
        const error = errorOfCode(topicErrorCode, topic);
        if (isKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION')) continue;
        if (error && !isKafka(error, 'LEADER_NOT_AVAILABLE')) throw error;
        if (partitionMetadata.length > 0) counts.set(topic, partitionMetadata.length);
      }
      return counts;
    });
  }

  async topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (topics.length === 0) return new Map();
    return this.#calls.run('asking for the ids of topics', async (left) => {
      const answer = await this.#calls.toNode(
        await this.#cluster.anyNode(left()),
        topicIds,
        [...new Set(topics)],
        left(),
      );
      const ids = new Map<string, string>();
      for (const { errorCode, topic, id } of answer) {
        const error = errorOfCode(errorCode, topic);
        if (isKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION')) continue;
        if (error && !isKafka(error, 'LEADER_NOT_AVAILABLE')) throw error;
        ids.set(topic, id);
      }
      return ids;
    });
  }

  async listTopics(): Promise<readonly string[]> {
    return this.#calls.run('listing topics', async (left) => {
      const { topicMetadata } = await this.#cluster.metadata(undefined, left());
      return topicMetadata.filter(({ isInternal }) => !isInternal).map(({ topic }) => topic);
    });
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<readonly string[]> {
    if (topics.length === 0) return [];
    const created = new Set<string>();
    const done = new Set<string>();
    await this.#calls.run('creating topics', async (left) => {
      const wanted = topics.filter(({ topic }) => !done.has(topic));
      if (wanted.length === 0) return;
      const { controllerId } = await this.#cluster.metadata([], left());
      const { topicErrors } = await this.#calls.toNode(
        controllerId,
        createTopics,
        {
          topics: wanted.map(({ topic, partitions, replicationFactor, configs }) => ({
            topic,
            numPartitions: partitions,
            replicationFactor,
            configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
          })),
          timeout: Math.min(30_000, left()),
        },
        left(),
      );
      let failure: Error | undefined;
      for (const { topic, errorCode, errorMessage } of topicErrors) {
        const error = errorOfCode(errorCode, errorMessage ? `${topic}: ${errorMessage}` : topic);
        if (error === undefined) created.add(topic);
        if (error === undefined || isKafka(error, 'TOPIC_ALREADY_EXISTS')) done.add(topic);
        else failure ??= error;
      }
      if (failure) throw failure;
    });
    await this.#calls.run('waiting for new topics', async (left) => {
      const { topicMetadata } = await this.#cluster.metadata([...done], left());
      for (const topic of topicMetadata) {
        const error = topicError(topic);
        if (error) throw error;
      }
    });
    return topics.map(({ topic }) => topic).filter((topic) => created.has(topic));
  }

  async topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
    if (topics.length === 0) return new Map();
    const resources = [...new Set(topics)].map((name) => ({ type: topicResource, name }));
    return this.#calls.run('asking for the configuration of topics', async (left) => {
      const answer = await this.#calls.toNode(
        await this.#cluster.anyNode(left()),
        describeConfigs,
        { resources },
        left(),
      );
      const configs = new Map<string, Readonly<Record<string, string>>>();
      for (const { errorCode, errorMessage, resourceName, configEntries } of answer.resources) {
        const error = errorOfCode(errorCode, errorMessage ?? resourceName);
        if (isKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION')) continue;
        if (error) throw error;
        const known = configEntries.filter(({ configValue }) => configValue !== null);
        configs.set(
          resourceName,
          Object.fromEntries(known.map(({ configName, configValue }) => [configName, configValue!])),
        );
      }
      return configs;
    });
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    await this.#calls.run('deleting topics', async (left) => {
      const { controllerId } = await this.#cluster.metadata([], left());
      const args = { topics, timeout: Math.min(30_000, left()) };
      const { topicErrors } = await this.#calls.toNode(controllerId, deleteTopics, args, left());
      for (const { topic, errorCode } of topicErrors) {
        const error = errorOfCode(errorCode, topic);
        if (error && !isKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error;
      }
    });
    await this.#calls.run('waiting for topics to go', async (left) => {
      const { topicMetadata } = await this.#cluster.metadata(topics, left());
      for (const { topicErrorCode, topic } of topicMetadata)
        if (topicErrorCode === 0) throw new KafkaError('REQUEST_TIMED_OUT', `${topic} is still there`);
    });
  }

  async offsets(partitions: readonly TopicPartition[], at: OffsetAt): Promise<readonly number[]> {
    return listEnds(this.#cluster, this.#calls, partitions, at);
  }

  async deleteRecords(before: readonly PartitionOffset[]): Promise<void> {
    await deleteRecordsBefore(this.#cluster, this.#calls, before);
  }

  async committed(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedOffset | undefined)[]> {
    return committedOffsets(this.#calls, groupId, partitions);
  }

  async setCommitted(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    await commitAsAdmin(this.#calls, groupId, offsets);
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#calls.run(`deleting group ${groupId}`, async (left) => {
      const { results } = await this.#calls.toCoordinator('group', groupId, deleteGroups, [groupId], left());
      for (const { errorCode } of results) {
        const error = errorOfCode(errorCode, groupId);
        if (error && !isKafka(error, 'GROUP_ID_NOT_FOUND')) throw error;
      }
    });
  }

  async removeMember(groupId: string, memberId: string): Promise<void> {
    const args = { groupId, memberId, groupInstanceId: null };
    await this.#calls
      .run(`removing a member of group ${groupId}`, async (left) => {
        const answer = await this.#calls.toCoordinator('group', groupId, leaveGroup, args, left());
        const error = errorOfCode(answer.errorCode, groupId);
        if (error && !isKafka(error, 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND')) throw error;
      })
      .catch((error: unknown) => {
        const told = StreamsError.is(error) ? error.details.cause : error;
        // kafkajs throws what a member's answer says.
        if (!isKafka(told, 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND')) throw error;
      });
  }

  async describeGroup(groupId: string): Promise<GroupDescription> {
    return this.#calls.run(`asking for group ${groupId}`, async (left) => {
      const { groups } = await this.#calls.toCoordinator(
        'group',
        groupId,
        describeGroups,
        { groupIds: [groupId] },
        left(),
      );
      const group = groups[0];
      if (group === undefined) throw new StreamsError('STREAMS_BROKER', `The broker says nothing of group ${groupId}.`);
      if (isKafka(errorOfCode(group.errorCode), 'GROUP_ID_NOT_FOUND')) return { state: 'Dead', members: [] };
      check(group.errorCode, groupId);
      const members = group.members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
        memberId,
        clientId,
        host: clientHost,
        ...decodeAssignment(memberAssignment),
      }));
      return { state: group.state, members };
    });
  }

  async describeCluster(): Promise<{
    readonly clusterId: string | undefined;
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  }> {
    return this.#calls.run('asking for the brokers', async (left) => {
      const { clusterId, brokers } = await this.#cluster.metadata([], left());
      return {
        clusterId: clusterId ?? undefined,
        brokers: brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      };
    });
  }
}
