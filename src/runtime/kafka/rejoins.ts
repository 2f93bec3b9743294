const shortestBackoffMs = 50;
const longestBackoffMs = 5000;
/** A failure so long after the last one is not its consequence, ms. */
const calmMs = 10_000;

/** Asks for new generations after failures: one decides who takes the task, and only then may anybody fence. */
export class Rejoins {
  readonly #rejoin: () => void;
  #backoffMs = 0;
  #lastFailureMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(rejoin: () => void) {
    this.#rejoin = rejoin;
  }

  /** Something has failed: after a while, a longer one each time. */
  soon(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const now = Date.now();
    if (now - this.#lastFailureMs > calmMs) this.#backoffMs = 0;
    this.#lastFailureMs = now;
    const waitMs = Math.max(shortestBackoffMs, this.#backoffMs);
    this.#backoffMs = Math.min(longestBackoffMs, 2 * waitMs);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#rejoin();
    }, waitMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
