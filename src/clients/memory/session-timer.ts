/** Later than this, a timer tells that the process was busy. */
const busyMs = 5;
const mostTries = 5;

/**
 * The session of a member. Members live in the process of the broker: while it is busy they cannot show that they are alive, so that time does not count.
 */
export class SessionTimer {
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(timeoutMs: number, expire: () => void) {
    this.#expire = expire;
    this.#wait(timeoutMs, 0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number, tries: number): void {
    const due = performance.now() + ms;
    this.#timer = setTimeout(() => {
      const lateMs = performance.now() - due;
      if (lateMs > busyMs && tries < mostTries) this.#wait(Math.min(lateMs, ms), tries + 1);
      else this.#lastTurns(3);
    }, ms).unref();
  }

  /** A heartbeat may be under way. */
  #lastTurns(turns: number): void {
    if (this.#stopped) return;
    if (turns === 0) this.#expire();
    else setImmediate(() => this.#lastTurns(turns - 1));
  }
}
