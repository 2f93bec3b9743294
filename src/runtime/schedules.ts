/** One schedule of a punctuator. */
interface Schedule {
  readonly name: string;
  readonly intervalMs: number;
  readonly call: (timestampMs: number) => void;
  nextMs: number;
  cancelled: boolean;
}

/**
 * Punctuations of one kind of time. Each fires once when its time is reached, with the time now; the next is a multiple of the interval later, the first
 * one strictly after now: a jump makes no burst.
 *
 * Kafka Streams: `processor/internals/PunctuationQueue.java`.
 */
export class Schedules {
  #schedules: Schedule[] = [];
  #next = Number.POSITIVE_INFINITY;

  /** When the next one is due. */
  get nextMs(): number {
    return this.#next;
  }

  add(name: string, firstMs: number, intervalMs: number, call: (timestampMs: number) => void): { cancel(): void } {
    const schedule: Schedule = { name, intervalMs, call, nextMs: firstMs, cancelled: false };
    this.#schedules.push(schedule);
    this.#next = Math.min(this.#next, firstMs);
    return {
      cancel: () => {
        schedule.cancelled = true;
        this.#schedules = this.#schedules.filter((other) => other !== schedule);
        this.#update();
      },
    };
  }

  /** Fires what is due; returns how many fired. */
  fire(nowMs: number): number {
    let fired = 0;
    for (const schedule of [...this.#schedules]) {
      if (schedule.cancelled || schedule.nextMs > nowMs) continue;
      const due = schedule.nextMs;
      const following = due + schedule.intervalMs;
      schedule.nextMs =
        following > nowMs
          ? following
          : due + (Math.floor((nowMs - due) / schedule.intervalMs) + 1) * schedule.intervalMs;
      fired++;
      schedule.call(nowMs);
    }
    this.#update();
    return fired;
  }

  /** When each schedule is due next, in the order in which they were added. */
  save(): readonly number[] {
    return this.#schedules.map((schedule) => schedule.nextMs);
  }

  restore(saved: readonly number[]): void {
    this.#schedules.forEach((schedule, index) => {
      schedule.nextMs = saved[index] ?? schedule.nextMs;
    });
    this.#update();
  }

  #update(): void {
    this.#next = this.#schedules.reduce(
      (least, schedule) => Math.min(least, schedule.nextMs),
      Number.POSITIVE_INFINITY,
    );
  }
}
