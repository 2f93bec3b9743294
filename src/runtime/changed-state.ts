import type { Database } from '../../state/database.ts';
import { StreamsError } from '../common/errors.ts';
import { dropReasons } from '../processor/drop-reason.ts';
import type { StoresBehind } from '../topology/behind.ts';
import type { ProgramChanges } from './program-changes.ts';
import { type SavedState, type StateFolder, storeRange } from './state-folder.ts';
import { type SavedTask, type TaskId, taskIdText } from './task.ts';

/**
 * Clocks and counters with which a task of a changed program goes on: those of the tasks of its partition that had its stores or topics. Each clock goes on from the latest; what was
 * counted goes on in the first of the tasks that come from one.
 */
export function savedTaskOf(
  folder: StateFolder,
  taskId: string,
  changes: ProgramChanges | undefined,
): SavedTask | undefined {
  if (changes === undefined) return folder.savedTask(taskId);
  const { subTopology, partition } = partsOf(taskId);
  const saved = (changes.origins[subTopology] ?? []).flatMap((id) => {
    const task = folder.savedTask(taskIdText({ subTopology: id, partition }));
    if (task === undefined) return [];
    const heir = changes.origins.findIndex((origins) => origins.includes(id));
    return [heir === subTopology ? task : { ...task, processed: 0, dropped: {} }];
  });
  return saved.length === 0 ? undefined : saved.reduce(merged);
}

function partsOf(taskId: string): TaskId {
  const [subTopology, partition] = taskId.split('_').map(Number) as [number, number];
  return { subTopology, partition };
}

/**
 * Refuses a program whose tasks are of another number of partitions than those that had their stores: a key would be looked for in another one.
 *
 * @param before - Ids of the tasks that are saved.
 * @param now - Ids of the program's tasks.
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE`
 */
export function checkPartitions(
  before: readonly string[],
  now: readonly string[],
  changes: ProgramChanges | undefined,
  directory: string,
): void {
  const countsOf = (ids: readonly string[]): ReadonlyMap<number, number> => {
    const counts = new Map<number, number>();
    for (const { subTopology } of ids.map(partsOf)) counts.set(subTopology, (counts.get(subTopology) ?? 0) + 1);
    return counts;
  };
  const saved = countsOf(before);
  for (const [id, count] of countsOf(now))
    for (const origin of changes?.origins[id] ?? [id]) {
      const was = saved.get(origin) ?? count;
      if (was !== count)
        throw new StreamsError(
          'STREAMS_STATE_INCOMPATIBLE',
          `${directory} was made with ${was} partitions in sub-topology ${id}, not with ${count}. Give its topics as many as before, or replay into a new folder.`,
        );
    }
}

function merged(a: SavedTask, b: SavedTask): SavedTask {
  return {
    streamTimeMs: Math.max(a.streamTimeMs, b.streamTimeMs),
    partitionTimeMs: latest(a.partitionTimeMs, b.partitionTimeMs),
    operatorTimeMs: latest(a.operatorTimeMs, b.operatorTimeMs),
    punctuations: { ...byName(a.punctuations), ...byName(b.punctuations) },
    processed: a.processed + b.processed,
    dropped: Object.fromEntries(
      dropReasons.map((reason) => [reason, (a.dropped[reason] ?? 0) + (b.dropped[reason] ?? 0)]),
    ),
  };
}

/** Of a version that saved them in the order of the nodes, which is another one now: each begins as at the first start. */
function byName(saved: SavedTask['punctuations']): Readonly<Record<string, readonly number[]>> {
  return Array.isArray(saved) ? {} : (saved as Readonly<Record<string, readonly number[]>>);
}

/** A task with the clocks and punctuations that nodes with stores made anew, and those behind them, have now. */
export function withClocks(saved: SavedTask, made: SavedTask, { nodes }: StoresBehind): SavedTask {
  const exchanged = <V>(before: Readonly<Record<string, V>>, now: Readonly<Record<string, V>>): Record<string, V> => ({
    ...Object.fromEntries(Object.entries(before).filter(([name]) => !nodes.has(name))),
    ...Object.fromEntries(Object.entries(now).filter(([name]) => nodes.has(name))),
  });
  return {
    ...saved,
    streamTimeMs: Math.max(saved.streamTimeMs, made.streamTimeMs),
    operatorTimeMs: exchanged(saved.operatorTimeMs, made.operatorTimeMs),
    punctuations: exchanged(byName(saved.punctuations), byName(made.punctuations)),
  };
}

function latest(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const all: Record<string, number> = { ...a };
  for (const [name, time] of Object.entries(b)) all[name] = Math.max(all[name] ?? -1, time);
  return all;
}

/**
 * Refuses to read stores that a state does not have: they would look empty.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE`
 */
export function refuseNewStores(changes: ProgramChanges | undefined, directory: string): void {
  if (changes === undefined || changes.added.length === 0) return;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${directory} was made by a program without ${changes.added.length === 1 ? 'store' : 'the stores'} ${changes.added.join(', ')}. Let a run of this program go on with it first.`,
  );
}

/** Writes down what state a folder of an instance on Kafka has from now on, and takes out of it the rows of stores that the program does not have any more. */
export async function goOn(folder: StateFolder, state: SavedState): Promise<void> {
  if (folder.saved === state) return;
  const save = async (saved: SavedState): Promise<void> => {
    const batch = folder.database.batch();
    folder.save(batch, saved);
    await batch.write({ sync: false });
    await batch.close();
  };
  await save(state);
  if (state.retired === undefined) return;
  await deleteStores(folder.database, state.retired);
  const { retired: _, ...rest } = state;
  await save(rest);
}

/** Deletes the rows of stores, by their numbers. */
export async function deleteStores(database: Database, numbers: readonly number[]): Promise<void> {
  for (const number of numbers)
    for await (const page of database.pages(storeRange(number))) {
      const batch = database.batch();
      for (const [key] of page) batch.del(key);
      await batch.write({ sync: false });
      await batch.close();
    }
}
