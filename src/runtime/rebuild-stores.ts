import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WriteBatch } from '../../state/database.ts';
import { StreamsError } from '../common/errors.ts';
import { silentLogger, stderrLogger } from '../common/logger.ts';
import { rebuildOption } from '../common/remedies.ts';
import { feeders, type StoresBehind, storesBehind } from '../topology/behind.ts';
import type { Topology } from '../topology/topology.ts';
import { checkPartitions, savedTaskOf, withClocks } from './changed-state.ts';
import { digestOf } from './digest.ts';
import type { EmbeddedOptions } from './embedded-options.ts';
import { EmbeddedStreams } from './embedded-streams.ts';
import { type Feed, progressByTopic } from './feed.ts';
import { refuseOtherKind } from './folder-kind.ts';
import { localPart } from './parts/local-part.ts';
import type { ProgramChanges } from './program-changes.ts';
import { checkSettings, continued, newState } from './saved-state.ts';
import { metaKey, rebuildFolder, rowPrefix, type SavedState, StateFolder, storeRange } from './state-folder.ts';
import { taskIdText } from './task.ts';
import { taskIdsOf } from './task-ids.ts';

/** Which stores are made anew, and of what. */
export interface RebuildRequest {
  /** Their names. Stores that they feed are made anew with them. */
  readonly stores: readonly string[];
  /** The feeds that a run of the program is given: what the state has of them is read again. */
  readonly feeds: readonly Feed[];
  /** Aborted: the state stays as it is. */
  readonly signal?: AbortSignal;
}

/** What was made anew, and how the records that were read for it fared. */
export interface Rebuilt {
  readonly stores: readonly string[];
  /** Rows read again, bad ones included. */
  readonly rows: number;
  /** Of these, rows that are bad: they are in the dead letters since they were read first. */
  readonly dead: number;
  /** Of these, rows that came too late for a window: they are told here alone. */
  readonly late: number;
}

/** A page of rows that is copied: one write of the database. */
const pageRows = 20_000;
const pageBytes = 4 * 1024 * 1024;

/** A rebuild under way. */
interface Rebuild {
  readonly topology: Topology;
  readonly options: EmbeddedOptions;
  readonly request: RebuildRequest;
  readonly behind: StoresBehind;
  readonly folder: StateFolder;
  readonly before: SavedState;
  /** The state with the stores made anew. */
  readonly next: SavedState;
  readonly changes: ProgramChanges | undefined;
}

/**
 * Makes stores of a state anew, as a first run of the program over all that the state has read would make them; all other stores, positions and letters stay as they are. It is for a store whose
 * windows, serde or grouping have changed, which the state refuses otherwise, for one that is new and would begin empty, and for one that is counted in another way.
 *
 * What was read is read again beside the state, in a folder of its own, by those sub-topologies that make the stores; nothing goes to topics. One commit then puts the new rows in the place of the
 * old ones: whatever ends the process before leaves the state as it was, for the old program too.
 *
 * @param options - Those of {@link EmbeddedStreams.open}. Where all stores are made anew the settings may be others than before.
 * @returns undefined if the signal came first.
 * @throws StreamsError `STREAMS_STATE_STORE_UNKNOWN` for a store that the program does not have; `STREAMS_INPUT_REFUSED` where something that the state has read is not there any more, and where a store that stays and feeds them does not hold what its input gives;
 * `STREAMS_FILE_REWRITTEN` where it has changed; `STREAMS_STATE_INCOMPATIBLE` where another store has changed too; `STREAMS_STATE_FINAL`, `STREAMS_STATE_MISSING`
 * @example
 * ```ts
 * await rebuildStores(topology, { stateDir: '.data/state' }, { stores: ['by-day'], feeds: [feed] });
 * const streams = await EmbeddedStreams.open(topology, { stateDir: '.data/state' });
 * ```
 */
export async function rebuildStores(
  topology: Topology,
  options: EmbeddedOptions,
  request: RebuildRequest,
): Promise<Rebuilt | undefined> {
  const { stateDir, openDatabase } = options;
  const behind = storesBehind(topology, request.stores);
  await refuseOtherKind(stateDir, 'replay');
  const folder = await StateFolder.open(stateDir, { create: false, openDatabase });
  const place = join(stateDir, rebuildFolder);
  try {
    const rebuild = await begin(topology, options, request, behind, folder);
    // What an earlier rebuild left says nothing of what this program computes.
    await rm(place, { recursive: true, force: true });
    return await carryOut(rebuild, await StateFolder.open(place, { create: true, openDatabase }));
  } finally {
    await folder.close();
    await rm(place, { recursive: true, force: true });
  }
}

