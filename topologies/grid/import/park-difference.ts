import {
  formatCivilDate,
  startOfIsoWeek,
  startOfMonth,
  startOfNextIsoWeek,
  startOfNextMonth,
  startOfNextYear,
  startOfYear,
} from '../../../src/common/time/civil.ts';
import type { Zone } from '../../../src/common/time/zone.ts';
import type { Version } from '../../../src/runtime/read-only-stores.ts';
import { changedIntervals } from '../../../state/versioned-store.ts';
import type { Place } from '../park/place.ts';
import { isNameKey } from '../park/place-names.ts';
import type { Period } from '../statistics/statistic.ts';

/** How an equipment's places differ from those that were known. */
export type ChangeKind = 'installed' | 'ended' | 'moved' | 'corrected';

/** Equipments by what has become of them. */
export type ChangeCounts = Readonly<Record<ChangeKind | 'unchanged', number>>;

/** Windows one after the other, from the one that begins on `from` to the one that begins on `to`, civil dates; null: all later ones too. */
export interface WindowRange {
  readonly from: string;
  readonly to: string | null;
}

/** The windows whose statistics by place move, by their period, oldest first. */
export type MovedWindows = Readonly<Record<Period, readonly WindowRange[]>>;

/** A period's first day, and that of the next, of the period that a day is in. */
const periodsOf: Readonly<Record<Period, readonly [start: (day: number) => number, next: (day: number) => number]>> = {
  day: [(day) => day, (day) => day + 1],
  week: [startOfIsoWeek, startOfNextIsoWeek],
  month: [startOfMonth, startOfNextMonth],
  year: [startOfYear, startOfNextYear],
};

/** Adds up how a park differs from the one before. */
export class ParkDifference {
  readonly #zone: Zone;
  readonly #counts: Record<ChangeKind | 'unchanged', number> = {
    installed: 0,
    ended: 0,
    moved: 0,
    corrected: 0,
    unchanged: 0,
  };
  #names = 0;
  /** For each first day of spans that differ, the latest day after one. */
  readonly #spans: Map<number, number> = new Map();

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  get counts(): ChangeCounts {
    return this.#counts;
  }

  /** Names of places that differ. */
  get names(): number {
    return this.#names;
  }

  /** Whether the versions of a key differ at any time. An equipment is counted either way. */
  add(key: string, before: readonly Version<Place>[], after: readonly Version<Place>[]): boolean {
    const intervals = changedIntervals(before.map(withNull), after.map(withNull), samePlace);
    if (isNameKey(key)) {
      if (intervals.length > 0) this.#names++;
      return intervals.length > 0;
    }
    if (intervals.length === 0) {
      if (after.length > 0) this.#counts.unchanged++;
      return false;
    }
    this.#counts[kindOf(before, after)]++;
    for (const { fromMs, toMs } of intervals) {
      const from = this.#zone.dayOf(fromMs);
      const to = toMs === Number.POSITIVE_INFINITY ? toMs : this.#zone.dayOf(toMs);
      this.#spans.set(from, Math.max(to, this.#spans.get(from) ?? to));
    }
    return true;
  }

  /** Counts equipments that are known to be unchanged. */
  addUnchanged(count: number): void {
    this.#counts.unchanged += count;
  }

  /** The windows that hold a day on which an equipment's place differs. */
  windows(): MovedWindows {
    const spans = [...this.#spans].sort(([a], [b]) => a - b);
    const ranges = Object.entries(periodsOf).map(([period, of]) => [period, rangesOf(spans, ...of)]);
    return Object.fromEntries(ranges) as MovedWindows;
  }
}

/** What was known stays true, and something comes after it: installed, ended or moved. Anything else corrects what was known. */
function kindOf(before: readonly Version<Place>[], after: readonly Version<Place>[]): ChangeKind {
  const stays = before.every((version, i) => {
    const now = after[i];
    return now !== undefined && now.validFromMs === version.validFromMs && sameValue(now.value, version.value);
  });
  if (!stays) return 'corrected';
  if (before.at(-1)?.value === undefined) return 'installed';
  return after.slice(before.length).some(({ value }) => value !== undefined) ? 'moved' : 'ended';
}

function sameValue(a: Place | undefined, b: Place | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && samePlace(a, b));
}

function samePlace(a: Place, b: Place): boolean {
  if (a === b) return true;
  const fields = ['commune', 'departement', 'pdk', 'region', 'name'] as const;
  return fields.every((field) => a[field] === b[field]);
}

function withNull({ validFromMs, value }: Version<Place>): {
  readonly validFromMs: number;
  readonly value: Place | null;
} {
  return { validFromMs, value: value ?? null };
}

/** Joins the windows that spans of days `[from, to)`, sorted, lie in. */
function rangesOf(
  spans: readonly (readonly [from: number, to: number])[],
  start: (day: number) => number,
  next: (day: number) => number,
): readonly WindowRange[] {
  const joined: { from: number; to: number }[] = [];
  for (const [from, to] of spans) {
    const first = start(from);
    const end = to === Number.POSITIVE_INFINITY ? to : next(to - 1);
    const last = joined.at(-1);
    if (last !== undefined && first <= last.to) last.to = Math.max(last.to, end);
    else joined.push({ from: first, to: end });
  }
  return joined.map(({ from, to }) => ({
    from: formatCivilDate(from),
    to: to === Number.POSITIVE_INFINITY ? null : formatCivilDate(start(to - 1)),
  }));
}
