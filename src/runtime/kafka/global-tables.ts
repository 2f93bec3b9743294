import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseFactory, WriteBatch } from '../../../state/database.ts';
import type { Broker, Fetcher } from '../../clients/broker.ts';
import { partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { fromUtf8, utf8 } from '../../common/bytes.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { GlobalChange } from '../../processor/node.ts';
import type { Version } from '../../processor/rows.ts';
import { historySerde } from '../../serde/history.ts';
import type { Serde } from '../../serde/serde.ts';
import type { GlobalTableSpec } from '../../topology/node-spec.ts';
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
  storeRange,
} from '../state-folder.ts';
import { VersionedTableStore } from '../stores/versioned-table-store.ts';
import { sharedPartition } from '../topology-engine.ts';
import type { KafkaGlobalStats } from './kafka-stats.ts';
import { lossError } from './loss-errors.ts';
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

/** What global tables are opened with. */
export interface GlobalTablesOptions {
  readonly topology: Topology;
  readonly applicationId: string;
  readonly stateDir: string;
  readonly settings: StateSettings;
  readonly cacheBytes: number;
  readonly logger: Logger;
  /** Positions of the topics up to which tasks have joined them: rows before are in what they have counted. */
  readonly joined: Readonly<Record<string, readonly number[]>>;
  /** Told of records that tasks have joined and nobody can read any more. What it throws ends the start. */
  readonly lost: (error: StreamsError) => void;
  /** ms after which a copy may have missed deletions. @defaultValue each topic's delete.retention.ms */
  readonly deleteRetentionMs?: number | undefined;
  readonly openDatabase?: DatabaseFactory | undefined;
  /** Told of a record that cannot be read; it is passed over. */
  readonly unreadable: (table: GlobalTableSpec, records: FetchedRecords, i: number, error: unknown) => void;
  readonly failed: (error: unknown) => void;
  /** The copy was damaged, and is rebuilt. */
  readonly rebuilt: (error: StreamsError) => void;
}

interface SavedGlobal {
  readonly positions: Readonly<Record<string, readonly number[]>>;
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

/** What the folder says of the instance's state, as the program goes on with it. */
async function stateOf(
  { saved }: StateFolder,
  { admin }: Broker,
  { stateDir, ...owner }: GlobalTablesOptions,
): Promise<SavedState> {
  try {
    return stateOnKafka(saved, owner, stateDir);
  } catch (error) {
    if (!(await isOutdated(error, owner.topology, { admin, applicationId: owner.applicationId }))) throw error;
    return stateOnKafka(saved, { ...owner, vouched: true }, stateDir);
  }
}

/** Opens the folder of an instance's global tables to read it. @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while an instance has it, `STREAMS_STATE_MISSING` */
export async function openGlobalCopy(stateDir: string, openDatabase?: DatabaseFactory): Promise<GlobalCopy> {
  const folder = await StateFolder.open(globalDirectory(stateDir), { create: false, openDatabase });
  const bytes = folder.database.get(runKey);
  const saved = readSaved(folder);
  return {
    folder,
    run: bytes === undefined ? undefined : fromUtf8(bytes),
    complete: saved !== undefined && saved.complete !== false,
  };
}

/** A change of a global table, in the order of its topic. */
export interface GlobalUpdate {
  readonly store: string;
  readonly change: GlobalChange;
}

/**
 * The global tables of one instance: whole copies of their topics, read to the end before any task starts, and followed from then on.
 *
 * Each task joins again what a change concerns, and commits up to where it has done so; a task that was elsewhere meanwhile asks for the keys that changed since (`changedSince`).
 */
export class GlobalTables {
  /** What this run of the instance is called: copies of tasks that were complete in another may lack what was done elsewhere since. */
  readonly run: string = randomUUID();
  readonly stores: ReadonlyMap<string, VersionedTableStore>;
  readonly #options: GlobalTablesOptions;
  readonly #broker: Broker;
  readonly #folder: StateFolder;
  readonly #positions = new Map<string, number[]>();
  readonly #topicIds: ReadonlyMap<string, string>;
  /** As of the last write: up to here those who read the copy see it. Empty before it is followed. */
  #readable: Readonly<Record<string, readonly number[]>> = {};
  readonly #state: SavedState;
  readonly #serdes: ReadonlyMap<string, Serde<unknown>>;
  #fetcher: Fetcher | undefined;
  readonly #stableEnds = new Map<string, number>();
  #queue: FetchedRecords[] = [];
  #working: Promise<void> | undefined;
  #closed = false;
  #ends: ReadonlyMap<string, number> | undefined;
  #givenUp = false;
  /** Reads of `changedSince` under way: ends them with an error. */
  readonly #reads = new Set<(error: unknown) => void>();
  #caughtUp: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  #onUpdates: (updates: readonly GlobalUpdate[]) => Promise<void> = async () => {};
  /** The topics were read to the ends that they had at the start. */
  #complete = false;
  #begun: Promise<void> | undefined;

