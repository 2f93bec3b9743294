const dayMs = 86_400_000;

/** A speed as it is typed: `60x` is 60 s of events in one second; `max` is as fast as it goes, undefined. */
export function speed(text: string): number | undefined {
  if (text === 'max') return undefined;
  const match = /^(\d+(?:\.\d+)?|\.\d+)x?$/.exec(text);
  const value = Number(match?.[1]);
  if (value > 0) return value;
  throw new Error('expected a speed such as 60x (60 s of events in one second), or max');
}

/** Says when the record that comes next is due. */
export interface Pacer {
  /** How long it has to wait, ms; 0 or less: it is due, and is sent. */
  waitMs(eventMs: number): number;
  /** There was nothing to send for a while. */
  rest(): void;
}

/** So many records in a second, evenly, whatever their event time. After a rest what was not sent is not made up for. */
export class RatePace implements Pacer {
  readonly #perMs: number;
  readonly #nowMs: () => number;
  #sinceMs: number | undefined;
  #sent = 0;

  /** @param nowMs - A clock that never goes back, ms. @defaultValue performance.now */
  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#perMs = perSecond / 1000;
    this.#nowMs = nowMs;
  }

  waitMs(): number {
    const now = this.#nowMs();
    this.#sinceMs ??= now;
    const waitMs = this.#sinceMs + this.#sent / this.#perMs - now;
    if (waitMs <= 0) this.#sent++;
    return waitMs;
  }

  rest(): void {
    this.#sinceMs = undefined;
    this.#sent = 0;
  }
}

/**
 * Says when events are due, so that they go out as fast as they happened, times `speed`.
 *
 * The first event is due at once, and one that happened `d` later `d / speed` after it; one that comes out of order is due with its predecessor. Between two events that lie more than a
 * day apart, in either direction, there is no wait: neither a folder with a hole nor a single wrong date holds up the rest.
 */
export class Pace implements Pacer {
  readonly #speed: number;
  readonly #nowMs: () => number;
  #previousMs: number | undefined;
  #eventMs = 0;
  #clockMs = 0;

  /** @param nowMs - A clock that never goes back, ms. @defaultValue performance.now */
  constructor(speed: number, nowMs: () => number = () => performance.now()) {
    this.#speed = speed;
    this.#nowMs = nowMs;
  }

  /** How long the event that comes next has to wait, ms; 0 or less: it is due. Its turn may be asked for again and again. */
  waitMs(eventMs: number): number {
    const now = this.#nowMs();
    if (this.#previousMs === undefined || Math.abs(eventMs - this.#previousMs) > dayMs) {
      this.#eventMs = eventMs;
      this.#clockMs = now;
    }
    this.#previousMs = eventMs;
    return this.#clockMs + (eventMs - this.#eventMs) / this.#speed - now;
  }

  /** There was nothing to send for a while: the next event is due at once. */
  rest(): void {
    this.#previousMs = undefined;
  }
}
