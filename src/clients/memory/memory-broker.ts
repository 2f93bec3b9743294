import type { Header } from '../../processor/record.ts';
import type { Broker } from '../broker.ts';
import { asStreamsError } from './broker-fault.ts';
import { ClusterState } from './cluster-state.ts';
import { type CutWhen, Link, type LinkHost, type MemoryRequest, nextTurn, pauseOf } from './link.ts';
import { MemoryClient } from './memory-client.ts';
import type { Isolation } from './partition-log.ts';
import { keyAt, valueAt } from './record-columns.ts';
import { columnsOf, type SimpleRecord } from './records-of.ts';

/** How a {@link MemoryCluster} behaves. */
export interface MemoryClusterOptions {
  /** @defaultValue 'memory' */
  readonly clusterId?: string;
  /** The broker's clock, ms since the epoch. @defaultValue Date.now */
  readonly now?: () => number;
  /**
   * How long after the end of a transaction each of its markers is written, ms.
   * @defaultValue 0: in the next turn of the event loop
   */
  readonly markerDelayMs?: number;
  /** Told of each request that arrives, before it is carried out. It may pause the client, cut its connection, or stop the cluster. */
  readonly onRequest?: (request: MemoryRequest, client: Broker) => void;
}

/** How one client reaches a {@link MemoryCluster}. */
export interface MemoryConnectOptions {
  /** @defaultValue 'client' */
  readonly clientId?: string;
  /**
   * How long a request and its answer are on their way, ms, or a function that tells for each.
   * @defaultValue 0: each takes a turn of the event loop
   */
  readonly latencyMs?: number | ((request: MemoryRequest) => number);
  /** How long a call waits for a cluster that is down, or for what others hold up, ms. @defaultValue 30000 */
  readonly requestTimeoutMs?: number;
}

/** A record as it lies in a topic. */
export interface MemoryRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly Header[];
}

/**
 * A Kafka cluster in the memory of this process, for tests: topics, transactions and groups as a real one has them, and the ways in which they go wrong.
 *
 * - Transactions: control markers take offsets; a newer owner of a transactional id fences the earlier ones; read_committed readers stop at the stable end; an open
 *   transaction is aborted after its timeout.
 * - Groups: generations, sessions, rebalances with a leader that shares out the work, static members.
 * - Nothing is answered in the call itself. Nothing is deleted by time or size. Topics are not created by themselves.
 * - Not there: replicas, rights, quotas.
 *
 * @example
 * ```ts
 * const cluster = new MemoryCluster();
 * cluster.createTopic('events', 2);
 * cluster.write('events', 0, [{ key: 'C:8', value: '1' }]);
 * const broker = cluster.connect();
 * // ... the program under test, with `broker` for its Kafka
 * await broker.close();
 * for (const { key, value } of cluster.read('results', 0)) console.log(key, value);
 * ```
 */
export class MemoryCluster {
  readonly #state: ClusterState;
  readonly #options: MemoryClusterOptions;
  readonly #host: LinkHost;
  readonly #links = new WeakMap<Broker, Link>();
  readonly #clients = new WeakMap<Link, Broker>();
  #down: { readonly over: Promise<void>; end(): void } | undefined;

  constructor(options: MemoryClusterOptions = {}) {
    this.#options = options;
    const { clusterId = 'memory', now = Date.now } = options;
    this.#state = new ClusterState(clusterId, now, () => this.#step());
    this.#host = this.#hostOf();
  }

