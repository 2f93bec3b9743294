/** When punctuations are due next, ms, by the names of their nodes; versions before 1.0 saved them in the order of the nodes. */
export type SavedSchedules = Readonly<Record<string, readonly number[]>> | readonly number[];

const isOrdered = (saved: SavedSchedules): saved is readonly number[] => Array.isArray(saved);

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
 * one strictly after now: a jump makes no burst. Of those that are due together the one due first fires first.
 *
 * Kafka Streams: `processor/internals/PunctuationQueue.java`. Those due at the same time fire in the order that its heap, Java's `PriorityQueue`, gives them.
 */
export class Schedules {
  /** In the order in which they were added. */
  #schedules: Schedule[] = [];
  readonly #heap: Schedule[] = [];
  /** When {@link Schedules.fireNext} has something to do: the next one is due, or would be if it were not cancelled. A field, since each record asks for it. */
  nextMs: number = Number.POSITIVE_INFINITY;

  add(name: string, firstMs: number, intervalMs: number, call: (timestampMs: number) => void): { cancel(): void } {
    const schedule: Schedule = { name, intervalMs, call, nextMs: firstMs, cancelled: false };
    this.#schedules.push(schedule);
    this.#offer(schedule);
    this.#look();
    return {
      cancel: () => {
        schedule.cancelled = true;
        this.#schedules = this.#schedules.filter((other) => other !== schedule);
      },
    };
  }

  /** Fires the one that is due first; false if none is. */
  fireNext(nowMs: number): boolean {
    while (this.#heap[0]?.cancelled === true && this.nextMs <= nowMs) {
      this.#poll();
      this.#look();
    }
    if (this.nextMs > nowMs) return false;
    const schedule = this.#poll();
    const { nextMs: due, intervalMs } = schedule;
    schedule.nextMs = due + Math.max(1, Math.floor((nowMs - due) / intervalMs) + 1) * intervalMs;
    try {
      schedule.call(nowMs);
    } finally {
      // It may have cancelled itself.
      if (!schedule.cancelled) this.#offer(schedule);
      this.#look();
    }
    return true;
  }

  /** When the schedules of each name are due next, in the order in which they were added. */
  save(): Readonly<Record<string, readonly number[]>> {
    const saved: Record<string, number[]> = {};
    for (const { name, nextMs } of this.#schedules) {
      saved[name] ??= [];
      saved[name].push(nextMs);
    }
    return saved;
  }

  /**
   * Schedules go on by their names. Of a name with another number of them none is known: each begins as at the first start.
   *
   * @param saved - what `save` gave; or, of versions before 1.0, the times in the order in which all were added
   */
  restore(saved: SavedSchedules): void {
    this.#heap.length = 0;
    const known = (schedules: readonly Schedule[], times: readonly number[] | undefined): void => {
      if (times?.length === schedules.length)
        for (const [i, schedule] of schedules.entries()) schedule.nextMs = times[i]!;
    };
    if (isOrdered(saved)) known(this.#schedules, saved);
    else
      for (const name of new Set(this.#schedules.map((schedule) => schedule.name)))
        known(
          this.#schedules.filter((schedule) => schedule.name === name),
          saved[name],
        );
    for (const schedule of this.#schedules) this.#offer(schedule);
    this.#look();
  }

  #look(): void {
    this.nextMs = this.#heap[0]?.nextMs ?? Number.POSITIVE_INFINITY;
  }

  #offer(schedule: Schedule): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (schedule.nextMs >= heap[parent]!.nextMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = schedule;
  }

  /** Takes the first one out of a heap that is not empty. */
  #poll(): Schedule {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return first;
    let at = 0;
    while (at < length >>> 1) {
      let child = 2 * at + 1;
      if (child + 1 < length && heap[child]!.nextMs > heap[child + 1]!.nextMs) child++;
      if (last.nextMs <= heap[child]!.nextMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
