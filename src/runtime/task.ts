import { messageOf, StreamsError } from '../common/errors.ts';
import { type Drop, type DropReason, dropOf, dropReasons } from '../processor/drop-reason.ts';
import type { NodeContext, OperatorClock, ProcessorNode, TableStore, VersionedTable } from '../processor/node.ts';
import { type ConsumedRecord, type Header, noHeaders } from '../processor/record.ts';
import type { Version } from '../processor/rows.ts';
import type { SourceSpec } from '../topology/node-spec.ts';
import type { TaskStats, TaskWork } from './engine-stats.ts';
import { RecordTimesCounter } from './record-times.ts';
import { refusedTime } from './refused-time.ts';
import { type SavedSchedules, Schedules } from './schedules.ts';
import type { CachedTable } from './stores/cached-table.ts';
import type { VersionedTableStore } from './stores/versioned-table-store.ts';

/** A sub-topology and the partition of it that a task works on. */
export interface TaskId {
  readonly subTopology: number;
  readonly partition: number;
}

/** `0_3`: sub-topology 0, partition 3. */
export function taskIdText({ subTopology, partition }: TaskId): string {
  return `${subTopology}_${partition}`;
}

/** What tasks need of the engine that runs them. */
export interface TaskHost {
  readonly applicationId: string;
  /** The record in process is dropped, by a node or before it reached one. */
  dropped(task: Task, drop: Drop): void;
  waitFor(promise: Promise<void>): void;
  /** Something is waited for. */
  readonly busy: boolean;
  /** Does this when nothing is waited for any more; then it is waited for, too. */
  whenFree(work: () => void): void;
  requestCommit(): void;
  wallClockMs(): number;
}

/** A source at work in a task. */
export interface TaskSource {
  readonly topic: string;
  readonly spec: SourceSpec;
  readonly node: ProcessorNode;
  /** Highest time seen, by partition of the source's topics. */
  partitionTimeMs: number;
}

/** A task's clocks and counters as they are saved at commit. */
export interface SavedTask {
  readonly streamTimeMs: number;
  readonly partitionTimeMs: Readonly<Record<string, number>>;
  readonly operatorTimeMs: Readonly<Record<string, number>>;
  readonly punctuations: SavedSchedules;
  readonly processed: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** Where the headers of a record are read when somebody asks for them. */
export interface HeaderSource {
  headers(i: number): readonly Header[];
}

/** The record in process, filled again for each. */
class CurrentRecord implements ConsumedRecord<unknown, unknown> {
  topic = '';
  partition = 0;
  offset = -1;
  key: unknown = undefined;
  value: unknown = undefined;
  timestamp = -1;
  #headers: readonly Header[] = noHeaders;
  #source: HeaderSource | undefined;
  #at = 0;

  get headers(): readonly Header[] {
    if (this.#source !== undefined) this.headers = this.#source.headers(this.#at);
    return this.#headers;
  }

  set headers(headers: readonly Header[]) {
    this.#source = undefined;
    this.#headers = headers;
  }

  headersFrom(source: HeaderSource, at: number): void {
    this.#source = source;
    this.#at = at;
  }
}

/** What `timeOf` says of a record from the future: it sorts after all others. */
const futureTime = Number.POSITIVE_INFINITY;
/** And of one whose time is none: it comes first, since it is only put aside. */
const invalidTime = Number.NEGATIVE_INFINITY;

/**
 * A sub-topology at work on one partition: its nodes, stores and clocks. The unit of order, state and commit.
 *
 * Kafka Streams: `processor/internals/StreamTask.java`.
 */
export class Task implements NodeContext {
  readonly taskId: string;
  readonly subTopology: number;
  readonly partition: number;
  readonly sources: ReadonlyMap<string, TaskSource>;
  readonly stats: TaskStats;
  streamTimeMs = -1;
  readonly times: RecordTimesCounter = new RecordTimesCounter();
  punctuating = false;
  readonly #host: TaskHost;
  readonly #tables: ReadonlyMap<string, CachedTable<unknown, unknown>>;
  readonly #versioned: ReadonlyMap<string, VersionedTableStore>;
  readonly #clocks = new Map<string, OperatorClock>();
  readonly #streamSchedules = new Schedules();
  readonly #wallSchedules = new Schedules();
  readonly #record = new CurrentRecord();
  /** What was done before this process, or by another. */
  #before: Pick<SavedTask, 'processed' | 'dropped'> = { processed: 0, dropped: {} };
  /** The time of the record in process as its source told it, whatever that is. */
  #extracted = -1;

