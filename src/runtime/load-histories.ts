import { StreamsError } from '../common/errors.ts';
import type { Version } from '../processor/rows.ts';
import { keyIdentity } from '../serde/key-identity.ts';
import type { FeedSource } from './feed-source.ts';
import type { FolderLog } from './folder-log.ts';
import type { VersionedTableStore } from './stores/versioned-table-store.ts';
import type { StreamTask } from './stream-task.ts';
import type { TopologyEngine } from './topology-engine.ts';

/** A key of a versioned global table, and its versions, oldest first. */
export type KeyHistory = readonly [key: unknown, versions: readonly Version<unknown>[]];

/** Changed histories that are one commit, some 6 MB of them in memory. */
const historiesAtOnce = 10_000;
/** Of more than those, so many wait for each further commit: what waits long is garbage that only a slow collection finds. */
const furtherHistoriesAtOnce = 2000;
/** Histories that are compared at once. */
const historiesCompared = 500;

/** A global table of an engine. @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` */
export function globalTableOf(engine: TopologyEngine, store: string): VersionedTableStore {
  const table = engine.versioned.get(store);
  if (table === undefined) throw new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `there is no global table ${store}.`);
  return table;
}

/** Histories of all keys of a table: those that are given, and none of the others that it has. */
export async function wholeTable(
  table: VersionedTableStore,
  histories: Iterable<KeyHistory>,
): Promise<Iterable<KeyHistory>> {
  const gone = new Map<unknown, unknown>();
  for await (const key of table.keys()) gone.set(keyIdentity(table.keySerde, key), key);
  function* whole(): Iterable<KeyHistory> {
    for (const entry of histories) {
      gone.delete(keyIdentity(table.keySerde, entry[0]));
      yield entry;
    }
    for (const key of gone.values()) yield [key, []];
  }
  return whole();
}

/** What a load of a global table is made of and committed with. */
export interface LoadTarget {
  readonly engine: TopologyEngine;
  readonly task: StreamTask<FeedSource, FolderLog>;
  readonly log: FolderLog;
}

/**
 * Replaces histories of a global table and commits them: in one step, or where many have changed in several, between which the state says that the table is loaded in part.
 *
 * @returns how many keys changed.
 */
export async function loadHistories(
  { engine, task, log }: LoadTarget,
  store: string,
  histories: Iterable<KeyHistory> | AsyncIterable<KeyHistory>,
): Promise<number> {
  const isLoading = (): boolean => log.state.loading?.includes(store) === true;
  let changed = 0;
  let uncommitted = 0;
  const apply = async (slice: readonly KeyHistory[]): Promise<void> => {
    const inSlice = await task.exclusive(() => engine.replaceHistories(store, slice));
    changed += inSlice;
    uncommitted += inSlice;
    if (!task.isFull && uncommitted < (isLoading() ? furtherHistoriesAtOnce : historiesAtOnce)) return;
    // Part of the table is committed: until all of it is, the state says so.
    if (!isLoading()) log.loads(store, true);
    await task.commit(true);
    uncommitted = 0;
  };
  let slice: KeyHistory[] = [];
  for await (const entry of histories)
    if (slice.push(entry) >= historiesCompared) {
      await apply(slice);
      slice = [];
    }
  await apply(slice);
  if (isLoading()) log.loads(store, false);
  await task.commit(true);
  return changed;
}
