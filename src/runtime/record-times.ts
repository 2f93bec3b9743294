import { Histogram, type HistogramValue, together } from '../common/histogram.ts';

/** Histograms of times of a task's records, seconds. */
export interface RecordTimes {
  /** How far each processed record lay behind the stream time of its task: 0 for one that moves it, or is as new. */
  readonly lateness: HistogramValue;
  /** How far each record that was dropped as late lay behind the stream time of the operator that dropped it. */
  readonly droppedLateness: HistogramValue;
  /** Wall clock minus event time when a record was processed, of those that are committed; 0 for one from the future. */
  readonly age: HistogramValue;
  /** From a record's event time until the commit that made its results visible. */
  readonly delay: HistogramValue;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** ms: what is in order is in the first, and what windows without a grace lose in all others. */
const latenessBounds: readonly number[] = [0, second, minute, 10 * minute, hour, 6 * hour, 24 * hour, 7 * 24 * hour];
/** ms: from a stream that is read as it comes to files of years ago. */
const ageBounds: readonly number[] = [
  ...[100, 250, 500, second, 2.5 * second, 5 * second, 10 * second],
  ...[minute, 5 * minute, hour, 24 * hour],
];

const sampleSize = 1024;

/** Event times of the records of a commit and the clock when they were processed: of all up to 1,024, of more one of each two, four, ... taken by chance, so that no rhythm of the records decides which. */
class TimeSample {
  readonly #times = new Float64Array(sampleSize);
  readonly #clocks = new Float64Array(sampleSize);
  #kept = 0;
  /** Of so many records one is kept. */
  #step = 1;

  /** Keeps a record; returns the number of the next one to keep, the first record being 0. */
  keep(timestamp: number, nowMs: number): number {
    this.#times[this.#kept] = timestamp;
    this.#clocks[this.#kept++] = nowMs;
    if (this.#kept === sampleSize) this.#thin();
    return this.#kept * this.#step + below(this.#step);
  }

  /** Gives each time that is kept of `seen` records with its clock, and how many records it stands for. */
  each(seen: number, give: (timestamp: number, nowMs: number, times: number) => void): void {
    for (let i = 0; i < this.#kept; i++) {
      const times = i < this.#kept - 1 ? this.#step : seen - i * this.#step;
      give(this.#times[i]!, this.#clocks[i]!, times);
    }
  }

  clear(): void {
    this.#kept = 0;
    this.#step = 1;
  }

  #thin(): void {
    this.#kept = sampleSize / 2;
    for (let i = 0; i < this.#kept; i++) {
      const from = 2 * i + below(2);
      this.#times[i] = this.#times[from]!;
      this.#clocks[i] = this.#clocks[from]!;
    }
    this.#step *= 2;
  }
}

/** One of the whole numbers from 0 to `end` - 1. */
const below = (end: number): number => Math.floor(Math.random() * end);

/** Counts how late and how old the records of one task are, as they are processed and committed: a record in order costs two comparisons and a count, and no allocation. */
export class RecordTimesCounter {
  /** The wall clock, ms, as of the turn that takes the records: asking it for each would cost more than all else here. */
  nowMs = 0;
  /** Of records out of order: all others are in the first bucket. */
  readonly #lateness = new Histogram(latenessBounds);
  readonly #droppedLateness = new Histogram(latenessBounds);
  readonly #age = new Histogram(ageBounds);
  readonly #delay = new Histogram(ageBounds);
  /** Records so far, how many of them when the commit under way began, and after how many the next is kept as a sample. */
  #seen = 0;
  #begun = 0;
  #next = 0;
  #taken = new TimeSample();
  #committing = new TimeSample();
  /** Records of the commit that has begun last. */
  #committingSeen = 0;

  /** A record is processed. @param behindMs - how far it lies behind the stream time */
  processed(timestamp: number, behindMs: number): void {
    if (behindMs > 0) this.#lateness.observe(behindMs);
    if (this.#seen++ === this.#next) this.#next = this.#begun + this.#taken.keep(timestamp, this.nowMs);
  }

  /** A record is dropped as late. */
  dropped(behindMs: number): void {
    this.#droppedLateness.observe(behindMs);
  }

  /** A commit begins: of all that was processed until now. */
  commits(): void {
    const spent = this.#committing;
    this.#committing = this.#taken;
    this.#taken = spent;
    spent.clear();
    this.#committingSeen = this.#seen - this.#begun;
    this.#begun = this.#seen;
    this.#next = this.#seen;
  }

  /** It has ended, and its results can be seen. */
  committed(endedMs: number): void {
    this.#committing.each(this.#committingSeen, (timestamp, nowMs, times) => {
      this.#age.observe(Math.max(0, nowMs - timestamp), times);
      this.#delay.observe(Math.max(0, endedMs - timestamp), times);
    });
    this.#committing.clear();
  }

  get value(): RecordTimes {
    const lateness = inSeconds(this.#lateness);
    const [, ...late] = lateness.counts;
    const inOrder = this.#seen - late.reduce((sum, count) => sum + count, 0);
    return {
      lateness: { ...lateness, counts: [inOrder, ...late] },
      droppedLateness: inSeconds(this.#droppedLateness),
      age: inSeconds(this.#age),
      delay: inSeconds(this.#delay),
    };
  }
}

/** Nothing was processed yet. */
export const noTimes: RecordTimes = new RecordTimesCounter().value;

/** What two tasks have counted, or one at two times. */
export function addedTimes(a: RecordTimes, b: RecordTimes): RecordTimes {
  return {
    lateness: together(a.lateness, b.lateness),
    droppedLateness: together(a.droppedLateness, b.droppedLateness),
    age: together(a.age, b.age),
    delay: together(a.delay, b.delay),
  };
}

function inSeconds({ bounds, counts, sum }: HistogramValue): HistogramValue {
  return { bounds: bounds.map((ms) => ms / second), counts: [...counts], sum: sum / second };
}
