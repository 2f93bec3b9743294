import type { Database } from '../../state/database.ts';
import { openMemoryDatabase } from '../../state/memory-database.ts';
import { isAbsent } from '../common/absent.ts';
import { StreamsError } from '../common/errors.ts';
import { defaultOf } from '../config/defaults.ts';
import { didYouMean } from '../config/nearest.ts';
import { type DropReason, dropReasons } from '../processor/drop-reason.ts';
import type { StoreSpec } from '../processor/node.ts';
import { type Header, noHeaders } from '../processor/record.ts';
import type { ValueAndTimestamp, Version } from '../processor/rows.ts';
import { digestOf } from '../runtime/digest.ts';
import { localPart } from '../runtime/parts/local-part.ts';
import type { StorePart } from '../runtime/parts/store-part.ts';
import type { OutputRecord } from '../runtime/runtime-nodes.ts';
import { placement } from '../runtime/runtime-nodes.ts';
import { storeNumbers } from '../runtime/saved-state.ts';
import { rowPrefix } from '../runtime/state-folder.ts';
import type { CachedTable } from '../runtime/stores/cached-table.ts';
import { taskIdsOf } from '../runtime/task-ids.ts';
import { TopologyEngine } from '../runtime/topology-engine.ts';
import type { Serde } from '../serde/serde.ts';
import { throughSerde } from '../serde/through-serde.ts';
import { Windowed } from '../serde/windowed.ts';
import type { Topology } from '../topology/topology.ts';
import { LoopedRecords } from './looped-records.ts';

/** How a test driver runs. */
export interface TestDriverOptions {
  /** @defaultValue 1 */
  readonly partitions?: number;
  /** True: updates of a row are told once a `flush`, as in production. @defaultValue false: at once, as in Kafka Streams' driver */
  readonly caching?: boolean;
  /** @defaultValue 3600000 */
  readonly maxFutureMs?: number;
  /** The wall clock at the start, ms. @defaultValue 0 */
  readonly wallClockMs?: number;
}

/** A record as the tests see it. */
export interface TestRecord<K, V> {
  readonly key: K | undefined;
  readonly value: V | undefined;
  readonly timestamp: number;
  /** Absent: none. */
  readonly headers?: readonly Header[];
}

/** An output record, numbered over all topics. */
interface Written {
  readonly number: number;
  readonly record: OutputRecord;
}

/**
 * Runs a topology in a test: without broker, files or waiting. Each piped record is processed to its end, through all sub-topologies, before `pipeInput`
 * resolves. What it writes to a topic that it reads is read again, and so on until nothing is left. The clock stands still unless advanced.
 *
 * Keys and values go through their serdes on every way in, out and into a store: a program sees what their bytes say.
 *
 * @example
 * ```ts
 * import { Serdes, StreamsBuilder } from 'weir-streams';
 * import { TopologyTestDriver } from 'weir-streams/testing';
 *
 * const builder = new StreamsBuilder();
 * builder.stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string }).mapValues((v) => v.toUpperCase()).to('out', { valueSerde: Serdes.string });
 * const driver = await TopologyTestDriver.create(builder.build());
 * await driver.inputTopic<string, string>('in').pipeInput('k', 'a', 0);
 * driver.outputTopic('out', Serdes.string, Serdes.string).readValue(); // 'A'
 * ```
 * @remarks Kafka Streams: `TopologyTestDriver.java`.
 */
export class TopologyTestDriver {
  readonly topology: Topology;
  readonly #database: Database;
  readonly #engine: TopologyEngine;
  readonly #stores: Readonly<Record<string, number>>;
  /** What was written and not read yet, by topic. */
  readonly #outputs = new Map<string, Written[]>();
  /** What was written to topics that the topology reads, and not read yet. */
  readonly #looped: LoopedRecords;
  #written = 0;
  readonly #maxFutureMs: number;
  #clockMs: number;

