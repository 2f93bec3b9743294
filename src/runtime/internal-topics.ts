import type { Topology } from '../topology/topology.ts';
import { type QueueReceiver, RepartitionQueue } from './repartition-queue.ts';
import type { Task, TaskSource } from './task.ts';

/** One internal topic's queue at the task that reads it. */
interface Lane {
  readonly topic: string;
  readonly queue: RepartitionQueue;
  readonly take: QueueReceiver;
}

/** Takes one record through a task. */
export type RecordTaker = (task: Task, source: TaskSource, ...record: Parameters<QueueReceiver>) => void;

/** Records on their way between the tasks of one process: a queue for each internal topic and partition. */
export class InternalTopics {
  readonly #depths: ReadonlyMap<string, number>;
  readonly #queues = new Map<string, readonly RepartitionQueue[]>();
  /** Of each task that reads internal topics its lanes, by topic; upstream tasks first. */
  #tasks: readonly (readonly Lane[])[] = [];
  #waiting = 0;

  /** @param partitionsOf - how many partitions each internal topic has. */
  constructor(topology: Topology, partitionsOf: (topic: string) => number) {
    this.#depths = topicDepths(topology);
    for (const topic of this.#depths.keys())
      this.#queues.set(
        topic,
        Array.from({ length: partitionsOf(topic) }, () => new RepartitionQueue(() => this.#waiting++)),
      );
  }

  /** Queues of an internal topic, by partition; undefined for a topic of the user's. */
  queuesOf(topic: string): readonly RepartitionQueue[] | undefined {
    return this.#queues.get(topic);
  }

  /** How many records wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Says who reads the topics. */
  connect(tasks: readonly Task[], take: RecordTaker): void {
    const lanesOf = (task: Task): Lane[] =>
      [...task.sources.values()].flatMap((source): Lane[] => {
        const queue = this.#queues.get(source.topic)?.[task.partition];
        return queue === undefined
          ? []
          : [
              {
                topic: source.topic,
                queue,
                take: (key, value, timestamp, headers) => take(task, source, key, value, timestamp, headers),
              },
            ];
      });
    const depth = (lanes: readonly Lane[]): number => Math.max(...lanes.map(({ topic }) => this.#depths.get(topic)!));
    this.#tasks = tasks
      .map((task) => lanesOf(task).sort((a, b) => (a.topic < b.topic ? -1 : 1)))
      .filter((lanes) => lanes.length > 0)
      .sort((a, b) => depth(a) - depth(b));
  }

  /** Takes waiting records through their tasks, upstream tasks first, until none is left or a node is busy. */
  drain(busy: () => boolean): void {
    while (this.#waiting > 0 && !busy()) for (const lanes of this.#tasks) this.#drainTask(lanes, busy);
  }

  /** A task takes the record with the least (timestamp, topic) among the heads of its queues. */
  #drainTask(lanes: readonly Lane[], busy: () => boolean): void {
    while (!busy()) {
      const lane = lanes.length === 1 ? lanes[0]! : leastHead(lanes);
      if (lane.queue.length === 0) return;
      this.#waiting--;
      lane.queue.take(lane.take);
    }
  }
}

function leastHead(lanes: readonly Lane[]): Lane {
  let least = lanes[0]!;
  for (const lane of lanes) if (lane.queue.headMs < least.queue.headMs) least = lane;
  return least;
}

/** How many internal topics lie on the longest way from a source to each internal topic, itself included. */
function topicDepths(topology: Topology): ReadonlyMap<string, number> {
  const nodes = new Map<string, number>();
  const topics = new Map<string, number>();
  // Parents come before their children, and a topic's sink before its source.
  for (const node of topology.nodes) {
    if (node.kind === 'source') {
      nodes.set(node.name, Math.max(...node.topics.map((topic) => topics.get(topic) ?? 0)));
      continue;
    }
    const depth = Math.max(...node.parents.map((parent) => nodes.get(parent)!));
    nodes.set(node.name, depth);
    if (node.kind === 'sink' && topology.repartitions.has(node.topic)) topics.set(node.topic, depth + 1);
  }
  return topics;
}
