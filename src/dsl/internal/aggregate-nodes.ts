import { isAbsent } from '../../common/absent.ts';
import type { NodeContext, OperatorClock } from '../../processor/node.ts';
import type { Windows } from '../windows.ts';
import { TableNode } from './table-node.ts';
import type { OldValues } from './table-part.ts';

/** How rows come to be: a first value, and what a record makes of the value so far. */
export interface Aggregation {
  readonly initializer: (() => unknown) | undefined;
  readonly aggregator: (key: unknown, value: unknown, aggregate: unknown) => unknown;
  /** True for a reduce: the first value is the aggregate, untouched by the aggregator. */
  readonly reduces: boolean;
}

function next(how: Aggregation, key: unknown, value: unknown, current: unknown): unknown {
  if (current !== undefined) return how.aggregator(key, value, current);
  return how.reduces ? value : how.aggregator(key, value, how.initializer?.());
}

/** One row a key, which may be windowed. Kafka Streams: `KStreamAggregate.java`, `KStreamReduce.java`. */
export class StreamAggregateNode extends TableNode<unknown> {
  readonly #how: Aggregation;

  constructor(name: string, windowed: boolean, oldValues: OldValues, how: Aggregation) {
    super(name, name, windowed, oldValues);
    this.#how = how;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(key) || isAbsent(value)) {
      this.context.drop(this.name, 'null_key');
      return;
    }
    const row = this.rowOf(key);
    const result = next(this.#how, key, value, row.value);
    this.aggregated(row, result, timestamp);
  }
}

/**
 * One row a key and window. A record is late for a window iff `windowEnd <= observedStreamTime - grace`; it is then dropped for that window, and counted
 * as late: in hopping windows once for each that refuses it.
 *
 * Kafka Streams: `KStreamWindowAggregate.java`.
 */
export class WindowAggregateNode extends TableNode<unknown> {
  readonly #how: Aggregation;
  readonly #windows: Windows;
  #clock!: OperatorClock;
  // The last window: most records fall into the same one as the record before them.
  #start = 0;
  #end = Number.NEGATIVE_INFINITY;
  #expired = Number.NEGATIVE_INFINITY;

  constructor(name: string, oldValues: OldValues, windows: Windows, how: Aggregation) {
    super(name, name, true, oldValues);
    this.#windows = windows;
    this.#how = how;
  }

  override init(context: NodeContext): void {
    super.init(context);
    this.#clock = context.clock(this.name);
  }

  /** A changelog keeps rows for longer than a store: what comes back from it is past its retention all the same. */
  override restore(): undefined {
    if (this.#clock.timeMs >= 0 && this.#windows.retentionMs !== Number.POSITIVE_INFINITY)
      this.#expire(this.#clock.timeMs);
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(key)) {
      this.context.drop(this.name, 'null_key');
      return;
    }
    const clock = this.#clock;
    if (timestamp > clock.timeMs) {
      clock.timeMs = timestamp;
      if (this.#windows.retentionMs !== Number.POSITIVE_INFINITY) this.#expire(timestamp);
    }
    const closeTime = clock.timeMs - this.#windows.graceMs;
    if (this.#windows.overlapping) {
      this.#processAll(key, value, timestamp, closeTime);
      return;
    }
    if (timestamp < this.#start || timestamp >= this.#end) {
      this.#start = this.#windows.startOf(timestamp);
      this.#end = this.#windows.endOf(this.#start);
    }
    if (this.#end > closeTime) this.#add(key, value, timestamp, this.#start);
    else this.context.dropLate(this.name, clock.timeMs - timestamp);
  }

  #processAll(key: unknown, value: unknown, timestamp: number, closeTime: number): void {
    let late = false;
    for (const start of this.#windows.startsFor(timestamp)) {
      if (this.#windows.endOf(start) > closeTime) this.#add(key, value, timestamp, start);
      else late = true;
    }
    // Kafka counts one drop for each window that refuses the record; so do we.
    if (late)
      for (const start of this.#windows.startsFor(timestamp))
        if (this.#windows.endOf(start) <= closeTime) this.context.dropLate(this.name, this.#clock.timeMs - timestamp);
  }

  #add(key: unknown, value: unknown, timestamp: number, start: number): void {
    const row = this.table.forUpdate(key, start);
    const result = next(this.#how, key, value, row.value);
    this.aggregated(row, result, timestamp);
  }

  /** Rows go that have reached their retention when the newest window begins: those whose window starts a retention or more before it. */
  #expire(timeMs: number): void {
    const before = this.#windows.startOf(timeMs) - this.#windows.retentionMs + 1;
    if (before > this.#expired) {
      this.#expired = before;
      this.table.expireBefore(before);
    }
  }
}
