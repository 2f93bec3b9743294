import type { ProcessorNode, StoreSpec } from '../processor/node.ts';
import type { ConsumedRecord, TimestampExtractor } from '../processor/record.ts';
import type { Serde } from '../serde/serde.ts';

/** Reads topics into the topology. */
export interface SourceSpec {
  readonly kind: 'source';
  readonly name: string;
  readonly topics: readonly string[];
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  /** Absent: the message's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor<unknown, unknown>;
  /** When a record reached the system, ms: without it there is no guard against records from the future. */
  readonly arrivalTime?: (record: ConsumedRecord<unknown, unknown>) => number;
  /** True: a record without key or without value is one that cannot be read. */
  readonly complete?: boolean;
}

/** A processor. `create` makes one node for each task. */
export interface ProcessorSpec {
  readonly kind: 'processor';
  readonly name: string;
  readonly parents: readonly string[];
  readonly stores: readonly string[];
  /** Stores of others, and its own, in which it looks rows up as they are when it gets a record. */
  readonly looksUp?: readonly string[];
  readonly create: () => ProcessorNode;
}

/** Writes to a topic: one of the user's, or an internal repartition topic. */
export interface SinkSpec {
  readonly kind: 'sink';
  readonly name: string;
  readonly parents: readonly string[];
  readonly topic: string;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
}

/** A node of a topology. */
export type NodeSpec = SourceSpec | ProcessorSpec | SinkSpec;

/** An internal topic that moves records to the task of their new key. */
export interface RepartitionSpec {
  /** Without the application's prefix, such as `by-commune-repartition`. */
  readonly topic: string;
  /** Its records are a table's changes: old and new value. */
  readonly changes: boolean;
  /** Absent: as many as its upstream has. */
  readonly partitions?: number;
}

/** A versioned table that every task sees whole. */
export interface GlobalTableSpec {
  readonly topic: string;
  readonly sourceName: string;
  readonly store: StoreSpec;
  /** `record`: each record is a version, valid from its timestamp. `value`: each record's value is the key's whole history. */
  readonly history: 'record' | 'value';
  /** False: only the latest version of a key is kept and read. */
  readonly versioned: boolean;
}