/** Refuses what cannot be made anew, and notes where the new rows will be: who opens the state meanwhile deletes them. */
async function begin(
  topology: Topology,
  options: EmbeddedOptions,
  request: RebuildRequest,
  behind: StoresBehind,
  folder: StateFolder,
): Promise<Rebuild> {
  const { directory } = folder;
  const saved = folder.saved!;
  if (saved.final)
    throw new StreamsError(
      'STREAMS_STATE_FINAL',
      `${directory} is final: its windows were closed for good. Replay into a new folder.`,
    );
  const [unfinished] = saved.loading ?? [];
  if (unfinished !== undefined)
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `the last load of ${unfinished} into ${directory} was interrupted half-way. Load it again with the program that began it.`,
    );
  const partitions = options.partitions ?? Number(saved.settings['partitions']);
  const settings = { ...saved.settings, ...options.settings, partitions };
  const all = behind.stores.length === topology.stores.length;
  checkSettings(
    all ? { ...saved, settings: { partitions: saved.settings['partitions']! } } : saved,
    settings,
    directory,
  );
  const { state, changes } = continued(saved, topology, directory, behind.stores);
  const taskIds = taskIdsOf(topology, () => partitions).map(taskIdText);
  checkPartitions(await folder.taskIds(), taskIds, changes, directory);
  for (const topic of topology.only(behind.parts).sourceTopics)
    if (!request.feeds.some((feed) => feed.topic === topic)) await refuseWithoutFeed(folder, topic, request);
  const numbers = behind.stores.map((name) => state.stores[name]!);
  await commit({ folder, options }, (batch) => {
    folder.save(batch, { ...saved, retired: [...(saved.retired ?? []), ...numbers] });
  });
  return { topology, options, request, behind, folder, before: saved, next: { ...state, settings }, changes };
}

/** A topic of which the state has positions must be there to read again. */
async function refuseWithoutFeed(
  { database, directory }: StateFolder,
  topic: string,
  { stores }: RebuildRequest,
): Promise<void> {
  const prefix = `feed/${topic}`;
  for await (const _ of database.pages({ gte: metaKey(`${prefix}/`), lt: metaKey(`${prefix}0`), limit: 1 }))
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${stores.join(', ')} cannot be made anew: ${directory} has read topic ${topic}, and no feed of it is given. Give all inputs of the state.`,
      { topic },
    );
}

/** Reads again what the state has read, and puts the new rows in the place of the old ones. */
async function carryOut(rebuild: Rebuild, beside: StateFolder): Promise<Rebuilt | undefined> {
  const { topology, options, request, behind, next } = rebuild;
  const part = topology.only(behind.parts);
  const feeds: Feed[] = [];
  let streams: EmbeddedStreams | undefined;
  try {
    await copyGlobals(rebuild, beside, part);
    streams = await EmbeddedStreams.over(beside, part, {
      ...options,
      stateDir: beside.directory,
      create: true,
      partitions: Number(next.settings['partitions']),
      syncWrites: false,
      logger: silentLogger,
    });
    for (const feed of request.feeds)
      if (part.sourceTopics.includes(feed.topic)) feeds.push(await again(feed, rebuild));
    await streams.run(feeds, request.signal === undefined ? {} : { signal: request.signal });
    if (request.signal?.aborted === true) return undefined;
    await refuseOtherFeeders(rebuild, beside);
    await exchange(rebuild, beside);
    const sums = { rows: 0, dead: 0, late: 0 };
    for (const { rows, dead, late } of progressByTopic(feeds.map(({ progress }) => progress))) {
      sums.rows += rows;
      sums.dead += dead;
      sums.late += late;
    }
    tell(rebuild, sums);
    return { stores: behind.stores, ...sums };
  } finally {
    for (const feed of feeds) await feed.close();
    await (streams ?? beside).close();
  }
}

function again(feed: Feed, { folder, request }: Rebuild): Promise<Feed> {
  if (feed.again === undefined)
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${request.stores.join(', ')} cannot be made anew: the feed of topic ${feed.topic} cannot be read again.`,
      { topic: feed.topic },
    );
  return feed.again(folder.database);
}

/** Gives the program beside the state the global tables that the state has. */
async function copyGlobals({ before, folder, next }: Rebuild, beside: StateFolder, part: Topology): Promise<void> {
  const state = newState(part, before.applicationId, next.settings);
  for (const { store } of part.globalTables) {
    const number = before.stores[store.name];
    if (number !== undefined) await copyRows(folder, number, beside, state.stores[store.name]!, false);
  }
  await commit({ folder: beside, options: { syncWrites: false } }, (batch) => beside.save(batch, state));
}

