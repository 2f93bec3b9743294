import { messageOf } from '../../common/errors.ts';
import { type Logger, silentLogger } from '../../common/logger.ts';
import type { Api } from './api.ts';
import { Deadline, retrying } from './backoff.ts';
import type { ClusterMap, CoordinatorOf } from './cluster-map.ts';
import type { Connections } from './connections.ts';
import { ConnectionLost, errorOfCode, isMoved } from './errors.ts';

/** Calls that are repeated until they succeed or their time is over. */
export class BrokerCalls {
  readonly #cluster: ClusterMap;
  readonly #connections: Connections;
  readonly #timeoutMs: number;
  readonly #closing: AbortSignal;
  readonly #logger: Logger;

  /**
   * @param timeoutMs - for each `run`, all of its attempts together.
   * @param logger - is told of a run that does not succeed for a while.
   */
  constructor(
    cluster: ClusterMap,
    connections: Connections,
    timeoutMs: number,
    closing: AbortSignal,
    logger: Logger = silentLogger,
  ) {
    this.#cluster = cluster;
    this.#connections = connections;
    this.#timeoutMs = timeoutMs;
    this.#closing = closing;
    this.#logger = logger;
  }

  /**
   * Runs attempts until one succeeds.
   *
   * @param attempt - gets a function that says how many ms are left.
   * @throws StreamsError `STREAMS_BROKER`
   */
  run<T>(what: string, attempt: (left: () => number) => Promise<T>): Promise<T> {
    const deadline = new Deadline(this.#timeoutMs);
    const waiting = (error: unknown): void => {
      const seconds = Math.ceil(this.#cluster.patienceMs(deadline.left) / 1000);
      this.#logger.warn({ error }, `${what}: ${messageOf(error)}. Trying again for ${seconds} s at most`);
    };
    return retrying(what, deadline, () => attempt(() => Math.max(1, deadline.left)), this.#closing, waiting);
  }

  async toNode<Args, Result>(nodeId: number, api: Api<Args, Result>, args: Args, timeoutMs: number): Promise<Result> {
    try {
      const connection = await this.#connections.to(nodeId, timeoutMs);
      return await connection.call(api, args, timeoutMs);
    } catch (error) {
      if (error instanceof ConnectionLost) this.#cluster.forgetNode(nodeId);
      throw error;
    }
  }

  /** Asks the coordinator; `codes` of the answer that say that it is elsewhere make that known. */
  async toCoordinator<Args, Result>(
    of: CoordinatorOf,
    id: string,
    api: Api<Args, Result>,
    args: Args,
    timeoutMs: number,
    codes: (result: Result) => Iterable<number> = codesOf,
  ): Promise<Result> {
    const result = await this.toNode(await this.#cluster.coordinator(of, id, timeoutMs), api, args, timeoutMs);
    for (const code of codes(result)) {
      if (isMoved(errorOfCode(code))) this.#cluster.forgetCoordinator(of, id);
    }
    return result;
  }
}

/** All error codes of an answer, wherever they stand. */
export function* codesOf(answer: unknown): Generator<number> {
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) return;
  for (const [name, value] of Object.entries(answer)) {
    if (name === 'errorCode') {
      if (value !== 0) yield value as number;
    } else yield* codesOf(value);
  }
}
