import { setMaxListeners } from 'node:events';
import { brokerError, ConnectionLost, isRetriable } from './errors.ts';

/** Waits that grow: the first of a few ms, each half as long again up to twice as long, never above the longest. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #next: number;

  constructor(firstMs = 3, longestMs = 500) {
    this.#first = firstMs;
    this.#longest = longestMs;
    this.#next = firstMs;
  }

  /** The next wait, ms. Spread, so that many that wait for the same do not come at once. */
  next(): number {
    const wait = this.#next;
    this.#next = Math.min(this.#longest, wait * 1.7);
    return wait * (0.8 + Math.random() * 0.4);
  }

  reset(): void {
    this.#next = this.#first;
  }
}

/** A controller for whose signal many wait at a time: that is no leak. */
export function manyWaits(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** A wait that a signal ends early, without an error. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(1, ms));
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** A point in time until which something is tried. */
export class Deadline {
  readonly #at: number;

  constructor(ms: number) {
    this.#at = performance.now() + ms;
  }

  /** ms left, 0 at least. */
  get left(): number {
    return Math.max(0, this.#at - performance.now());
  }

  get passed(): boolean {
    return performance.now() >= this.#at;
  }
}

/** What passes by itself is not told of, ms. */
const quietMs = 2000;
const tellEveryMs = 30_000;

/**
 * Does something until it succeeds, with growing waits, until the deadline: then it fails, whatever is under way.
 *
 * @param waiting - Told of the last error when it has taken a while, and again from time to time.
 * @throws StreamsError `STREAMS_BROKER` for an error that no retry helps, or the last one at the deadline; programming mistakes as they are.
 */
export async function retrying<T>(
  what: string,
  deadline: Deadline,
  attempt: () => Promise<T>,
  signal?: AbortSignal,
  waiting?: (error: unknown) => void,
): Promise<T> {
  let last: unknown;
  let tellAtMs = performance.now() + quietMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(brokerError(what, last ?? new ConnectionLost('no answer in time'))), deadline.left);
  });
  const backoff = new Backoff();
  const attempts = async (): Promise<T> => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof TypeError || error instanceof RangeError) throw error;
        if (!isRetriable(error)) throw brokerError(what, error);
        last = error;
        const wait = backoff.next();
        if (signal?.aborted || deadline.left <= wait) throw brokerError(what, error);
        if (performance.now() >= tellAtMs) {
          tellAtMs = performance.now() + tellEveryMs;
          waiting?.(error);
        }
        await pause(wait, signal);
      }
    }
  };
  try {
    return await Promise.race([attempts(), late]);
  } finally {
    clearTimeout(timer);
  }
}