/** A store that stays tells those behind it what to subtract: they must have added that. */
async function refuseOtherFeeders(
  { topology, behind, folder, before, next }: Rebuild,
  beside: StateFolder,
): Promise<void> {
  const taskIds = taskIdsOf(topology, () => Number(next.settings['partitions']));
  const others: string[] = [];
  for (const name of feeders(topology, behind)) {
    const spec = topology.stores.find((store) => store.name === name)!;
    const part = topology.subTopologies.find(({ stores }) => stores.includes(name))!;
    const digest = async ({ database }: StateFolder, number: number | undefined): Promise<string> => {
      const partitions = taskIds.flatMap(({ subTopology, partition }) => (subTopology === part.id ? [partition] : []));
      const parts =
        number === undefined ? [] : partitions.map((of) => localPart(spec, database, rowPrefix(number, of), of));
      return (await digestOf([spec], () => parts)).all;
    };
    const made = await digest(beside, beside.saved!.stores[name]);
    if (made !== (await digest(folder, before.stores[name]))) others.push(name);
  }
  if (others.length > 0) throw otherFeeders(others, behind);
}

/** The error for stores that stay and feed what is made anew, and do not hold what their input gives. */
export function otherFeeders(others: readonly string[], { stores }: StoresBehind): StreamsError {
  const [one, many] = [others.length === 1, others.join(', ')];
  return new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `${one ? `store ${many} feeds` : `stores ${many} feed`} ${stores.join(', ')}, and ${one ? 'does' : 'do'} not hold what the input gives: ${one ? 'it' : 'each'} began empty once, is counted in another way now, or has rows that depend on when commits were. What is made anew would subtract what it never added. Make ${one ? 'it' : 'these'} anew too: ${rebuildOption(others)}.`,
  );
}

/** One commit makes the new rows those of the state. The old ones are deleted by the next run. */
async function exchange(rebuild: Rebuild, beside: StateFolder): Promise<void> {
  const { topology, options, behind, folder, next, changes } = rebuild;
  for (const name of behind.stores)
    await copyRows(beside, beside.saved!.stores[name]!, folder, next.stores[name]!, options.syncWrites ?? true);
  const taskIds = taskIdsOf(topology, () => Number(next.settings['partitions'])).map(taskIdText);
  const tasks = taskIds.map((taskId) => {
    const saved = savedTaskOf(folder, taskId, changes);
    const made = beside.savedTask(taskId);
    return [
      taskId,
      saved === undefined || made === undefined ? (made ?? saved) : withClocks(saved, made, behind),
    ] as const;
  });
  const former = await folder.taskIds();
  await commit(rebuild, (batch) => {
    for (const taskId of former) folder.forgetTask(batch, taskId);
    for (const [taskId, task] of tasks) if (task !== undefined) folder.saveTask(batch, taskId, task);
    folder.save(batch, next);
  });
}

/** Copies the rows of a store from one folder to another, where it has another number. */
async function copyRows(from: StateFolder, number: number, to: StateFolder, as: number, sync: boolean): Promise<void> {
  for await (const page of from.database.pages(storeRange(number), pageRows, pageBytes)) {
    const batch = to.database.batch();
    for (const [key, value] of page) {
      key[1] = as >> 8;
      key[2] = as;
      batch.put(key, value);
    }
    await batch.write({ sync });
    await batch.close();
  }
}

async function commit(
  { folder, options }: { readonly folder: StateFolder; readonly options: Pick<EmbeddedOptions, 'syncWrites'> },
  fill: (batch: WriteBatch) => void,
): Promise<void> {
  const batch = folder.database.batch();
  try {
    fill(batch);
    await batch.write({ sync: options.syncWrites ?? true });
  } finally {
    await batch.close();
  }
}

function tell(
  { options, behind, folder, changes }: Rebuild,
  { rows, dead, late }: Pick<Rebuilt, 'rows' | 'dead' | 'late'>,
): void {
  const logger = options.logger ?? stderrLogger;
  const stores = behind.stores.join(', ');
  logger.info({ stores: behind.stores, rows, dead, late }, `made anew in ${folder.directory}: ${stores}`);
  if (late > 0)
    logger.warn(
      { stores: behind.stores, late },
      `${late} rows came too late for stores that were made anew (${stores}): they are in no file of letters`,
    );
  for (const store of changes?.added ?? [])
    if (!behind.stores.includes(store))
      logger.warn(
        { store },
        `store ${store} is new in ${folder.directory} and starts empty: what was read before does not count in it. For a store of all that there is make it anew: ${rebuildOption([store], 'rebuildStores')}`,
      );
  for (const store of changes?.removed ?? [])
    logger.warn({ store }, `the program has no store ${store} any more: its rows leave ${folder.directory}`);
}
