import type { ProcessorNode } from '../../processor/node.ts';
import type { Serde } from '../../serde/serde.ts';
import { WindowedSerde } from '../../serde/windowed.ts';
import type { KTable } from '../ktable.ts';
import type { MaybeMaterialized } from '../options.ts';
import { needSerde } from './graph.ts';
import { ownedTable } from './owned-table.ts';
import { TableStoreNode } from './table-nodes.ts';
import type { OldValues, TablePart, TableViewSupplier } from './table-part.ts';

/** A table computed row by row from its parent. */
export interface Derivation<K, V, R> {
  readonly valueSerde: Serde<R> | undefined;
  readonly create: (name: string, oldValues: OldValues) => ProcessorNode;
  /** It asks its parent for old values by itself, where the parent has them. */
  readonly likesOldValues: boolean;
  /** The row, from the parent's: how it is read without a store. */
  readonly row: (key: K, value: V) => R | undefined;
}

/** A table without a store: read through its parent. */
export function derivedTable<K, V, R>(
  parent: TablePart<K, V>,
  prefix: string,
  given: string | undefined,
  how: Derivation<K, V, R>,
): KTable<K, R> {
  const { graph } = parent;
  const name = graph.name(given, prefix);
  const oldValues: OldValues = { needed: how.likesOldValues && parent.askOldValues() };
  graph.topology.add({
    kind: 'processor',
    name,
    parents: [parent.node],
    stores: [],
    create: () => how.create(name, oldValues),
  });
  return graph.make.table<K, R>({
    graph,
    node: name,
    keySerde: parent.keySerde,
    valueSerde: how.valueSerde,
    view: parent.view === undefined ? undefined : derivedView(parent.view, how.row),
    store: undefined,
    cached: parent.cached,
    askOldValues() {
      oldValues.needed = parent.askOldValues();
      return oldValues.needed;
    },
  });
}

function derivedView<K, V, R>(
  parent: TableViewSupplier<K, V>,
  rowOf: (key: K, value: V) => R | null | undefined,
): TableViewSupplier<K, R> {
  return {
    stores: parent.stores,
    create(context, of) {
      const view = parent.create(context, of);
      return (key) => {
        const row = view(key);
        const value = row === undefined ? undefined : rowOf(key, row.value);
        return row === undefined || value === undefined || value === null
          ? undefined
          : { value, timestamp: row.timestamp };
      };
    },
  };
}

/**
 * The table itself, or a stored copy of it where the options ask for one.
 *
 * @param tellsOfNothing - whether the copy tells of the deletion of a row that it does not have, where nobody downstream needs old values.
 */
export function materializeOrNot<K, V>(
  table: KTable<K, V>,
  options: MaybeMaterialized<K, V>,
  tellsOfNothing: 'always' | 'never' | 'without old values' = 'always',
): KTable<K, V> {
  if (options.materialize !== true) return table;
  const { graph, node, keySerde, cached } = table.part;
  const name = options.name ?? '';
  const valueSerde = needSerde(options.valueSerde ?? table.part.valueSerde, 'value', name);
  const target = { store: name, windowed: keySerde instanceof WindowedSerde };
  const store = { name, keySerde, valueSerde, caching: options.caching, cachedAbove: cached, result: options.result };
  const tells = (oldValues: OldValues): boolean =>
    tellsOfNothing === 'always' || (tellsOfNothing === 'without old values' && !oldValues.needed);
  const create = (oldValues: OldValues): TableStoreNode =>
    new TableStoreNode(name, target, oldValues, () => tells(oldValues));
  return ownedTable(graph, [node], store, create);
}
