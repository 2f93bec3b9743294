import { StreamsError } from '../common/errors.ts';
import type { Topology } from '../topology/topology.ts';
import type { Feed } from './feed.ts';

/**
 * Refuses feeds with which rows would be counted twice, or not at all.
 *
 * @throws StreamsError `STREAMS_CONFIG` - two feeds have the same records of a topic, or the topology reads a topic that it writes and that has no feed.
 */
export function checkFeeds(topology: Topology, feeds: readonly Feed[]): void {
  const known = new Map<string, Set<number | undefined>>();
  for (const { topic, partition } of feeds) {
    const partitions = known.get(topic) ?? new Set();
    // A feed without a partition has the records of all.
    if (partitions.has(partition) || partitions.has(undefined) || (partition === undefined && partitions.size > 0))
      throw new StreamsError(
        'STREAMS_CONFIG',
        `two feeds have ${partition === undefined ? 'all records' : `partition ${partition}`} of topic ${topic}, and would keep one position. ` +
          `Give each its own topic, and read both as one stream: stream(['${topic}', '${topic}-2'], …).`,
        { topic },
      );
    known.set(topic, partitions.add(partition));
  }
  const read = new Set(topology.sourceTopics);
  for (const node of topology.nodes) {
    if (node.kind !== 'sink' || known.has(node.topic) || !read.has(node.topic)) continue;
    const { name, topic } = node;
    throw new StreamsError(
      'STREAMS_CONFIG',
      `node ${name} writes to topic ${topic}, which the topology reads and which has no feed: over files nothing brings these records back. ` +
        'Use repartition() or the stream itself, give a feed of what output keeps, or run the topology on Kafka.',
      { topic, nodeName: name },
    );
  }
}
