import { readToEnd } from '../../../src/runtime/kafka/read-to-end.ts';
import type { BenchBroker } from './bench-broker.ts';

/** What a topic holds. */
export interface TopicDigest {
  readonly records: number;
  /** One hash a partition: of all keys, values and times in their order. */
  readonly hashes: string;
}

/** Reads a topic to its end. */
export async function digestTopic({ client }: BenchBroker, topic: string): Promise<TopicDigest> {
  const count = (await client.admin.partitionCounts([topic])).get(topic) ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const hashes = new Int32Array(count).fill(0x811c9dc5);
  let total = 0;
  await readToEnd(client, partitions, async (records) => {
    const { partition, length, bytes, keyStarts, keyEnds, valueStarts, valueEnds, timestamps } = records;
    total += length;
    let hash = hashes[partition]!;
    for (let i = 0; i < length; i++) {
      hash = hashBytes(hash, bytes, keyStarts[i]!, keyEnds[i]!);
      hash = hashBytes(hash, bytes, valueStarts[i]!, valueEnds[i]!);
      hash = Math.imul(hash ^ (timestamps[i]! / 1000), 0x01000193);
    }
    hashes[partition] = hash;
  });
  return { records: total, hashes: [...hashes].map((hash) => (hash >>> 0).toString(16)).join(' ') };
}

/** FNV-1a. */
function hashBytes(from: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = from;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}
