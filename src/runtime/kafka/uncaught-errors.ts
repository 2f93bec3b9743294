import { messageOf, StreamsError } from '../../common/errors.ts';
import type { ClientState } from '../client-state.ts';
import type { FilledOptions, UncaughtResponse } from './kafka-options.ts';

/** The client whose errors they are. */
export interface FailingClient {
  /** Whether it closes: what fails then is of no interest. */
  isStopping(): boolean;
  /** Asks for a new generation: the other instances learn what this one says of itself. */
  rejoin(): void;
  close(options?: { readonly leaveGroup: boolean }): Promise<void>;
}

/** What becomes of a client on Kafka in which something has failed for good: the uncaught handler says it, where there is a choice. */
export class UncaughtErrors {
  readonly #options: Pick<FilledOptions, 'uncaughtHandler' | 'logger'>;
  readonly #life: ClientState;
  readonly #client: FailingClient;
  #asksShutdown = false;

  constructor(options: Pick<FilledOptions, 'uncaughtHandler' | 'logger'>, life: ClientState, client: FailingClient) {
    this.#options = options;
    this.#life = life;
    this.#client = client;
  }

  /** Whether the client asks the whole application to shut down. */
  get asksShutdown(): boolean {
    return this.#asksShutdown;
  }

  /** Nothing goes on without what has failed here, whatever the handler says. */
  ends(error: unknown): void {
    if (this.#client.isStopping()) return;
    this.#ask(error);
    this.#fail(error);
  }

  /** A thread has failed. @param replace - takes its tasks again, or starts another one in its place */
  uncaught(error: unknown, replace: () => void): void {
    if (this.#client.isStopping()) return;
    const response = this.#ask(error);
    if (response === 'replace-thread') {
      this.#life.count(error);
      replace();
      return;
    }
    if (response === 'shutdown-application' && !this.#asksShutdown) {
      this.#asksShutdown = true;
      this.#life.count(error);
      this.#client.rejoin();
      // The others learn of it with the next assignment; this client goes when it has its own.
      this.#life.failure = error;
      return;
    }
    this.#fail(error);
  }

  /** Another instance asks the whole application to shut down. */
  shutDown(): void {
    const message = 'an instance has asked the whole application to shut down. See its log.';
    // Whoever stays would tell it to the instances that are started next.
    this.#fail(new StreamsError('STREAMS_CLOSED', message), { leaveGroup: true });
  }

  #fail(error: unknown, options?: { readonly leaveGroup: boolean }): void {
    this.#life.fail(error);
    void this.#client.close(options);
  }

  #ask(error: unknown): UncaughtResponse {
    let response: UncaughtResponse = 'shutdown-client';
    try {
      response = this.#options.uncaughtHandler(error);
    } catch (thrown) {
      this.#options.logger.error({ error: thrown }, `the uncaught handler failed: ${messageOf(thrown)}`);
    }
    this.#options.logger.error({ error, response }, messageOf(error));
    return response;
  }
}
