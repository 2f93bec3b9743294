import type { BrokerAdmin, CommittedOffset, TopicPartition } from '../../clients/broker.ts';
import type { Topology } from '../../topology/topology.ts';
import { taskIdText } from '../task.ts';
import { numberedInGroup } from './program-numbers.ts';
import { leastOperatorTimeOf } from './task-metadata.ts';
import { inputsOf, topicOnBroker } from './topics-plan.ts';

/** An input partition of a task, and what the application has committed of it. */
export interface CommittedInput extends TopicPartition {
  readonly taskId: string;
  readonly subTopology: number;
  /** A repartition topic of the application. */
  readonly internal: boolean;
  readonly committed: CommittedOffset | undefined;
}

/** How far an application has come, as its group and its topics say: whoever runs it, and whether it runs. */
export class ApplicationProgress {
  readonly #admin: BrokerAdmin;
  readonly #topology: Topology;
  readonly #applicationId: string;
  #inputs: readonly Omit<CommittedInput, 'committed'>[] | undefined;

  constructor(admin: BrokerAdmin, topology: Topology, applicationId: string) {
    this.#admin = admin;
    this.#topology = topology;
    this.#applicationId = applicationId;
  }

  /**
   * All inputs of all tasks, by task and topic, with what is committed. The first input of a task carries its metadata.
   *
   * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC`, `STREAMS_BROKER`
   */
  async committed(): Promise<readonly CommittedInput[]> {
    this.#inputs ??= await this.#allInputs();
    const offsets = await this.#admin.committed(this.#applicationId, this.#inputs);
    return this.#inputs.map((input, i) => ({ ...input, committed: offsets[i] }));
  }

  /** Least time that a windowed operator has observed over all tasks, as of their last commits, ms; -1 if one saw none. */
  async operatorTimeMs(): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (const { committed, internal } of await this.#firstInputs()) {
      // A partition of an internal topic may never get a record: nothing waits for it.
      if (committed === undefined && internal) continue;
      least = Math.min(least, committed === undefined ? -1 : leastOperatorTimeOf(committed.metadata));
    }
    return least === Number.POSITIVE_INFINITY ? -1 : least;
  }

  /**
   * Resolves when everything that the source topics hold now is processed and committed, with all that follows from it in internal topics. What is in a transaction that is not decided
   * yet is waited for.
   *
   * @param wait - Called between two looks; what it throws ends the wait.
   */
  async untilCaughtUp(wait: () => Promise<void>): Promise<void> {
    const inputs = await this.committed();
    await this.#untilRead(
      inputs.filter(({ internal }) => !internal),
      wait,
    );
    // An internal topic holds all that follows once the tasks that write to it have committed their inputs: level by level.
    const depths = this.#depths();
    const deepest = Math.max(0, ...depths.values());
    for (let depth = 1; depth <= deepest; depth++)
      await this.#untilRead(
        inputs.filter(({ internal, topic }) => internal && depths.get(topic) === depth),
        wait,
      );
  }

  async #untilRead(inputs: readonly CommittedInput[], wait: () => Promise<void>): Promise<void> {
    if (inputs.length === 0) return;
    // Not the stable end: a task's positions may be seen as committed while the marker after its records, which says the same of them, is still to come.
    const ends = await this.#admin.offsets(inputs, 'latest');
    // Where all records are deleted nothing is committed: nothing was read.
    const starts = await this.#admin.offsets(inputs, 'earliest');
    for (;;) {
      const offsets = await this.#admin.committed(this.#applicationId, inputs);
      if (ends.every((end, i) => (offsets[i]?.offset ?? starts[i]!) >= end)) return;
      await wait();
    }
  }

  async #firstInputs(): Promise<readonly CommittedInput[]> {
    const seen = new Set<string>();
    return (await this.committed()).filter(({ taskId }) => {
      if (seen.has(taskId)) return false;
      seen.add(taskId);
      return true;
    });
  }

  async #allInputs(): Promise<readonly Omit<CommittedInput, 'committed'>[]> {
    const applicationId = this.#applicationId;
    const place = { admin: this.#admin, applicationId };
    const { topology, plan } = await numberedInGroup(this.#topology, place);
    return plan.tasks.flatMap(({ subTopology, partition }) =>
      inputsOf(topology, applicationId, topology.subTopology(subTopology)).map(({ topic, internal }) => ({
        topic,
        partition,
        subTopology,
        taskId: taskIdText({ subTopology, partition }),
        internal,
      })),
    );
  }

  /** How many internal topics lie between the sources and each internal topic, itself included. */
  #depths(): ReadonlyMap<string, number> {
    const topology = this.#topology;
    const depths = new Map<string, number>();
    const onBroker = (topic: string): string => topicOnBroker(topology, this.#applicationId, topic);
    // As often as there are topics: by then every way without a cycle is walked.
    for (let round = 0; round < topology.repartitions.size; round++)
      for (const part of topology.subTopologies) {
        const own = Math.max(
          0,
          ...part.sources.flatMap(({ topics }) => topics.map((topic) => depths.get(onBroker(topic)) ?? 0)),
        );
        for (const { topic } of part.sinks)
          if (topology.repartitions.has(topic))
            depths.set(onBroker(topic), Math.min(own + 1, topology.repartitions.size));
      }
    return depths;
  }
}