  private constructor(
    broker: Broker,
    folder: StateFolder,
    options: GlobalTablesOptions,
    topicIds: ReadonlyMap<string, string>,
    state: SavedState,
  ) {
    this.#broker = broker;
    this.#folder = folder;
    this.#options = options;
    this.#topicIds = topicIds;
    const tables = options.topology.globalTables;
    this.#state = state;
    this.stores = new Map(
      tables.map(({ store, versioned }) => [
        store.name,
        new VersionedTableStore(store, folder.database, rowPrefix(this.#state.stores[store.name]!, sharedPartition), {
          keepsVersions: versioned,
          cacheBytes: options.cacheBytes / Math.max(1, tables.length),
          global: true,
        }),
      ]),
    );
    this.#serdes = new Map(
      tables.map(({ store, history }) => [
        store.name,
        (history === 'value' ? historySerde(store.valueSerde) : store.valueSerde) as Serde<unknown>,
      ]),
    );
    const written = readSaved(folder);
    if (written === undefined) return;
    for (const [topic, positions] of Object.entries(written.positions)) this.#positions.set(topic, [...positions]);
  }

  /** Opens an instance's folder. @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while another process has it. */
  static async open(broker: Broker, options: GlobalTablesOptions): Promise<GlobalTables> {
    const topicIds = await broker.admin.topicIds(topicsOf(options.topology));
    const folder = await openFolder(options);
    try {
      if (wasMadeAnew(readSaved(folder), topicIds)) {
        options.logger.warn(
          { topics: [...topicIds.keys()] },
          'a topic of a global table was recreated: so are the copies',
        );
        await deleteRows(folder);
      }
      const old = await outdatedTopics(folder, broker, options, topicIds);
      if (old.length > 0) {
        options.logger.warn(
          { topics: old },
          'the copy of a global table is so old that it may have missed deletions: it is read again',
        );
        await forgetTables(folder, options.topology, old);
      }
      const state = await stateOf(folder, broker, options);
      await forgetGone(folder, options.topology, state);
      const tables = new GlobalTables(broker, folder, options, topicIds, state);
      await goOn(folder, tables.#state);
      return tables;
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  get folder(): StateFolder {
    return this.#folder;
  }

  prefixOf(store: string): Uint8Array {
    return rowPrefix(this.#state.stores[store]!, sharedPartition);
  }

  /** How far each partition is applied and can be read, and how many records are not, as of the last fetch. Empty until the topics are followed. */
  lags(): KafkaGlobalStats[] {
    return Object.entries(this.#readable).flatMap(([topic, positions]) =>
      positions.map((position, partition) => ({
        topic,
        partition,
        position,
        lag: Math.max(0, (this.#stableEnds.get(partitionKey(topic, partition)) ?? position) - position),
      })),
    );
  }

  /** The id under which the instance was last a member of the group, if it did not leave in order. */
  get formerMember(): string | undefined {
    const bytes = this.#folder.database.get(memberKey);
    return bytes === undefined || bytes.length === 0 ? undefined : fromUtf8(bytes);
  }

  /** Writes down under which id the instance is a member; undefined: of none. */
  async saveMember(memberId: string | undefined): Promise<void> {
    if (memberId === this.formerMember) return;
    const batch = this.#folder.database.batch();
    if (memberId === undefined) batch.del(memberKey);
    else batch.put(memberKey, utf8(memberId));
    await batch.write({ sync: false });
    await batch.close();
  }

  /** Tasks begin to move: from now on no copy of an earlier run counts as complete. */
  beginRun(): Promise<void> {
    this.#begun ??= this.#writeRun();
    return this.#begun;
  }

  async #writeRun(): Promise<void> {
    const batch = this.#folder.database.batch();
    batch.put(runKey, utf8(this.run));
    await batch.write({ sync: true });
    await batch.close();
  }

  /** Positions of the partitions of each global topic as they are now: all before is in the tables. */
  get positions(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries([...this.#positions].map(([topic, positions]) => [topic, [...positions]]));
  }

  /**
   * Reads the topics to their stable ends, and follows them from then on.
   *
   * @param onUpdates - Gets the changes that come after that (none where only positions have moved); the tables show them already, and the next ones wait until it has resolved.
   */
  async start(onUpdates: (updates: readonly GlobalUpdate[]) => Promise<void>): Promise<void> {
    const topics = topicsOf(this.#options.topology);
    if (topics.length === 0) return;
    const counts = await this.#broker.admin.partitionCounts(topics);
    const missing = topics.find((topic) => !counts.has(topic));
    if (missing !== undefined)
      throw new StreamsError(
        'STREAMS_MISSING_SOURCE_TOPIC',
        `topic ${missing}, which holds a global table, does not exist on the broker. Create it with cleanup.policy=compact.`,
        { topic: missing },
      );
    const partitions = topics.flatMap((topic) =>
      Array.from({ length: counts.get(topic)! }, (_, partition) => ({ topic, partition })),
    );
    const { admin } = this.#broker;
    const configs = await admin.topicConfigs(topics);
    // One that is compacted begins later only where somebody has deleted records.
    const compacted = new Set(topics.filter((topic) => configs.get(topic)?.['cleanup.policy'] === 'compact'));
    const ends = await admin.offsets(partitions, 'stable');
    const starts = await admin.offsets(partitions, 'earliest');
    // The wait for the broker is long enough to be closed in.
    if (this.#closed) throw closedEarly();
    this.#ends = new Map(partitions.map(({ topic, partition }, i) => [partitionKey(topic, partition), ends[i]!]));
    this.#fetcher = this.#broker.fetcher({
      isolation: 'read_committed',
      receive: (records) => this.#receive(records),
      failed: (partition, _kind, error) => this.#fail(unreadableTopic(partition.topic, error)),
    });
    const caughtUp = new Promise<void>((resolve, reject) => {
      this.#caughtUp = { resolve, reject };
    });
    caughtUp.catch(() => {});
    for (const [i, { topic, partition }] of partitions.entries()) {
      let positions = this.#positions.get(topic);
      if (positions === undefined) {
        positions = [];
        this.#positions.set(topic, positions);
      }
      // One that is shorter than it was has lost records: what there is is read from its start.
      const known = positions[partition] ?? 0;
      const before = this.#options.joined[topic]?.[partition] ?? 0;
      if (before > ends[i]!)
        this.#options.lost(
          lossError('table', { topic, partition }, `ends at ${ends[i]}, and tasks have joined it up to ${before}`),
        );
      else if (known < starts[i]! && before > 0 && compacted.has(topic))
        this.#options.lost(
          lossError(
            'table',
            { topic, partition },
            `begins at ${starts[i]}, and this instance has read it up to ${known}: rows that tasks have joined are gone`,
          ),
        );
      positions[partition] = known > ends[i]! ? starts[i]! : Math.max(known, starts[i]!);
      this.#fetcher.add({ topic, partition, offset: positions[partition]! });
    }
    this.#readable = this.positions;
    if (this.#isComplete()) await this.#save();
    this.#checkCaughtUp();
    await caughtUp;
    this.#onUpdates = onUpdates;
  }

  /**
   * Keys of each store whose records lie between these positions and now: what a task has to join again that stood there.
   */
  async changedSince(
    positions: Readonly<Record<string, readonly number[]>>,
  ): Promise<ReadonlyMap<string, readonly unknown[]>> {
    const keys = new Map<string, Map<string, unknown>>();
    for (const [topic, now] of this.#positions)
      for (const [partition, end] of now.entries()) {
        const known = positions[topic]?.[partition] ?? 0;
        // A topic that is shorter than what was joined was recreated: all of it is joined again.
        const from = known > end ? 0 : known;
        if (from < end) await this.#keysBetween(topic, partition, from, end, keys);
      }
    return new Map([...keys].map(([store, found]) => [store, [...found.values()]]));
  }

  /** Nobody waits any more for what `changedSince` reads: with a broker that is gone it would never end. */
  giveUp(): void {
    this.#givenUp = true;
    for (const giveUp of this.#reads) giveUp(closedEarly());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.giveUp();
    this.#caughtUp?.reject(closedEarly());
    this.#caughtUp = undefined;
    await this.#fetcher?.close();
    this.#queue = [];
    await this.#working?.catch(() => {});
    await this.#folder.close();
  }

  async #keysBetween(
    topic: string,
    partition: number,
    from: number,
    end: number,
    keys: Map<string, Map<string, unknown>>,
  ): Promise<void> {
    const [start] = await this.#broker.admin.offsets([{ topic, partition }], 'earliest');
    if (this.#givenUp) throw closedEarly();
    const tables = this.#options.topology.globalTables.filter((table) => table.topic === topic);
    let giveUp: (error: unknown) => void = () => {};
    await new Promise<void>((resolve, reject) => {
      const fetcher = this.#broker.fetcher({
        isolation: 'read_committed',
        receive: (records) => {
          for (let i = 0; i < records.length; i++) {
            if (records.offsets[i]! >= end || records.keyStarts[i]! < 0) continue;
            const bytes = records.bytes.subarray(records.keyStarts[i]!, records.keyEnds[i]!);
            for (const { store } of tables) {
              let found = keys.get(store.name);
              if (found === undefined) {
                found = new Map();
                keys.set(store.name, found);
              }
              try {
                found.set(bytes.toString('latin1'), store.keySerde.deserialize(bytes));
              } catch {
                // Told of when the table read it.
              }
            }
          }
          if (records.nextOffset >= end) fetcher.close().then(resolve, reject);
        },
        failed: (_partition, _kind, error) => {
          fetcher.close().then(() => reject(unreadableTopic(topic, error)), reject);
        },
      });
      giveUp = (error) => {
        reject(error);
        fetcher.close().catch(() => {});
      };
      this.#reads.add(giveUp);
      fetcher.add({ topic, partition, offset: Math.max(from, start!) });
    }).finally(() => this.#reads.delete(giveUp));
  }

  #receive(records: FetchedRecords): void {
    this.#stableEnds.set(partitionKey(records.topic, records.partition), records.stableEnd);
    this.#queue.push(records);
    this.#startWork();
  }

  #startWork(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // What came when the last of it was done already.
      if (this.#queue.length > 0 && !this.#closed) this.#startWork();
    });
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const chunks = this.#queue.splice(0, 64);
        const updates: GlobalUpdate[] = [];
        for (const records of chunks) this.#apply(records, updates);
        this.#isComplete();
        await this.#save();
        // Told without changes too: tasks commit how far they have come, and somebody may wait for that.
        await this.#onUpdates(updates);
        this.#checkCaughtUp();
      }
    } catch (error) {
      this.#queue = [];
      this.#fail(error);
    }
  }

  #apply(records: FetchedRecords, updates: GlobalUpdate[]): void {
    for (const table of this.#options.topology.globalTables)
      if (table.topic === records.topic)
        for (let i = 0; i < records.length; i++) {
          try {
            this.#applyOne(table, records, i, updates);
          } catch (error) {
            this.#options.unreadable(table, records, i, error);
          }
        }
    this.#positions.get(records.topic)![records.partition] = records.nextOffset;
  }

  #applyOne(table: GlobalTableSpec, records: FetchedRecords, i: number, updates: GlobalUpdate[]): void {
    const { bytes, keyStarts, keyEnds, valueStarts, valueEnds, timestamps } = records;
    if (keyStarts[i]! < 0) throw new Error('a record of a table needs a key');
    const key: unknown = table.store.keySerde.deserialize(bytes.subarray(keyStarts[i]!, keyEnds[i]!));
    const value: unknown =
      valueStarts[i]! < 0
        ? undefined
        : this.#serdes.get(table.store.name)!.deserialize(bytes.subarray(valueStarts[i]!, valueEnds[i]!));
    const store = this.stores.get(table.store.name)!;
    const intervals =
      table.history === 'record'
        ? store.put(key, value, timestamps[i]!)
        : store.replaceHistory(key, (value ?? []) as readonly Version<unknown>[]);
    if (intervals.length > 0) updates.push({ store: table.store.name, change: { key, intervals } });
  }

  async #save(): Promise<void> {
    const batch: WriteBatch = this.#folder.database.batch();
    for (const store of this.stores.values()) store.flush(batch);
    const saved: SavedGlobal = {
      positions: this.positions,
      topicIds: Object.fromEntries(this.#topicIds),
      atMs: Date.now(),
      complete: this.#complete,
    };
    batch.put(positionsKey, utf8(JSON.stringify(saved)));
    await batch.write({ sync: false });
    this.#readable = saved.positions;
    await batch.close();
  }

  #checkCaughtUp(): void {
    if (this.#caughtUp === undefined || !this.#isComplete()) return;
    this.#caughtUp.resolve();
    this.#caughtUp = undefined;
  }

  #isComplete(): boolean {
    this.#complete ||= [...this.#positions].every(([topic, positions]) =>
      positions.every((position, partition) => position >= (this.#ends!.get(partitionKey(topic, partition)) ?? 0)),
    );
    return this.#complete;
  }

  #fail(error: unknown): void {
    if (this.#caughtUp !== undefined) {
      this.#caughtUp.reject(error);
      this.#caughtUp = undefined;
    } else this.#options.failed(error);
  }
}

