import type { Connections } from './connections.ts';
import { check } from './errors.ts';
import { type FetchAnswer, type FetchArgs, fetch } from './fetch-request.ts';
import type { Reading } from './reading.ts';
import { groupByTopic } from './requests.ts';

/** What lanes need of their fetcher. */
export interface LaneOwner {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  readonly isolationLevel: 0 | 1;
  /** Partitions that this broker leads and that are to be fetched now, whether a fetch of them is under way or not. */
  due(nodeId: number): Reading[];
  /** An answer; the readings are those that were asked for. */
  fetched(nodeId: number, readings: readonly Reading[], answer: FetchAnswer): void;
  /** No answer. */
  failed(nodeId: number, readings: readonly Reading[], error: unknown): void;
}

/** A fetch that has less than this to wait is waited for, ms. */
const soonMs = 100;
/** Time for an answer beyond the wait asked for, ms. */
const answerMs = 30_000;

interface Lane {
  readonly connections: Connections;
  /** When the fetch under way is answered at the latest; undefined: none is. */
  until: number | undefined;
}

/**
 * Fetches from one broker. As a rule all partitions go in one fetch after the other; for a partition that is added or resumed while one waits, a second connection
 * carries fetches that wait shortly, until the first one is free to take it.
 */
export class FetchLanes {
  readonly #nodeId: number;
  readonly #owner: LaneOwner;
  readonly #lanes: readonly Lane[];
  #scheduled: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(nodeId: number, owner: LaneOwner, connections: () => Connections) {
    this.#nodeId = nodeId;
    this.#owner = owner;
    this.#lanes = [0, 1].map(() => ({ connections: connections(), until: undefined }));
  }

  /** Something has changed: see soon whether there is something to fetch. */
  wake(): void {
    if (this.#scheduled !== undefined || this.#closed) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    clearImmediate(this.#scheduled);
    clearTimeout(this.#timer);
    for (const { connections } of this.#lanes) connections.close();
  }

  #pump(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const [first, second] = this.#lanes as [Lane, Lane];
    if (first.until !== undefined && second.until !== undefined) return;
    const now = performance.now();
    const free = this.#owner.due(this.#nodeId).filter(({ busy }) => !busy);
    const ready = free.filter(({ notBefore }) => notBefore <= now);
    const waits = free.filter(({ notBefore }) => notBefore > now).map(({ notBefore }) => notBefore - now);
    if (ready.length > 0) {
      if (first.until === undefined) {
        void this.#fetch(first, ready, this.#owner.maxWaitMs);
      } else {
        const left = first.until - now;
        if (left <= 0 || left > soonMs || ready.some(({ hot, told }) => hot || !told)) {
          void this.#fetch(second, ready, Math.min(soonMs, this.#owner.maxWaitMs));
        } else waits.push(soonMs);
      }
    }
    if (waits.length > 0) this.#timer = setTimeout(() => this.#pump(), Math.max(1, Math.min(...waits)));
  }

  async #fetch(lane: Lane, readings: readonly Reading[], longestMs: number): Promise<void> {
    const { isolationLevel, maxBytes, maxPartitionBytes } = this.#owner;
    // Whoever was just added hears at once where its partition ends.
    const maxWaitTime = readings.every(({ told }) => told) ? longestMs : 0;
    lane.until = performance.now() + maxWaitTime;
    for (const reading of readings) reading.busy = true;
    const topics = groupByTopic(readings, ({ partition, position }) => ({
      partition,
      fetchOffset: String(position),
      maxBytes: maxPartitionBytes,
    }));
    const args: FetchArgs = { isolationLevel, maxWaitTime, minBytes: 1, maxBytes, topics };
    let answer: FetchAnswer | undefined;
    let failure: unknown;
    try {
      const connection = await lane.connections.to(this.#nodeId);
      answer = await connection.call(fetch, args, maxWaitTime + answerMs);
      check(answer.errorCode);
    } catch (error) {
      failure = error;
    }
    lane.until = undefined;
    for (const reading of readings) reading.busy = false;
    if (this.#closed) return;
    if (failure !== undefined || answer === undefined) this.#owner.failed(this.#nodeId, readings, failure);
    else this.#owner.fetched(this.#nodeId, readings, answer);
    this.#pump();
  }
}
