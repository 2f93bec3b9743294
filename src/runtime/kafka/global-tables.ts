import type { Broker, Fetcher } from '../../clients/broker.ts';
import { partitionKey } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import type { GlobalChange } from '../../processor/node.ts';
import type { Version } from '../../processor/rows.ts';
import { historySerde } from '../../serde/history.ts';
import type { Serde } from '../../serde/serde.ts';
import type { GlobalTableSpec } from '../../topology/node-spec.ts';
import { VersionedTableStore } from '../stores/versioned-table-store.ts';
import { GlobalFolder, type GlobalFolderOptions, type GlobalPositions, globalTopics } from './global-folder.ts';
import type { KafkaGlobalStats } from './kafka-stats.ts';
import { lossError } from './loss-errors.ts';

/** What global tables are opened with. */
export interface GlobalTablesOptions extends GlobalFolderOptions {
  readonly cacheBytes: number;
  /** Positions of the topics up to which tasks have joined them: rows before are in what they have counted. */
  readonly joined: GlobalPositions;
  /** Told of records that tasks have joined and nobody can read any more. What it throws ends the start. */
  readonly lost: (error: StreamsError) => void;
  /** Told of a record that cannot be read; it is passed over. */
  readonly unreadable: (table: GlobalTableSpec, records: FetchedRecords, i: number, error: unknown) => void;
  readonly failed: (error: unknown) => void;
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
  readonly folder: GlobalFolder;
  readonly stores: ReadonlyMap<string, VersionedTableStore>;
  readonly #options: GlobalTablesOptions;
  readonly #broker: Broker;
  readonly #positions: Map<string, number[]>;
  /** As of the last write: up to here those who read the copy see it. Empty before it is followed. */
  #readable: GlobalPositions = {};
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

  private constructor(broker: Broker, folder: GlobalFolder, options: GlobalTablesOptions) {
    this.#broker = broker;
    this.folder = folder;
    this.#options = options;
    this.#positions = new Map(Object.entries(folder.positions).map(([topic, positions]) => [topic, [...positions]]));
    const tables = options.topology.globalTables;
    this.stores = new Map(
      tables.map(({ store, versioned }) => [
        store.name,
        new VersionedTableStore(store, folder.database, folder.prefixOf(store.name), {
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
  }

  /** Opens an instance's folder. @throws StreamsError `STREAMS_STATE_STORE_LOCKED` while another process has it, `STREAMS_STATE_INCOMPATIBLE` */
  static async open(broker: Broker, options: GlobalTablesOptions): Promise<GlobalTables> {
    return new GlobalTables(broker, await GlobalFolder.open(broker, options), options);
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

  /** Positions of the partitions of each global topic as they are now: all before is in the tables. */
  get positions(): GlobalPositions {
    return Object.fromEntries([...this.#positions].map(([topic, positions]) => [topic, [...positions]]));
  }

  /**
   * Reads the topics to their stable ends, and follows them from then on.
   *
   * @param onUpdates - Gets the changes that come after that (none where only positions have moved); the tables show them already, and the next ones wait until it has resolved.
   */
  async start(onUpdates: (updates: readonly GlobalUpdate[]) => Promise<void>): Promise<void> {
    const topics = globalTopics(this.#options.topology);
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
  async changedSince(positions: GlobalPositions): Promise<ReadonlyMap<string, readonly unknown[]>> {
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
    await this.folder.close();
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
    const { positions } = this;
    const batch = this.folder.database.batch();
    for (const store of this.stores.values()) store.flush(batch);
    this.folder.save(batch, positions, this.#complete);
    await batch.write({ sync: false });
    this.#readable = positions;
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