  private constructor(topology: Topology, database: Database, options: TestDriverOptions) {
    this.topology = topology;
    this.#database = database;
    this.#stores = storeNumbers(topology);
    this.#clockMs = options.wallClockMs ?? 0;
    this.#maxFutureMs = options.maxFutureMs ?? defaultOf('max.future.ms');
    this.#looped = new LoopedRecords(topology);
    this.#engine = new TopologyEngine(topology, {
      applicationId: 'test',
      database,
      prefixOf: (store, partition) => rowPrefix(this.#stores[store]!, partition),
      tasks: taskIdsOf(topology, () => options.partitions ?? 1),
      caching: options.caching ?? false,
      maxFutureMs: this.#maxFutureMs,
      cacheMaxBytes: defaultOf('statestore.cache.max.bytes'),
      output: (record) => {
        this.#queue(record.topic).push({ number: this.#written++, record });
        this.#looped.add(record);
      },
      valuesAsBytes: true,
      dropped() {},
      wallClockMs: () => this.#clockMs,
    });
  }

  /** A driver over an empty state. */
  static async create(topology: Topology, options: TestDriverOptions = {}): Promise<TopologyTestDriver> {
    const driver = new TopologyTestDriver(topology, await openMemoryDatabase(), options);
    await driver.#engine.open(() => undefined);
    return driver;
  }

  /**
   * Pipes records into a source topic, or into the topic of a global table.
   *
   * @throws StreamsError `STREAMS_MISSING_SOURCE_TOPIC` for a topic that the topology does not read.
   */
  inputTopic<K, V>(topic: string): TestInputTopic<K, V> {
    const { sourceTopics, globalTables } = this.topology;
    refuseUnknown(topic, 'reads', [...sourceTopics, ...globalTables.map((table) => table.topic)]);
    return {
      pipeInput: (key, value, timestamp, headers) => this.#pipe(topic, key, value, timestamp, headers),
      pipeAll: async (records) => {
        for (const { key, value, timestamp, headers } of records)
          await this.#pipe(topic, key, value, timestamp, headers);
      },
    };
  }

  /**
   * Reads what the topology has written to a topic, oldest first.
   *
   * @throws StreamsError `STREAMS_TOPOLOGY` for a topic that the topology does not write.
   */
  outputTopic<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): TestOutputTopic<K, V> {
    const written = this.topology.nodes.flatMap((node) => (node.kind === 'sink' ? [node.topic] : []));
    refuseUnknown(
      topic,
      'writes',
      written.filter((name) => !this.topology.repartitions.has(name)),
    );
    const queue = this.#queue(topic);
    const decode = ({ record: { key, value, timestamp, headers } }: Written): TestRecord<K, V> => ({
      key: key === undefined ? undefined : keySerde.deserialize(key),
      value: value === undefined ? undefined : valueSerde.deserialize(value),
      timestamp,
      ...(headers.length === 0 ? {} : { headers }),
    });
    const next = (): TestRecord<K, V> => {
      const record = queue.shift();
      if (record === undefined) throw new RangeError(`topic ${topic} has no further record`);
      return decode(record);
    };
    return {
      readRecord: next,
      readValue: () => next().value,
      readAll: () => queue.splice(0).map(decode),
      get isEmpty() {
        return queue.length === 0;
      },
      get size() {
        return queue.length;
      },
    };
  }

  /** Reads what the topology has written to all topics, in the order of writing. */
  readAllOutputs(): OutputRecord[] {
    const all = [...this.#outputs.values()].flatMap((queue) => queue.splice(0));
    return all.sort((a, b) => a.number - b.number).map(({ record }) => record);
  }

  /** A row by its key, uncommitted changes included: of a window store by the windowed key. */
  keyValue<K, V>(store: string, key: K): ValueAndTimestamp<V> | undefined {
    for (const table of this.#tables(store)) {
      const windowed = table.windowed && key instanceof Windowed ? key : undefined;
      const row = (windowed === undefined ? table.read(key, 0) : table.read(windowed.key, windowed.startMs)) as
        | ValueAndTimestamp<V>
        | undefined;
      if (row !== undefined) return row;
    }
    return undefined;
  }

  /** A window store's row. */
  windowed<K, V>(store: string, key: K, startMs: number): ValueAndTimestamp<V> | undefined {
    for (const table of this.#tables(store)) {
      const row = table.read(key, startMs) as ValueAndTimestamp<V> | undefined;
      if (row !== undefined) return row;
    }
    return undefined;
  }

  /** All rows of a store, by window and serialized key. */
  async rows<K, V>(
    store: string,
  ): Promise<{ readonly key: K | Windowed<K>; readonly value: V; readonly timestamp: number }[]> {
    const all: { key: K | Windowed<K>; value: V; timestamp: number }[] = [];
    for (const table of this.#tables(store))
      for await (const page of table.rows())
        for (const { key, startMs, value, timestamp } of page)
          if (value !== undefined) {
            const shown = table.windowed ? new Windowed(key as K, startMs, table.endOf(startMs)) : (key as K);
            all.push({ key: shown, value: value as V, timestamp });
          }
    return all;
  }

  /** A versioned store's history of a key. */
  history<K, V>(store: string, key: K): readonly Version<V>[] {
    const { versioned, taskVersioned } = this.#engine;
    const tables = [...versioned.values(), ...taskVersioned].filter((table) => table.name === store);
    if (tables.length === 0) throw unknownStore(store);
    const histories = tables.map((table) => table.history(key)) as readonly (readonly Version<V>[])[];
    return histories.find((history) => history.length > 0) ?? [];
  }

  /** Moves the wall clock forward and fires what is due. */
  async advanceWallClock(ms: number): Promise<void> {
    this.#clockMs += ms;
    for (const task of this.#engine.tasks) task.punctuateWallClock(this.#clockMs);
    await this.#settle();
  }

  /** Tells of everything that waits in caches, as a commit does. Nothing waits where caching is off. */
  async flush(): Promise<void> {
    const batch = this.#database.batch();
    await this.#engine.flush(batch, { sync: false });
    await batch.write({ sync: false });
    this.#engine.written();
    await this.#settle();
  }

  /** Closes all windows: what is suppressed leaves. */
  async finish(): Promise<void> {
    this.#engine.finish();
    await this.flush();
  }

  /** How many records were dropped, by reason. */
  dropped(): Record<DropReason, number> {
    const sum = { ...this.#engine.globalDropped };
    for (const task of this.#engine.tasks) for (const reason of dropReasons) sum[reason] += task.stats.dropped[reason];
    return sum;
  }

  /** The digest that a replay of the same records has. */
  async digest(): Promise<string> {
    await this.flush();
    const specs = this.topology.stores.filter((spec) => spec.result);
    const partsOf = (spec: StoreSpec): StorePart[] =>
      this.#engine.tables
        .filter((table) => table.name === spec.name)
        .map((_, partition) =>
          localPart(spec, this.#database, rowPrefix(this.#stores[spec.name]!, partition), partition),
        );
    return (await digestOf(specs, partsOf)).all;
  }

  /** Closes the processors. */
  async close(): Promise<void> {
    this.#engine.close();
    await this.#database.close();
  }

  async #pipe(
    topic: string,
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: readonly Header[] = noHeaders,
  ): Promise<void> {
    const [keySerde, valueSerde] = this.#looped.serdesOf(topic) ?? [];
    await this.#take(topic, through(keySerde, key), through(valueSerde, value), timestamp, headers);
    await this.#settle();
  }

  async #take(
    topic: string,
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: readonly Header[],
  ): Promise<void> {
    if (this.topology.globalTables.some((table) => table.topic === topic)) {
      await this.#engine.putGlobal(topic, key, value, timestamp);
      return;
    }
    const readers = this.#engine.readersOf(topic);
    const { task, source } = readers[placement(readers[0]!.source.spec.keySerde, readers.length)(key)]!;
    task.process(source, key, value, timestamp, -1, this.#maxFutureMs, headers);
  }

  /** Takes what waits, and what that writes to topics that are read, until nothing is left. */
  async #settle(): Promise<void> {
    await this.#engine.settle();
    for (let next = this.#looped.take(); next !== undefined; next = this.#looped.take()) {
      const { topic, key, value, timestamp, headers } = next;
      await this.#take(topic, key, value, timestamp, headers);
      await this.#engine.settle();
    }
  }

  #queue(topic: string): Written[] {
    const known = this.#outputs.get(topic);
    if (known !== undefined) return known;
    const queue: Written[] = [];
    this.#outputs.set(topic, queue);
    return queue;
  }

  #tables(store: string): CachedTable<unknown, unknown>[] {
    const tables = this.#engine.tables.filter((table) => table.name === store);
    if (tables.length === 0) throw unknownStore(store);
    return tables;
  }
}

const through = (serde: Serde<unknown> | undefined, value: unknown): unknown =>
  isAbsent(value) ? undefined : serde === undefined ? value : throughSerde(serde, value);

function refuseUnknown(topic: string, does: 'reads' | 'writes', known: readonly string[]): void {
  if (known.includes(topic)) return;
  const names = [...new Set(known)].join(', ') || 'none';
  throw new StreamsError(
    does === 'reads' ? 'STREAMS_MISSING_SOURCE_TOPIC' : 'STREAMS_TOPOLOGY',
    `the topology ${does} no topic ${topic}. It ${does}: ${names}.${didYouMean(topic, known)}`,
  );
}

function unknownStore(store: string): StreamsError {
  return new StreamsError('STREAMS_STATE_STORE_UNKNOWN', `the topology has no store ${store}.`);
}

/** Takes test records. */
export interface TestInputTopic<K, V> {
  /** One record, processed to its end. @param headers - none by default. */
  pipeInput(key: K | undefined, value: V | undefined, timestamp: number, headers?: readonly Header[]): Promise<void>;
  /** Records, one after the other. */
  pipeAll(records: Iterable<TestRecord<K, V>>): Promise<void>;
}

/** Gives what was written. */
export interface TestOutputTopic<K, V> {
  /** @throws RangeError if there is none. */
  readRecord(): TestRecord<K, V>;
  /** The value of the next record. */
  readValue(): V | undefined;
  /** All records that wait. */
  readAll(): TestRecord<K, V>[];
  readonly isEmpty: boolean;
  readonly size: number;
}
