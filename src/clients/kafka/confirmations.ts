/**
 * When the coordinator last confirmed a membership, by this process's own clock: from the moment the question was sent, so a process that was stopped meanwhile
 * does not take an old answer for a new one.
 */
export class Confirmations {
  readonly #sessionTimeoutMs: number;
  readonly #over: () => void;
  #at = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param over - called when a session's time has passed without a confirmation. */
  constructor(sessionTimeoutMs: number, over: () => void) {
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#over = over;
  }

  get unconfirmedMs(): number {
    return performance.now() - this.#at;
  }

  get isOver(): boolean {
    return this.unconfirmedMs > this.#sessionTimeoutMs;
  }

  /** The coordinator has confirmed what was asked at that time, ms of `performance.now()`. */
  confirmed(askedAt: number): void {
    this.#at = Math.max(this.#at, askedAt);
    this.#watch();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const left = this.#sessionTimeoutMs - this.unconfirmedMs;
    this.#timer = setTimeout(() => (this.isOver ? this.#over() : this.#watch()), Math.max(1, left + 1));
  }
}
