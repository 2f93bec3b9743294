import { dayMs, formatCivilDate } from '../../../src/common/time/civil.ts';
import type { Zone } from '../../../src/common/time/zone.ts';

const dayInSeconds = 86_400;

/** Writes instants as the civil times that {@link CivilTimeReader} reads back as the same instants. */
export class CivilTimeWriter {
  readonly #zone: Zone;
  // Events come in runs of a day.
  #day = Number.NaN;
  #date = '';

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /**
   * 'YYYY-MM-DD HH:MM:SS'.
   *
   * @throws RangeError for an instant that no such text means: one between seconds, and the second time that the clock shows an hour when it is put back.
   */
  write(ms: number): string {
    const day = this.#zone.dayOf(ms);
    if (day !== this.#day) {
      this.#day = day;
      this.#date = formatCivilDate(day);
    }
    return `${this.#date} ${timeText(this.#secondOfDay(day, ms))}`;
  }

  #secondOfDay(day: number, ms: number): number {
    const start = this.#zone.startOfDay(day);
    const elapsed = ms - start;
    // Most days have 24 h. On the others the clock shows the time elapsed before its change, and after it that and what was left out or repeated.
    const changed = elapsed + dayMs - (this.#zone.startOfDay(day + 1) - start);
    for (const msOfDay of [elapsed, changed]) {
      if (msOfDay % 1000 === 0 && this.#means(day, msOfDay, ms)) return msOfDay / 1000;
    }
    // What is left are the odd ends of odd days, where several texts mean the day's last instant.
    for (let second = dayInSeconds - 1; second >= 0; second--) {
      if (this.#means(day, second * 1000, ms)) return second;
    }
    throw new RangeError(
      `no civil time in ${this.#zone.name} means ${ms}: times have whole seconds, and one that occurs twice means the first`,
    );
  }

  #means(day: number, msOfDay: number, ms: number): boolean {
    return msOfDay >= 0 && msOfDay < dayMs && this.#zone.toMs(day, msOfDay) === ms;
  }
}

function timeText(second: number): string {
  return `${twoDigits(Math.floor(second / 3600))}:${twoDigits(Math.floor(second / 60) % 60)}:${twoDigits(second % 60)}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
