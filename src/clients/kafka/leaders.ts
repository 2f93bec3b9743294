import type { ClusterMap } from './cluster-map.ts';
import { brokerError, errorOfCode, isRetriable, isUnknown, KafkaError, newTopicMs } from './errors.ts';
import type { Reading } from './reading.ts';

/** Who hears what was found. */
export interface LeadersListener {
  /** Partitions of this broker can be fetched now. */
  found(nodeId: number): void;
  /** The leader cannot be found, and no wait helps. */
  refused(reading: Reading, error: Error): void;
}

/** Finds the leaders of partitions that have none, again and again until there is one. */
export class Leaders {
  readonly #cluster: ClusterMap;
  readonly #readings: ReadonlyMap<string, Reading>;
  readonly #listener: LeadersListener;
  #timer: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #searching = false;
  #closed = false;

  constructor(cluster: ClusterMap, readings: ReadonlyMap<string, Reading>, listener: LeadersListener) {
    this.#cluster = cluster;
    this.#readings = readings;
    this.#listener = listener;
  }

  /** Some partition has no leader: search, as soon as its waits allow. */
  find(): void {
    if (this.#closed || this.#searching || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      clearTimeout(this.#timer);
      this.#searching = true;
      void this.#search().finally(() => {
        this.#searching = false;
        this.#again();
      });
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#scheduled);
  }

  #again(): void {
    const without = [...this.#readings.values()].filter(({ leader }) => leader === undefined);
    if (without.length === 0 || this.#closed) return;
    const first = Math.min(...without.map(({ notBefore }) => notBefore));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.find(), Math.max(1, first - performance.now()));
  }

  async #search(): Promise<void> {
    const now = performance.now();
    const due = [...this.#readings.values()].filter(
      ({ leader, notBefore }) => leader === undefined && notBefore <= now,
    );
    const unknown = due.filter(({ topic, partition }) => this.#cluster.leader(topic, partition) === undefined);
    const errors = new Map<string, Error>();
    if (unknown.length > 0) {
      try {
        const { topicMetadata } = await this.#cluster.metadata([...new Set(unknown.map(({ topic }) => topic))]);
        for (const { topic, topicErrorCode, partitionMetadata } of topicMetadata) {
          const error = errorOfCode(topicErrorCode, topic);
          if (error) errors.set(topic, error);
          for (const { partition } of unknown.filter((reading) => reading.topic === topic)) {
            const isThere = partitionMetadata.some(({ partitionId }) => partitionId === partition);
            if (!error && !isThere)
              errors.set(topic, new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${partition}`));
          }
        }
      } catch (error) {
        for (const { topic } of unknown) errors.set(topic, error as Error);
      }
    }
    if (this.#closed) return;
    const found = new Set<number>();
    for (const reading of due) {
      reading.leader = this.#cluster.leader(reading.topic, reading.partition);
      const error = errors.get(reading.topic);
      if (reading.leader !== undefined) {
        found.add(reading.leader);
        continue;
      }
      if (isUnknown(error)) reading.unknownSince ??= now;
      const isMissing = reading.unknownSince !== undefined && now - reading.unknownSince > newTopicMs;
      if (error && (isMissing || !isRetriable(error))) {
        this.#listener.refused(reading, brokerError(`finding the leader of ${reading.topic}`, error));
      } else reading.backOff();
    }
    for (const nodeId of found) this.#listener.found(nodeId);
  }
}
