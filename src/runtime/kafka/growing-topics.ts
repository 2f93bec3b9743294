import { StreamsError } from '../../common/errors.ts';
import type { Topology } from '../../topology/topology.ts';
import { ClusterWatch } from './cluster-watch.ts';
import type { FilledOptions } from './kafka-options.ts';
import type { UnreadPartition } from './kafka-stats.ts';
import type { TopicRole } from './loss-errors.ts';
import type { PreparedApplication } from './prepare-application.ts';
import { verifyTopic } from './prepare-topics.ts';
import { planTopics, type TopicsPlan } from './topics-plan.ts';

/** The topics of an application, looked at again and again: with more partitions there are more tasks, unless rows would not be where their keys are. */
export class GrowingTopics {
  readonly watch: ClusterWatch;
  /** Partitions that came to a topic since the start, by topic the first of them. */
  readonly newFrom: Map<string, number> = new Map();
  readonly #options: FilledOptions;
  readonly #topology: Topology;
  readonly #before: ReadonlyMap<string, number>;
  readonly #grown: (plan: TopicsPlan) => void;
  #unread: readonly UnreadPartition[] = [];

  /** @param grown - told of the tasks that there are from now on */
  constructor(
    options: FilledOptions,
    { topology, topics }: PreparedApplication,
    roles: ReadonlyMap<string, TopicRole>,
    grown: (plan: TopicsPlan) => void,
  ) {
    this.#options = options;
    this.#topology = topology;
    this.#before = topics.partitions;
    this.#grown = grown;
    this.watch = new ClusterWatch(options.broker.admin, roles, topics, (counts) => this.#changed(counts));
  }

  /** New partitions that hold what no task has committed anything of, as last looked. */
  get unread(): readonly UnreadPartition[] {
    return this.#unread;
  }

  /** @throws StreamsError where the brokers do not answer, or a topic is not what it was */
  async look(): Promise<void> {
    const { partitions } = await this.watch.look();
    if (this.#unread.length > 0) await this.#countUnread(partitions);
  }

  /** @throws StreamsError `STREAMS_INTERNAL_TOPIC`, `STREAMS_PARTITION_MISMATCH` */
  #changed(counts: ReadonlyMap<string, number>): void {
    // Only told: what it cannot find out the lag command does.
    this.#countUnread(counts).catch((error: unknown) =>
      this.#options.logger.debug({ error }, 'what new partitions hold could not be looked at'),
    );
    const { applicationId, replicationFactor, logger } = this.#options;
    const plan = planTopics(this.#topology, { applicationId, replicationFactor, sourcePartitions: counts });
    for (const spec of plan.internal) verifyTopic(spec, counts.get(spec.topic), {});
    const before = this.#before;
    for (const { topic } of this.#topology.globalTables)
      if (counts.get(topic)! > before.get(topic)!)
        throw new StreamsError(
          'STREAMS_PARTITION_MISMATCH',
          `topic ${topic} of a global table has grown from ${before.get(topic)} to ${counts.get(topic)} partitions: which record of a key is the last cannot be said any more. Write the table into a new topic and run weir reset.`,
          { topic },
        );
    for (const topic of this.#topology.sourceTopics)
      if (counts.get(topic)! > before.get(topic)!) this.newFrom.set(topic, before.get(topic)!);
    logger.info({ tasks: plan.tasks.length }, 'topics have grown: there are more tasks');
    this.#grown(plan);
  }

  async #countUnread(counts: ReadonlyMap<string, number>): Promise<void> {
    const { broker, applicationId } = this.#options;
    const added = this.#topology.sourceTopics.flatMap((topic) =>
      Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })).slice(
        this.#before.get(topic),
      ),
    );
    const [starts, ends, committed] = await Promise.all([
      broker.admin.offsets(added, 'earliest'),
      broker.admin.offsets(added, 'stable'),
      broker.admin.committed(applicationId, added),
    ]);
    this.#unread = added.flatMap((place, i) =>
      committed[i] === undefined && ends[i]! > starts[i]! ? [{ ...place, lag: ends[i]! - starts[i]! }] : [],
    );
  }
}
