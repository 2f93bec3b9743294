import type { Zone } from '../../../src/common/time/zone.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import { stillThere } from './park.ts';
import type { Place } from './place.ts';

/** A park has few different days: each is asked of the zone once. */
export function dayStarts(zone: Zone): (day: number) => number {
  const starts = new Map<number, number>();
  return (day) => {
    let start = starts.get(day);
    if (start === undefined) {
      start = zone.startOfDay(day);
      starts.set(day, start);
    }
    return start;
  };
}

/** Collects the spans of days that an equipment is at places as versions. */
export class Timeline {
  readonly versions: Version<Place>[] = [];
  readonly #startOfDay: (day: number) => number;

  constructor(startOfDay: (day: number) => number) {
    this.#startOfDay = startOfDay;
  }

  /** Appends the span of days `[from, to)`, which starts where the last one ended, or later. */
  add(from: number, to: number, value: Place | undefined): void {
    this.#put(from, value);
    if (to <= stillThere) this.#put(to, undefined);
  }

  #put(day: number, value: Place | undefined): void {
    const versions = this.versions;
    const validFromMs = this.#startOfDay(day);
    // The end of the span before is taken back where this one begins on the same day (or on one that has no instants).
    if (versions.length > 0 && versions[versions.length - 1]!.validFromMs === validFromMs) versions.pop();
    if (versions[versions.length - 1]?.value !== value) versions.push({ validFromMs, value });
  }
}
