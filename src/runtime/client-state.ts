import { messageOf, StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { StreamsState } from './engine-stats.ts';

/** The life of a client: its state, who listens to it, and what has gone wrong. */
export class ClientState {
  /** How many errors there were, by code. */
  readonly errors: Record<string, number> = {};
  /** The first error for which the client went into state ERROR. */
  failure: unknown;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: StreamsState) => void>();
  #state: StreamsState = 'CREATED';

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get now(): StreamsState {
    return this.#state;
  }

  /** Whether it is over. */
  get hasEnded(): boolean {
    return this.#state === 'ERROR' || this.#state === 'NOT_RUNNING';
  }

  /** Calls the listener at each change; returns how to stop that. */
  listen(listener: (state: StreamsState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(state: StreamsState): void {
    if (this.#state === state) return;
    this.#logger.info({ from: this.#state, to: state }, 'state changed');
    this.#state = state;
    for (const listener of this.#listeners)
      try {
        listener(state);
      } catch (error) {
        this.#logger.error({ error, state }, `a listener of states failed: ${messageOf(error)}`);
      }
  }

  count(error: unknown): void {
    const code = StreamsError.is(error) ? error.code : 'INTERNAL';
    this.errors[code] = (this.errors[code] ?? 0) + 1;
  }

  fail(error: unknown): void {
    this.failure ??= error;
    this.count(error);
    this.become('ERROR');
  }

  /** Resolves when it is over. */
  async untilEnded(): Promise<void> {
    if (this.hasEnded) return;
    await new Promise<void>((resolve) => {
      const stop = this.listen(() => {
        if (!this.hasEnded) return;
        stop();
        resolve();
      });
    });
  }
}
