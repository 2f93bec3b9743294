import { StreamsError } from '../../common/errors.ts';
import { asStreamsError, BrokerFault, connectionLost } from './broker-fault.ts';

/** What a client asks of the cluster: Kafka's names of requests. */
export type MemoryRequest =
  | 'AddOffsetsToTxn'
  | 'CreateTopics'
  | 'DeleteGroups'
  | 'DeleteRecords'
  | 'DeleteTopics'
  | 'DescribeCluster'
  | 'DescribeConfigs'
  | 'DescribeGroups'
  | 'EndTxn'
  | 'Fetch'
  | 'Heartbeat'
  | 'InitProducerId'
  | 'JoinGroup'
  | 'LeaveGroup'
  | 'ListOffsets'
  | 'Metadata'
  | 'OffsetCommit'
  | 'OffsetFetch'
  | 'Produce'
  | 'SyncGroup';

/** Where a connection is cut: before a request is carried out, after it but before its answer, or right after its answer. */
export type CutWhen = 'before' | 'in' | 'after';

/** What a link needs of its cluster. */
export interface LinkHost {
  isDown(): boolean;
  /** Resolves when the cluster is up, or after so many ms. */
  whenUp(timeoutMs: number): Promise<void>;
  readonly links: Set<Link>;
  /** Told of each request before it is carried out. */
  beforeRequest(request: MemoryRequest, link: Link): void;
}

export interface LinkOptions {
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly latencyMs: number | ((request: MemoryRequest) => number);
}

interface Cut {
  readonly when: CutWhen;
  readonly request: MemoryRequest | undefined;
  times: number;
}

/**
 * What lies between one client and the cluster: requests and answers take a step each, and may be held or lost on the way.
 */
export class Link {
  readonly clientId: string;
  /** The names that groups have given members at its end, with their group. */
  readonly members: Map<string, string> = new Map();
  readonly #host: LinkHost;
  readonly #options: LinkOptions;
  #closed = false;
  #resumed: { readonly promise: Promise<void>; resolve(): void } | undefined;
  #cuts: Cut[] = [];
  // Grows with each lost connection: answers of an earlier one do not arrive.
  #connection = 0;
  readonly #waiting = new Set<() => void>();

  constructor(host: LinkHost, options: LinkOptions) {
    this.#host = host;
    this.#options = options;
    this.clientId = options.clientId;
    host.links.add(this);
  }

  get isPaused(): boolean {
    return this.#resumed !== undefined;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  pause(): void {
    if (this.#resumed !== undefined) return;
    let resolve = (): void => {};
    const promise = new Promise<void>((go) => {
      resolve = go;
    });
    this.#resumed = { promise, resolve };
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  cut(when: CutWhen, request: MemoryRequest | undefined, times: number): void {
    this.#cuts.push({ when, request, times });
  }

  /** Answers under way are lost, and requests too that have not arrived. */
  break(): void {
    this.#connection++;
    for (const wake of [...this.#waiting]) wake();
  }

  close(): void {
    this.#closed = true;
    this.#host.links.delete(this);
    this.resume();
    this.break();
  }

  /**
   * Sends a request: `carryOut` runs in the cluster.
   *
   * @param patient - whether the answer may take longer than the client's timeout for requests.
   * @throws BrokerFault of the cluster; `NETWORK_EXCEPTION`, `REQUEST_TIMED_OUT` of the way. StreamsError `STREAMS_CLOSED`.
   */
  async call<T>(request: MemoryRequest, carryOut: () => T | Promise<T>, patient = false): Promise<T> {
    await this.#travel(request);
    this.#host.beforeRequest(request, this);
    await this.#ready();
    const cut = this.#takeCut(request);
    if (cut === 'before') throw this.#lost();
    const connection = this.#connection;
    const answer = carryOut();
    const result = answer instanceof Promise ? await this.#await(answer, connection, patient) : answer;
    if (cut === 'in') throw this.#lost();
    await this.#travel(request);
    if (connection !== this.#connection) throw this.#closed ? closed() : connectionLost();
    if (cut === 'after') this.break();
    return result;
  }

  /** A call that is repeated while connections are lost, until the client's timeout. @throws StreamsError */
  async insist<T>(request: MemoryRequest, carryOut: () => T | Promise<T>): Promise<T> {
    const until = Date.now() + this.#options.requestTimeoutMs;
    for (;;) {
      try {
        return await this.call(request, carryOut);
      } catch (error) {
        if (!BrokerFault.is(error, 'NETWORK_EXCEPTION') || Date.now() >= until) throw asStreamsError(error);
        await pauseOf(1);
      }
    }
  }

  async #travel(request: MemoryRequest): Promise<void> {
    const { latencyMs } = this.#options;
    const ms = typeof latencyMs === 'number' ? latencyMs : latencyMs(request);
    // Half of it there, half of it back.
    await (ms > 0 ? this.#pause(ms / 2) : nextTurn());
    while (this.#resumed !== undefined) await this.#resumed.promise;
    if (this.#closed) throw closed();
  }

  /** A link that is closed waits for nothing. */
  #pause(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const wake = (): void => {
        if (this.#closed) end();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(wake);
    });
  }

  async #ready(): Promise<void> {
    while (this.#resumed !== undefined) await this.#resumed.promise;
    if (this.#closed) throw closed();
    if (!this.#host.isDown()) return;
    const { requestTimeoutMs } = this.#options;
    await this.#await(this.#host.whenUp(requestTimeoutMs), this.#connection, true);
    if (this.#host.isDown())
      throw new BrokerFault('NETWORK_EXCEPTION', `no broker has answered for ${requestTimeoutMs} ms`);
  }

  #takeCut(request: MemoryRequest): CutWhen | undefined {
    const cut = this.#cuts.find((one) => one.request === undefined || one.request === request);
    if (cut === undefined) return undefined;
    if (--cut.times === 0) this.#cuts = this.#cuts.filter((one) => one !== cut);
    return cut.when;
  }

  #lost(): BrokerFault {
    this.break();
    return connectionLost();
  }

  #await<T>(answer: Promise<T>, connection: number, patient: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const { requestTimeoutMs } = this.#options;
      const timer = patient
        ? undefined
        : setTimeout(() => end(() => reject(timedOut(requestTimeoutMs))), requestTimeoutMs);
      const lost = (): void => {
        if (connection !== this.#connection) end(() => reject(this.#closed ? closed() : connectionLost()));
      };
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(lost);
        settle();
      };
      this.#waiting.add(lost);
      answer.then(
        (value) => end(() => resolve(value)),
        (error: unknown) => end(() => reject(error as Error)),
      );
    });
  }
}

/** Ends this turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits. */
export const pauseOf = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const timedOut = (ms: number): BrokerFault =>
  new BrokerFault('REQUEST_TIMED_OUT', `the broker has not answered for ${ms} ms`);

const closed = (): StreamsError =>
  new StreamsError('STREAMS_CLOSED', 'the client of the broker is closed. Make a new one.');
