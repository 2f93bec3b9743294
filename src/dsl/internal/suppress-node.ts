import { compareBytes } from '../../common/bytes.ts';
import { Change } from '../../processor/change.ts';
import {
  type NodeContext,
  type OperatorClock,
  ProcessorNode,
  type ReleasesAtFlush,
  type TableStore,
} from '../../processor/node.ts';
import { noHeaders } from '../../processor/record.ts';
import { keyIdentity } from '../../serde/key-identity.ts';
import { Windowed } from '../../serde/windowed.ts';

/**
 * Holds a windowed table's rows back until their window closes: `windowEnd <= observedStreamTime - grace`. Rows leave by window, then by serialized
 * key, each once, with the time of its last update. Deletions are not passed on.
 *
 * Where a table above has a cache they leave at its flush: during it some changes are told, and move the time, before others that are older. Else at once.
 *
 * Kafka Streams: `KTableSuppressProcessorSupplier.java`.
 */
export class SuppressNode extends ProcessorNode implements ReleasesAtFlush {
  readonly #store: string;
  readonly #graceMs: number;
  #context!: NodeContext;
  #table!: TableStore<unknown, unknown>;
  #clock!: OperatorClock;
  /** Keys waiting, by the start of their window and their identity. */
  readonly #waiting = new Map<number, Map<unknown, unknown>>();
  #earliestEnd = Number.POSITIVE_INFINITY;

  constructor(name: string, store: string, graceMs: number) {
    super(name);
    this.#store = store;
    this.#graceMs = graceMs;
  }

  override init(context: NodeContext): void {
    this.#context = context;
    this.#table = context.table(this.#store);
    this.#clock = context.clock(this.name);
  }

  override async restore(): Promise<void> {
    for await (const page of this.#table.rows())
      for (const { key, startMs, value } of page) if (value !== undefined) this.#wait(key, startMs);
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const windowed = key as Windowed<unknown>;
    const newValue = (value as Change<unknown>).newValue;
    const row = this.#table.forUpdate(windowed.key, windowed.startMs);
    this.#table.update(row, newValue, timestamp);
    if (newValue === undefined)
      this.#waiting.get(windowed.startMs)?.delete(keyIdentity(this.#table.keySerde, windowed.key));
    else this.#wait(windowed.key, windowed.startMs);
    if (timestamp > this.#clock.timeMs) this.#clock.timeMs = timestamp;
    if (this.#table.tellsAtOnce) this.#releaseClosed();
  }

  flushed(final: boolean): void {
    if (final) this.#release(Number.POSITIVE_INFINITY);
    else this.#releaseClosed();
  }

  #releaseClosed(): void {
    const closeTimeMs = this.#clock.timeMs - this.#graceMs;
    if (this.#earliestEnd <= closeTimeMs) this.#release(closeTimeMs);
  }

  #wait(key: unknown, startMs: number): void {
    const identity = keyIdentity(this.#table.keySerde, key);
    const keys = this.#waiting.get(startMs);
    if (keys !== undefined) {
      keys.set(identity, key);
      return;
    }
    this.#waiting.set(startMs, new Map([[identity, key]]));
    const end = this.#table.endOf(startMs);
    if (end < this.#earliestEnd) this.#earliestEnd = end;
  }

  #release(closeTimeMs: number): void {
    const starts = [...this.#waiting.keys()]
      .filter((startMs) => this.#table.endOf(startMs) <= closeTimeMs)
      .sort((a, b) => a - b);
    // The record in process closes the windows of others: what leaves has not its headers.
    const { headers } = this.#context;
    this.#context.headers = noHeaders;
    try {
      for (const startMs of starts) this.#releaseWindow(startMs);
    } finally {
      this.#context.headers = headers;
    }
    this.#earliestEnd = Number.POSITIVE_INFINITY;
    for (const startMs of this.#waiting.keys())
      this.#earliestEnd = Math.min(this.#earliestEnd, this.#table.endOf(startMs));
  }

  #releaseWindow(startMs: number): void {
    const waiting = this.#waiting.get(startMs)!;
    const keys = [...waiting].map(([identity, key]) => ({
      identity,
      key,
      bytes: this.#table.keySerde.serialize(key),
    }));
    keys.sort((a, b) => compareBytes(a.bytes, b.bytes));
    const endMs = this.#table.endOf(startMs);
    for (const { identity, key } of keys) {
      // One by one: if a node below refuses this one, the others wait on.
      waiting.delete(identity);
      const row = this.#table.forUpdate(key, startMs);
      const { value, timestamp } = row;
      if (value === undefined) continue;
      this.#table.update(row, undefined, timestamp);
      this.forward(new Windowed(key, startMs, endMs), new Change(value, undefined), timestamp);
    }
    this.#waiting.delete(startMs);
  }
}
