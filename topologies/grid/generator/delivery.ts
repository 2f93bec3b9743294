import type { MadeEvents } from './made-events.ts';
import type { Random } from './random.ts';

const daySeconds = 86_400;
/** Rows are late by less than this. */
const mostLateSeconds = 12 * 3600;

/** A row of a file: an event of the file's day, or of the day before. */
export interface Delivered {
  readonly events: MadeEvents;
  readonly index: number;
  /** Whether the event is of the day before. */
  readonly yesterday: boolean;
  /** Second of the file's day at which it is delivered. */
  readonly second: number;
  /** Whether it is the file's last row. */
  readonly last: boolean;
}

/**
 * Delivers events late: each some random time below 12 h after it occurred, in the order of delivery. So a row stands behind others that
 * occurred up to 12 h after it, and one of the evening may stand in the next day's file. The last day's are all delivered by its end.
 */
export class LateDelivery {
  readonly #random: Random;
  #yesterday: MadeEvents | undefined;
  /** Events of yesterday that are delivered today, and when. */
  #carriedIndex: Int32Array = new Int32Array(0);
  #carriedSecond: Int32Array = new Int32Array(0);

  constructor(random: Random) {
    this.#random = random;
  }

  /** The rows of a day's file, in order. The object given is the same one each time. */
  *deliver(events: MadeEvents, isLastDay: boolean): Iterable<Delivered> {
    const seconds = this.#drawSeconds(events, isLastDay);
    const { order, seconds: at } = this.#sort(events.length, seconds);
    const row = { events, index: 0, yesterday: false, second: 0, last: false };
    for (let i = 0; i < order.length; i++) {
      const entry = order[i]!;
      row.yesterday = entry < 0;
      row.events = entry < 0 ? this.#yesterday! : events;
      row.index = entry < 0 ? this.#carriedIndex[~entry]! : entry;
      row.second = at[i]!;
      row.last = i === order.length - 1;
      yield row;
    }
    this.#carry(events, seconds);
  }

  #drawSeconds(events: MadeEvents, isLastDay: boolean): Int32Array {
    const seconds = new Int32Array(events.length);
    for (let i = 0; i < seconds.length; i++) {
      const second = events.second[i]! + this.#random.below(mostLateSeconds);
      seconds[i] = isLastDay ? Math.min(second, daySeconds - 1) : second;
    }
    return seconds;
  }

  /** Counting sort by second of what is delivered today. An entry is an index of today's events, or ~index of those carried. */
  #sort(length: number, seconds: Int32Array): { order: Int32Array; seconds: Int32Array } {
    const carried = this.#carriedSecond;
    const next = new Int32Array(daySeconds + 1);
    for (let i = 0; i < carried.length; i++) next[carried[i]! + 1]!++;
    for (let i = 0; i < length; i++) if (seconds[i]! < daySeconds) next[seconds[i]! + 1]!++;
    for (let second = 0; second < daySeconds; second++) next[second + 1]! += next[second]!;
    const total = next[daySeconds]!;
    const order = new Int32Array(total);
    const at = new Int32Array(total);
    const put = (entry: number, second: number): void => {
      const position = next[second]!++;
      order[position] = entry;
      at[position] = second;
    };
    for (let i = 0; i < carried.length; i++) put(~i, carried[i]!);
    for (let i = 0; i < length; i++) if (seconds[i]! < daySeconds) put(i, seconds[i]!);
    return { order, seconds: at };
  }

  #carry(events: MadeEvents, seconds: Int32Array): void {
    this.#yesterday = events;
    const index: number[] = [];
    for (let i = 0; i < seconds.length; i++) if (seconds[i]! >= daySeconds) index.push(i);
    this.#carriedIndex = Int32Array.from(index);
    this.#carriedSecond = Int32Array.from(index, (i) => seconds[i]! - daySeconds);
  }
}

/** Delivers events as they occur. */
export function* deliverInOrder(events: MadeEvents): Iterable<Delivered> {
  const row = { events, index: 0, yesterday: false, second: 0, last: false };
  for (let i = 0; i < events.length; i++) {
    row.index = i;
    row.second = events.second[i]!;
    row.last = i === events.length - 1;
    yield row;
  }
}
