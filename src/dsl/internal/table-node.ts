import { isAbsent } from '../../common/absent.ts';
import { Change } from '../../processor/change.ts';
import { type NodeContext, ProcessorNode, type TableEntry, type TableStore } from '../../processor/node.ts';
import type { Windowed } from '../../serde/windowed.ts';
import { changeKey, type OldValues } from './table-part.ts';

/** A node that owns a table's store: it forwards the store's changes. */
export abstract class TableNode<V> extends ProcessorNode {
  protected context!: NodeContext;
  protected table!: TableStore<unknown, V>;
  readonly #store: string;
  /** Its keys are windowed, and its store one of windows. */
  protected readonly windowed: boolean;
  #knownStart = Number.NaN;
  readonly #oldValues: OldValues;

  constructor(name: string, store: string, windowed: boolean, oldValues: OldValues) {
    super(name);
    this.#store = store;
    this.windowed = windowed;
    this.#oldValues = oldValues;
  }

  override init(context: NodeContext): void {
    this.context = context;
    this.table = context.table<unknown, V>(this.#store);
    if (this.children.length === 0) return;
    const keyOf = changeKey(this.table as TableStore<unknown, unknown>, this.windowed);
    const withOld = this.#oldValues.needed;
    this.table.onChange(
      (key, startMs, newValue, oldValue, timestamp) =>
        this.forward(keyOf(key, startMs), new Change(newValue, withOld ? oldValue : undefined), timestamp),
      withOld,
    );
  }

  /** Sets what an aggregation has made of a row and a record: the row's time is that of the newest record in it. */
  protected aggregated(row: TableEntry<unknown, V>, value: V | null | undefined, timestamp: number): void {
    const at = !row.exists || row.timestamp < timestamp ? timestamp : row.timestamp;
    if (!isAbsent(value)) this.table.update(row, value, at);
    // A deletion that a cache tells of has the time of the last record. Kafka Streams: TimestampedCacheFlushListener.java.
    else this.table.update(row, undefined, this.table.cached ? timestamp : at);
  }

  /** The row of a key: of a windowed one in its own window, or in the coarser one that holds it. */
  protected rowOf(key: unknown, startOf?: (startMs: number) => number): TableEntry<unknown, V> {
    if (!this.windowed) return this.table.forUpdate(key, 0);
    const windowed = key as Windowed<unknown>;
    return this.table.forUpdate(
      windowed.key,
      startOf === undefined ? this.startOf(windowed) : startOf(windowed.startMs),
    );
  }

  /** Start of a key's window. @throws RangeError if the table's windows have none that starts there. */
  protected startOf({ startMs }: Windowed<unknown>): number {
    if (startMs !== this.#knownStart) {
      this.table.endOf(startMs);
      this.#knownStart = startMs;
    }
    return startMs;
  }
}
