import type { WriteBatch } from '../../state/database.ts';
import { isAbsent } from '../common/absent.ts';
import { StreamsError } from '../common/errors.ts';
import { type Drop, type DropReason, dropReasons } from '../processor/drop-reason.ts';
import {
  asEnd,
  failureOf,
  followsGlobalTable,
  type GlobalChange,
  isRecordFailure,
  type ProcessorNode,
  type ReleasesAtFlush,
  releasesAtFlush,
} from '../processor/node.ts';
import { noHeaders } from '../processor/record.ts';
import type { Version } from '../processor/rows.ts';
import type { SinkSpec } from '../topology/node-spec.ts';
import type { SubTopology } from '../topology/sub-topology.ts';
import type { Topology } from '../topology/topology.ts';
import { AheadWrites, aheadBytes } from './ahead-writes.ts';
import { EngineStores, type EngineStoresOptions, historyShare } from './engine-stores.ts';
import { InternalTopics } from './internal-topics.ts';
import { type OutputReceiver, RepartitionSinkNode, SinkNode, SourceNode } from './runtime-nodes.ts';
import type { CacheMeter } from './stores/cache-meter.ts';
import { CachedTable } from './stores/cached-table.ts';
import type { VersionedTableStore } from './stores/versioned-table-store.ts';
import { type SavedTask, Task, type TaskHost, type TaskId, type TaskSource } from './task.ts';

/** What an engine is made with. */
export interface EngineOptions extends EngineStoresOptions {
  readonly applicationId: string;
  readonly tasks: readonly TaskId[];
  /**
   * Makes the node that writes to a topic, an internal one or one of the user's. Absent: the engine has the tasks of both ends of internal topics, with queues between
   * them, and `output` takes all else.
   */
  readonly makeSink?: (spec: SinkSpec) => ProcessorNode;
  /** Global tables that somebody else keeps and writes. Absent: the engine's own. */
  readonly globalTables?: ReadonlyMap<string, VersionedTableStore>;
  readonly maxFutureMs: number;
  readonly output?: OutputReceiver;
  readonly dropped: (task: Task, drop: Drop) => void;
  /** A node refuses the record in process, or what was made of it. @throws StreamsError if that is the end @defaultValue it is thrown */
  readonly refused?: (failure: StreamsError) => void;
  /** What becomes of what a node refuses at a flush, in a punctuation or after a change of a global table: it belongs to no single record. @defaultValue it is thrown */
  readonly failedLater?: (error: StreamsError) => 'continue' | 'fail';
  readonly wallClockMs: () => number;
}

/** A step of a flush. Steps follow the order of their nodes in the topology, so that one pass empties all. */
interface FlushStep {
  readonly order: number;
  /** A table, or a node that waited for the tables above it. */
  readonly flushed: CachedTable<unknown, unknown> | ReleasesAtFlush;
}

/** How many rows are flushed before the queues are drained. */
const flushSlice = 2048;
/** Tables with so many changed rows are flushed before their turn. */
const earlyFlush = 16_384;
/** Of so many rows that a slice of a flush gives a table, few fall together. */
const mostlyNew = 0.9 * flushSlice;

/**
 * All tasks of a topology in one process over one database: takes records in, drains the queues between sub-topologies, and puts everything that changed
 * into one batch.
 */
export class TopologyEngine implements TaskHost {
  readonly applicationId: string;
  readonly topology: Topology;
  readonly tasks: readonly Task[];
  readonly tables: readonly CachedTable<unknown, unknown>[];
  /** The global tables. */
  readonly versioned: ReadonlyMap<string, VersionedTableStore>;
  /** Versioned stores of single tasks. */
  readonly taskVersioned: VersionedTableStore[] = [];
  readonly meter: CacheMeter = {
    dirtyBytes: 0,
    cachedBytes: 0,
    filterBytes: 0,
    filterMaxBytes: 0,
    flushedRows: 0,
    writing: Promise.resolve(),
  };
  /** Records of global tables' topics that were dropped, by reason. */
  readonly globalDropped: Record<DropReason, number> = Object.fromEntries(
    dropReasons.map((reason) => [reason, 0]),
  ) as Record<DropReason, number>;
  commitRequested = false;
  #cacheMaxBytes = 0;
  readonly #options: EngineOptions;
  readonly #flushSteps: readonly FlushStep[];
  readonly #internal: InternalTopics | undefined;
  readonly #nodes: { readonly task: Task; readonly node: ProcessorNode }[] = [];
  readonly #bySource = new Map<string, { readonly task: Task; readonly source: TaskSource }[]>();
  #pending: Promise<void> | undefined;
  #ahead: AheadWrites | undefined;
  #final = false;
  /** What is done now that is about no single record, as errors call it. */
  #apart: string | undefined;
  readonly #busy = (): boolean => this.#pending !== undefined;

