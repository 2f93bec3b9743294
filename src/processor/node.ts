import { messageOf, StreamsError } from '../common/errors.ts';
import type { Serde } from '../serde/serde.ts';
import type { DropReason } from './drop-reason.ts';
import type { Header } from './record.ts';
import type { ValueAndTimestamp, Version } from './rows.ts';

/** A row held by a store's cache. */
export interface TableEntry<K, V> {
  readonly key: K;
  /** Start of the row's window, 0 in a key-value store. */
  readonly startMs: number;
  /** Whether it has a value. */
  readonly exists: boolean;
  /** The value now, made when it is asked for: the caller's, who may change it in place before `update`. */
  readonly value: V | undefined;
  /** Event time of the newest record in `value`; -1 without a value. */
  readonly timestamp: number;
}

/** Told of each changed row, once a flush (or once an update where the store is not cached). `newValue` and `oldValue` never change afterwards. */
export type ChangeListener<K, V> = (
  key: K,
  startMs: number,
  newValue: V | undefined,
  oldValue: V | undefined,
  timestamp: number,
) => void;

/**
 * The store behind an aggregate or a table: typed, with a write-back cache, one row a key (and window).
 *
 * Key-value stores use one window that starts at 0.
 */
export interface TableStore<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  /** A deletion of a row that was never told of is not told either, as by a cache; and changes are told once a flush, if not at once. */
  readonly cached: boolean;
  /** Each change is told when it is made. */
  readonly tellsAtOnce: boolean;
  /** Its rows are of windows: false for a key-value store. */
  readonly windowed: boolean;
  /** Rows are kept until a window begins so many ms after their own; Infinity: for ever. */
  readonly retentionMs: number;
  /** First ms after the window that starts at `startMs`; of a key-value store: undefined behaviour. */
  endOf(startMs: number): number;
  /** The row, made if absent. */
  forUpdate(key: K, startMs: number): TableEntry<K, V>;
  /**
   * Sets the row's value (undefined deletes it). What the caller does with `value` afterwards changes nothing.
   * @throws StreamsError `STREAMS_SERIALIZATION` for a value that its serde does not give back.
   */
  update(entry: TableEntry<K, V>, value: V | undefined, timestamp: number): void;
  /**
   * Sets a row whatever it was. Where nobody asks for old values it is not read first.
   */
  set(key: K, startMs: number, value: V | undefined, timestamp: number): void;
  /** The row's value and time. */
  read(key: K, startMs: number): ValueAndTimestamp<V> | undefined;
  /** The row as its changes were told: without those that wait in the cache. Its time may be that of one that waits. */
  readTold(key: K, startMs: number): ValueAndTimestamp<V> | undefined;
  /** Who is told of changes: one listener a store. Without `oldValues` it may be told none. */
  onChange(listener: ChangeListener<K, V>, oldValues: boolean): void;
  /** Deletes rows whose window starts before this, with the next commit, without telling the listener. */
  expireBefore(startMs: number): void;
  /** Rows of the store, uncommitted ones included. */
  rows(): AsyncIterable<readonly TableEntry<K, V>[]>;
  /** Starts of windows that may have rows in `[fromMs, toMs)`, ascending. */
  startsIn(fromMs: number, toMs: number): readonly number[];
}

/** A versioned table. */
export interface VersionedTable<K, V> {
  readonly name: string;
  /** The same in every task: only its topic changes it. */
  readonly global: boolean;
  readonly keySerde: Serde<K>;
  get(key: K, asOfMs: number): V | undefined;
  latest(key: K): V | undefined;
}

/** A clock of one operator: the highest event time it has seen. Saved at commit. */
export interface OperatorClock {
  /** ms; -1 before the first record. */
  timeMs: number;
}

/** What a node may do with its task. */
export interface NodeContext {
  readonly taskId: string;
  readonly applicationId: string;
  /** The event time reached by the task, -1 before the first record. */
  readonly streamTimeMs: number;
  /** Metadata of the record in process. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Set by a node while it forwards a record with headers of its own. */
  headers: readonly Header[];
  /** True while the record in process comes from a punctuation: set by the node that punctuates. */
  punctuating: boolean;
  table<K, V>(name: string): TableStore<K, V>;
  versioned<K, V>(
    name: string,
  ): VersionedTable<K, V> & {
    put(key: K, value: V | undefined, validFromMs: number): void;
    history(key: K): readonly Version<V>[];
  };
  clock(name: string): OperatorClock;
  /** The record in process is dropped by the node. */
  drop(nodeName: string, reason: DropReason): void;
  /** As `drop`, since its window has closed. @param behindMs - how far it lies behind the stream time of the node, ms */
  dropLate(nodeName: string, behindMs: number): void;
  schedule(
    nodeName: string,
    intervalMs: number,
    type: 'stream-time' | 'wall-clock',
    call: (timestampMs: number) => void,
  ): { cancel(): void };
  requestCommit(): void;
  /** The task waits for this before the next record. */
  waitFor(promise: Promise<void>): void;
}

