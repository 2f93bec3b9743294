import type { ProcessorNode } from '../../processor/node.ts';
import type { ValueAndTimestamp } from '../../processor/rows.ts';
import type { Serde } from '../../serde/serde.ts';
import type { KTable } from '../ktable.ts';
import type { MaybeMaterialized } from '../options.ts';
import { materializeOrNot } from './derived-table.ts';
import { type Joiner, TableTableJoinNode } from './join-nodes.ts';
import { PassThroughNode } from './stateless-nodes.ts';
import { needOldValues, needView, type OldValues, type TablePart, type TableView } from './table-part.ts';

/** Joins two tables of the same keys: a node for each side's changes, and one that merges their results. */
export function joinTables<K, R>(
  left: TablePart<K, unknown>,
  right: TablePart<K, unknown>,
  joiner: Joiner,
  leftJoin: boolean,
  options: MaybeMaterialized<K, R>,
): KTable<K, R> {
  const { graph, keySerde } = left;
  const given = options.materialize ? undefined : options.name;
  const leftName = graph.name(undefined, 'KTABLE-JOINTHIS-');
  const rightName = graph.name(undefined, 'KTABLE-JOINOTHER-');
  const name = graph.name(given, 'KTABLE-MERGE-');
  const leftView = needView(left, `join ${name}`);
  const rightView = needView(right, `join ${name}`);
  // A left join must know whether there was a left row: its deletion is a result, and that of a row which never was is none.
  if (leftJoin) needOldValues(left, `left join ${name}`);
  const oldValues: OldValues = { needed: false };
  const createLeft = (): ProcessorNode =>
    new TableTableJoinNode(leftName, rightView as never, joiner, { own: false, other: leftJoin }, oldValues);
  const createRight = (): ProcessorNode =>
    new TableTableJoinNode(
      rightName,
      leftView as never,
      (own, other, key) => joiner(other, own, key),
      { own: leftJoin, other: false },
      oldValues,
    );
  graph.topology.add({
    kind: 'processor',
    name: leftName,
    parents: [left.node],
    stores: rightView.stores,
    create: createLeft,
  });
  graph.topology.add({
    kind: 'processor',
    name: rightName,
    parents: [right.node],
    stores: leftView.stores,
    create: createRight,
  });
  graph.topology.add({
    kind: 'processor',
    name,
    parents: [leftName, rightName],
    stores: [],
    create: () => new PassThroughNode(name),
  });
  const table = graph.make.table<K, R>({
    graph,
    node: name,
    keySerde,
    valueSerde: options.valueSerde as Serde<R> | undefined,
    view: {
      stores: [...leftView.stores, ...rightView.stores],
      create(context, of) {
        return joinedView<K, R>(leftView.create(context, of), rightView.create(context, of), joiner, leftJoin);
      },
    },
    store: undefined,
    cached: left.cached || right.cached,
    askOldValues() {
      const known = [left.askOldValues(), right.askOldValues()];
      oldValues.needed = known.every((side) => side);
      return oldValues.needed;
    },
  });
  return materializeOrNot(table, options);
}

function joinedView<K, R>(
  left: TableView<K, unknown>,
  right: TableView<K, unknown>,
  joiner: Joiner,
  leftJoin: boolean,
): TableView<K, R> {
  return (key): ValueAndTimestamp<R> | undefined => {
    const leftRow = left(key);
    const rightRow = right(key);
    if (leftRow === undefined || (rightRow === undefined && !leftJoin)) return undefined;
    const value = joiner(leftRow.value, rightRow?.value, key) as R | undefined | null;
    if (value === undefined || value === null) return undefined;
    return { value, timestamp: Math.max(leftRow.timestamp, rightRow?.timestamp ?? 0) };
  };
}
