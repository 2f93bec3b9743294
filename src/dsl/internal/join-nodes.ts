import { isAbsent } from '../../common/absent.ts';
import { Change } from '../../processor/change.ts';
import {
  type FollowsGlobalTable,
  failureOf,
  type GlobalChange,
  type NodeContext,
  ProcessorNode,
  type TableStore,
  type VersionedTable,
} from '../../processor/node.ts';
import { keyIdentity } from '../../serde/key-identity.ts';
import { Windowed } from '../../serde/windowed.ts';
import { TableNode } from './table-node.ts';
import type { TableTarget } from './table-nodes.ts';
import type { OldValues, TableView, TableViewSupplier } from './table-part.ts';

/** Makes one value of two; gets the key too. */
export type Joiner = (left: unknown, right: unknown, key: unknown) => unknown;

type AnyChange = Change<unknown>;
const present = (value: unknown): unknown => (value === null ? undefined : value);

/** Adds a table's row to each record. Kafka Streams: `KStreamKTableJoinProcessor.java`. */
export class StreamTableJoinNode extends ProcessorNode {
  readonly #supplier: TableViewSupplier<unknown, unknown>;
  readonly #joiner: Joiner;
  readonly #left: boolean;
  #context!: NodeContext;
  #view!: TableView<unknown, unknown>;

  constructor(name: string, view: TableViewSupplier<unknown, unknown>, joiner: Joiner, left: boolean) {
    super(name);
    this.#supplier = view;
    this.#joiner = joiner;
    this.#left = left;
  }

  override init(context: NodeContext): void {
    this.#context = context;
    this.#view = this.#supplier.create(context, 'now');
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(value) || (isAbsent(key) && !this.#left)) {
      this.#context.drop(this.name, 'null_key');
      return;
    }
    const row = isAbsent(key) ? undefined : this.#view(key);
    if (row !== undefined || this.#left) this.forward(key, this.#joiner(value, row?.value, key), timestamp);
  }
}

/** Adds a global table's row to each record: the one valid at the record's time where the table is versioned. Kafka Streams: `KStreamGlobalKTableJoin.java`. */
export class StreamGlobalJoinNode extends ProcessorNode {
  readonly #how: GlobalLookup;
  readonly #joiner: Joiner;
  readonly #left: boolean;
  #context!: NodeContext;
  #table!: VersionedTable<unknown, unknown>;

  constructor(name: string, how: GlobalLookup, joiner: Joiner, left: boolean) {
    super(name);
    this.#how = how;
    this.#joiner = joiner;
    this.#left = left;
  }

