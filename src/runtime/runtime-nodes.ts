import { isAbsent } from '../common/absent.ts';
import { partitionOf } from '../common/bytes.ts';
import { type NodeContext, ProcessorNode } from '../processor/node.ts';
import type { Header } from '../processor/record.ts';
import type { Serde } from '../serde/serde.ts';
import { Windowed, WindowedSerde } from '../serde/windowed.ts';
import type { SinkSpec } from '../topology/node-spec.ts';
import type { RepartitionQueue } from './repartition-queue.ts';

/** Where a task's records begin. */
export class SourceNode extends ProcessorNode {
  override process(key: unknown, value: unknown, timestamp: number): void {
    this.forward(key, value, timestamp);
  }
}

/** Places records by the bytes of their key; windowed keys by their base key. Kafka Streams: `WindowedStreamPartitioner.java`. */
export function placement(keySerde: Serde<unknown>, partitions: number): (key: unknown) => number {
  if (partitions === 1) return () => 0;
  const inner = keySerde instanceof WindowedSerde ? (keySerde.inner as Serde<unknown>) : keySerde;
  const known = new Map<unknown, number>();
  return (key) => {
    const base = key instanceof Windowed ? (key.key as unknown) : key;
    if (isAbsent(base)) return 0;
    if (typeof base === 'object') return partitionOf(inner.serialize(base), partitions);
    const cached = known.get(base);
    if (cached !== undefined) return cached;
    const partition = partitionOf(inner.serialize(base), partitions);
    // Bounded: a topology with very many keys hashes each time instead.
    if (known.size < 100_000) known.set(base, partition);
    return partition;
  };
}

/** Sends records to the tasks of another sub-topology. */
export class RepartitionSinkNode extends ProcessorNode {
  readonly #queues: readonly RepartitionQueue[];
  readonly #place: (key: unknown) => number;
  #context!: NodeContext;

  constructor(spec: SinkSpec, queues: readonly RepartitionQueue[]) {
    super(spec.name);
    this.#queues = queues;
    this.#place = placement(spec.keySerde, queues.length);
  }

  override init(context: NodeContext): void {
    this.#context = context;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    this.#queues[this.#place(key)]!.push(key, value, timestamp, this.#context.headers);
  }
}

/** A record that leaves the topology, as bytes; undefined for no key or no value. */
export interface OutputRecord {
  readonly topic: string;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

/** Takes what the topology writes to topics of the user's. */
export type OutputReceiver = (record: OutputRecord) => void;

/** Writes records to a topic of the user's. */
export class SinkNode extends ProcessorNode {
  readonly #spec: SinkSpec;
  readonly #receive: OutputReceiver;
  #context!: NodeContext;

  constructor(spec: SinkSpec, receive: OutputReceiver) {
    super(spec.name);
    this.#spec = spec;
    this.#receive = receive;
  }

  override init(context: NodeContext): void {
    this.#context = context;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const { topic, keySerde, valueSerde } = this.#spec;
    this.#receive({
      topic,
      key: isAbsent(key) ? undefined : keySerde.serialize(key),
      value: isAbsent(value) ? undefined : valueSerde.serialize(value),
      timestamp,
      headers: this.#context.headers,
    });
  }
}
