import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, DatabaseFactory, KeyRange, WriteBatch } from '../../../state/database.ts';
import type { Broker } from '../../clients/broker.ts';
import { fromUtf8, utf8 } from '../../common/bytes.ts';
import { StreamsError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Topology } from '../../topology/topology.ts';
import { goOn } from '../changed-state.ts';
import { stateOnKafka } from '../saved-state.ts';
import {
  allRows,
  metaKey,
  rowPrefix,
  type SavedState,
  StateFolder,
  type StateSettings,
  sharedPartition,
  storeRange,
} from '../state-folder.ts';
import { isOutdated } from './outdated-copy.ts';

const positionsKey = metaKey('global-positions');
const memberKey = metaKey('member');
const runKey = metaKey('run');
/** A broker's default of delete.retention.ms. */
const day = 86_400_000;

/** Folder of an instance's global tables below its state folder. Who has it open has the instance. */
export function globalDirectory(stateDir: string): string {
  return join(stateDir, 'global');
}

/** The topics of a topology's global tables, each once. */
export function globalTopics(topology: Topology): readonly string[] {
  return [...new Set(topology.globalTables.map(({ topic }) => topic))];
}

/** What an instance's folder of global tables is opened with. */
export interface GlobalFolderOptions {
  readonly topology: Topology;
  readonly applicationId: string;
  readonly stateDir: string;
  readonly settings: StateSettings;
  readonly logger: Logger;
  /** ms after which a copy may have missed deletions. @defaultValue each topic's delete.retention.ms */
  readonly deleteRetentionMs?: number | undefined;
  readonly openDatabase?: DatabaseFactory | undefined;
  /** The copy was damaged, and is rebuilt. */
  readonly rebuilt: (error: StreamsError) => void;
}

/** Next offsets of the partitions of each global topic: all before is in the tables. */
export type GlobalPositions = Readonly<Record<string, readonly number[]>>;

interface SavedGlobal {
  readonly positions: GlobalPositions;
  /** The ids of these topics: positions in one that was recreated say nothing. */
  readonly topicIds?: Readonly<Record<string, string>>;
  readonly atMs: number;
  /** False while the topics are read for the first time in a run: the copy is a part of them. */
  readonly complete?: boolean;
}

/** What an instance's folder says of its last run and of its global tables, for those who only read. */
export interface GlobalCopy {
  readonly folder: StateFolder;
  /** Undefined in a folder of a version that did not tell runs apart, and in one of an instance that never had a task. */
  readonly run: string | undefined;
  /** Whether the global tables were read to their ends. */
  readonly complete: boolean;
}

/** Opens the folder of an instance's global tables to read it. @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while an instance has it, `STREAMS_STATE_MISSING` */
export async function openGlobalCopy(stateDir: string, openDatabase?: DatabaseFactory): Promise<GlobalCopy> {
  const folder = await StateFolder.open(globalDirectory(stateDir), { create: false, openDatabase });
  const saved = readSaved(folder);
  return { folder, run: readText(folder, runKey), complete: saved !== undefined && saved.complete !== false };
}

/**
 * An instance's folder of global tables: their rows, how far each topic is in them, and under which id and in which run the instance was a member of the group.
 *
 * What it has of a topic that was recreated, or of a table that the program has otherwise, is forgotten when it is opened, and so is a copy that may have missed deletions.
 */
export class GlobalFolder {
  /** What this run of the instance is called: copies of tasks that were complete in another may lack what was done elsewhere since. */
  readonly run: string = randomUUID();
  /** How far the topics were in the copy when it was opened. */
  readonly positions: GlobalPositions;
  readonly #folder: StateFolder;
  readonly #state: SavedState;
  readonly #topicIds: ReadonlyMap<string, string>;
  #begun: Promise<void> | undefined;

  private constructor(folder: StateFolder, state: SavedState, topicIds: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#state = state;
    this.#topicIds = topicIds;
    this.positions = readSaved(folder)?.positions ?? {};
  }

