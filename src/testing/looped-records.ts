import { messageOf, StreamsError } from '../common/errors.ts';
import type { Header } from '../processor/record.ts';
import type { OutputRecord } from '../runtime/runtime-nodes.ts';
import { historySerde } from '../serde/history.ts';
import type { Serde } from '../serde/serde.ts';
import type { Topology } from '../topology/topology.ts';

/** A record that is read again. */
export interface LoopedRecord {
  readonly topic: string;
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

type Serdes = readonly [key: Serde<unknown>, value: Serde<unknown>];

/**
 * What a topology has written to topics that it reads. Records of global tables come first, then the one with the least (timestamp, topic) among the oldest
 * of each topic.
 *
 * Kafka Streams: `TopologyTestDriver.java`, `captureOutputsAndReEnqueueInternalResults`.
 */
export class LoopedRecords {
  readonly #serdes = new Map<string, Serdes>();
  readonly #globals: ReadonlySet<string>;
  readonly #queues = new Map<string, OutputRecord[]>();

  constructor(topology: Topology) {
    for (const node of topology.nodes)
      if (node.kind === 'source')
        for (const topic of node.topics)
          if (!topology.repartitions.has(topic)) this.#serdes.set(topic, [node.keySerde, node.valueSerde]);
    for (const { topic, store, history } of topology.globalTables) {
      const valueSerde = history === 'value' ? historySerde(store.valueSerde) : store.valueSerde;
      this.#serdes.set(topic, [store.keySerde, valueSerde as Serde<unknown>]);
    }
    this.#globals = new Set(topology.globalTables.map(({ topic }) => topic));
  }

  /** How records of a topic are read; undefined for one that the topology does not read. */
  serdesOf(topic: string): Serdes | undefined {
    return this.#serdes.get(topic);
  }

  /** Notes a record that was written, if its topic is read. */
  add(record: OutputRecord): void {
    if (!this.#serdes.has(record.topic)) return;
    const queue = this.#queues.get(record.topic);
    if (queue === undefined) this.#queues.set(record.topic, [record]);
    else queue.push(record);
  }

  /** Takes the record that is read next; undefined if there is none. */
  take(): LoopedRecord | undefined {
    const heads = [...this.#queues.values()].flatMap((queue) => queue.slice(0, 1));
    const rank = ({ topic, timestamp }: OutputRecord): number => (this.#globals.has(topic) ? -1 : timestamp);
    const [next] = heads.sort((a, b) => rank(a) - rank(b) || (a.topic < b.topic ? -1 : 1));
    if (next === undefined) return undefined;
    this.#queues.get(next.topic)!.shift();
    return this.#read(next);
  }

  #read({ topic, key, value, timestamp, headers }: OutputRecord): LoopedRecord {
    const [keySerde, valueSerde] = this.#serdes.get(topic)!;
    try {
      return {
        topic,
        key: key === undefined ? undefined : keySerde.deserialize(key),
        value: value === undefined ? undefined : valueSerde.deserialize(value),
        timestamp,
        headers,
      };
    } catch (error) {
      throw new StreamsError(
        'STREAMS_DESERIALIZATION',
        `a record that was written to ${topic} cannot be read from it: ${messageOf(error)}.`,
        { topic, cause: error },
      );
    }
  }
}
