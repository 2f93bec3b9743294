import type { TopicPartition } from '../broker.ts';
import { type Api, changedApi, compactArray, kafkajsApi, ownApi, skipTags } from './api.ts';
import { type Decoder, type Encoder, newDecoder, newEncoder } from './kafkajs.ts';

/** Partitions of one topic, as requests list them. */
export interface OfTopic<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

export interface PartitionCode {
  readonly partition: number;
  readonly errorCode: number;
}

interface Code {
  readonly errorCode: number;
}

/** What cluster metadata say. */
export interface ClusterMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly isInternal: boolean;
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number;
      readonly partitionId: number;
      /** -1: none for now. */
      readonly leader: number;
    }[];
  }[];
}

const kafkajsMetadata = kafkajsApi<object, ClusterMetadata>('Metadata');

/** Metadata of these topics, of none for [], of all for undefined. Creates none. */
export const metadata: Api<readonly string[] | undefined, ClusterMetadata> = changedApi(
  kafkajsMetadata,
  (topics, versions) => {
    const exchange = kafkajsMetadata.exchange({ topics: topics ?? [], allowAutoTopicCreation: false }, versions);
    const encode = async (): Promise<Encoder> => {
      const encoder = topics === undefined ? newEncoder().writeInt32(-1) : newEncoder().writeArray(topics);
      return encoder.writeBoolean(false);
    };
    // kafkajs asks for all topics where none is named.
    return { ...exchange, request: { ...exchange.request, encode } };
  },
);

export const findCoordinator: Api<
  { groupId: string; coordinatorType: 0 | 1 },
  Code & { errorMessage?: string | null; coordinator: { nodeId: number; host: string; port: number } }
> = kafkajsApi('GroupCoordinator');

export const listOffsets: Api<
  { isolationLevel: 0 | 1; topics: readonly OfTopic<{ partition: number; timestamp: number }>[] },
  { responses: readonly OfTopic<PartitionCode & { offset: string }>[] }
> = kafkajsApi('ListOffsets');

export const createTopics: Api<
  {
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
    timeout: number;
  },
  { topicErrors: readonly (Code & { topic: string; errorMessage?: string | null })[] }
> = kafkajsApi('CreateTopics');

/** DeleteTopics 4: the newest that kafkajs writes is the oldest that brokers of Kafka 4 speak. */
export const deleteTopics: Api<
  { topics: readonly string[]; timeout: number },
  { topicErrors: readonly (Code & { topic: string })[] }
> = ownApi(
  'DeleteTopics',
  20,
  4,
  ({ topics, timeout }) => {
    const encoder = newEncoder()
      .writeUVarInt(0)
      .writeUVarInt(topics.length + 1);
    for (const topic of topics) encoder.writeUVarIntString(topic);
    return encoder.writeInt32(timeout).writeUVarInt(0);
  },
  (payload) => {
    const decoder = newDecoder(payload);
    skipTags(decoder);
    decoder.readInt32();
    const topicErrors = compactArray(decoder, (of) => {
      const topic = of.readUVarIntString() ?? '';
      const errorCode = of.readInt16();
      skipTags(of);
      return { topic, errorCode };
    });
    return { topicErrors };
  },
);

export const deleteRecords: Api<
  { topics: readonly OfTopic<{ partition: number; offset: string }>[]; timeout: number },
  { topics: readonly OfTopic<PartitionCode>[] }
> = kafkajsApi('DeleteRecords');

export const describeConfigs: Api<
  { resources: readonly { type: number; name: string }[] },
  {
    resources: readonly (Code & {
      errorMessage: string | null;
      resourceName: string;
      configEntries: readonly { configName: string; configValue: string | null }[];
    })[];
  }
> = kafkajsApi('DescribeConfigs');

export const deleteGroups: Api<readonly string[], { results: readonly (Code & { groupId: string })[] }> =
  kafkajsApi('DeleteGroups');

export const describeGroups: Api<
  { groupIds: readonly string[] },
  {
    groups: readonly (Code & {
      state: string;
      members: readonly {
        memberId: string;
        clientId: string;
        clientHost: string;
        memberMetadata: Buffer | null;
        memberAssignment: Buffer | null;
      }[];
    })[];
  }
> = kafkajsApi('DescribeGroups');