/** A damaged copy is no loss: the topics have all of it. */
async function openFolder({ stateDir, openDatabase, rebuilt }: GlobalTablesOptions): Promise<StateFolder> {
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

function topicsOf(topology: Topology): readonly string[] {
  return [...new Set(topology.globalTables.map(({ topic }) => topic))];
}

function readSaved({ database }: StateFolder): SavedGlobal | undefined {
  const bytes = database.get(positionsKey);
  return bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as SavedGlobal);
}

function wasMadeAnew(saved: SavedGlobal | undefined, topicIds: ReadonlyMap<string, string>): boolean {
  return Object.entries(saved?.topicIds ?? {}).some(([topic, id]) => topicIds.has(topic) && topicIds.get(topic) !== id);
}

/** Rows of a table that the folder has otherwise, or not at all, and of one that leaves it, are of no use: positions say nothing of them any more, whatever ends the start from now on. */
async function forgetGone(folder: StateFolder, { globalTables }: Topology, { stores }: SavedState): Promise<void> {
  const written = readSaved(folder);
  if (written === undefined) return;
  const kept = globalTables.filter(({ store }) => folder.saved?.stores[store.name] === stores[store.name]);
  const positions = Object.entries(written.positions).filter(([name]) => kept.some(({ topic }) => topic === name));
  if (positions.length === Object.keys(written.positions).length) return;
  const batch = folder.database.batch();
  batch.put(positionsKey, utf8(JSON.stringify({ ...written, positions: Object.fromEntries(positions) })));
  await batch.write({ sync: false });
  await batch.close();
}

