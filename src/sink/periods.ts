import { formatCivilDate } from '../common/time/civil.ts';
import type { Zone } from '../common/time/zone.ts';

/** How finely files are parted by the time of what is in them. */
export type PeriodUnit = 'day' | 'hour';

/** How folders and files are named: `dated` is `20180101/event_20180101-….csv`, `hive` is `date=2018-01-01/event-….csv`. */
export type Layout = 'dated' | 'hive';

const hourMs = 3_600_000;

/**
 * The civil day or hour of an instant as a number that grows with time: days since 1970-01-01, or that times 24 and the hour that the clock shows.
 *
 * 2018-01-01 00:30 in 'Europe/Paris' is day 17532, hour 420768. An hour that occurs twice, when clocks are put back, is one period.
 */
export class Periods {
  readonly #zone: Zone;
  readonly #unit: PeriodUnit;

  constructor(zone: Zone, unit: PeriodUnit) {
    this.#zone = zone;
    this.#unit = unit;
  }

  /** @throws RangeError if `ms` is not a time of the years 1 to 9999. */
  of(ms: number): number {
    const day = this.#zone.dayOf(ms);
    return this.#unit === 'day' ? day : day * 24 + Math.floor(this.#zone.msOfDayAt(ms) / hourMs);
  }

  /** Folder and file name of a period, the part after the name left to the caller: `20180101/13/event_2018010113`. */
  path(period: number, layout: Layout, prefix: string): string {
    const day = this.#unit === 'day' ? period : Math.floor(period / 24);
    const hour = this.#unit === 'day' ? '' : String(period - day * 24).padStart(2, '0');
    const date = formatCivilDate(day);
    if (layout === 'hive') return `date=${date}/${hour === '' ? '' : `hour=${hour}/`}${prefix}`;
    const compact = date.replaceAll('-', '');
    return `${compact}/${hour === '' ? '' : `${hour}/`}${prefix}_${compact}${hour}`;
  }
}
