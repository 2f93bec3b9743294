import type { Mode, Outcome, RandomCase, RandomNode, Row } from './description.ts';
import { Lineage } from './lineage.ts';
import { Model, shownRows } from './model.ts';

export type Outcomes = Readonly<Record<Mode, Outcome>>;
/** How a case differs, by mode. */
export type Differences = ReadonlyMap<Mode, string>;

export function differencesBetween(given: RandomCase, ours: Outcomes, theirs: Outcomes): Differences {
  const found = new Map<Mode, string>();
  const add = (mode: Mode, lines: readonly string[]): void => {
    if (lines.length > 0) found.set(mode, lines.join('\n'));
  };
  for (const mode of ['uncached', 'cached'] as const) {
    const failures = [ours[mode].failed, theirs[mode].failed];
    if (failures.some((failed) => failed !== undefined))
      add(mode, [`weir: ${failures[0] ?? 'ran'}`, `Kafka Streams: ${failures[1] ?? 'ran'}`]);
    else if (mode === 'uncached') add(mode, differencesUncached(given, ours.uncached, theirs.uncached));
    else add(mode, differencesCached(given, ours.cached, theirs));
  }
  return found;
}

/**
 * Without caches all is the same: what is sent in the order of sending over all topics, rows with their times, drops. Where a grouping of a table is aggregated several times Kafka
 * Streams puts its nodes together in an order of its own: then the order within each topic.
 */
function differencesUncached({ nodes }: RandomCase, ours: Outcome, theirs: Outcome): string[] {
  const isShared = ({ id, op }: RandomNode): boolean =>
    op === 'tableGroup' && nodes.filter(({ of }) => of.includes(id)).length > 1;
  const ordered = ({ output }: Outcome): readonly Row[] =>
    nodes.some(isShared) ? output.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) : output;
  const lines = rowsOf('output', ordered(ours), ordered(theirs));
  for (const store of storesOf(ours, theirs))
    lines.push(...rowsOf(`store ${store}`, ours.stores[store], theirs.stores[store]));
  return [...lines, ...dropsOf(ours, theirs)];
}

/**
 * With caches the order within each topic is compared: in which order caches are flushed is nobody's promise. What depends on when they are flushed is held against the
 * model.
 */
function differencesCached(given: RandomCase, ours: Outcome, theirs: Outcomes): string[] {
  const dependent = new Lineage(given).dependentOnFlushes(given.nodes);
  const lines: string[] = [];
  for (const { op, id, topics } of given.nodes) {
    if (op !== 'to' || dependent.has(id)) continue;
    const sent = ({ output }: Outcome): Row[] => output.filter(([topic]) => topic === topics![0]);
    lines.push(...rowsOf('output', sent(ours), sent(theirs.cached)));
  }
  const dependentStores = new Set([...dependent].map((id) => `n${id}`));
  for (const store of storesOf(ours, theirs.cached))
    if (!dependentStores.has(store))
      lines.push(...rowsOf(`store ${store}`, ours.stores[store], unexpired(given, store, ours, theirs.cached)));
  if (dependent.size === 0) lines.push(...dropsOf(ours, theirs.cached));
  return [...lines, ...differencesFromModel(given, ours, theirs.uncached)];
}

/** Whenever caches were flushed, tables that can be computed hold what is computed. */
export function differencesFromModel(given: RandomCase, ours: Outcome, uncached: Outcome): string[] {
  const lines: string[] = [];
  for (const [store, rows] of new Model(given, uncached.stores).stores())
    lines.push(...rowsOf(`store ${store} against the model`, shownRows(ours.stores[store] ?? []), rows));
  return lines;
}

/**
 * Rows past their retention still stand in the caches of Kafka Streams' window stores: those that can be past it are left out where we have none.
 */
function unexpired(given: RandomCase, store: string, ours: Outcome, theirs: Outcome): Outcome['stores'][string] {
  const rows = theirs.stores[store] ?? [];
  const node = given.nodes.find(({ id }) => `n${id}` === store)!;
  if (node.windows === undefined || node.cached !== true) return rows;
  const { retention } = node.windows;
  const kept = new Set((ours.stores[store] ?? []).map(([key]) => key));
  const { latest } = new Lineage(given);
  return rows.filter(([key]) => kept.has(key) || Number(/@(\d+)\/\d+$/.exec(key)![1]) > latest - retention);
}

function storesOf(...outcomes: readonly Outcome[]): ReadonlySet<string> {
  return new Set(outcomes.flatMap(({ stores }) => Object.keys(stores)));
}

function dropsOf(ours: Outcome, theirs: Outcome): string[] {
  return ours.dropped === theirs.dropped ? [] : [`dropped: weir ${ours.dropped}, Kafka Streams ${theirs.dropped}`];
}

function rowsOf(what: string, ours: readonly unknown[] = [], theirs: readonly unknown[] = []): string[] {
  const [a, b] = [ours, theirs].map((rows) => rows.map((row) => JSON.stringify(row)));
  if (a!.join() === b!.join()) return [];
  const first = a!.findIndex((row, i) => row !== b![i]);
  const at = first < 0 ? a!.length : first;
  const shown = (rows: readonly string[]): string => rows.slice(Math.max(0, at - 2), at + 4).join(' ');
  return [`${what}, from row ${at} on:`, `  weir           ${shown(a!)}`, `  expected       ${shown(b!)}`];
}
