import { StreamsError } from '../common/errors.ts';
import type { Topology } from '../topology/topology.ts';
import type { TaskId } from './task.ts';

/**
 * The tasks of a topology: of each sub-topology as many as its topics have partitions.
 *
 * @param partitionsOf - Partitions of a source topic; of an internal one where the topology does not say.
 * @throws StreamsError `STREAMS_PARTITION_MISMATCH` if topics whose records meet have different numbers.
 */
export function taskIdsOf(topology: Topology, partitionsOf: (topic: string) => number): readonly TaskId[] {
  return topology.subTopologies.flatMap((part) => {
    const counts = part.sources.flatMap((source) =>
      source.topics.map((topic) => ({
        topic,
        count: topology.repartitions.get(topic)?.partitions ?? partitionsOf(topic),
      })),
    );
    const first = counts[0];
    if (first === undefined)
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `sub-topology ${part.id} has no source: ${part.nodes.map((node) => node.name).join(', ')}.`,
      );
    const other = counts.find(({ count }) => count !== first.count);
    if (other !== undefined)
      throw new StreamsError(
        'STREAMS_PARTITION_MISMATCH',
        `${first.topic} has ${first.count} partitions and ${other.topic} ${other.count}, but their records meet. Give both the same number.`,
      );
    return Array.from({ length: first.count }, (_, partition) => ({ subTopology: part.id, partition }));
  });
}
