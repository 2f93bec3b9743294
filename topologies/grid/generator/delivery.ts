import { fate, type MadeEvents } from './made-events.ts';
import type { Random } from './random.ts';

const daySeconds = 86_400;
/** Rows are late by less than this. */
const mostLateSeconds = 12 * 3600;
/** A row that comes twice comes again within this. */
const mostTwiceSeconds = 3600;
/** A row that is too late is so many files behind its day, in the second half of the file: by then a day's grace is over. */
export const tooLateFiles = 3;
/** No clock is further ahead: a row from the future is a dead letter. */
const mostAheadSeconds = 3300;

/** A row of a file: an event of the file's day, or of one around it. */
export interface Delivered {
  readonly events: MadeEvents;
  readonly index: number;
  /** Second of the file's day at which it is delivered. */
  readonly second: number;
  /** Whether it is the file's last row. */
  readonly last: boolean;
}

/** How rows come. */
export interface Traffic {
  /** Each is delivered some random time below 12 h after it occurred. */
  readonly late: boolean;
  /** Each equipment's clock is wrong by up to so many seconds, always by the same; none by more than 55 minutes ahead. */
  readonly skewSeconds: number;
}

/** Rows that are delivered in a file that is not that of their day, or a second time. */
interface Carried {
  readonly second: number[];
  readonly events: MadeEvents[];
  readonly index: number[];
}

/**
 * Delivers events in the order in which they arrive, whatever time they bear: late ones, those of wrong clocks, those that come twice and those that come when their window is long
 * closed. So a row may stand in another day's file. On the first and the last day nothing is delivered before or after the files.
 */
export class Delivery {
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #extra: Random;
  readonly #files: number;
  readonly #carried: Map<number, Carried> = new Map();
  readonly #own: Map<number, { readonly events: MadeEvents; readonly seconds: Int32Array }> = new Map();

  /** @param files - Number of files there will be. */
  constructor(traffic: Traffic, files: number, streams: { readonly late: Random; readonly extra: Random }) {
    this.#traffic = traffic;
    this.#files = files;
    this.#random = streams.late;
    this.#extra = streams.extra;
  }

  /** Takes the events of a file's day. Those of the next day must be there too before a file is delivered: a clock may be ahead. */
  add(file: number, events: MadeEvents): void {
    const { late } = this.#traffic;
    const seconds = new Int32Array(events.length);
    for (let i = 0; i < seconds.length; i++) {
      const delay = late ? this.#random.below(mostLateSeconds) : 0;
      const second = events.second[i]! + delay - this.#ahead(events, i);
      const kind = events.fate[i];
      if (kind === fate.tooLate) {
        seconds[i] = -1;
        const half = daySeconds / 2;
        this.#carry(file + tooLateFiles, half + this.#extra.below(half), events, i);
        continue;
      }
      seconds[i] = this.#deliverAt(file, second, events, i);
      if (kind === fate.twice) {
        const again = Math.max(second, 0) + 1 + this.#extra.below(mostTwiceSeconds);
        const here = this.#deliverAt(file, again, events, i);
        if (here >= 0) this.#carry(file, here, events, i);
      }
    }
    this.#own.set(file, { events, seconds });
  }

  /** The rows of a file, in order. The object given is the same one each time. */
  *deliver(file: number): Iterable<Delivered> {
    const { events, seconds } = this.#own.get(file)!;
    const carried = this.#carried.get(file) ?? { second: [], events: [], index: [] };
    this.#own.delete(file);
    this.#carried.delete(file);
    const { order, at } = sorted(carried.second, seconds);
    const row = { events, index: 0, second: 0, last: false };
    for (let i = 0; i < order.length; i++) {
      const entry = order[i]!;
      row.events = entry < 0 ? carried.events[~entry]! : events;
      row.index = entry < 0 ? carried.index[~entry]! : entry;
      row.second = at[i]!;
      row.last = i === order.length - 1;
      yield row;
    }
  }

  /** The second at which a row is delivered in the file of its own day; -1: it is carried to another. */
  #deliverAt(file: number, second: number, events: MadeEvents, index: number): number {
    if (second < 0) {
      if (file === 0) return 0;
      this.#carry(file - 1, second + daySeconds, events, index);
      return -1;
    }
    if (second < daySeconds) return second;
    if (file === this.#files - 1) return daySeconds - 1;
    this.#carry(file + 1, second - daySeconds, events, index);
    return -1;
  }

  #carry(file: number, second: number, events: MadeEvents, index: number): void {
    let carried = this.#carried.get(file);
    if (carried === undefined) {
      carried = { second: [], events: [], index: [] };
      this.#carried.set(file, carried);
    }
    carried.second.push(second);
    carried.events.push(events);
    carried.index.push(index);
  }

  /** By how much the clock of an event's equipment is ahead, seconds; below 0: behind. */
  #ahead(events: MadeEvents, i: number): number {
    const { skewSeconds } = this.#traffic;
    if (skewSeconds === 0) return 0;
    const kind = events.type[i] === 0 ? 0 : 1;
    const mixed = Math.imul((events.equipment[i]! * 2 + kind) ^ 0x9e3779b9, 0x85ebca6b);
    const share = ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
    return Math.min(Math.round((share * 2 - 1) * skewSeconds), mostAheadSeconds);
  }
}

/** Counting sort by second. An entry of the order is an index of the day's own rows, or ~index of those carried; seconds below 0 are left out. */
function sorted(carried: readonly number[], own: Int32Array): { readonly order: Int32Array; readonly at: Int32Array } {
  const next = new Int32Array(daySeconds + 1);
  for (const second of carried) next[second + 1]!++;
  for (let i = 0; i < own.length; i++) if (own[i]! >= 0) next[own[i]! + 1]!++;
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
  for (let i = 0; i < own.length; i++) if (own[i]! >= 0) put(i, own[i]!);
  return { order, at };
}