  /** Opens an instance's folder, making an empty one where there is none. @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while another process has it, `STREAMS_STATE_INCOMPATIBLE` */
  static async open(broker: Broker, options: GlobalFolderOptions): Promise<GlobalFolder> {
    const { topology, logger } = options;
    const topicIds = await broker.admin.topicIds(globalTopics(topology));
    const folder = await openFolder(options);
    try {
      if (wasMadeAnew(readSaved(folder), topicIds)) {
        logger.warn({ topics: [...topicIds.keys()] }, 'a topic of a global table was recreated: so are the copies');
        await forget(folder, undefined, [allRows]);
      }
      const old = await outdatedTopics(readSaved(folder), broker, options, topicIds);
      if (old.length > 0) {
        logger.warn(
          { topics: old },
          'the copy of a global table is so old that it may have missed deletions: it is read again',
        );
        await forgetTables(folder, topology, old);
      }
      const state = await stateOf(folder, broker, options);
      await forgetGone(folder, topology, state);
      await goOn(folder, state);
      return new GlobalFolder(folder, state, topicIds);
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  get database(): Database {
    return this.#folder.database;
  }

  prefixOf(store: string): Uint8Array {
    return rowPrefix(this.#state.stores[store]!, sharedPartition);
  }

  /** Adds to a batch how far the topics are in the rows that it makes durable. @param complete - False: the topics were not read to their ends yet */
  save(batch: WriteBatch, positions: GlobalPositions, complete: boolean): void {
    const topicIds = Object.fromEntries(this.#topicIds);
    putSaved(batch, { positions, topicIds, atMs: Date.now(), complete });
  }

  /** The id under which the instance was last a member of the group, if it did not leave in order. */
  get formerMember(): string | undefined {
    return readText(this.#folder, memberKey) || undefined;
  }

  /** Writes down under which id the instance is a member; undefined: of none. */
  async saveMember(memberId: string | undefined): Promise<void> {
    if (memberId !== this.formerMember) await this.#write(memberKey, memberId, false);
  }

  /** Tasks begin to move: from now on no copy of an earlier run counts as complete. */
  beginRun(): Promise<void> {
    this.#begun ??= this.#write(runKey, this.run, true);
    return this.#begun;
  }

  close(): Promise<void> {
    return this.#folder.close();
  }

  async #write(key: Uint8Array, text: string | undefined, sync: boolean): Promise<void> {
    const batch = this.database.batch();
    if (text === undefined) batch.del(key);
    else batch.put(key, utf8(text));
    await batch.write({ sync });
    await batch.close();
  }
}

/** A damaged copy is no loss: the topics have all of it. */
async function openFolder({ stateDir, openDatabase, rebuilt }: GlobalFolderOptions): Promise<StateFolder> {
  const directory = globalDirectory(stateDir);
  const options = { create: true, openDatabase };
  try {
    return await StateFolder.open(directory, options);
  } catch (error) {
    if (!StreamsError.is(error) || error.code !== 'STREAMS_STATE_STORE_CORRUPT') throw error;
    rebuilt(error);
    await rm(directory, { recursive: true, force: true });
    return StateFolder.open(directory, options);
  }
}

/** What the folder says of the instance's state, as the program goes on with it. */
async function stateOf(
  { saved }: StateFolder,
  { admin }: Broker,
  { stateDir, ...owner }: GlobalFolderOptions,
): Promise<SavedState> {
  try {
    return stateOnKafka(saved, owner, stateDir);
  } catch (error) {
    if (!(await isOutdated(error, owner.topology, { admin, applicationId: owner.applicationId }))) throw error;
    return stateOnKafka(saved, { ...owner, vouched: true }, stateDir);
  }
}

function readText({ database }: StateFolder, key: Uint8Array): string | undefined {
  const bytes = database.get(key);
  return bytes === undefined ? undefined : fromUtf8(bytes);
}

function readSaved(folder: StateFolder): SavedGlobal | undefined {
  const text = readText(folder, positionsKey);
  return text === undefined ? undefined : (JSON.parse(text) as SavedGlobal);
}

function putSaved(batch: WriteBatch, saved: SavedGlobal): void {
  batch.put(positionsKey, utf8(JSON.stringify(saved)));
}

function wasMadeAnew(saved: SavedGlobal | undefined, topicIds: ReadonlyMap<string, string>): boolean {
  return Object.entries(saved?.topicIds ?? {}).some(([topic, id]) => topicIds.has(topic) && topicIds.get(topic) !== id);
}

/** Topics that keep of each key the last record alone, and whose copies are behind, and so old that the broker may have forgotten deletions since. What only a copy has is kept: versions, and what lies before the topic's begin. */
async function outdatedTopics(
  { positions = {}, atMs = 0 }: Partial<SavedGlobal> = {},
  { admin }: Broker,
  { topology, deleteRetentionMs }: GlobalFolderOptions,
  topicIds: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const topics = topology.globalTables
    .filter(({ topic, versioned, history }) => topic in positions && !(versioned && history === 'record'))
    .map(({ topic }) => topic)
    .filter((topic) => topicIds.has(topic));
  if (topics.length === 0) return [];
  const configs = await admin.topicConfigs(topics);
  const old = topics.filter((topic) => {
    const config = configs.get(topic);
    const retentionMs = deleteRetentionMs ?? Number(config?.['delete.retention.ms'] ?? day);
    return config?.['cleanup.policy'] === 'compact' && Date.now() - atMs > retentionMs;
  });
  const places = old.flatMap((topic) =>
    positions[topic]!.map((position, partition) => ({ topic, partition, position })),
  );
  if (places.length === 0) return [];
  const [starts, ends] = [await admin.offsets(places, 'earliest'), await admin.offsets(places, 'stable')];
  const has = (topic: string, is: (i: number) => boolean): boolean =>
    places.some((place, i) => place.topic === topic && is(i));
  return old.filter((topic) => has(topic, (i) => places[i]!.position < ends[i]!) && !has(topic, (i) => starts[i]! > 0));
}

/** Takes the tables of topics out of the copy. */
async function forgetTables(folder: StateFolder, { globalTables }: Topology, topics: readonly string[]): Promise<void> {
  const numbers = globalTables.flatMap(({ topic, store }) =>
    topics.includes(topic) ? (folder.saved?.stores[store.name] ?? []) : [],
  );
  const kept = only(readSaved(folder)!, (topic) => !topics.includes(topic));
  await forget(folder, kept, numbers.map(storeRange));
}

/** Rows of a table that the folder has otherwise, or not at all, and of one that leaves it, are of no use: positions say nothing of them any more, whatever ends the start from now on. */
async function forgetGone(folder: StateFolder, { globalTables }: Topology, { stores }: SavedState): Promise<void> {
  const saved = readSaved(folder);
  if (saved === undefined) return;
  const same = globalTables.filter(({ store }) => folder.saved?.stores[store.name] === stores[store.name]);
  const kept = only(saved, (name) => same.some(({ topic }) => topic === name));
  if (Object.keys(kept.positions).length < Object.keys(saved.positions).length) await forget(folder, kept, []);
}

function only(saved: SavedGlobal, isKept: (topic: string) => boolean): SavedGlobal {
  const positions = Object.entries(saved.positions).filter(([topic]) => isKept(topic));
  return { ...saved, positions: Object.fromEntries(positions) };
}

/** Writes down what is still in the copy (undefined: nothing), and takes rows out of it, in one step. */
async function forget(
  { database }: StateFolder,
  kept: SavedGlobal | undefined,
  rows: readonly KeyRange[],
): Promise<void> {
  const batch = database.batch();
  if (kept === undefined) batch.del(positionsKey);
  else putSaved(batch, kept);
  for (const range of rows) for await (const page of database.pages(range)) for (const [key] of page) batch.del(key);
  await batch.write({ sync: false });
  await batch.close();
}
