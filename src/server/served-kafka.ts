import { StreamsError } from '../common/errors.ts';
import type { StoreSpec } from '../processor/node.ts';
import type { KafkaStreams } from '../runtime/kafka/kafka-streams.ts';
import { type PlaceOf, readOnlyStore } from '../runtime/parts/read-only-store.ts';
import type { SharedParts } from '../runtime/parts/shared-state.ts';
import type { StorePart } from '../runtime/parts/store-part.ts';
import type { ReadOnlyStore, StoreReadOptions } from '../runtime/read-only-stores.ts';
import { placement } from '../runtime/runtime-nodes.ts';
import type { Topology } from '../topology/topology.ts';
import type { ServedClient } from './serve-client.ts';
import { allParts, ownParts, shareKafka } from './share-kafka.ts';

/**
 * One process of an application on Kafka as its HTTP server sees it: the stores of all tasks, here or at other instances, and its own figures. It may exist before its client does: the client tells the group where the server is.
 */
export class ServedKafka {
  /** Least time that a windowed operator has observed over all tasks of the application, ms; -1 where nobody has asked. */
  operatorTimeMs = -1;
  readonly client: ServedClient;
  readonly #topology: Topology;
  readonly #shared: SharedParts;
  #streams: KafkaStreams | undefined;

  /** @param token - What other instances ask for. */
  constructor(topology: Topology, token?: string) {
    this.#topology = topology;
    this.#shared = shareKafka(
      () => this.#started(),
      () => this.operatorTimeMs,
      token,
    );
    this.client = {
      topology,
      stateDir: () => this.#streams?.stateDir,
      stats: () => this.#made().stats(),
      kafkaStats: () => this.#made().kafkaStats(),
      storeNames: () => this.#started().storeNames(),
      store: (name, options) => this.store(name, options),
      shared: this.#shared,
    };
  }

  /** The client has been made. */
  runs(streams: KafkaStreams): void {
    this.#streams = streams;
  }

  /** A store of the application, wherever its tasks are. */
  store(name: string, options: StoreReadOptions = {}): ReadOnlyStore {
    const spec = this.#specOf(name);
    const partitions = this.#started().partitionsOf(name);
    return readOnlyStore(spec, allParts(this.#shared, name, partitions, options.stale === true));
  }

  /** A store's rows in this process alone. */
  ownStore(name: string): ReadOnlyStore {
    return readOnlyStore(this.#specOf(name), this.#ownParts(name), this.#placeOf(name));
  }

  /** Whether a key of a store is in this process now. */
  owns(name: string, key: unknown): boolean {
    const place = this.#placeOf(name)(key);
    return this.#ownParts(name).some(({ partition }) => partition === place);
  }

  #ownParts(name: string): readonly StorePart[] {
    return ownParts(this.#made(), name);
  }

  /** The partition of a key among all of the store's: those that are here are only some of them. */
  #placeOf(name: string): PlaceOf {
    const streams = this.#started();
    return streams.isGlobal(name) ? () => 0 : placement(this.#specOf(name).keySerde, streams.partitionsOf(name));
  }

  #specOf(name: string): StoreSpec {
    const specs = [...this.#topology.stores, ...this.#topology.globalTables.map(({ store }) => store)];
    const found = specs.find((each) => each.name === name);
    if (found !== undefined) return found;
    throw new StreamsError(
      'STREAMS_STATE_STORE_UNKNOWN',
      `there is no store ${name}. The stores are: ${specs.map((each) => each.name).join(', ')}.`,
    );
  }

  /** The client once it knows its topics: before that a store has no partitions for it, which is no answer to anybody. */
  #started(): KafkaStreams {
    const streams = this.#made();
    if (this.#topology.stores.every(({ name }) => streams.partitionsOf(name) > 0)) return streams;
    throw starting();
  }

  #made(): KafkaStreams {
    if (this.#streams !== undefined) return this.#streams;
    throw starting();
  }
}

function starting(): StreamsError {
  return new StreamsError('STREAMS_TASK_MIGRATED', 'the instance is starting. Ask again in a second.', {
    retriable: true,
  });
}