/**
 * A node at work in one task. `process` gets key, value and time as plain arguments: no object is made for a record on its way.
 */
export abstract class ProcessorNode {
  readonly name: string;
  /** Set by the runtime before `init`. */
  children: readonly ProcessorNode[] = [];
  /** Asks what becomes of what a node has refused, set by the runtime: nodes beside it go on, unless this throws. */
  refused: (failure: StreamsError) => void = (failure) => {
    throw failure;
  };

  constructor(name: string) {
    this.name = name;
  }

  init(_context: NodeContext): void {}

  /** Reads state back that the node keeps in memory. */
  restore(): Promise<void> | undefined {
    return undefined;
  }

  abstract process(key: unknown, value: unknown, timestamp: number): void;

  close(): void {}

  protected forward(key: unknown, value: unknown, timestamp: number): void {
    const children = this.children;
    for (let i = 0; i < children.length; i++) {
      const child = children[i]!;
      try {
        child.process(key, value, timestamp);
      } catch (error) {
        this.refused(failureOf(child, error));
      }
    }
  }

  /** As `forward`, to one child. */
  protected forwardTo(child: ProcessorNode, key: unknown, value: unknown, timestamp: number): void {
    try {
      child.process(key, value, timestamp);
    } catch (error) {
      this.refused(failureOf(child, error));
    }
  }
}

/** The first node to fail names itself: its author's code threw. */
export function failureOf(node: ProcessorNode, error: unknown): StreamsError {
  if (StreamsError.is(error) && error.code === 'STREAMS_SERIALIZATION' && error.details.nodeName === undefined)
    return new StreamsError(error.code, `node ${node.name}: ${error.message}`, {
      ...error.details,
      nodeName: node.name,
      cause: error.cause,
    });
  return StreamsError.from(error, 'STREAMS_PROCESSING', `node ${node.name} failed: ${messageOf(error)}`, {
    nodeName: node.name,
  });
}

/** Failures of which the processing handler has said that they are the end. */
const ends = new WeakSet<StreamsError>();

/** The failure, as one that the processing handler has made the end: nobody asks about it again on its way up. */
export function asEnd(failure: StreamsError): StreamsError {
  ends.add(failure);
  return failure;
}

/** Whether an error is the fault of the record in process, and the processing handler is still to decide what becomes of it. */
export function isRecordFailure(error: unknown): error is StreamsError {
  return (
    StreamsError.is(error) &&
    (error.code === 'STREAMS_PROCESSING' || error.code === 'STREAMS_SERIALIZATION') &&
    !ends.has(error)
  );
}

/** A node that follows a versioned global table: told when a key's history has changed. */
export interface FollowsGlobalTable {
  /** The global store it joins. */
  readonly globalStore: string;
  /** Recomputes the rows of these keys whose time lies in one of the intervals. */
  rejoin(changes: readonly GlobalChange[]): Promise<void> | void;
}

/** A node that gives out what waited in it once all changes above it have been told. */
export interface ReleasesAtFlush {
  /**
   * The caches above it have been flushed.
   *
   * @param final - no more input will ever come: what waits for the end of windows leaves too.
   */
  flushed(final: boolean): void;
}

/** Whether a node gives something out at a flush. */
export function releasesAtFlush(node: ProcessorNode): node is ProcessorNode & ReleasesAtFlush {
  return 'flushed' in node;
}

/** A key of a versioned table, and where its value as of a time has changed: half-open intervals, bounds may be infinite. */
export interface GlobalChange {
  readonly key: unknown;
  readonly intervals: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** Whether a node follows a global table. */
export function followsGlobalTable(node: ProcessorNode): node is ProcessorNode & FollowsGlobalTable {
  return 'rejoin' in node;
}

/** What a window store must know of its windows. */
export interface StoreWindows {
  /** First ms after the window that starts at `startMs`. */
  endOf(startMs: number): number;
  /** One line that identifies the windows: part of the saved topology. */
  describe(): string;
  /** Rows are kept until a window begins so many ms of operator time after their own. Infinity: for ever. */
  readonly retentionMs: number;
}

/** What is known of a store before any task exists. */
export interface StoreSpec {
  readonly name: string;
  readonly kind: 'key-value' | 'window' | 'versioned';
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  /** The windows of a window store: one line that identifies them, and their ends. */
  readonly windows?: StoreWindows;
  /** False: each update is told at once, as if the cache were of size 0. @defaultValue true */
  readonly cached: boolean;
  /** True for the stores that hold results: what a digest covers. */
  readonly result: boolean;
}
