import { StreamsError } from '../../common/errors.ts';
import type { NodeContext, TableStore } from '../../processor/node.ts';
import type { ValueAndTimestamp } from '../../processor/rows.ts';
import type { Serde } from '../../serde/serde.ts';
import { Windowed } from '../../serde/windowed.ts';
import { GlobalKTable } from '../global-ktable.ts';
import type { Graph } from './graph.ts';

/** Reads a table's row in one task. */
export type TableView<K, V> = (key: K) => ValueAndTimestamp<V> | undefined;

/**
 * Which row is read: the row of now, for streams, or the row as its changes were told so far.
 *
 * A join of tables goes by what was told: then what it says about a change of one side fits what it said, and will say, about the other's, whatever
 * waits in caches.
 */
export type ViewOf = 'now' | 'told';

/** Makes views; names the stores they read, so that their nodes share a task. */
export interface TableViewSupplier<K, V> {
  readonly stores: readonly string[];
  create(context: NodeContext, of: ViewOf): TableView<K, V>;
}

/** What the DSL knows of a table: the node whose changes it is, and how its rows are read. */
export interface TablePart<K, V> {
  readonly graph: Graph;
  /** Name of the node that forwards its changes. */
  readonly node: string;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V> | undefined;
  /** How its rows are read; undefined where they cannot be. */
  readonly view: TableViewSupplier<K, V> | undefined;
  /** Name of its own store, if it has one. */
  readonly store: string | undefined;
  /** Its changes, or those above it, wait in a cache and are told at a flush. */
  readonly cached: boolean;
  /** Something downstream has use for old values: asked while the topology is built. False where the table knows none. */
  askOldValues(): boolean;
}

/** Old values for a node that is wrong without them. @throws StreamsError `STREAMS_TOPOLOGY` from a table that knows none. */
export function needOldValues<K, V>(part: TablePart<K, V>, what: string): void {
  if (!part.askOldValues()) throw notStored(part.node, what);
}

/**
 * Refuses what is no table as the other side of a join: in JavaScript nobody else does.
 *
 * @throws StreamsError `STREAMS_TOPOLOGY`
 */
export function needTable(table: unknown, join: string): void {
  if (table instanceof GlobalKTable || (table as { readonly part?: unknown } | undefined)?.part !== undefined) return;
  throw new StreamsError(
    'STREAMS_TOPOLOGY',
    `${join}: its other side is not a table. Streams and tables are joined with tables: toTable() or an aggregate makes one of a stream.`,
  );
}

/** How a table's rows are read. @throws StreamsError `STREAMS_TOPOLOGY` for a table whose rows are nowhere. */
export function needView<K, V>(part: TablePart<K, V>, what: string): TableViewSupplier<K, V> {
  if (part.view === undefined) throw notStored(part.node, what);
  return part.view;
}

function notStored(node: string, what: string): StreamsError {
  return new StreamsError(
    'STREAMS_TOPOLOGY',
    `${what} needs the rows of ${node}, which keeps none. Materialize ${node}, or use its toStream().`,
  );
}

/** Whether old values must be forwarded; set while the topology is built, read when tasks are made. */
export interface OldValues {
  needed: boolean;
}

/** A view on a store; of a window store by windowed keys. */
export function storeView<K, V>(store: string, windowed: boolean): TableViewSupplier<K, V> {
  return {
    stores: [store],
    create(context, of) {
      const table = context.table<unknown, V>(store);
      const read = (of === 'now' ? table.read : table.readTold).bind(table);
      if (!windowed) return (key) => read(key, 0);
      return (key) => {
        const { key: base, startMs } = key as Windowed<unknown>;
        return read(base, startMs);
      };
    },
  };
}

/** The key as the table's changes carry it: windowed where the store is. */
export function changeKey(
  table: TableStore<unknown, unknown>,
  windowed: boolean,
): (key: unknown, startMs: number) => unknown {
  if (!windowed) return (key) => key;
  let start = Number.NaN;
  let end = Number.NaN;
  return (key, startMs) => {
    if (startMs !== start) {
      end = table.endOf(startMs);
      start = startMs;
    }
    return new Windowed(key, startMs, end);
  };
}
