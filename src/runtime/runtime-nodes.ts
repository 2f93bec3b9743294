import { isAbsent } from '../common/absent.ts';
import { partitionOf } from '../common/bytes.ts';
import { messageOf, StreamsError } from '../common/errors.ts';
import { shown } from '../common/shown.ts';
import { Change } from '../processor/change.ts';
import { type NodeContext, ProcessorNode } from '../processor/node.ts';
import type { Header } from '../processor/record.ts';
import type { Serde } from '../serde/serde.ts';
import { throughSerde } from '../serde/through-serde.ts';
import { type Windowed, WindowedSerde } from '../serde/windowed.ts';
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
  // A key in windows of windows is placed by its base key too.
  if (keySerde instanceof WindowedSerde) {
    const place = placement(keySerde.inner as Serde<unknown>, partitions);
    return (key) => (isAbsent(key) ? 0 : place((key as Windowed<unknown>).key));
  }
  const known = new Map<unknown, number>();
  return (key) => {
    if (isAbsent(key)) return 0;
    // To a Map 0 and -0 are one.
    if (typeof key === 'object' || key === 0) return partitionOf(keySerde.serialize(key), partitions);
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    const partition = partitionOf(keySerde.serialize(key), partitions);
    // Bounded: a topology with very many keys hashes each time instead.
    if (known.size < 100_000) known.set(key, partition);
    return partition;
  };
}

/** Sends records to the tasks of another sub-topology. */
export class RepartitionSinkNode extends ProcessorNode {
  readonly #spec: SinkSpec;
  readonly #queues: readonly RepartitionQueue[];
  readonly #place: (key: unknown) => number;
  #context!: NodeContext;

  constructor(spec: SinkSpec, queues: readonly RepartitionQueue[]) {
    super(spec.name);
    this.#spec = spec;
    this.#queues = queues;
    this.#place = placement(spec.keySerde, queues.length);
  }

  override init(context: NodeContext): void {
    this.#context = context;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const { keySerde, valueSerde } = this.#spec;
    // What the reader gets is what it would get over a topic, and nobody else's.
    let own: unknown;
    let sent: unknown;
    let queue: RepartitionQueue;
    try {
      own = through(keySerde, key);
      sent =
        value instanceof Change
          ? new Change(through(valueSerde, value.newValue), through(valueSerde, value.oldValue))
          : through(valueSerde, value);
      queue = this.#queues[this.#place(key)]!;
    } catch (error) {
      throw unwritable(this.#spec, this.#spec.topic, key, error);
    }
    queue.push(own, sent, timestamp, this.#context.headers);
  }
}

const through = (serde: Serde<unknown>, value: unknown): unknown =>
  isAbsent(value) ? undefined : throughSerde(serde, value);

/** The error for a record that a sink cannot turn into bytes. */
export function unwritable(spec: SinkSpec, topic: string, key: unknown, cause: unknown): StreamsError {
  return new StreamsError(
    'STREAMS_SERIALIZATION',
    `a record for topic ${topic}, key ${shown(key)}, does not survive its serdes ` +
      `(${spec.keySerde.name}, ${spec.valueSerde.name}): ${messageOf(cause)}.`,
    { topic, key: shown(key), cause },
  );
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
    let keyBytes: Uint8Array | undefined;
    let valueBytes: Uint8Array | undefined;
    try {
      keyBytes = isAbsent(key) ? undefined : keySerde.serialize(key);
      valueBytes = isAbsent(value) ? undefined : valueSerde.serialize(value);
    } catch (error) {
      throw unwritable(this.#spec, topic, key, error);
    }
    this.#receive({ topic, key: keyBytes, value: valueBytes, timestamp, headers: this.#context.headers });
  }
}
