import { StreamsError } from '../common/errors.ts';
import { ProcessorNode, type StoreSpec } from '../processor/node.ts';
import type { ProcessorSupplier } from '../processor/processor.ts';
import type { ConsumedRecord, TimestampExtractor } from '../processor/record.ts';
import { UserProcessorNode } from '../processor/user-processor-node.ts';
import type { Serde } from '../serde/serde.ts';
import { TopologyDescription } from './describe.ts';
import type { GlobalTableSpec, NodeSpec, ProcessorSpec, RepartitionSpec, SinkSpec, SourceSpec } from './node-spec.ts';
import { groupNodes, type SubTopology } from './sub-topology.ts';

/** How a source reads. */
export interface SourceOptions<K, V> {
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** @defaultValue the message's own timestamp */
  readonly timestampExtractor?: TimestampExtractor<K, V>;
  /** When a record reached the system, ms. A record whose event time lies more than `max.future.ms` after it is refused. @defaultValue no guard */
  readonly arrivalTime?: (record: ConsumedRecord<K, V>) => number;
  /**
   * True: a record without key or without value is treated as one whose bytes cannot be read (`deserialization.exception.handler`), and reaches no node. @defaultValue false
   */
  readonly complete?: boolean;
}

/** How a sink writes. */
export interface SinkOptions<K, V> {
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
}

/**
 * A graph of sources, processors, stores and sinks. Built by hand or by a StreamsBuilder; the same object runs on Kafka, over files and in a
 * test driver.
 *
 * @throws StreamsError `STREAMS_TOPOLOGY` from every method that would make an impossible graph: a name used twice, an unknown parent or store, a node without
 * parents, a topic or store whose name no topic can have.
 * @remarks Kafka Streams: `Topology.java`.
 */
export class Topology {
  readonly #nodes = new Map<string, NodeSpec>();
  readonly #stores = new Map<string, StoreSpec>();
  readonly #globals = new Map<string, GlobalTableSpec>();
  readonly #repartitions = new Map<string, RepartitionSpec>();
  /** What was found of the nodes as they are: queries ask for it again and again. */
  #parts: readonly SubTopology[] | undefined;
  #formerParts: Readonly<Record<number, readonly string[]>> = {};

  /** Reads one topic or several as one source. */
  addSource<K, V>(name: string, topics: string | readonly string[], options: SourceOptions<K, V>): this {
    const list = typeof topics === 'string' ? [topics] : [...topics];
    if (list.length === 0)
      throw new StreamsError('STREAMS_TOPOLOGY', `source ${name} reads no topic. Name at least one.`);
    const twice = list.find((topic, i) => list.indexOf(topic) !== i);
    if (twice !== undefined)
      throw new StreamsError('STREAMS_TOPOLOGY', `source ${name} reads topic ${twice} twice. Name it once.`);
    for (const topic of list) {
      checkTopicName(topic, 'topic');
      this.#checkUnread(topic, name);
    }
    return this.add({ kind: 'source', name, topics: list, ...options } as unknown as SourceSpec);
  }

