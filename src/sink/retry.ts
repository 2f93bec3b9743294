import { setTimeout as delay } from 'node:timers/promises';

/** How an adapter tries again. */
export interface RetryOptions {
  /** For so long, ms. */
  readonly timeoutMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Whether another try may help. */
  retriable(error: unknown): boolean;
  /** Told before each pause. */
  failed?(error: unknown, pauseMs: number): void;
}

const firstPauseMs = 100;
const longestPauseMs = 5000;

/** Does some work, again and again with growing pauses while it fails for a cause that may pass. Throws the last error. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (options.signal.aborted || !options.retriable(error) || Date.now() + pause > deadline) throw error;
      options.failed?.(error, pause);
      await delay(pause, undefined, { signal: options.signal }).catch(() => {});
    }
  }
}
