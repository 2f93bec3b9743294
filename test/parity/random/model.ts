import { Windowed } from '../../../src/index.ts';
import type { Outcome, Predicate, RandomCase, RandomNode, TextFunction } from './description.ts';
import { add, initial, joined, type Key, newKey, newValue, passes, type Value } from './functions.ts';
import { Lineage } from './lineage.ts';

type Rows = ReadonlyMap<string, Value>;

/** A table whose rows are known from what it says that they are. */
interface Known {
  readonly rows: Rows;
  /** It tells each change of a row as from what it last told to what it is. */
  readonly exact: boolean;
  /** Of a group: it may have rows of 0 besides, for members that came and went. */
  readonly group?: true;
}

/**
 * What tables must hold in the end whenever caches are flushed: computed from the rows of tables that come of streams, by what filters, mappers, joins, counts and sums
 * say. Only for tables of which that is so: sums of numbers, but no traces of what came and went.
 */
export class Model {
  readonly #lineage: Lineage;
  readonly #base: Outcome['stores'];
  readonly #nodes: RandomCase['nodes'];

  /** @param base - the rows of stores: those of tables that come of streams are taken from it. */
  constructor(given: RandomCase, base: Outcome['stores']) {
    this.#lineage = new Lineage(given);
    this.#nodes = given.nodes;
    this.#base = base;
  }

  /** By store, what it must hold: `key value`, without rows of 0 (a group may have had members on the way, or not). */
  stores(): ReadonlyMap<string, readonly string[]> {
    const stores = new Map<string, readonly string[]>();
    for (const node of this.#nodes) {
      if (!this.#lineage.hasStore(node)) continue;
      const known = this.#table(node);
      if (known !== undefined) stores.set(`n${node.id}`, shownRows([...known.rows]));
    }
    return stores;
  }

  #table(node: RandomNode): Known | undefined {
    const [parent, other] = this.#lineage.parents(node);
    switch (node.op) {
      case 'table':
        return node.stored ? this.#baseRows(node) : undefined;
      case 'toTable':
      case 'count':
      case 'reduce':
      case 'aggregate':
        return this.#stable(parent!) && (node.windows?.retention ?? 1_000_000) === 1_000_000
          ? this.#baseRows(node)
          : undefined;
      case 'tableFilter':
        return this.#filtered(node, this.#table(parent!));
      case 'tableMapValues':
        return this.#mapped(node, this.#table(parent!));
      case 'tableJoin':
        return this.#joined(node, this.#table(parent!), this.#table(other!));
      case 'tableCount':
      case 'tableAggregate':
        return this.#grouped(node, parent!);
      default:
        return undefined;
    }
  }

  #baseRows(node: RandomNode): Known {
    return { rows: new Map(this.#base[`n${node.id}`]!.map(([key, value]) => [key, value])), exact: true };
  }

  /** Whether a stream says the same whenever caches are flushed. */
  #stable(node: RandomNode): boolean {
    return this.#lineage.withAncestors(node).every((above) => {
      if (above.op === 'toStream') return false;
      if (above.op !== 'streamJoin') return true;
      const table = this.#lineage.parents(above)[1]!;
      return this.#lineage.withAncestors(table).every((one) => one === table || !this.#lineage.hasStore(one));
    });
  }

  #filtered(node: RandomNode, above: Known | undefined): Known | undefined {
    // A filter without store does not tell of what it thinks it never had.
    if (above === undefined || above.group || (!above.exact && !node.stored)) return undefined;
    const f = node.f as Predicate;
    const rows = [...above.rows].filter(
      ([key, value]) => passes(f, this.#key(node, key), value) !== (node.not === true),
    );
    return { rows: new Map(rows), exact: true };
  }

  #mapped(node: RandomNode, above: Known | undefined): Known | undefined {
    if (above === undefined || above.group) return undefined;
    const rows = [...above.rows].map(([key, value]): [string, Value] => [
      key,
      newValue(node.f as TextFunction, this.#key(node, key), value),
    ]);
    return { rows: withValues(rows), exact: above.exact || node.stored === true };
  }

  #joined(node: RandomNode, left: Known | undefined, right: Known | undefined): Known | undefined {
    if (left === undefined || right === undefined || left.group || right.group || !this.#apart(node)) return undefined;
    const rows = [...left.rows]
      .filter(([key]) => node.left || right.rows.has(key))
      .map(([key, value]): [string, Value] => [key, joined(node.f as TextFunction, value, right.rows.get(key))]);
    return { rows: withValues(rows), exact: node.stored === true || (left.exact && right.exact) };
  }

  /**
   * Whether a join meets its other side as it was before a record changed both. Without caches between them neither Kafka Streams nor we do: a row of which both sides go at
   * once then stays.
   */
  #apart(node: RandomNode): boolean {
    const [left, right] = this.#lineage.parents(node) as [RandomNode, RandomNode];
    if (!this.#lineage.shareSource(left, right)) return true;
    const stores = this.#lineage.storesOf(right);
    const between = [left, right].flatMap((side) => this.#lineage.withAncestors(side));
    return (
      this.#lineage.storesOf(left).every((store) => !stores.includes(store)) &&
      between.every((above) => !this.#lineage.hasStore(above) || this.#lineage.hasCache(above))
    );
  }

  #grouped(node: RandomNode, group: RandomNode): Known | undefined {
    const [table] = this.#lineage.parents(group);
    const above = this.#table(table!);
    const f = node.f as TextFunction | undefined;
    if (above?.exact !== true || above.group || (f !== undefined && (f.kind !== 'sum' || f.m !== undefined)))
      return undefined;
    const totals = new Map<string, Value>();
    for (const [key, value] of above.rows) {
      const of = this.#key(table!, key);
      const to = newKey(group.key!, of, value);
      const grouped = newValue(group.f as TextFunction, of, value);
      if (to === undefined || grouped === undefined) continue;
      const total = totals.get(to);
      totals.set(to, f === undefined ? String(Number(total ?? 0) + 1) : add(f, grouped, total ?? initial(f)));
    }
    return { rows: totals, exact: true, group: true };
  }

  #key(node: RandomNode, shown: string): Key {
    if (!this.#windowed(node)) return shown;
    const [, key, start, end] = /^(.*)@(\d+)\/(\d+)$/s.exec(shown)!;
    return new Windowed(key!, Number(start), Number(end));
  }

  #windowed(node: RandomNode): boolean {
    if (node.op === 'tableCount' || node.op === 'tableAggregate') return false;
    if (node.windows !== undefined) return true;
    const [parent] = this.#lineage.parents(node);
    return parent !== undefined && node.op.startsWith('table') && this.#windowed(parent);
  }
}

function withValues(rows: readonly [string, Value][]): Rows {
  return new Map(rows.filter(([, value]) => value !== undefined));
}

/** Rows without those of 0. */
export function shownRows(rows: Iterable<readonly [key: string, value: Value, ...rest: unknown[]]>): readonly string[] {
  return [...rows]
    .filter(([, value]) => String(value) !== '0')
    .map(([key, value]) => `${key} ${value}`)
    .sort();
}