  constructor(
    host: TaskHost,
    id: TaskId,
    sources: ReadonlyMap<string, TaskSource>,
    tables: ReadonlyMap<string, CachedTable<unknown, unknown>>,
    versioned: ReadonlyMap<string, VersionedTableStore>,
  ) {
    this.#host = host;
    this.subTopology = id.subTopology;
    this.partition = id.partition;
    this.taskId = taskIdText(id);
    this.sources = sources;
    this.#tables = tables;
    this.#versioned = versioned;
    this.stats = {
      taskId: this.taskId,
      topics: [...sources.keys()],
      partition: id.partition,
      processed: 0,
      dropped: Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>,
      streamTimeMs: -1,
      operatorTimeMs: {},
      bufferedRecords: 0,
      punctuations: 0,
    };
  }

  get applicationId(): string {
    return this.#host.applicationId;
  }

  get topic(): string {
    return this.#record.topic;
  }

  get offset(): number {
    return this.#record.offset;
  }

  get headers(): readonly Header[] {
    return this.#record.headers;
  }

  set headers(headers: readonly Header[]) {
    this.#record.headers = headers;
  }

  /**
   * Takes one record of a source through the task's nodes. One without a valid time, or from the future, is dropped before it moves any clock.
   */
  process(
    source: TaskSource,
    key: unknown,
    value: unknown,
    timestamp: number,
    offset: number,
    maxFutureMs: number,
    headers?: readonly Header[],
  ): void {
    if (headers !== undefined) this.#record.headers = headers;
    const at = this.timeOf(source, key, value, timestamp, offset, maxFutureMs);
    if (at === futureTime || at === invalidTime) {
      this.#refuse(source, at === futureTime ? 'future' : 'invalid_timestamp', maxFutureMs);
      return;
    }
    if (at > source.partitionTimeMs) source.partitionTimeMs = at;
    if (at > this.streamTimeMs) this.streamTimeMs = at;
    this.times.processed(at, this.streamTimeMs - at);
    source.node.process(key, value, at);
    this.stats.processed++;
    if (this.streamTimeMs >= this.#streamSchedules.nextMs) this.#punctuate(this.#streamSchedules, this.streamTimeMs);
  }

  /** The next record's headers are read here, if anybody asks. */
  headersFrom(source: HeaderSource, at: number): void {
    this.#record.headersFrom(source, at);
  }

  /**
   * The record's event time, a whole number of ms since 1970; infinite for one that lies too far after its arrival, negatively so for one that is no such number. Makes it the
   * record in process.
   *
   * @throws StreamsError `STREAMS_PROCESSING` - the source's timestamp extractor, or what tells its arrival, threw.
   */
  timeOf(
    source: TaskSource,
    key: unknown,
    value: unknown,
    timestamp: number,
    offset: number,
    maxFutureMs: number,
  ): number {
    const record = this.#record;
    const spec = source.spec;
    record.key = key;
    record.value = value;
    record.timestamp = timestamp;
    record.offset = offset;
    record.partition = this.partition;
    record.topic = source.topic;
    let at = timestamp;
    try {
      if (spec.timestampExtractor !== undefined) at = spec.timestampExtractor(record, source.partitionTimeMs);
      this.#extracted = at;
      if (!(Number.isSafeInteger(at) && at >= 0)) return invalidTime;
      return spec.arrivalTime !== undefined && at > spec.arrivalTime(record) + maxFutureMs ? futureTime : at;
    } catch (error) {
      throw StreamsError.from(
        error,
        'STREAMS_PROCESSING',
        `the event time of a record of source ${spec.name} cannot be told: ${messageOf(error)}`,
        { nodeName: spec.name },
      );
    }
  }

  /** The record in process cannot be taken. */
  #refuse(source: TaskSource, reason: 'future' | 'invalid_timestamp', maxFutureMs: number): void {
    this.drop(source.spec.name, reason, refusedTime(reason, this.#extracted, maxFutureMs));
  }

  /** Moves stream time and all operators' times on to this; false if they are there already. */
  advanceTo(timeMs: number): boolean {
    let moved = timeMs > this.streamTimeMs;
    if (moved) this.streamTimeMs = timeMs;
    for (const clock of this.#clocks.values())
      if (timeMs > clock.timeMs) {
        clock.timeMs = timeMs;
        moved = true;
      }
    if (moved) this.#punctuate(this.#streamSchedules, this.streamTimeMs);
    return moved;
  }

  /** Fires wall-clock punctuations that are due. */
  punctuateWallClock(nowMs: number): void {
    this.#punctuate(this.#wallSchedules, nowMs);
  }

  table<K, V>(name: string): TableStore<K, V> {
    const table = this.#tables.get(name);
    if (table === undefined) throw this.#unknownStore(name);
    return table as unknown as TableStore<K, V>;
  }

  versioned<K, V>(
    name: string,
  ): VersionedTable<K, V> & {
    put(key: K, value: V | undefined, validFromMs: number): void;
    history(key: K): readonly Version<V>[];
  } {
    const table = this.#versioned.get(name);
    if (table === undefined) throw this.#unknownStore(name);
    return table as unknown as VersionedTable<K, V> & {
      put(key: K, value: V | undefined, validFromMs: number): void;
      history(key: K): readonly Version<V>[];
    };
  }

  clock(name: string): OperatorClock {
    const known = this.#clocks.get(name);
    if (known !== undefined) return known;
    const clock: OperatorClock = { timeMs: -1 };
    this.#clocks.set(name, clock);
    return clock;
  }

  dropLate(nodeName: string, behindMs: number): void {
    this.times.dropped(behindMs);
    this.drop(nodeName, 'late');
  }

  drop(nodeName: string, reason: DropReason, message?: string): void {
    this.stats.dropped[reason]++;
    // What a punctuation forwards is no record of a topic.
    if (!this.punctuating) this.#host.dropped(this, dropOf(reason, nodeName, message));
  }

  schedule(
    nodeName: string,
    intervalMs: number,
    type: 'stream-time' | 'wall-clock',
    call: (timestampMs: number) => void,
  ): { cancel(): void } {
    return type === 'stream-time'
      ? this.#streamSchedules.add(nodeName, 0, intervalMs, call)
      : this.#wallSchedules.add(nodeName, this.#host.wallClockMs() + intervalMs, intervalMs, call);
  }

  requestCommit(): void {
    this.#host.requestCommit();
  }

  waitFor(promise: Promise<void>): void {
    this.#host.waitFor(promise);
  }

  /** Its counters, with its clocks as they are now. */
  statsNow(): TaskStats {
    this.stats.streamTimeMs = this.streamTimeMs;
    this.stats.operatorTimeMs = this.operatorTimes();
    return this.stats;
  }

  /** Clocks and counters for the commit. */
  save(): SavedTask {
    return {
      streamTimeMs: this.streamTimeMs,
      partitionTimeMs: Object.fromEntries([...this.sources].map(([topic, source]) => [topic, source.partitionTimeMs])),
      operatorTimeMs: this.operatorTimes(),
      punctuations: this.#streamSchedules.save(),
      processed: this.stats.processed,
      dropped: { ...this.stats.dropped },
    };
  }

  /** Takes clocks and counters back, after the nodes' `init`. */
  restore(saved: SavedTask): void {
    this.streamTimeMs = saved.streamTimeMs;
    for (const [topic, time] of Object.entries(saved.partitionTimeMs)) {
      const source = this.sources.get(topic);
      if (source !== undefined) source.partitionTimeMs = time;
    }
    for (const [name, time] of Object.entries(saved.operatorTimeMs)) this.clock(name).timeMs = time;
    this.#streamSchedules.restore(saved.punctuations);
    this.stats.processed = saved.processed;
    for (const reason of dropReasons) this.stats.dropped[reason] = saved.dropped[reason] ?? 0;
    this.#before = saved;
  }

  /** What it has done itself. */
  work(): TaskWork {
    const { processed, dropped, punctuations } = this.stats;
    const before = this.#before;
    return {
      processed: processed - before.processed,
      dropped: Object.fromEntries(
        dropReasons.map((reason) => [reason, dropped[reason] - (before.dropped[reason] ?? 0)]),
      ) as Record<DropReason, number>,
      punctuations,
      times: this.times.value,
    };
  }

  /** Operators with a clock, and nodes with punctuations by stream time, as often as they have some. */
  clockNames(): { readonly operators: readonly string[]; readonly schedules: readonly string[] } {
    const schedules = Object.entries(this.#streamSchedules.save());
    return {
      operators: [...this.#clocks.keys()],
      schedules: schedules.flatMap(([name, times]) => times.map(() => name)),
    };
  }

  /** Time observed by each windowed operator. */
  operatorTimes(): Record<string, number> {
    return Object.fromEntries([...this.#clocks].map(([name, clock]) => [name, clock.timeMs]));
  }

  /** Fires what is due, one after the other: each when all before it is done, the record that moved the time included. */
  #punctuate(schedules: Schedules, nowMs: number): void {
    while (schedules.nextMs <= nowMs) {
      if (this.#host.busy) {
        this.#host.whenFree(() => this.#punctuate(schedules, nowMs));
        return;
      }
      if (schedules.fireNext(nowMs)) this.stats.punctuations++;
    }
  }

  #unknownStore(name: string): StreamsError {
    return new StreamsError(
      'STREAMS_STATE_STORE_UNKNOWN',
      `task ${this.taskId} has no store ${name}. Connect it to the node that asks for it.`,
      {
        taskId: this.taskId,
      },
    );
  }
}
