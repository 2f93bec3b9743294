import type { MemberAssignment, TopicPartition } from '../broker.ts';
import { newDecoder, newEncoder } from './kafkajs.ts';
import { groupByTopic } from './requests.ts';

/*
 * What members of a group of type "consumer" tell each other, as Kafka's tools read it:
 *
 * subscription: version int16 | topics array of string | user data bytes
 * assignment:   version int16 | array of (topic string, partitions array of int32) | user data bytes
 */

const nothing = new Uint8Array(0);

/** A subscription (version 0). */
export function encodeSubscription(topics: readonly string[], userData: Uint8Array): Buffer {
  return newEncoder().writeInt16(0).writeArray(topics).writeBytes(Buffer.from(userData)).buffer;
}

/** The user data of a subscription of any version. */
export function decodeSubscription(bytes: Buffer | null): Uint8Array {
  if (bytes === null || bytes.length === 0) return nothing;
  const decoder = newDecoder(bytes);
  decoder.readInt16();
  decoder.readArray(() => decoder.readString());
  return new Uint8Array(decoder.readBytes() ?? nothing);
}

/** An assignment (version 0). */
export function encodeAssignment({ partitions, userData }: MemberAssignment): Buffer {
  const encoder = newEncoder().writeInt16(0);
  const topics = groupByTopic(partitions, ({ partition }) => partition);
  encoder.writeInt32(topics.length);
  for (const of of topics) encoder.writeString(of.topic).writeArray(of.partitions);
  return encoder.writeBytes(Buffer.from(userData)).buffer;
}

/** An assignment of any version; none for no bytes, as members have it before their first one. */
export function decodeAssignment(bytes: Buffer | null): MemberAssignment {
  if (bytes === null || bytes.length === 0) return { partitions: [], userData: nothing };
  const decoder = newDecoder(bytes);
  decoder.readInt16();
  const partitions: TopicPartition[] = [];
  decoder.readArray(() => {
    const topic = decoder.readString() ?? '';
    for (const partition of decoder.readArray(() => decoder.readInt32())) partitions.push({ topic, partition });
  });
  return { partitions, userData: new Uint8Array(decoder.readBytes() ?? nothing) };
}