export const joinGroup: Api<
  {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupInstanceId: string | null;
    protocolType: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  },
  Code & {
    generationId: number;
    groupProtocol: string | null;
    leaderId: string;
    memberId: string;
    members: readonly { memberId: string; memberMetadata: Buffer }[];
  }
> = kafkajsApi('JoinGroup');

export const syncGroup: Api<
  {
    groupId: string;
    generationId: number;
    memberId: string;
    groupInstanceId: string | null;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  },
  Code & { memberAssignment: Buffer | null }
> = kafkajsApi('SyncGroup');

export const heartbeat: Api<
  { groupId: string; groupGenerationId: number; memberId: string; groupInstanceId: string | null },
  Code
> = kafkajsApi('Heartbeat');

export const leaveGroup: Api<{ groupId: string; memberId: string; groupInstanceId: string | null }, Code> =
  kafkajsApi('LeaveGroup');

interface OffsetEntry {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

/** OffsetCommit 7: the first version that names a static member. */
export const offsetCommit: Api<
  {
    groupId: string;
    generation: number;
    memberId: string;
    groupInstanceId: string | null;
    topics: readonly OfTopic<OffsetEntry>[];
  },
  { topics: readonly OfTopic<PartitionCode>[] }
> = ownApi(
  'OffsetCommit',
  8,
  7,
  ({ groupId, generation, memberId, groupInstanceId, topics }) =>
    newEncoder()
      .writeString(groupId)
      .writeInt32(generation)
      .writeString(memberId)
      .writeString(groupInstanceId)
      .writeArray(topics.map(encodeOffsets)),
  (payload) => {
    const decoder = newDecoder(payload);
    decoder.readInt32();
    const topics = decoder.readArray(() => ({
      topic: decoder.readString() ?? '',
      partitions: decoder.readArray(() => ({ partition: decoder.readInt32(), errorCode: decoder.readInt16() })),
    }));
    return { topics };
  },
);

function encodeOffsets({ topic, partitions }: OfTopic<OffsetEntry>): Encoder {
  // After the offset: the leader's epoch, -1 for not known.
  const entries = partitions.map(({ partition, offset, metadata }) =>
    newEncoder().writeInt32(partition).writeInt64(offset).writeInt32(-1).writeString(metadata),
  );
  return newEncoder().writeString(topic).writeArray(entries);
}

interface Writer {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export const initProducerId: Api<
  { transactionalId: string | null; transactionTimeout: number },
  Code & { producerId: string; producerEpoch: number }
> = kafkajsApi('InitProducerId');

export const addPartitionsToTxn: Api<
  Writer & { topics: readonly OfTopic<number>[] },
  { errors: readonly { topic: string; partitionErrors: readonly PartitionCode[] }[] }
> = kafkajsApi('AddPartitionsToTxn');

export const addOffsetsToTxn: Api<Writer & { groupId: string }, Code> = kafkajsApi('AddOffsetsToTxn');

export const txnOffsetCommit: Api<
  Writer & { groupId: string; topics: readonly OfTopic<OffsetEntry>[] },
  { topics: readonly OfTopic<PartitionCode>[] }
> = kafkajsApi('TxnOffsetCommit');

export const endTxn: Api<Writer & { transactionResult: boolean }, Code> = kafkajsApi('EndTxn');

/** OffsetFetch 7: the first version that says when an offset may still change (`requireStable`). */
export const offsetFetch: Api<
  { groupId: string; topics: readonly OfTopic<number>[] },
  Code & { topics: readonly OfTopic<PartitionCode & { offset: number; metadata: string | null }>[] }
> = ownApi(
  'OffsetFetch',
  9,
  7,
  ({ groupId, topics }) => {
    // Flexible version: 0 stands for no tagged fields; the first one ends the header.
    const encoder = newEncoder()
      .writeUVarInt(0)
      .writeUVarIntString(groupId)
      .writeUVarInt(topics.length + 1);
    for (const { topic, partitions } of topics) {
      encoder.writeUVarIntString(topic).writeUVarInt(partitions.length + 1);
      for (const partition of partitions) encoder.writeInt32(partition);
      encoder.writeUVarInt(0);
    }
    return encoder.writeBoolean(true).writeUVarInt(0);
  },
  (payload) => {
    const decoder = newDecoder(payload);
    skipTags(decoder);
    decoder.readInt32();
    const topics = compactArray(decoder, (of) => {
      const topic = of.readUVarIntString() ?? '';
      const partitions = compactArray(of, () => {
        const partition = of.readInt32();
        const offset = Number(of.readInt64());
        of.readInt32();
        const metadata = of.readUVarIntString();
        const errorCode = of.readInt16();
        skipTags(of);
        return { partition, offset, metadata, errorCode };
      });
      skipTags(of);
      return { topic, partitions };
    });
    return { topics, errorCode: decoder.readInt16() };
  },
);

const uuidBytes = 16;

/** Metadata 12: the first version with all that is needed to ask by name for the ids of topics. Creates none. */
export const topicIds: Api<readonly string[], readonly (Code & { topic: string; id: string })[]> = ownApi(
  'Metadata',
  3,
  12,
  (topics) => {
    const encoder = newEncoder()
      .writeUVarInt(0)
      .writeUVarInt(topics.length + 1);
    for (const topic of topics) encoder.writeBuffer(Buffer.alloc(uuidBytes)).writeUVarIntString(topic).writeUVarInt(0);
    return encoder.writeBoolean(false).writeBoolean(false).writeUVarInt(0);
  },
  (payload) => {
    const decoder = newDecoder(payload);
    skipTags(decoder);
    decoder.readInt32();
    compactArray(decoder, (of) => {
      of.readInt32();
      of.readUVarIntString();
      of.readInt32();
      of.readUVarIntString();
      skipTags(of);
    });
    decoder.readUVarIntString();
    decoder.readInt32();
    return compactArray(decoder, (of) => {
      const errorCode = of.readInt16();
      const topic = of.readUVarIntString() ?? '';
      const id = of.buffer.toString('hex', of.offset, of.offset + uuidBytes);
      of.forward(uuidBytes);
      of.readBoolean();
      compactArray(of, skipPartition);
      of.readInt32();
      skipTags(of);
      return { errorCode, topic, id };
    });
  },
);

function skipPartition(decoder: Decoder): void {
  decoder.readInt16();
  for (let field = 0; field < 3; field++) decoder.readInt32();
  for (let list = 0; list < 3; list++) compactArray(decoder, () => decoder.readInt32());
  skipTags(decoder);
}

/** Batches of one partition, ready to be sent. */
export interface PartitionBatch extends TopicPartition {
  readonly bytes: Buffer;
}

/** Produce 7. One batch for each partition. */
export const produce: Api<
  { transactionalId: string | null; timeout: number; batches: readonly PartitionBatch[] },
  readonly OfTopic<PartitionCode & { baseOffset: number }>[]
> = ownApi(
  'Produce',
  0,
  7,
  ({ transactionalId, timeout, batches }) => {
    let encoder = newEncoder().writeString(transactionalId).writeInt16(-1).writeInt32(timeout);
    const buffer: Buffer[] = [];
    const byTopic = groupByTopic(batches, (batch) => batch);
    encoder.writeInt32(byTopic.length);
    for (const { topic, partitions } of byTopic) {
      encoder.writeString(topic).writeInt32(partitions.length);
      for (const { partition, bytes } of partitions) {
        buffer.push(encoder.writeInt32(partition).writeInt32(bytes.length).buffer, bytes);
        encoder = newEncoder(64);
      }
    }
    buffer.push(encoder.buffer);
    return { buffer };
  },
  (payload) =>
    newDecoder(payload).readArray((decoder) => ({
      topic: decoder.readString() ?? '',
      partitions: decoder.readArray(() => {
        const partition = decoder.readInt32();
        const errorCode = decoder.readInt16();
        const baseOffset = Number(decoder.readInt64());
        decoder.readInt64();
        decoder.readInt64();
        return { partition, errorCode, baseOffset };
      }),
    })),
);

/** Things of partitions, by topic, in order of first appearance. */
export function groupByTopic<T extends TopicPartition, P>(of: readonly T[], each: (value: T) => P): OfTopic<P>[] {
  const byTopic = new Map<string, P[]>();
  for (const value of of) {
    const partitions = byTopic.get(value.topic);
    if (partitions) partitions.push(each(value));
    else byTopic.set(value.topic, [each(value)]);
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
}