  /** A client of its own: as many as wanted. */
  connect(options: MemoryConnectOptions = {}): Broker {
    const { clientId = 'client', latencyMs = 0, requestTimeoutMs = 30_000 } = options;
    const link = new Link(this.#host, { clientId, latencyMs, requestTimeoutMs });
    const client = new MemoryClient(this.#state, link);
    this.#links.set(client, link);
    this.#clients.set(link, client);
    return client;
  }

  /**
   * Creates a topic at once. @throws StreamsError `STREAMS_BROKER` if it exists.
   *
   * @param configs - Kafka's names, such as `cleanup.policy`.
   */
  createTopic(topic: string, partitions = 1, configs: Readonly<Record<string, string>> = {}): void {
    told(() => this.#state.topics.create({ topic, partitions, configs }));
  }

  /** Deletes a topic with all its records, and what groups have committed of it. @throws StreamsError `STREAMS_BROKER` if it does not exist. */
  deleteTopic(topic: string): void {
    told(() => this.#state.deleteTopic(topic));
  }

  /** Gives a topic more partitions, empty ones: so many in all. @throws StreamsError `STREAMS_BROKER` if it has as many or more. */
  growTopic(topic: string, partitions: number): void {
    told(() => this.#state.topics.grow(topic, partitions));
  }

  /** Deletes the records of a partition before an offset; by default all that it has. Later ones get the offsets that they would have had. */
  deleteRecords(topic: string, partition: number, before?: number): void {
    told(() => {
      const offset = before ?? this.#state.topics.log({ topic, partition }).end;
      this.#state.deleteRecords({ topic, partition, offset });
    });
  }

  /** Cuts a partition's end off, as a broker does that has lost what was not on its disk: later records get these offsets again. */
  truncate(topic: string, partition: number, end: number): void {
    told(() => this.#state.topics.log({ topic, partition }).truncate(end));
  }

  /** Writes records at once, without a transaction, whatever their time. Returns the position after them. */
  write(topic: string, partition: number, records: readonly SimpleRecord[]): number {
    return told(() => {
      const columns = this.#state.topics.timed(topic, columnsOf(records).build());
      return this.#state.topics.log({ topic, partition }).append(columns, undefined);
    });
  }

  /** What a reader gets of a partition now. @param isolation - `read_committed` by default. */
  read(topic: string, partition: number, isolation: Isolation = 'read_committed'): readonly MemoryRecord[] {
    const log = told(() => this.#state.topics.log({ topic, partition }));
    const fetched = log.read(log.start, isolation, Number.POSITIVE_INFINITY)!;
    const columns = { ...fetched, timestamps: Float64Array.from(fetched.timestamps), headers: undefined };
    return Array.from({ length: fetched.length }, (_, i) => ({
      offset: fetched.offsets[i]!,
      timestamp: fetched.timestamps[i]!,
      key: copyOf(keyAt(columns, i)),
      value: copyOf(valueAt(columns, i)),
      headers: fetched.headers(i),
    }));
  }

  /**
   * Compacts a topic at once: of the records that no open transaction can change, the last of each key is left, at its offset. Tombstones stay.
   */
  compact(topic: string): void {
    for (const log of told(() => this.#state.topics.logs(topic))) log.compact();
  }

  /** Stops a client as if its process were stopped: its requests do not arrive, it gets no answers, its heartbeats cease. */
  pause(client: Broker): void {
    this.#linkOf(client).pause();
  }

  /** Lets a paused client go on. */
  resume(client: Broker): void {
    this.#linkOf(client).resume();
  }

  /** Ends the sessions of a client in its groups at once, as if it had been silent for as long as they last. */
  endSessions(client: Broker): void {
    for (const [memberId, groupId] of this.#linkOf(client).members) this.#state.groups.expire(groupId, memberId);
  }

  /**
   * Cuts the connection of a client at its next request of this kind: before it is carried out, in (carried out, and no answer arrives), or after its answer. Other
   * requests of the client that are under way lose their answers.
   *
   * Producers don't repeat a request; all else does.
   *
   * @param request - of any kind: undefined. @defaultValue 'EndTxn'
   * @param times - how many of these requests meet it. @defaultValue 1
   */
  cut(client: Broker, when: CutWhen, request: MemoryRequest | undefined = 'EndTxn', times = 1): void {
    this.#linkOf(client).cut(when, request, times);
  }

  /** Stops the cluster: connections are lost, calls wait until it is up, no session ends. What was written stays. */
  down(): void {
    if (this.#down !== undefined) return;
    let end = (): void => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#down = { over, end };
    this.#state.groups.suspend();
    for (const link of [...this.#host.links]) link.break();
  }

  /** Starts the cluster again. */
  up(): void {
    const down = this.#down;
    if (down === undefined) return;
    this.#down = undefined;
    this.#state.groups.revive();
    down.end();
  }

  #linkOf(client: Broker): Link {
    const link = this.#links.get(client);
    if (link === undefined) throw new TypeError('this is not a client of the cluster');
    return link;
  }

  async #step(): Promise<void> {
    const { markerDelayMs = 0 } = this.#options;
    await (markerDelayMs > 0 ? pauseOf(markerDelayMs) : nextTurn());
    while (this.#down !== undefined) await this.#down.over;
  }

  #hostOf(): LinkHost {
    return {
      links: new Set(),
      isDown: () => this.#down !== undefined,
      whenUp: (timeoutMs) => this.#whenUp(timeoutMs),
      beforeRequest: (request, link) => this.#options.onRequest?.(request, this.#clients.get(link)!),
    };
  }

  #whenUp(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      void (this.#down?.over ?? Promise.resolve()).then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

const copyOf = (bytes: Buffer | undefined): Uint8Array | undefined => bytes && new Uint8Array(bytes);

/** Faults as users know them. */
function told<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asStreamsError(error);
  }
}
