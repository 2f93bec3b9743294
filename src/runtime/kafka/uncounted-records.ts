import type { UncountedSource } from '../uncounted.ts';
import { isInternalTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';

/** The records that an instance has read of the topics that are given to it, for who warns of those that did not count. */
export function recordsOf(
  { applicationId, deadLetterTopic, lateTopic }: Pick<FilledOptions, 'applicationId' | 'deadLetterTopic' | 'lateTopic'>,
  stats: () => KafkaStats,
): UncountedSource {
  return {
    noun: 'record',
    counts() {
      const { consumed, lateLetters, deadLetters } = stats();
      let read = 0;
      for (const [partition, records] of Object.entries(consumed))
        if (!isInternalTopic(applicationId, partition.slice(0, partition.lastIndexOf('-')))) read += records;
      return { read, late: lateLetters, dead: deadLetters };
    },
    letters: () => stats().letters ?? [],
    placesOf(kind) {
      const topic = kind === 'late' ? lateTopic : deadLetterTopic;
      return topic === '' ? [] : [`topic ${topic}`];
    },
  };
}
