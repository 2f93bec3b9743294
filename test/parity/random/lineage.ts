import type { RandomCase, RandomNode } from './description.ts';

/** Operators that change keys: what needs records of a key in one place then goes through an internal topic. */
const rekeying = new Set(['selectKey', 'map', 'flatMap', 'process', 'processVersions']);
const placing = new Set(['groupByKey', 'toTable', 'streamJoin']);
const internal = new Set(['repartition', 'groupBy', 'tableGroup']);
const aggregates = new Set(['count', 'reduce', 'aggregate', 'tableCount', 'tableReduce', 'tableAggregate', 'toTable']);

/** The topics of the input that a node reads. */
function read({ of, topics = [] }: RandomNode): readonly string[] {
  return of.length === 0 ? topics : [];
}

/** Where the nodes of a topology come from. */
export class Lineage {
  readonly #nodes: ReadonlyMap<number, RandomNode>;
  /** No record has a later time. */
  readonly latest: number;

  constructor({ nodes, input }: Pick<RandomCase, 'nodes' | 'input'>) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    const shifts = nodes.reduce((sum, { shift = 0 }) => sum + Math.max(0, shift), 0);
    this.latest = Math.max(...input.map(([, , , timestamp]) => timestamp)) + shifts;
  }

  parents(node: RandomNode): readonly RandomNode[] {
    return node.of.map((id) => this.#nodes.get(id)!);
  }

  /** A node and all above it. */
  withAncestors(node: RandomNode): readonly RandomNode[] {
    return [...new Set([node, ...this.parents(node).flatMap((parent) => this.withAncestors(parent))])];
  }

  hasStore(node: RandomNode): boolean {
    return node.stored === true || aggregates.has(node.op);
  }

  hasCache(node: RandomNode): boolean {
    return this.hasStore(node) && node.cached === true;
  }

  /** Whether an internal topic lies above a node, or one that the topology writes and reads. */
  behindInternalTopic(node: RandomNode): boolean {
    return this.withAncestors(node).some(
      (above) =>
        internal.has(above.op) ||
        (above.op === 'stream' && above.of.length > 0) ||
        (placing.has(above.op) && this.#rekeyed(this.parents(above)[0]!)),
    );
  }

  #rekeyed(node: RandomNode): boolean {
    if (rekeying.has(node.op)) return true;
    if (node.op === 'repartition' || node.op === 'toStream' || node.op === 'streamJoin') return false;
    return this.parents(node).some((parent) => this.#rekeyed(parent));
  }

  /** The stores that a table is read from. */
  storesOf(node: RandomNode): readonly number[] {
    if (this.hasStore(node)) return [node.id];
    return this.parents(node).flatMap((parent) => this.storesOf(parent));
  }

  /** Whether one record can change both: they come from one topic, by one source or by two. */
  shareSource(a: RandomNode, b: RandomNode): boolean {
    const topics = new Set(this.withAncestors(a).flatMap(read));
    return this.withAncestors(b).some((node) => read(node).some((topic) => topics.has(topic)));
  }

  /** The nodes of which caches decide more than how often they tell: what they say on the way depends on when each cache is flushed. */
  dependentOnFlushes(nodes: readonly RandomNode[]): ReadonlySet<number> {
    const dependent = new Set<number>();
    for (const node of nodes)
      if (
        node.of.some((parent) => dependent.has(parent)) ||
        this.#flushedBetween(node) ||
        this.#joinsItself(node) ||
        this.#meetsItself(node) ||
        this.#meetsExpired(node)
      )
        dependent.add(node.id);
    return dependent;
  }

  /** Kafka Streams' test driver flushes after each record of an internal topic, ours when all of them are through: such a record also finds in tables what was flushed before it. */
  #flushedBetween(node: RandomNode): boolean {
    if (!this.behindInternalTopic(node)) return false;
    if (node.op !== 'streamJoin') return this.hasCache(node);
    return this.withAncestors(this.parents(node)[1]!).some((above) => this.hasCache(above));
  }

  /** A join of which one record changes both sides meets the other side as it was told, or as its cache has it (KAFKA-4609). */
  #joinsItself(node: RandomNode): boolean {
    if (node.op !== 'tableJoin') return false;
    const [left, right] = this.parents(node) as [RandomNode, RandomNode];
    return (
      this.shareSource(left, right) &&
      [left, right].some((side) => this.withAncestors(side).some((above) => this.hasCache(above)))
    );
  }

  /** A stream that looks its own record up: in Kafka Streams it still waits in a cache above the table, here it was told at once. */
  #meetsItself(node: RandomNode): boolean {
    if (node.op !== 'streamJoin') return false;
    const [stream, table] = this.parents(node) as [RandomNode, RandomNode];
    return (
      this.shareSource(stream, table) &&
      this.storesOf(table).some((id) =>
        this.withAncestors(this.#nodes.get(id)!).some((above) => above.id !== id && this.hasCache(above)),
      )
    );
  }

  /** A join with windows of which some are past their retention: in a cache of Kafka Streams they still stand. */
  #meetsExpired(node: RandomNode): boolean {
    if (node.op !== 'streamJoin') return false;
    const stores = this.storesOf(this.parents(node)[1]!).map((id) => this.#nodes.get(id)!);
    return stores.some((store) => this.hasCache(store) && (store.windows?.retention ?? this.latest) < this.latest);
  }
}