/** Topics that keep of each key the last record alone, and whose copies are behind, and so old that the broker may have forgotten deletions since. What only a copy has is kept: versions, and what lies before the topic's begin. */
async function outdatedTopics(
  folder: StateFolder,
  { admin }: Broker,
  { topology, deleteRetentionMs }: GlobalTablesOptions,
  topicIds: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const { positions = {}, atMs = 0 } = readSaved(folder) ?? {};
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
  const written = readSaved(folder)!;
  const positions = Object.entries(written.positions).filter(([topic]) => !topics.includes(topic));
  const batch = folder.database.batch();
  batch.put(positionsKey, utf8(JSON.stringify({ ...written, positions: Object.fromEntries(positions) })));
  for (const { topic, store } of globalTables) {
    const number = topics.includes(topic) ? folder.saved?.stores[store.name] : undefined;
    if (number === undefined) continue;
    for await (const page of folder.database.pages(storeRange(number))) for (const [key] of page) batch.del(key);
  }
  await batch.write({ sync: false });
  await batch.close();
}

async function deleteRows({ database }: StateFolder): Promise<void> {
  const batch = database.batch();
  batch.del(positionsKey);
  for await (const page of database.pages(allRows)) for (const [key] of page) batch.del(key);
  await batch.write({ sync: false });
  await batch.close();
}

function closedEarly(): StreamsError {
  return new StreamsError('STREAMS_CLOSED', 'the client was closed before it had read its tables.');
}

function unreadableTopic(topic: string, error: unknown): StreamsError {
  return StreamsError.from(
    error,
    'STREAMS_BROKER',
    `topic ${topic} of a global table cannot be read: ${messageOf(error)}. See the broker's log.`,
    { topic },
  );
}
