import * as civil from '../common/time/civil.ts';
import { Zone } from '../common/time/zone.ts';
import { TimeWindows } from './time-windows.ts';
import { checkedMs, checkedRetentionMs, type Windows } from './windows.ts';

/** The calendar periods that {@link CalendarWindows} can have. */
export type CalendarUnit = 'day' | 'isoWeek' | 'month' | 'year';

interface UnitRules {
  /** First day of the period that holds a day. */
  readonly first: (day: number) => number;
  /** First day of the period after it. */
  readonly next: (day: number) => number;
  /** Longest usual period, ms: with an hour for the clock that goes back. */
  readonly longestMs: number;
  /** The units whose periods never straddle two of this unit. */
  readonly covers: readonly CalendarUnit[];
}

const hourMs = 3_600_000;

const rulesOf: Readonly<Record<CalendarUnit, UnitRules>> = {
  day: { first: (day) => day, next: (day) => day + 1, longestMs: civil.dayMs + hourMs, covers: ['day'] },
  isoWeek: {
    first: civil.startOfIsoWeek,
    next: civil.startOfNextIsoWeek,
    longestMs: 7 * civil.dayMs + hourMs,
    covers: ['day', 'isoWeek'],
  },
  month: {
    first: civil.startOfMonth,
    next: civil.startOfNextMonth,
    longestMs: 31 * civil.dayMs + hourMs,
    covers: ['day', 'month'],
  },
  year: {
    first: civil.startOfYear,
    next: civil.startOfNextYear,
    longestMs: 366 * civil.dayMs + hourMs,
    covers: ['day', 'month', 'year'],
  },
};

/**
 * Tumbling windows of one calendar period in a time zone: `[start, end)`, start inclusive.
 *
 * A day in 'Europe/Paris' may last 23, 24 or 25 h: 2017-03-26 is `[1490482800000, 1490565600000)` ms. Weeks are ISO weeks, from Monday; an
 * ISO year has 52 or 53 of them, and the one of 2021-01-01 starts on 2020-12-28. Days that begin without a midnight, or twice, are
 * settled by `Zone`. A window is stored under its start; its end follows from unit, zone and start, never from a length.
 *
 * A record is late, and dropped, iff `windowEnd <= observedStreamTime - grace`; grace is 0 unless {@link grace} sets it. Rows are kept for
 * ever unless {@link retention} says how long. Immutable: each method returns new windows.
 *
 * @example
 * ```ts
 * import { CalendarWindows } from 'weir-streams';
 *
 * const days = CalendarWindows.day('Europe/Paris').grace(86_400_000);
 * days.startOf(1490500000000); // 1490482800000
 * days.endOf(1490482800000); // 1490565600000, 23 h later
 * days.formatStart(1490482800000); // '2017-03-26'
 * ```
 *
 * @remarks Kafka Streams has no calendar windows; fixed-size ones are `TimeWindows`.
 */
export class CalendarWindows implements Windows {
  /** The period of a window. */
  readonly unit: CalendarUnit;
  /** The zone whose calendar it is. */
  readonly zone: Zone;
  readonly graceMs: number;
  readonly retentionMs: number;
  readonly overlapping: boolean = false;

  readonly #rules: UnitRules;
  // The window met last: on input in nearly time order most calls need no more. NaN is in no window.
  #startMs: number = Number.NaN;
  #endMs: number = Number.NaN;
  #firstDay: number = Number.NaN;