  constructor(topology: Topology, options: EngineOptions) {
    this.topology = topology;
    this.applicationId = options.applicationId;
    this.#options = options;
    this.cacheMaxBytes = options.cacheMaxBytes;
    const stores = new EngineStores(topology, options, this.meter);
    this.versioned = options.globalTables ?? stores.globalTables();
    const parts = topology.subTopologies;
    if (options.makeSink === undefined) this.#internal = internalTopicsOf(topology, parts, options.tasks);
    const steps: FlushStep[] = [];
    this.tasks = options.tasks.map(({ subTopology, partition }) =>
      this.#makeTask(topology.subTopology(subTopology), partition, stores, steps),
    );
    this.#internal?.connect(this.tasks, (task, source, key, value, timestamp, headers) => {
      task.process(source, key, value, timestamp, -1, options.maxFutureMs, headers);
    });
    this.#flushSteps = steps.sort((a, b) => a.order - b.order);
    this.tables = this.#flushSteps.map(({ flushed }) => flushed).filter((flushed) => flushed instanceof CachedTable);
  }

  /** Memory for cached rows, bytes: those above a quarter of it are forgotten when they are written. */
  get cacheMaxBytes(): number {
    return this.#cacheMaxBytes;
  }

  set cacheMaxBytes(bytes: number) {
    this.#cacheMaxBytes = bytes;
    this.meter.filterMaxBytes = bytes / 8;
  }

  /** Bytes of all that is kept of rows: of a global table's histories at most their part of the memory. */
  get cachedBytes(): number {
    let bytes = this.meter.cachedBytes + this.meter.filterBytes;
    if (this.#options.globalTables === undefined && this.versioned.size > 0) {
      let histories = 0;
      for (const store of this.versioned.values()) histories += store.cachedBytes;
      bytes += Math.min(histories, this.cacheMaxBytes * historyShare);
    }
    return bytes;
  }

  /** Bytes by which the caches may grow between two looks at them. */
  get cacheStep(): number {
    return this.cacheMaxBytes / 16;
  }

  /** Reads back what tables and nodes keep in memory; `saved` gives a task's clocks. */
  async open(saved: (taskId: string) => SavedTask | undefined): Promise<void> {
    for (const table of this.tables) await table.open();
    for (const { task, node } of this.#nodes) node.init(task);
    for (const task of this.tasks) {
      const clocks = saved(task.taskId);
      if (clocks !== undefined) task.restore(clocks);
    }
    for (const { node } of this.#nodes) await node.restore();
    await this.settle();
  }

  close(): void {
    for (const { node } of this.#nodes) node.close();
  }

  /** The tasks that read a topic, by partition. */
  readersOf(topic: string): readonly { readonly task: Task; readonly source: TaskSource }[] {
    const readers = this.#bySource.get(topic);
    if (readers === undefined)
      throw new StreamsError(
        'STREAMS_MISSING_SOURCE_TOPIC',
        `the topology reads no topic ${topic}. It reads: ${this.topology.sourceTopics.join(', ')}.`,
      );
    return readers;
  }

  /** Whether something waits in a queue or for a promise. */
  get unsettled(): boolean {
    return this.#pending !== undefined || (this.#internal !== undefined && this.#internal.waiting !== 0);
  }

  /** Takes the queues' records through their tasks until they are empty or a node is busy. */
  drain(): void {
    this.#internal?.drain(this.#busy);
  }

  /** Drains, waiting for busy nodes. */
  async settle(): Promise<void> {
    this.drain();
    while (this.#pending !== undefined) {
      const pending = this.#pending;
      this.#pending = undefined;
      await pending;
      this.drain();
    }
  }

  /**
   * Puts all that changed into the batch, sub-topology by sub-topology, until nothing is left. Returns how many rows that were.
   *
   * @param sync - What is written ahead of the batch, where it is much, is to survive a loss of power.
   */
  async flush(batch: WriteBatch, how: { readonly sync: boolean }): Promise<number> {
    await this.settle();
    this.#apart = 'at a commit';
    try {
      return await this.#flush(batch, how);
    } finally {
      this.#apart = undefined;
    }
  }

  async #flush(batch: WriteBatch, { sync }: { readonly sync: boolean }): Promise<number> {
    this.#ahead = new AheadWrites(this.#options.database, this.tables, aheadBytes(this.cacheMaxBytes), sync);
    // What a cache tells of stands for many records: it has the headers of none.
    for (const task of this.tasks) task.headers = noHeaders;
    const before = this.meter.flushedRows;
    do {
      for (const { flushed } of this.#flushSteps) {
        if (flushed instanceof CachedTable) await this.#flushTable(flushed, batch);
        else await this.#insist(() => flushed.flushed(this.#final));
        if (this.unsettled) await this.#insist(() => this.settle());
      }
    } while (this.tables.some((table) => table.hasDirty));
    // Clean rows can be read again from their pages: they must not make the next commit early.
    for (const table of this.tables) if (this.meter.cachedBytes > this.cacheMaxBytes / 4) table.forget();
    if (this.#options.globalTables === undefined) for (const store of this.versioned.values()) store.flush(batch);
    for (const store of this.taskVersioned) store.flush(batch);
    await this.#ahead.settled();
    for (const table of this.tables) {
      await table.flushExpired(batch);
      table.seal(batch);
    }
    return this.meter.flushedRows - before;
  }

  /** The batch of the last flush is written. */
  written(): void {
    for (const table of this.tables) table.written();
  }

  /** No more input will come: with the next flush leaves what waits for the end of windows. */
  finish(): void {
    this.#final = true;
  }

  /** Replaces a global table's histories of these keys and joins again what depends on them. Returns how many keys changed. */
  async replaceHistories(
    store: string,
    histories: readonly (readonly [key: unknown, versions: readonly Version<unknown>[]])[],
  ): Promise<number> {
    const table = this.versioned.get(store);
    if (table === undefined)
      throw new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `there is no global table ${store}.`);
    const changes: GlobalChange[] = [];
    for (const [key, versions] of histories) {
      const intervals = table.replaceHistory(key, versions);
      if (intervals.length > 0) changes.push({ key, intervals });
    }
    await this.rejoin(store, changes);
    return changes.length;
  }

  /** Takes one record of a global table's topic: a version, or a whole history, as the table was declared. */
  async putGlobal(topic: string, key: unknown, value: unknown, timestamp: number): Promise<void> {
    for (const { topic: own, store, history } of this.topology.globalTables) {
      if (own !== topic) continue;
      if (isAbsent(key)) {
        this.globalDropped.null_key++;
        continue;
      }
      const table = this.versioned.get(store.name)!;
      const intervals =
        history === 'record'
          ? table.put(key, value ?? undefined, timestamp)
          : table.replaceHistory(key, (value ?? []) as readonly Version<unknown>[]);
      await this.rejoin(store.name, intervals.length === 0 ? [] : [{ key, intervals }]);
    }
  }

  /** Joins again what depends on these keys of a global table. */
  async rejoin(store: string, changes: readonly GlobalChange[]): Promise<void> {
    if (changes.length === 0) return;
    for (const { task, node } of this.#nodes)
      if (followsGlobalTable(node) && node.globalStore === store) {
        // Not those of the record that was processed last.
        task.headers = noHeaders;
        this.#apart = `after a change of global table ${store}`;
        try {
          await node.rejoin(changes);
          await this.settle();
        } catch (error) {
          throw failureOf(node, error);
        } finally {
          this.#apart = undefined;
        }
      }
  }

  /** Flushes a table. What it changes downstream is flushed early where that is much, so that a large commit needs little memory. */
  async #flushTable(table: CachedTable<unknown, unknown>, batch: WriteBatch): Promise<void> {
    const later = this.tables.slice(this.tables.indexOf(table) + 1);
    // A table below that gets about a row for each row of a long flush keeps few of them: those that wait for long are garbage that only a slow collection finds.
    const long = table.dirtyRows >= earlyFlush;
    for (let done = !table.hasDirty; !done; ) {
      const dirtyBefore = long ? later.map(({ dirtyRows }) => dirtyRows) : [];
      await this.#insist(() => {
        done = table.flush(batch, flushSlice);
      });
      await this.#insist(() => this.settle());
      await this.#ahead?.write();
      for (const [i, other] of later.entries())
        if (other.dirtyRows >= earlyFlush || other.dirtyRows - (dirtyBefore[i] ?? Infinity) >= mostlyNew) {
          await this.#flushTable(other, batch);
          other.forget();
        }
      if (!done) await breathe();
    }
  }

  /** Does a part of a flush until nothing of it is left: a row that cannot be written is passed over if the handler says so. */
  async #insist(part: () => Promise<void> | void): Promise<void> {
    for (;;) {
      try {
        await part();
        return;
      } catch (error) {
        this.#passOver(error, 'at a commit');
      }
    }
  }

  /** A node of a task has refused what it was given. @throws StreamsError if that is the end: else the nodes beside it go on */
  refused(task: Task, failure: StreamsError): void {
    const { refused } = this.#options;
    if (task.punctuating) this.#passOver(failure, 'in a punctuation', task);
    else if (this.#apart !== undefined) this.#passOver(failure, this.#apart, task);
    else if (refused !== undefined && isRecordFailure(failure)) refused(failure);
    else throw failure;
  }

  #passOver(error: unknown, when: string, of?: Task): void {
    if (!isRecordFailure(error) || error.details.nodeName === undefined) throw error;
    const { nodeName } = error.details;
    const placed = new StreamsError(error.code, `${when}: ${error.message}`, error.details);
    if (this.#options.failedLater?.(placed) !== 'continue') throw asEnd(placed);
    const part = this.topology.subTopologies.find(({ nodes }) => nodes.some(({ name }) => name === nodeName));
    const task = of ?? this.tasks.find(({ subTopology }) => subTopology === part?.id);
    if (task !== undefined) task.stats.dropped.processing++;
  }

  dropped(task: Task, drop: Drop): void {
    this.#options.dropped(task, drop);
  }

  waitFor(promise: Promise<void>): void {
    this.#pending = this.#pending === undefined ? promise : Promise.all([this.#pending, promise]).then(() => {});
    // Who settles is told. A failure after which nobody settles must not end the process.
    this.#pending.catch(() => {});
  }

  get busy(): boolean {
    return this.#pending !== undefined;
  }

  whenFree(work: () => void): void {
    this.waitFor((this.#pending ?? Promise.resolve()).then(work));
  }

  requestCommit(): void {
    this.commitRequested = true;
  }

  wallClockMs(): number {
    return this.#options.wallClockMs();
  }

  #makeTask(part: SubTopology, partition: number, stores: EngineStores, steps: FlushStep[]): Task {
    const tables = stores.tables(part, partition);
    const nodes = this.#makeNodes(part);
    const all = this.topology.nodes;
    for (const [name, table] of tables) {
      const order = all.findIndex((node) => node.kind === 'processor' && node.stores.includes(name));
      steps.push({ order, flushed: table });
    }
    // Before its own table: what it gives out is a change of it.
    const names = all.map(({ name }) => name);
    for (const node of nodes.values())
      if (releasesAtFlush(node)) steps.unshift({ order: names.indexOf(node.name), flushed: node });
    const sources = new Map<string, TaskSource>();
    for (const spec of part.sources)
      for (const topic of spec.topics)
        sources.set(topic, { topic, spec, node: nodes.get(spec.name)!, partitionTimeMs: -1 });
    const own = stores.versioned(part, partition);
    this.taskVersioned.push(...own.values());
    const versioned = new Map([...this.versioned, ...own]);
    const task = new Task(this, { subTopology: part.id, partition }, sources, tables, versioned);
    for (const node of nodes.values()) {
      node.refused = (failure) => this.refused(task, failure);
      this.#nodes.push({ task, node });
    }
    for (const [topic, source] of sources) {
      const readers = this.#bySource.get(topic);
      if (readers === undefined) this.#bySource.set(topic, [{ task, source }]);
      else readers.push({ task, source });
    }
    return task;
  }

  #makeNodes(part: SubTopology): Map<string, ProcessorNode> {
    const nodes = new Map<string, ProcessorNode>();
    for (const spec of part.nodes) {
      if (spec.kind === 'source') nodes.set(spec.name, new SourceNode(spec.name));
      else if (spec.kind === 'processor') nodes.set(spec.name, spec.create());
      else {
        nodes.set(spec.name, this.#makeSink(spec));
      }
    }
    for (const spec of part.nodes) {
      const children = part.nodes.filter((node) => node.kind !== 'source' && node.parents.includes(spec.name));
      nodes.get(spec.name)!.children = children.map((child) => nodes.get(child.name)!);
    }
    return nodes;
  }

  #makeSink(spec: SinkSpec): ProcessorNode {
    const { makeSink, output } = this.#options;
    if (makeSink !== undefined) return makeSink(spec);
    const queues = this.#internal?.queuesOf(spec.topic);
    return queues === undefined ? new SinkNode(spec, output ?? (() => {})) : new RepartitionSinkNode(spec, queues);
  }
}

/** The queues between the tasks of one engine. */
function internalTopicsOf(topology: Topology, parts: readonly SubTopology[], tasks: readonly TaskId[]): InternalTopics {
  return new InternalTopics(topology, (topic) => {
    const reader = parts.find(({ sources }) => sources.some(({ topics }) => topics.includes(topic)))!;
    return tasks.filter(({ subTopology }) => subTopology === reader.id).length;
  });
}

/** Lets other work of the process run: a long flush must not starve HTTP. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
