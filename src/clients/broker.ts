import type { Header } from '../processor/record.ts';
import type { FetchedRecords } from './fetched-records.ts';
import type { CompressionCodec } from './record-batch/compression.ts';

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition and a position in it. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** A position as a group commits it. */
export interface CommittedOffset {
  readonly offset: number;
  /** What was committed with it; '' for nothing. Brokers take up to 4,096 bytes. */
  readonly metadata: string;
}

/** A position to commit. */
export interface OffsetToCommit extends TopicPartition, CommittedOffset {}

/** What a topic is created with. */
export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** Which end of a partition: its first record, the last one written, or the end of what no open transaction can still change. */
export type OffsetAt = 'earliest' | 'latest' | 'stable';

/** A group as the broker sees it. */
export interface GroupDescription {
  /** Kafka's word: `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Dead`. */
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly host: string;
    readonly partitions: readonly TopicPartition[];
    readonly userData: Uint8Array;
  }[];
}

/**
 * Reading and changing what a broker keeps about topics and groups.
 *
 * Every method retries what is worth retrying (a moved leader, a coordinator that loads, a connection cut) until its deadline.
 * @throws StreamsError `STREAMS_BROKER` from every method, with the broker's own error name.
 */
export interface BrokerAdmin {
  /** How many partitions the topics have; those that do not exist are left out. Never creates one. */
  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Ids of topics: one that is recreated under the same name has another. Those that do not exist are left out. */
  topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Names of all topics, internal ones of the broker's own left out. */
  listTopics(): Promise<readonly string[]>;
  /** Creates topics and waits until they can be used; those that exist are left as they are. Returns the names of those created. */
  createTopics(topics: readonly TopicSpec[]): Promise<readonly string[]>;
  /** The configuration of topics that exist, defaults included. */
  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>;
  /** Deletes topics with all their records; those that do not exist are fine. */
  deleteTopics(topics: readonly string[]): Promise<void>;
  /** Positions of the partitions' ends, in the order asked. @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC` for a topic that does not exist. */
  offsets(partitions: readonly TopicPartition[], at: OffsetAt): Promise<readonly number[]>;
  /** Deletes the records before these positions. */
  deleteRecords(before: readonly PartitionOffset[]): Promise<void>;
  /** What a group has committed, in the order asked; undefined for partitions without. Waits for transactions that are being completed. */
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedOffset | undefined)[]>;
  /** Sets positions of a group that has no members. */
  setCommitted(groupId: string, offsets: readonly OffsetToCommit[]): Promise<void>;
  /** Deletes a group without members and its positions; one that does not exist is fine. */
  deleteGroup(groupId: string): Promise<void>;
  /** A group's state and members. One that does not exist is `Dead`, without members. */
  describeGroup(groupId: string): Promise<GroupDescription>;
  /** Takes a member out of a group that will not come back, so that nobody waits for the end of its session; one that is not there is fine. */
  removeMember(groupId: string, memberId: string): Promise<void>;
  /** The brokers, and the cluster's id where known. */
  describeCluster(): Promise<{
    readonly clusterId: string | undefined;
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  }>;
}

/** How a producer writes. */
export interface ProducerOptions {
  /** Names the writer over restarts: a later `init` with the same id fences the earlier ones. Absent: nobody is fenced. */
  readonly transactionalId?: string;
  /**
   * True: what is written is seen by read_committed readers only after `commit`. False: at once (idempotent writes, fenced per partition once the
   * new owner has written to it).
   */
  readonly transactional: boolean;
  /** ms after which the broker aborts an open transaction. @defaultValue 60000 */
  readonly transactionTimeoutMs?: number;
  /** Largest batch of records in one request, bytes. @defaultValue 1000000 */
  readonly maxBatchBytes?: number;
  /** zstd needs Node 22.15 or later. @defaultValue 'none' */
  readonly compression?: CompressionCodec;
  /**
   * Asked when the broker refuses a record for itself (too large, a timestamp out of bounds): whether to go on without it.
   * @defaultValue fail
   */
  readonly refused?: (record: RefusedRecord) => 'continue' | 'fail';
}

/** A record that a broker does not take. */
export interface RefusedRecord extends TopicPartition {
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly timestamp: number;
  /** The broker's error name, such as `MESSAGE_TOO_LARGE`. */
  readonly reason: string;
}

/**
 * Writes records, exactly once if transactional.
 *
 * `append` buffers; `flush` sends; `commit` sends, adds offsets and ends the transaction. What is appended after a call of `commit` or `flush` belongs to the next
 * one, even while that call is under way; calls of `flush` and `commit` are carried out one after the other.
 *
 * After an error of `flush` or `commit` the producer is of no more use: whether the transaction was committed is not known. Make a new one, but only as
 * the owner of the id (an assignment of a new generation): `init` fences.
 * @throws StreamsError `STREAMS_TASK_MIGRATED` where another producer with the same id was initialised since, `STREAMS_BROKER` for all else.
 */
export interface BrokerProducer {
  /** Fences earlier owners of the id and ends what they left open: when it resolves, no transaction of the id is pending. Once, before all else. */
  init(): Promise<void>;
  /** Buffers a record. Bytes are copied. Without key or value: undefined. */
  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | undefined,
    value: Uint8Array | undefined,
    headers?: readonly Header[],
  ): void;
  /** Bytes appended and not yet sent. */
  readonly bufferedBytes: number;
  /** Whether something was appended since the last commit. */
  readonly hasAppended: boolean;
  /** Sends what was appended and waits until all replicas in sync have it. Begins a transaction where there is none. */
  flush(): Promise<void>;
  /**
   * Sends what was appended, with the offsets of a group, and ends the transaction. Without appended records and without offsets it does nothing.
   *
   * Not transactional: records only; offsets are refused with a TypeError.
   * @returns for each partition written since the last commit the position after its last record, keyed `topic-partition`.
   */
  commit(groupId?: string, offsets?: readonly OffsetToCommit[]): Promise<ReadonlyMap<string, number>>;
  /** Gives up what was appended since the last commit, sent or not. */
  abort(): Promise<void>;
  /** Closes connections. An open transaction is left to the next `init`, or to its timeout. */
  close(): Promise<void>;
}

