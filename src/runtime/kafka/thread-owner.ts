/** Who a stream thread belongs to, here or in another thread, and what it is told. */
export interface ThreadOwner {
  /** Whether the owner asks the whole application to shut down. */
  asksShutdown(): boolean;
  /** What the state of the client follows from may have changed. */
  changed(): void;
  /** An error is to be counted. */
  count(error: unknown): void;
  /** Something has failed without which nothing goes on. */
  ends(error: unknown): void;
  /** Something has failed that the uncaught handler decides on. */
  uncaught(error: unknown): void;
  /** Another instance asks the whole application to shut down. */
  shutDown(): void;
}

/** What a stream thread is called. */
export interface ThreadNames {
  /** To people. Kafka Streams: the name of the `StreamThread`. */
  readonly name: string;
  readonly number: number;
  /** To the other members: a static member's own name, which outlives its restarts. */
  readonly processId: string;
  /** All threads that end together have the same: a standby copy goes to another one. */
  readonly hostProcess?: string;
  /** Where others reach the instance's HTTP endpoints, 'host:port'; '' for nowhere. */
  readonly endpoint: string;
}
