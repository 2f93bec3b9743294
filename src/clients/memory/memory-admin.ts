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
import type { ClusterState } from './cluster-state.ts';
import type { Link } from './link.ts';

/** Topics and groups of the cluster in memory. */
export class MemoryAdmin implements BrokerAdmin {
  readonly #state: ClusterState;
  readonly #link: Link;

  constructor(state: ClusterState, link: Link) {
    this.#state = state;
    this.#link = link;
  }

  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#link.insist('Metadata', () => {
      const known = topics.filter((topic) => this.#state.topics.has(topic));
      return new Map(known.map((topic) => [topic, this.#state.topics.logs(topic).length]));
    });
  }

  topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#link.insist('Metadata', () => {
      const known = topics.filter((topic) => this.#state.topics.has(topic));
      return new Map(known.map((topic) => [topic, this.#state.topics.id(topic)]));
    });
  }

  listTopics(): Promise<readonly string[]> {
    return this.#link.insist('Metadata', () => this.#state.topics.names);
  }

  createTopics(topics: readonly TopicSpec[]): Promise<readonly string[]> {
    return this.#link.insist('CreateTopics', () => {
      const created: string[] = [];
      for (const spec of topics) {
        if (this.#state.topics.has(spec.topic)) continue;
        this.#state.topics.create(spec);
        created.push(spec.topic);
      }
      return created;
    });
  }

  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
    return this.#link.insist('DescribeConfigs', () => {
      const known = topics.filter((topic) => this.#state.topics.has(topic));
      return new Map(known.map((topic) => [topic, this.#state.topics.configs(topic)]));
    });
  }

  deleteTopics(topics: readonly string[]): Promise<void> {
    return this.#link.insist('DeleteTopics', () => {
      for (const topic of topics) this.#state.deleteTopic(topic);
    });
  }

  async offsets(partitions: readonly TopicPartition[], at: OffsetAt): Promise<readonly number[]> {
    const offsets = await this.#link.insist('ListOffsets', () =>
      partitions.map((partition) => {
        if (!this.#state.topics.has(partition.topic)) return undefined;
        const log = this.#state.topics.log(partition);
        return at === 'earliest' ? log.start : at === 'latest' ? log.end : log.stable;
      }),
    );
    return offsets.map((offset, i) => {
      if (offset !== undefined) return offset;
      const { topic } = partitions[i]!;
      throw new StreamsError('STREAMS_MISSING_SOURCE_TOPIC', `there is no topic ${topic}. Create it first.`, { topic });
    });
  }

  deleteRecords(before: readonly PartitionOffset[]): Promise<void> {
    return this.#link.insist('DeleteRecords', () => {
      for (const position of before) this.#state.deleteRecords(position);
    });
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | undefined)[]> {
    return this.#link.insist('OffsetFetch', () => this.#state.groups.committed(groupId, partitions));
  }

  setCommitted(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void> {
    return this.#link.insist('OffsetCommit', () => this.#state.setCommitted(groupId, offsets));
  }

  deleteGroup(groupId: string): Promise<void> {
    return this.#link.insist('DeleteGroups', () => this.#state.groups.delete(groupId));
  }

  removeMember(groupId: string, memberId: string): Promise<void> {
    return this.#link.insist('LeaveGroup', () => this.#state.groups.removeMember(groupId, memberId));
  }

  describeGroup(groupId: string): Promise<GroupDescription> {
    return this.#link.insist('DescribeGroups', () => this.#state.groups.describe(groupId));
  }

  describeCluster(): Promise<{
    readonly clusterId: string | undefined;
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  }> {
    return this.#link.insist('DescribeCluster', () => ({
      clusterId: this.#state.clusterId,
      brokers: [{ nodeId: 1, host: 'memory', port: 0 }],
    }));
  }
}