/** How a fetcher reads. */
export interface FetcherOptions {
  /** @defaultValue 'read_committed' */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** Longest wait of one fetch where nothing is there, ms. @defaultValue 500 */
  readonly maxWaitMs?: number;
  /** Most bytes of a fetch, and of each partition in it. @defaultValue 10485760 and 1048576 */
  readonly maxBytes?: number;
  readonly maxPartitionBytes?: number;
  /**
   * Gets what was read, in offset order within a partition, as soon as it is there. Called with no records too, when a partition's position or end has moved
   * without any (control markers, aborted or compacted records) and once after each `add`. What it throws goes to `failed`.
   *
   * It may call `pause`, `add` and `remove` of the fetcher.
   */
  receive(records: FetchedRecords): void;
  /**
   * A partition cannot be read on: `out-of-range` (its records were deleted, or it is shorter), or `failed`. The partition is removed before the call. Lost connections and moved leaders are
   * retried without telling.
   */
  failed(partition: PartitionOffset, kind: 'out-of-range' | 'failed', error: Error): void;
}

/** Reads partitions from given positions on, without a group. */
export interface Fetcher {
  /** Reads a partition from this position on; one that is read already goes on from here, and nothing fetched before the call is given out after it. */
  add(partition: PartitionOffset): void;
  /** Reads it no more; nothing of it is given out after the call. */
  remove(partition: TopicPartition): void;
  /** Does not fetch it for now. What a fetch under way brings is given out all the same. */
  pause(partition: TopicPartition): void;
  /** Fetches it again, from where it stands. */
  resume(partition: TopicPartition): void;
  /** Reads nothing any more, and closes its connections. */
  close(): Promise<void>;
}

/** A member at the time of an assignment, as the leader sees it. */
export interface JoinedMember {
  readonly memberId: string;
  readonly userData: Uint8Array;
}

/** What a member is given. */
export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[];
  readonly userData: Uint8Array;
}

/** How a member takes part in a group. */
export interface GroupMemberOptions {
  readonly groupId: string;
  /**
   * Names the member over restarts (static membership): the group keeps its place until its session is over, and a member that joins under the same name within that time has its part again, in the same
   * generation. The member that had the name before is fenced: it ends, and `failed` gets `STREAMS_FENCED_INSTANCE_ID`.
   *
   * @defaultValue none: each start is a new member
   */
  readonly groupInstanceId?: string;
  /** The topics that the group reads: what tools show. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** @defaultValue a third of the session timeout, at most 3000 */
  readonly heartbeatIntervalMs?: number;
  /** What the member tells the leader at each join. */
  userData(): Uint8Array;
  /** The leader shares out the work; every member must be in the result. */
  assign(members: readonly JoinedMember[]): Promise<ReadonlyMap<string, MemberAssignment>>;
  /** The member is about to join for a new generation. It may go on with what it has. */
  rebalancing(): void;
  /** A new generation: this is the member's part of it. Heartbeats go on while it works; it is not called again before it has resolved. */
  assigned(assignment: MemberAssignment, generation: number): Promise<void>;
  /** The member was thrown out or its session is over: nothing that it was assigned is its own any more. It joins again by itself. */
  lost(reason: string): void;
  /** Something that no retry helps: `assign` has thrown, the group refuses the member. The member has stopped. */
  failed(error: Error): void;
}

/** A member of a consumer group. Heartbeats come from a timer, whatever else the process does between events. */
export interface GroupMember {
  /** '' before the first join. */
  readonly memberId: string;
  /** -1 before the first assignment and after `lost`. */
  readonly generation: number;
  /** ms since the broker last confirmed the membership; Infinity before. Above the session timeout others may own what was assigned. */
  readonly unconfirmedMs: number;
  /** Joins, and stays until `leave` or `stop`. */
  start(): void;
  /** Asks for a new generation. */
  rejoin(): void;
  /** Asks the broker now whether this generation is current. */
  confirm(): Promise<boolean>;
  /** Commits positions in the name of this generation. @throws StreamsError `STREAMS_TASK_MIGRATED` if it is not current. */
  commit(offsets: readonly OffsetToCommit[]): Promise<void>;
  /** Leaves the group at once, so that the others need not wait for the session's end. */
  leave(): Promise<void>;
  /** Ends without a word to the group, which keeps the member's place until its session is over. */
  stop(): Promise<void>;
}

/** A broker, or a cluster of them, as the runtime needs it. Each adapter passes the conformance suite of `weir-streams/testing`. */
export interface Broker {
  readonly admin: BrokerAdmin;
  /** A writer; nothing is asked of the broker before its `init`. @throws StreamsError `STREAMS_CONFIG` for a compression that cannot be written here */
  producer(options: ProducerOptions): BrokerProducer;
  /** A reader, of nothing so far. */
  fetcher(options: FetcherOptions): Fetcher;
  /** A member of a group; it joins with `start`. */
  member(options: GroupMemberOptions): GroupMember;
  /** Closes all that was made of it. Members leave their groups, those with a `groupInstanceId` stop. */
  close(): Promise<void>;
}

/** `topic-partition`: the key of maps by partition. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