  /** Adds a processor below its parents. */
  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut>,
    parents: string | readonly string[],
    stores: readonly string[] = [],
  ): this {
    const list = typeof parents === 'string' ? [parents] : [...parents];
    const create = (): UserProcessorNode =>
      new UserProcessorNode(name, supplier as ProcessorSupplier<unknown, unknown, unknown, unknown>, stores);
    return this.add({ kind: 'processor', name, parents: list, stores: [...stores], looksUp: [...stores], create });
  }

  /** Writes what its parents forward to a topic. */
  addSink<K, V>(name: string, topic: string, parents: string | readonly string[], options: SinkOptions<K, V>): this {
    checkTopicName(topic, 'topic');
    const list = typeof parents === 'string' ? [parents] : [...parents];
    return this.add({ kind: 'sink', name, parents: list, topic, ...options } as unknown as SinkSpec);
  }

  /** Declares a store; processors name it in their `stores`. */
  addStateStore(spec: StoreSpec): this {
    checkTopicName(spec.name, 'store');
    if (this.#stores.has(spec.name) || this.#globals.has(spec.name))
      throw new StreamsError('STREAMS_TOPOLOGY', `store ${spec.name} exists already. Give each store its own name.`);
    this.#stores.set(spec.name, spec);
    return this;
  }

  /** Adds a node by its spec: what the DSL builds with. */
  add(node: NodeSpec): this {
    if (node.name === '') throw new StreamsError('STREAMS_TOPOLOGY', 'a node has an empty name');
    if (this.#nodes.has(node.name))
      throw new StreamsError('STREAMS_TOPOLOGY', `node ${node.name} exists already. Give each node its own name.`);
    if (node.kind !== 'source' && node.parents.length === 0)
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `node ${node.name} has no parent: no record would ever reach it. Name at least one.`,
      );
    for (const parent of node.kind === 'source' ? [] : node.parents) {
      const found = this.#nodes.get(parent);
      if (found === undefined || found.kind === 'sink')
        throw new StreamsError(
          'STREAMS_TOPOLOGY',
          `node ${node.name} hangs below ${parent}, which ${found ? 'is a sink' : 'does not exist'}.`,
        );
    }
    if (node.kind === 'processor') this.#checkStores(node);
    this.#nodes.set(node.name, node);
    this.#parts = undefined;
    return this;
  }

  /** Declares an internal topic: what the DSL builds with. */
  addRepartition(spec: RepartitionSpec): this {
    checkTopicName(spec.topic, 'repartition topic');
    if (this.#repartitions.has(spec.topic))
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `repartition topic ${spec.topic} exists already. Name the operation that needs it.`,
      );
    this.#repartitions.set(spec.topic, spec);
    return this;
  }

  /** Declares a global table: what the DSL builds with. */
  addGlobalTable(spec: GlobalTableSpec): this {
    checkTopicName(spec.topic, 'topic');
    checkTopicName(spec.store.name, 'store');
    if (this.#globals.has(spec.store.name) || this.#stores.has(spec.store.name))
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `store ${spec.store.name} exists already. Give each store its own name.`,
      );
    this.#checkUnread(spec.topic, spec.sourceName);
    this.#globals.set(spec.store.name, spec);
    this.#parts = undefined;
    return this;
  }

  /** All nodes in the order in which they were added: parents before children. */
  get nodes(): readonly NodeSpec[] {
    return [...this.#nodes.values()];
  }

  /** All stores but the global ones. */
  get stores(): readonly StoreSpec[] {
    return [...this.#stores.values()];
  }

  /** The global tables. */
  get globalTables(): readonly GlobalTableSpec[] {
    return [...this.#globals.values()];
  }

  /** The internal topics, by name. */
  get repartitions(): ReadonlyMap<string, RepartitionSpec> {
    return this.#repartitions;
  }

  /** Topics read from outside: not the internal ones, not those of global tables. */
  get sourceTopics(): readonly string[] {
    return this.#sources()
      .flatMap((source) => source.topics)
      .filter((topic) => !this.#repartitions.has(topic));
  }

  /** Parts that are joined by topics alone, numbered as their first source was added. A part with a partition number is a task. */
  get subTopologies(): readonly SubTopology[] {
    this.#parts ??= groupNodes(this.nodes, new Set(this.#globals.keys()));
    return this.#parts;
  }

  /** One of them by its number. */
  subTopology(id: number): SubTopology {
    return this.subTopologies.find((part) => part.id === id)!;
  }

  /** The topics of sub-topologies that there are no more, by their numbers: see {@link Topology.numbered}. */
  get formerParts(): Readonly<Record<number, readonly string[]>> {
    return this.#formerParts;
  }

  /**
   * The same graph whose sub-topologies have other numbers: on Kafka they keep those that they had in the program before.
   *
   * @param ids - Their numbers, in the order of {@link Topology.subTopologies}.
   * @param former - The topics of those that there are no more, by their numbers.
   */
  numbered(ids: readonly number[], former: Readonly<Record<number, readonly string[]>>): Topology {
    const topology = new Topology();
    for (const [name, node] of this.#nodes) topology.#nodes.set(name, node);
    for (const [name, store] of this.#stores) topology.#stores.set(name, store);
    for (const [name, table] of this.#globals) topology.#globals.set(name, table);
    for (const [name, spec] of this.#repartitions) topology.#repartitions.set(name, spec);
    topology.#parts = this.subTopologies.map((part, i) => ({ ...part, id: ids[i]! }));
    topology.#formerParts = former;
    return topology;
  }

  /** The sub-topologies with these numbers alone, which they keep: a graph that writes to no topic but those that it reads. Other sinks are mute. */
  only(ids: ReadonlySet<number>): Topology {
    const chosen = this.subTopologies.filter(({ id }) => ids.has(id));
    const read = new Set(chosen.flatMap(({ sources }) => sources.flatMap(({ topics }) => topics)));
    const parts = chosen.map((part) => ({
      ...part,
      nodes: part.nodes.map((node) => (node.kind === 'sink' && !read.has(node.topic) ? muteSink(node) : node)),
      sinks: part.sinks.filter(({ topic }) => read.has(topic)),
    }));
    const nodes = new Map(parts.flatMap((part) => part.nodes.map((node) => [node.name, node] as const)));
    const stores = new Set(parts.flatMap((part) => part.stores));
    const topology = new Topology();
    for (const name of this.#nodes.keys()) if (nodes.has(name)) topology.#nodes.set(name, nodes.get(name)!);
    for (const [name, store] of this.#stores) if (stores.has(name)) topology.#stores.set(name, store);
    for (const [name, table] of this.#globals) topology.#globals.set(name, table);
    for (const [name, spec] of this.#repartitions) if (read.has(name)) topology.#repartitions.set(name, spec);
    topology.#parts = parts;
    return topology;
  }

  /** The graph in words. */
  describe(): TopologyDescription {
    return new TopologyDescription(this);
  }

  #sources(): SourceSpec[] {
    return this.nodes.filter((node) => node.kind === 'source');
  }

  /** A topic has one reader: a source, or a global table. */
  #checkUnread(topic: string, reader: string): void {
    const other =
      this.#sources().find((source) => source.topics.includes(topic))?.name ??
      this.globalTables.find((table) => table.topic === topic)?.sourceName;
    if (other !== undefined)
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `topic ${topic} is read by ${other} and by ${reader}. Read it once and share the stream or table: toTable() and toStream() make one of the other.`,
      );
  }

  #checkStores(node: ProcessorSpec): void {
    for (const store of node.stores)
      if (!this.#stores.has(store) && !this.#globals.has(store))
        throw new StreamsError(
          'STREAMS_TOPOLOGY',
          `node ${node.name} uses store ${store}, which does not exist. Add the store first.`,
        );
  }
}

/** A node in the place of a sink, for parents that forward to it by its name. */
function muteSink({ name, parents }: SinkSpec): ProcessorSpec {
  return { kind: 'processor', name, parents, stores: [], create: () => new MuteNode(name) };
}

class MuteNode extends ProcessorNode {
  override process(): void {}
}

const longestTopicName = 249;

/** Stores and topics are, or become, topics of a broker. Kafka: `common/internals/Topic.java`, `kstream/Named.java`. */
function checkTopicName(name: string, what: string): void {
  if (name === '') throw new StreamsError('STREAMS_TOPOLOGY', `a ${what} has an empty name`);
  if (/^[a-zA-Z0-9._-]+$/.test(name) && name.length <= longestTopicName && name !== '.' && name !== '..') return;
  throw new StreamsError(
    'STREAMS_TOPOLOGY',
    `${what} ${JSON.stringify(name)} has a name that no topic can have: use 1 to ${longestTopicName} of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor "..".`,
  );
}