  private constructor(unit: CalendarUnit, zone: Zone, graceMs: number, retentionMs: number) {
    this.unit = unit;
    this.zone = zone;
    this.#rules = rulesOf[unit];
    this.graceMs = checkedMs('grace', graceMs, 0);
    this.retentionMs = checkedRetentionMs(retentionMs, this.#rules.longestMs, graceMs);
  }

  /**
   * Civil days of a zone.
   *
   * @param zone - IANA name, such as 'Europe/Paris'.
   * @throws {@link StreamsError} `STREAMS_CONFIG` - for an unknown zone.
   */
  static day(zone: string): CalendarWindows {
    return new CalendarWindows('day', Zone.of(zone), 0, Number.POSITIVE_INFINITY);
  }

  /**
   * ISO 8601 weeks of a zone, Monday to Sunday.
   *
   * @param zone - IANA name, such as 'Europe/Paris'.
   * @throws {@link StreamsError} `STREAMS_CONFIG` - for an unknown zone.
   */
  static isoWeek(zone: string): CalendarWindows {
    return new CalendarWindows('isoWeek', Zone.of(zone), 0, Number.POSITIVE_INFINITY);
  }

  /**
   * Months of a zone.
   *
   * @param zone - IANA name, such as 'Europe/Paris'.
   * @throws {@link StreamsError} `STREAMS_CONFIG` - for an unknown zone.
   */
  static month(zone: string): CalendarWindows {
    return new CalendarWindows('month', Zone.of(zone), 0, Number.POSITIVE_INFINITY);
  }

  /**
   * Years of a zone, from 1 January.
   *
   * @param zone - IANA name, such as 'Europe/Paris'.
   * @throws {@link StreamsError} `STREAMS_CONFIG` - for an unknown zone.
   */
  static year(zone: string): CalendarWindows {
    return new CalendarWindows('year', Zone.of(zone), 0, Number.POSITIVE_INFINITY);
  }

  /**
   * The same windows, which take late records until stream time has reached `windowEnd + graceMs`.
   *
   * @param graceMs - Integer, 0 ms or more.
   */
  grace(graceMs: number): CalendarWindows {
    return new CalendarWindows(this.unit, this.zone, graceMs, this.retentionMs);
  }

  /**
   * The same windows with rows kept until a window begins `retentionMs` or more after their own.
   *
   * Operator time says which window is the newest: days with a retention of 31 days keep the last 31 days.
   *
   * @param retentionMs - Integer, at least the grace plus the longest period and an hour (25 h for days, 366 days and 1 h for years);
   * Infinity keeps them for ever.
   */
  retention(retentionMs: number): CalendarWindows {
    return new CalendarWindows(this.unit, this.zone, this.graceMs, retentionMs);
  }

  startOf(timestampMs: number): number {
    if (!(timestampMs >= this.#startMs && timestampMs < this.#endMs)) this.#find(timestampMs);
    return this.#startMs;
  }

  startsFor(timestampMs: number): readonly number[] {
    return [this.startOf(timestampMs)];
  }

  endOf(startMs: number): number {
    if (startMs !== this.#startMs) this.#findStart(startMs);
    return this.#endMs;
  }

  /**
   * The first day of the window that starts at `startMs`, 'YYYY-MM-DD': how exports and pages name windows.
   *
   * @throws RangeError if no window starts there.
   */
  formatStart(startMs: number): string {
    if (startMs !== this.#startMs) this.#findStart(startMs);
    return civil.formatCivilDate(this.#firstDay);
  }

  covers(finer: Windows): boolean {
    if (finer instanceof CalendarWindows) return finer.zone === this.zone && this.#rules.covers.includes(finer.unit);
    // Hours in days are certain only where no change of an offset, past or to come, can move a day's start off the hour.
    const inUtcDays = finer instanceof TimeWindows && !finer.overlapping && civil.dayMs % finer.sizeMs === 0;
    return inUtcDays && this.zone.name === 'UTC';
  }

  describe(): string {
    return `calendar ${this.unit} ${this.zone.name} grace ${this.graceMs}`;
  }

  /** Makes the window that holds `timestampMs` the one met last. */
  #find(timestampMs: number): void {
    const day = this.zone.dayOf(timestampMs);
    const firstDay = this.#rules.first(day);
    const startMs = this.zone.startOfDay(firstDay);
    this.#endMs = this.zone.startOfDay(this.#rules.next(day));
    this.#startMs = startMs;
    this.#firstDay = firstDay;
  }

  #findStart(startMs: number): void {
    this.#find(startMs);
    if (this.#startMs !== startMs) {
      throw new RangeError(
        `no ${this.unit} of ${this.zone.name} starts at ${startMs}: the one that holds it starts at ${this.#startMs}`,
      );
    }
  }
}
