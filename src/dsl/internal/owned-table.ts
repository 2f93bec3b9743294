import type { ProcessorNode } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import type { KTable } from '../ktable.ts';
import { type Graph, tableStore } from './graph.ts';
import { type OldValues, storeView } from './table-part.ts';

/** A store and its serdes, as `ownedTable` needs them. */
export interface OwnedStore<K, V> {
  readonly name: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly caching?: boolean | undefined;
  /** What it is made of waits in a cache. @defaultValue false */
  readonly cachedAbove?: boolean;
  readonly result?: boolean | undefined;
  /** Its node deletes rows of windows that have passed out of retention. @defaultValue false */
  readonly expires?: boolean;
}

/** A table with a store and a node of the same name, whose rows the node makes. */
export function ownedTable<K, V>(
  graph: Graph,
  parents: readonly string[],
  store: OwnedStore<K, V>,
  create: (oldValues: OldValues) => ProcessorNode,
  stores: readonly string[] = [],
): KTable<K, V> {
  const { name, keySerde, valueSerde, caching, result, expires } = store;
  const oldValues: OldValues = { needed: false };
  const spec = tableStore(name, keySerde, valueSerde, { cached: caching, result, expires });
  graph.topology.addStateStore(spec);
  graph.topology.add({ kind: 'processor', name, parents, stores: [name, ...stores], create: () => create(oldValues) });
  return graph.make.table<K, V>({
    graph,
    node: name,
    keySerde,
    valueSerde,
    view: storeView<K, V>(name, spec.kind === 'window'),
    store: name,
    cached: (caching ?? true) || (store.cachedAbove ?? false),
    askOldValues() {
      oldValues.needed = true;
      return true;
    },
  });
}
