import { formatCivilDate, isCivilTime } from '../common/time/civil.ts';
import { Zone } from '../common/time/zone.ts';

/** Civil days without a record, one after the other. */
export interface DayGap {
  /** The first of them, `2018-01-03`. */
  readonly from: string;
  /** The last of them. */
  readonly to: string;
  readonly days: number;
}

/** Which civil days of a zone records are of. */
export class CheckedDays {
  readonly #zone: Zone;
  readonly #days: Set<number> = new Set();
  #last = Number.NaN;

  constructor(zone: string) {
    this.#zone = Zone.of(zone);
  }

  /** @param timeMs - What is not of the years 1 to 9999 is passed over. */
  add(timeMs: number): void {
    if (!isCivilTime(timeMs)) return;
    const day = this.#zone.dayOf(timeMs);
    if (day === this.#last) return;
    this.#last = day;
    this.#days.add(day);
  }

  /** How many. */
  get days(): number {
    return this.#days.size;
  }

  /** The days between that nothing is of. A day that the zone left out is not missing. */
  get gaps(): readonly DayGap[] {
    const gaps: DayGap[] = [];
    const days = [...this.#days].sort((a, b) => a - b);
    for (const [i, day] of days.slice(1).entries()) {
      let from = days[i]! + 1;
      let to = day - 1;
      while (from <= to && !this.#zone.exists(from)) from++;
      while (from <= to && !this.#zone.exists(to)) to--;
      if (from <= to) gaps.push({ from: formatCivilDate(from), to: formatCivilDate(to), days: to - from + 1 });
    }
    return gaps;
  }
}
