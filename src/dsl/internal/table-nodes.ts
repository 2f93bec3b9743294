import { isAbsent } from '../../common/absent.ts';
import { Change } from '../../processor/change.ts';
import { type NodeContext, ProcessorNode } from '../../processor/node.ts';
import type { Windowed } from '../../serde/windowed.ts';
import { type Fn, pairOf } from './stateless-nodes.ts';
import { TableNode } from './table-node.ts';
import type { OldValues } from './table-part.ts';

type AnyChange = Change<unknown>;

const present = <T>(value: T | null | undefined): T | undefined => (value === null ? undefined : value);

/** Where a table node keeps its rows: in its own store, or nowhere. */
export interface TableTarget {
  readonly store: string;
  readonly windowed: boolean;
}

/** Turns a stream into a table: each record sets its key's row. Kafka Streams: `KTableSource.java`. */
export class TableSourceNode extends TableNode<unknown> {
  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(key)) {
      this.context.drop(this.name, 'null_key');
      return;
    }
    if (!this.windowed) this.table.set(key, 0, present(value), timestamp);
    else {
      const windowed = key as Windowed<unknown>;
      this.table.set(windowed.key, this.startOf(windowed), present(value), timestamp);
    }
  }
}

/** A topic as a table without rows: it cannot say what a value was before. */
export class UnstoredTableNode extends ProcessorNode {
  #context!: NodeContext;

  override init(context: NodeContext): void {
    this.#context = context;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(key)) this.#context.drop(this.name, 'null_key');
    else this.forward(key, new Change(present(value), undefined), timestamp);
  }
}

/** Puts changes computed by a parent into a store of its own. What a row was before is what the store has, whatever the parent says it was. */
export class TableStoreNode extends TableNode<unknown> {
  readonly #tellsOfNothing: () => boolean;

  /** @param tellsOfNothing - whether the deletion of a row that is not there is told too. */
  constructor(name: string, target: TableTarget, oldValues: OldValues, tellsOfNothing: () => boolean) {
    super(name, target.store, target.windowed, oldValues);
    this.#tellsOfNothing = tellsOfNothing;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const row = this.rowOf(key);
    const { newValue } = value as AnyChange;
    if (newValue === undefined && row.value === undefined && !this.#tellsOfNothing()) return;
    this.table.update(row, newValue, timestamp);
  }
}

/** Rows for which the predicate is `keep`; others become deletions. Kafka Streams: `KTableFilter.java`. */
export class TableFilterNode extends ProcessorNode {
  readonly #predicate: Fn<boolean>;
  readonly #keep: boolean;
  readonly #oldValues: OldValues;
  readonly #stored: boolean;

  /** @param stored - a store below it has the rows that passed: it needs to hear of each that does not, and knows which of them it had. */
  constructor(name: string, predicate: Fn<boolean>, keep: boolean, oldValues: OldValues, stored: boolean) {
    super(name);
    this.#predicate = predicate;
    this.#keep = keep;
    this.#oldValues = oldValues;
    this.#stored = stored;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const change = value as AnyChange;
    const newValue = this.#kept(key, change.newValue);
    const oldValue = this.#oldValues.needed && !this.#stored ? this.#kept(key, change.oldValue) : undefined;
    if (this.#oldValues.needed && !this.#stored && newValue === undefined && oldValue === undefined) return;
    this.forward(key, new Change(newValue, oldValue), timestamp);
  }

  #kept(key: unknown, value: unknown): unknown {
    return value !== undefined && !!this.#predicate(key, value) === this.#keep ? value : undefined;
  }
}

/** Changes the values of rows. The mapper gets value, then key. Kafka Streams: `KTableMapValues.java`. */
export class TableMapValuesNode extends ProcessorNode {
  readonly #mapper: Fn<unknown>;
  readonly #oldValues: OldValues;