  override init(context: NodeContext): void {
    this.#context = context;
    this.#table = context.versioned(this.#how.store);
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const globalKey = isAbsent(value) ? undefined : this.#how.key === undefined ? key : this.#how.key(key, value);
    if (isAbsent(value) || (isAbsent(globalKey) && !this.#left)) {
      this.#context.drop(this.name, 'null_key');
      return;
    }
    const asOf = givenTime(this.#how, key, value) ?? timestamp;
    let row: unknown;
    if (!isAbsent(globalKey))
      row = this.#how.versioned ? this.#table.get(globalKey, asOf) : this.#table.latest(globalKey);
    if (row !== undefined || this.#left) this.forward(key, this.#joiner(value, row, key), timestamp);
  }
}

/** How a global table is read for a row or record. */
export interface GlobalLookup {
  readonly store: string;
  readonly versioned: boolean;
  readonly key: ((key: unknown, value: unknown) => unknown) | undefined;
  readonly asOf: ((key: unknown, value: unknown) => number) | undefined;
}

/** As of when the program reads the global table, if it says. NaN, as of a text that is no date, would be before all versions. */
function givenTime({ asOf }: GlobalLookup, key: unknown, value: unknown): number | undefined {
  const time = asOf?.(key, value);
  if (Number.isNaN(time)) throw new RangeError('its asOf gave NaN instead of a time in ms');
  return time;
}

/** One side of a table-table join: a change of this side meets the other side's row. */
export class TableTableJoinNode extends ProcessorNode {
  readonly #other: TableViewSupplier<unknown, unknown>;
  readonly #join: (own: unknown, other: unknown, key: unknown) => unknown;
  /** A row without the other side is a result too (the left side of a left join). */
  readonly #optionalOther: boolean;
  /** The other side's row is a result without this side's (the right side of a left join). */
  readonly #optionalOwn: boolean;
  readonly #oldValues: OldValues;
  #context!: NodeContext;
  #view!: TableView<unknown, unknown>;

  constructor(
    name: string,
    other: TableViewSupplier<unknown, unknown>,
    join: (own: unknown, other: unknown, key: unknown) => unknown,
    optional: { readonly own: boolean; readonly other: boolean },
    oldValues: OldValues,
  ) {
    super(name);
    this.#other = other;
    this.#join = join;
    this.#optionalOwn = optional.own;
    this.#optionalOther = optional.other;
    this.#oldValues = oldValues;
  }

  override init(context: NodeContext): void {
    this.#context = context;
    this.#view = this.#other.create(context, 'told');
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(key)) {
      this.#context.drop(this.name, 'null_key');
      return;
    }
    const other = this.#view(key);
    const change = value as AnyChange;
    if (other === undefined) {
      if (!this.#optionalOther || (change.newValue === undefined && change.oldValue === undefined)) return;
    }
    const at = other === undefined ? timestamp : Math.max(timestamp, other.timestamp);
    const newValue = this.#joined(change.newValue, other?.value, key);
    const oldValue = this.#oldValues.needed ? this.#joined(change.oldValue, other?.value, key) : undefined;
    this.forward(key, new Change(newValue, oldValue), at);
  }

  #joined(own: unknown, other: unknown, key: unknown): unknown {
    return own === undefined && !this.#optionalOwn ? undefined : present(this.#join(own, other, key));
  }
}

/**
 * A table joined with the versions of a global table valid at its rows' times. Kept in a store, so that a row can be subtracted later exactly as
 * it was added; recomputed where the global table's history changes.
 */
export class TableGlobalJoinNode extends TableNode<unknown> implements FollowsGlobalTable {
  readonly globalStore: string;
  readonly #how: GlobalLookup;
  readonly #leftStore: string;
  readonly #joiner: Joiner;
  readonly #left: boolean;
  #global!: VersionedTable<unknown, unknown>;
  #leftTable!: TableStore<unknown, unknown>;

  constructor(
    name: string,
    target: TableTarget,
    oldValues: OldValues,
    how: GlobalLookup & { readonly leftStore: string; readonly joiner: Joiner; readonly left: boolean },
  ) {
    super(name, target.store, target.windowed, oldValues);
    this.globalStore = how.store;
    this.#how = how;
    this.#leftStore = how.leftStore;
    this.#joiner = how.joiner;
    this.#left = how.left;
  }

  override init(context: NodeContext): void {
    super.init(context);
    this.#global = context.versioned(this.globalStore);
    this.#leftTable = context.table(this.#leftStore);
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const change = value as AnyChange;
    const newValue = change.newValue === undefined ? undefined : this.#joined(key, change.newValue);
    this.table.update(this.rowOf(key), newValue, timestamp);
  }

  async rejoin(changes: readonly GlobalChange[]): Promise<void> {
    if (this.#how.key !== undefined) {
      await this.#rejoinByScan(changes);
      return;
    }
    const byStart = this.windowed && this.#how.versioned && this.#how.asOf === undefined;
    for (const { key, intervals } of changes)
      for (const { fromMs, toMs } of byStart ? intervals : [{ fromMs: -Infinity, toMs: Infinity }])
        for (const startMs of this.#leftTable.startsIn(fromMs, toMs))
          this.#insist(() => this.#rejoinRow(key, startMs, intervals));
  }

  /** One row that cannot be joined, and stays as it is, must not keep others from it. */
  #insist(rejoin: () => void): void {
    try {
      rejoin();
    } catch (error) {
      this.refused(failureOf(this, error));
    }
  }

  async #rejoinByScan(changes: readonly GlobalChange[]): Promise<void> {
    const identity = (key: unknown): unknown => keyIdentity(this.#global.keySerde, key);
    const changed = new Map(changes.map(({ key, intervals }) => [identity(key), intervals]));
    for await (const page of this.#leftTable.rows())
      for (const { key, startMs, value } of page)
        this.#insist(() => {
          if (value === undefined) return;
          const intervals = changed.get(identity(this.#globalKey(this.#rowKey(key, startMs), value)));
          if (intervals !== undefined) this.#rejoinRow(key, startMs, intervals);
        });
  }

  /** Joins a row again if the version that it meets has changed. */
  #rejoinRow(key: unknown, startMs: number, intervals: GlobalChange['intervals']): void {
    const row = this.#leftTable.read(key, startMs);
    if (row === undefined) return;
    const rowKey = this.#rowKey(key, startMs);
    const asOf = this.#asOf(rowKey, row.value);
    // The last interval, without end, is that of the latest version too.
    if (intervals.some(({ fromMs, toMs }) => fromMs <= asOf && (asOf < toMs || toMs === Number.POSITIVE_INFINITY)))
      this.table.update(this.table.forUpdate(key, startMs), this.#joined(rowKey, row.value), row.timestamp);
  }

  #rowKey(key: unknown, startMs: number): unknown {
    return this.windowed ? new Windowed(key, startMs, this.#leftTable.endOf(startMs)) : key;
  }

  /** As of when the global table is read for a row: Infinity for the latest. */
  #asOf(key: unknown, value: unknown): number {
    if (!this.#how.versioned) return Number.POSITIVE_INFINITY;
    return givenTime(this.#how, key, value) ?? (key instanceof Windowed ? key.startMs : Number.POSITIVE_INFINITY);
  }

  #globalKey(key: unknown, value: unknown): unknown {
    if (this.#how.key !== undefined) return this.#how.key(key, value);
    return key instanceof Windowed ? key.key : key;
  }

  #joined(key: unknown, value: unknown): unknown {
    const globalKey = this.#globalKey(key, value);
    const row = isAbsent(globalKey) ? undefined : this.#global.get(globalKey, this.#asOf(key, value));
    return row === undefined && !this.#left ? undefined : present(this.#joiner(value, row, key));
  }
}
