import type { Header, Record } from './record.ts';
import type { KeyValueStore, VersionedKeyValueStore, WindowStore } from './state-store.ts';

/** `stream-time`: driven by the records' event time. `wall-clock`: by the clock of the machine, so results depend on it. */
export type PunctuationType = 'stream-time' | 'wall-clock';

/** Called on schedule with the stream time or wall-clock time, ms. The task waits for a promise before it takes the next record. */
export type Punctuator = (timestampMs: number) => void | Promise<void>;

/** Stops a schedule. */
export interface Cancellable {
  /** No further call. */
  cancel(): void;
}

/** Any store a processor may ask for. */
export type AnyStore<K, V> = KeyValueStore<K, V> | WindowStore<K, V> | VersionedKeyValueStore<K, V>;

/** Where the record in process came from. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly headers: readonly Header[];
}

/** What a processor may do. Kafka Streams: `processor/api/ProcessorContext.java`. */
export interface ProcessorContext<KOut, VOut> {
  /** Such as `0_3`: sub-topology 0, partition 3. */
  readonly taskId: string;
  readonly applicationId: string;
  /** Highest event time the task has seen, -1 before the first record. */
  readonly streamTimeMs: number;
  /** Undefined in a punctuator. */
  readonly recordMetadata: RecordMetadata | undefined;
  /** Hands a record on, to all children or to the one named. */
  forward(record: Record<KOut, VOut>, childName?: string): void;
  /** @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` for a store that is not connected to this processor. */
  keyValueStore<K, V>(name: string): KeyValueStore<K, V>;
  /** A window store by name; errors as for `keyValueStore`. */
  windowStore<K, V>(name: string): WindowStore<K, V>;
  /** A versioned store by name; errors as for `keyValueStore`. */
  versionedStore<K, V>(name: string): VersionedKeyValueStore<K, V>;
  /**
   * Calls `punctuator` each `intervalMs` of the given time. Stream-time schedules start at 0, so the first record fires one, and stay on multiples
   * of the interval; a jump over several multiples fires once. Of several that are due together the one due first fires first.
   */
  schedule(intervalMs: number, type: PunctuationType, punctuator: Punctuator): Cancellable;
  /** Asks for a commit soon. */
  commit(): void;
}

/**
 * A node written by hand.
 *
 * `process` may return a promise: the task waits for it before it takes the next record. Without need, stay synchronous: it is much faster.
 * Kafka Streams: `processor/api/Processor.java`.
 */
export interface Processor<KIn, VIn, KOut, VOut> {
  /** Called once, before the first record. If it returns a promise, records wait for it. */
  init?(context: ProcessorContext<KOut, VOut>): void;
  /** Called for each record, in order. */
  process(record: Record<KIn, VIn>): void | Promise<void>;
  /** Called once, when the task is closed. */
  close?(): void;
}

/** Makes one processor for each task. */
export type ProcessorSupplier<KIn, VIn, KOut, VOut> = () => Processor<KIn, VIn, KOut, VOut>;