  constructor(name: string, mapper: Fn<unknown>, oldValues: OldValues) {
    super(name);
    this.#mapper = mapper;
    this.#oldValues = oldValues;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const change = value as AnyChange;
    const newValue = change.newValue === undefined ? undefined : present(this.#mapper(change.newValue, key));
    const oldValue =
      !this.#oldValues.needed || change.oldValue === undefined
        ? undefined
        : present(this.#mapper(change.oldValue, key));
    this.forward(key, new Change(newValue, oldValue), timestamp);
  }
}

/** A table's changes as a stream of its new values; undefined for deletions. */
export class TableToStreamNode extends ProcessorNode {
  override process(key: unknown, value: unknown, timestamp: number): void {
    this.forward(key, (value as AnyChange).newValue, timestamp);
  }
}

/**
 * Moves a change to the row's new key: one record where old and new row have the same key, else the subtraction first, then the addition.
 *
 * Kafka Streams: `KTableRepartitionMap.java`, KIP-904.
 */
export class TableRegroupNode extends ProcessorNode {
  readonly #selector: Fn<readonly [unknown, unknown]>;
  readonly #sameKey: (a: unknown, b: unknown) => boolean;

  constructor(name: string, selector: Fn<readonly [unknown, unknown]>, sameKey: (a: unknown, b: unknown) => boolean) {
    super(name);
    this.#selector = selector;
    this.#sameKey = sameKey;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    const change = value as AnyChange;
    const before = this.#select(key, change.oldValue);
    const after = this.#select(key, change.newValue);
    if (before !== undefined && after !== undefined && this.#sameKey(before[0], after[0])) {
      this.forward(after[0], new Change(after[1], before[1]), timestamp);
      return;
    }
    if (before !== undefined) this.forward(before[0], new Change(undefined, before[1]), timestamp);
    if (after !== undefined) this.forward(after[0], new Change(after[1], undefined), timestamp);
  }

  #select(key: unknown, value: unknown): readonly [unknown, unknown] | undefined {
    if (value === undefined) return undefined;
    const selected = this.#selector(key, value) as readonly [unknown, unknown] | null | undefined;
    if (isAbsent(selected)) return undefined;
    pairOf(selected);
    return isAbsent(selected[0]) || isAbsent(selected[1]) ? undefined : selected;
  }
}

/** How a group's row follows the changes of its members. Undefined from adder or subtractor deletes the row. */
export interface TableAggregation {
  readonly initializer: (() => unknown) | undefined;
  readonly adder: (key: unknown, value: unknown, aggregate: unknown) => unknown;
  readonly subtractor: (key: unknown, value: unknown, aggregate: unknown) => unknown;
  /** The first value added is the aggregate itself. */
  readonly reduces: boolean;
}

/**
 * A group's row: the old value of a changed member is subtracted, then the new one added.
 *
 * Kafka Streams: `KTableAggregate.java`, `KTableReduce.java`. Roll-ups are the same with the start of the coarser window for the row.
 */
export class TableAggregateNode extends TableNode<unknown> {
  readonly #how: TableAggregation;
  readonly #startOf: ((startMs: number) => number) | undefined;

  constructor(
    name: string,
    target: TableTarget,
    oldValues: OldValues,
    how: TableAggregation,
    startOf?: (startMs: number) => number,
  ) {
    super(name, target.store, target.windowed, oldValues);
    this.#how = how;
    this.#startOf = startOf;
  }

  override process(key: unknown, value: unknown, timestamp: number): void {
    if (isAbsent(key)) {
      this.context.drop(this.name, 'null_key');
      return;
    }
    const change = value as AnyChange;
    const how = this.#how;
    const row = this.rowOf(key, this.#startOf);
    let aggregate = row.value;
    if (change.oldValue !== undefined && aggregate !== undefined)
      aggregate = present(how.subtractor(key, change.oldValue, aggregate));
    if (change.newValue !== undefined) {
      if (aggregate !== undefined) aggregate = present(how.adder(key, change.newValue, aggregate));
      else if (how.reduces) aggregate = change.newValue;
      else aggregate = present(how.adder(key, change.newValue, how.initializer?.()));
    }
    this.aggregated(row, aggregate, timestamp);
  }
}
