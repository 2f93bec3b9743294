import type { BrokerProducer } from '../../clients/broker.ts';
import { isAbsent } from '../../common/absent.ts';
import { type NodeContext, ProcessorNode } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import type { SinkSpec } from '../../topology/node-spec.ts';
import { placement, unwritable } from '../runtime-nodes.ts';
import type { OutputCount } from './output-counts.ts';
import { ScratchBytes } from './scratch-bytes.ts';

/** The topic of the broker that a sink writes to. */
export interface SinkTopic {
  readonly topic: string;
  readonly partitions: number;
  /** How values become bytes: changes of a table take another way than the sink says. */
  readonly valueSerde: Serde<unknown>;
}

/** Writes to a topic of the broker: part of the task's next commit. Records without key go to the partitions in turn. */
export class BrokerSinkNode extends ProcessorNode {
  readonly #spec: SinkSpec;
  readonly #target: SinkTopic;
  readonly #producer: BrokerProducer;
  readonly #place: (key: unknown) => number;
  #context!: NodeContext;
  readonly #keyBytes = new ScratchBytes();
  readonly #valueBytes = new ScratchBytes();
  #turn = 0;
  readonly #written: OutputCount;

  constructor(spec: SinkSpec, target: SinkTopic, producer: BrokerProducer, written: OutputCount) {
    super(spec.name);
    this.#written = written;
    this.#spec = spec;
    this.#target = target;
    this.#producer = producer;
    this.#place = placement(spec.keySerde, target.partitions);
  }

  override init(context: NodeContext): void {
    this.#context = context;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const { topic, partitions, valueSerde } = this.#target;
    const none = isAbsent(key);
    let partition: number;
    let keyBytes: Uint8Array | undefined;
    let valueBytes: Uint8Array | undefined;
    try {
      keyBytes = none ? undefined : this.#keyBytes.of(this.#spec.keySerde, key);
      valueBytes = isAbsent(value) ? undefined : this.#valueBytes.of(valueSerde, value);
      partition = none ? this.#turn++ % partitions : this.#place(key);
    } catch (error) {
      throw unwritable(this.#spec, topic, key, error);
    }
    this.#written.records++;
    this.#written.bytes += (keyBytes?.length ?? 0) + (valueBytes?.length ?? 0);
    this.#producer.append(topic, partition, timestamp, keyBytes, valueBytes, this.#context.headers);
  }
}
