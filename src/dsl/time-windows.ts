import { checkedMs, checkedRetentionMs, type Windows } from './windows.ts';

/**
 * Windows of a fixed size, aligned to the epoch: tumbling, or hopping after {@link advanceBy}. Half-open `[start, start + size)`.
 *
 * Size 5000 ms gives `[0, 5000)`, `[5000, 10000)`, ...; size 5000 with advance 3000 gives `[0, 5000)`, `[3000, 8000)`, `[6000, 11000)`, ...
 * and not `[1000, 6000)`. No window starts before 0, so a time before the epoch belongs to none.
 *
 * A record is late, and dropped, iff `windowEnd <= observedStreamTime - grace`. Rows are kept for ever unless {@link retention} says how
 * long (Kafka Streams: size + grace). Immutable: each method returns new windows.
 *
 * Hours and minutes only: a day of a time zone has no fixed size, see `CalendarWindows`.
 *
 * @example
 * ```ts
 * import { TimeWindows } from 'weir-streams';
 *
 * const hopping = TimeWindows.ofSizeAndGrace(5_000, 60_000).advanceBy(3_000);
 * hopping.startsFor(7_000); // [3000, 6000]
 * ```
 *
 * Kafka Streams: `kstream/TimeWindows.java`.
 */
export class TimeWindows implements Windows {
  /** Length of a window, ms. */
  readonly sizeMs: number;
  /** From one start to the next, ms. At most `sizeMs`; equal for tumbling windows. */
  readonly advanceMs: number;
  readonly graceMs: number;
  readonly retentionMs: number;

  private constructor(sizeMs: number, advanceMs: number, graceMs: number, retentionMs: number) {
    this.sizeMs = checkedMs('window size', sizeMs, 1);
    this.advanceMs = checkedMs('advance', advanceMs, 1);
    if (advanceMs > sizeMs)
      throw new RangeError(`advance must be the window size, ${sizeMs} ms, or less, not ${advanceMs}`);
    this.graceMs = checkedMs('grace', graceMs, 0);
    this.retentionMs = checkedRetentionMs(retentionMs, sizeMs, graceMs);
  }

  /**
   * Tumbling windows of a size, without grace: a record that arrives after stream time has reached its window's end is dropped.
   *
   * @param sizeMs - Integer, 1 ms or more.
   */
  static ofSizeWithNoGrace(sizeMs: number): TimeWindows {
    return new TimeWindows(sizeMs, sizeMs, 0, Number.POSITIVE_INFINITY);
  }

  /**
   * Tumbling windows of a size, which take late records until stream time has reached `windowEnd + graceMs`.
   *
   * @param sizeMs - Integer, 1 ms or more.
   * @param graceMs - Integer, 0 ms or more.
   */
  static ofSizeAndGrace(sizeMs: number, graceMs: number): TimeWindows {
    return new TimeWindows(sizeMs, sizeMs, graceMs, Number.POSITIVE_INFINITY);
  }

  /**
   * The same windows, one starting every `advanceMs`: hopping windows, in which a record counts several times.
   *
   * @param advanceMs - Integer, 1 ms to the window size.
   */
  advanceBy(advanceMs: number): TimeWindows {
    return new TimeWindows(this.sizeMs, advanceMs, this.graceMs, this.retentionMs);
  }

  /**
   * The same windows with another grace.
   *
   * @param graceMs - Integer, 0 ms or more.
   */
  grace(graceMs: number): TimeWindows {
    return new TimeWindows(this.sizeMs, this.advanceMs, graceMs, this.retentionMs);
  }

  /**
   * The same windows with rows kept until a window begins `retentionMs` or more after their own.
   *
   * Operator time says which window is the newest: a retention of 30 ms and windows of 10 ms keep `[10, 20)` as long as the newest window is `[30, 40)`, and no longer.
   *
   * @param retentionMs - Integer, size + grace or more; Infinity keeps them for ever.
   */
  retention(retentionMs: number): TimeWindows {
    return new TimeWindows(this.sizeMs, this.advanceMs, this.graceMs, retentionMs);
  }

  get overlapping(): boolean {
    return this.advanceMs < this.sizeMs;
  }

  startOf(timestampMs: number): number {
    if (!(timestampMs >= 0 && timestampMs < Number.POSITIVE_INFINITY))
      throw new RangeError(`no window holds ${timestampMs}: windows start at 0 ms and later`);
    // A quotient of integers below 2^53 never rounds up to the next integer, and is several times faster than the remainder of doubles.
    return Math.floor(timestampMs / this.advanceMs) * this.advanceMs;
  }

  startsFor(timestampMs: number): readonly number[] {
    const starts: number[] = [];
    const first = Math.floor(Math.max(0, timestampMs - this.sizeMs + this.advanceMs) / this.advanceMs) * this.advanceMs;
    for (let start = first; start <= timestampMs; start += this.advanceMs) starts.push(start);
    return starts;
  }

  endOf(startMs: number): number {
    if (
      !(startMs >= 0 && startMs < Number.POSITIVE_INFINITY) ||
      Math.floor(startMs / this.advanceMs) * this.advanceMs !== startMs
    ) {
      throw new RangeError(`no window starts at ${startMs}: starts are multiples of ${this.advanceMs} ms from 0`);
    }
    return startMs + this.sizeMs;
  }

  covers(finer: Windows): boolean {
    // A hopping window would straddle two of these sooner or later, and be counted several times where it does not.
    return finer instanceof TimeWindows && !this.overlapping && !finer.overlapping && this.sizeMs % finer.sizeMs === 0;
  }

  describe(): string {
    const advance = this.overlapping ? ` advance ${this.advanceMs}` : '';
    return `time ${this.sizeMs}${advance} grace ${this.graceMs}`;
  }
}
