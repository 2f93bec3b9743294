import type { Graph } from './internal/graph.ts';
import { BranchNode, type Fn } from './internal/stateless-nodes.ts';
import type { KStream } from './kstream.ts';
import type { Named } from './options.ts';

/**
 * A stream being split: each record goes to the first branch whose predicate holds, else to the default branch, else nowhere.
 *
 * Branches are found by name: the split's name and the branch's, `by-kind` + `meters` = `by-kindmeters`. Kafka Streams: `kstream/BranchedKStream.java`.
 */
export class BranchedKStream<K, V> {
  readonly #name: string;
  readonly #predicates: Fn<boolean>[];
  readonly #branch: (child: string) => KStream<K, V>;
  readonly #branches = new Map<string, KStream<K, V>>();

  constructor(name: string, predicates: Fn<boolean>[], branch: (child: string) => KStream<K, V>) {
    this.#name = name;
    this.#predicates = predicates;
    this.#branch = branch;
  }

  /** Adds the splitting node: what `KStream.split` begins with. */
  static begin(
    graph: Graph,
    parent: string,
    named: Named,
  ): { readonly name: string; readonly predicates: Fn<boolean>[] } {
    const name = graph.name(named.name, 'KSTREAM-BRANCH-');
    const predicates: Fn<boolean>[] = [];
    graph.topology.add({
      kind: 'processor',
      name,
      parents: [parent],
      stores: [],
      create: () => new BranchNode(name, predicates),
    });
    return { name, predicates };
  }

  /** The next branch. @defaultValue its name is its number, from 1 */
  branch(predicate: (key: K, value: V) => boolean, named: Named = {}): this {
    const name = `${this.#name}${named.name ?? this.#predicates.length + 1}`;
    this.#predicates.push(predicate as Fn<boolean>);
    this.#branches.set(name, this.#branch(name));
    return this;
  }

  /** All branches by name, with one for the records that no predicate took (its name ends in `0` unless given). */
  defaultBranch(named: Named = {}): ReadonlyMap<string, KStream<K, V>> {
    this.branch(() => true, { name: named.name ?? '0' });
    return this.#branches;
  }

  /** All branches by name; other records are dropped. */
  noDefaultBranch(): ReadonlyMap<string, KStream<K, V>> {
    return this.#branches;
  }
}
