import { IANAZone } from 'luxon';
import { StreamsError } from '../errors.ts';
import { dayMs, firstCivilDay, lastCivilDay } from './civil.ts';
import type { CivilTime } from './civil-pattern.ts';

/** From `fromMs` to the next span's start, local time is UTC plus `offsetMs`. */
interface OffsetSpan {
  readonly fromMs: number;
  readonly offsetMs: number;
}

/** Days that a zone remembers, a power of 2: eleven years, about 150 kB. A day's place is its number modulo this. */
const slots = 4096;
/** In an array of day numbers: no day. */
const noDay = 0x7fff_ffff;
/** Beyond 9999-12-31 by the days that the last windows of that year need. */
const lastDay = lastCivilDay + 31;
/** Before 0001-01-01 by the days that a search may step back. */
const firstDay = firstCivilDay - 31;

/**
 * A time zone as a map between civil days and instants. Days are day numbers (civil.ts), instants integer ms since the epoch, UTC.
 *
 * *Day D starts at the first instant whose civil date is D or later, and ends where D+1 starts*; every instant between belongs to D. So
 * days are half-open intervals `[startOfDay(D), startOfDay(D+1))` without holes or overlaps, {@link startOfDay} never falls and
 * {@link dayOf} never runs backwards. For a day that begins at midnight, in a zone that changes its offset at any other time, this is what
 * everybody means. What it settles:
 * - A day has 23, 24, 25 or any other number of hours: 2017-03-26 in 'Europe/Paris' is `[1490482800000, 1490565600000)`, 23 h.
 * - A day without a midnight starts where it starts: 2018-11-04 in 'America/Sao_Paulo' at 01:00.
 * - Where the clock goes back over midnight, the date does not: in 'America/St_Johns' on 2010-11-07 it went from 00:01 to 23:01 of the
 *   6th; the hour up to the second midnight belongs to the 7th, which began a minute before.
 * - A day that the zone left out has no instants: 2011-12-30 in 'Pacific/Apia' has `startOfDay(D) === startOfDay(D + 1)`.
 *
 * Only a day met for the first time asks luxon (some 10 us; 1 ms around a change of the offset); then a day is three numbers. Zones are shared, one per name.
 *
 * @example
 * ```ts
 * const paris = Zone.of('Europe/Paris');
 * paris.dayOf(1490482800000); // 17251, 2017-03-26
 * paris.toMs(17251, 9_000_000); // 02:30 does not exist on that day: 1490491800000, which is 03:30
 * ```
 */
export class Zone {
  static readonly #known: Map<string, Zone> = new Map();

  /** The IANA name that the zone was asked by, such as 'Europe/Paris'. */
  readonly name: string;

  readonly #rules: IANAZone;
  /** The day met last: calls mostly come in runs of one day. */
  #day = 0;
  #startMs = 0;
  #endMs = 0;
  /** Spans around the day met last, if its civil times are not simply `#startMs` + time of the day. */
  #spans: readonly OffsetSpan[] | undefined = undefined;

  // Days by slot. A later day of the same slot replaces the earlier one, so memory is bounded without bookkeeping.
  readonly #days: Int32Array = new Int32Array(slots).fill(noDay);
  readonly #starts: Float64Array = new Float64Array(slots);
  readonly #ends: Float64Array = new Float64Array(slots);
  readonly #changes: (readonly OffsetSpan[] | undefined)[] = new Array(slots).fill(undefined);
  // Offsets at UTC midnights by slot: neighbouring days ask for the same ones.
  readonly #sampledDays: Int32Array = new Int32Array(slots).fill(noDay);
  readonly #sampledOffsets: Int32Array = new Int32Array(slots);

  private constructor(name: string) {
    this.name = name;
    this.#rules = IANAZone.create(name);
    this.#enter(0);
  }

  /**
   * The zone of an IANA name, spelled as in the time zone database: 'Europe/Paris', 'Asia/Kathmandu', 'UTC'. Not 'europe/paris', '+01:00' or
   * 'local': the name is saved with the state, and must mean the same everywhere.
   *
   * @throws {@link StreamsError} `STREAMS_CONFIG` - for an unknown zone.
   */
  static of(name: string): Zone {
    const known = Zone.#known.get(name);
    if (known !== undefined) return known;
    if (!isZoneName(name)) throw new StreamsError('STREAMS_CONFIG', unknownZoneMessage(String(name)));
    const zone = new Zone(name);
    Zone.#known.set(name, zone);
    return zone;
  }

  /**
   * The civil day that an instant belongs to. Never a day that does not exist; never less than for an earlier instant.
   *
   * @throws RangeError if `ms` is no time of the years 1 to 9999.
   */
  dayOf(ms: number): number {
    return ms >= this.#startMs && ms < this.#endMs ? this.#day : this.#find(ms);
  }

  /**
   * First instant whose civil date is `day` or later; `startOfDay(day + 1)` is the first instant after the day.
   *
   * @throws RangeError if `day` is not a day number of the years 1 to 9999.
   */
  startOfDay(day: number): number {
    if (day !== this.#day) this.#enter(day);
    return this.#startMs;
  }

  /**
   * False for a day that the zone left out, such as 2011-12-30 in 'Pacific/Apia'.
   *
   * @throws RangeError if `day` is not a day number of the years 1 to 9999.
   */
  exists(day: number): boolean {
    if (day !== this.#day) this.#enter(day);
    return this.#endMs > this.#startMs;
  }

  /**
   * The instant of a civil time, always one of its own day: `dayOf(toMs(day, msOfDay)) === day` for every day that exists and every
   * `msOfDay` in `[0, 86400000)`.
   *
   * A time that occurs twice means its first occurrence. A time that the clock jumped over moves forward by the length of the jump: 02:30
   * on 2017-03-26 in 'Europe/Paris' is 03:30. A result outside the day is moved to the day's first or last ms.
   *
   * @param day - Day number. It must exist.
   * @param msOfDay - What the clock shows, ms since 00:00: 02:30 is 9000000, on days of every length. Not checked.
   * @throws RangeError if `day` does not exist ({@link exists}) or is not a day number of the years 1 to 9999.
   */
  toMs(day: number, msOfDay: number): number {
    if (day !== this.#day) this.#enter(day);
    return this.#spans === undefined ? this.#startMs + msOfDay : this.#toMsAmong(this.#spans, msOfDay);
  }

  /**
   * All instants of its day at which the clock shows a civil time, in their order: two where the clock was put back (02:30 on 2017-10-29 in 'Europe/Paris' is
   * `[1509237000000, 1509240600000]`), none where it jumped over the time.
   *
   * @param day - Day number. It must exist.
   * @param msOfDay - What the clock shows, ms since 00:00.
   */
  instantsOf(day: number, msOfDay: number): readonly number[] {
    if (day !== this.#day) this.#enter(day);
    const spans = this.#spans;
    if (spans === undefined) return [this.#startMs + msOfDay];
    return spans.flatMap(({ fromMs, offsetMs }, i) => {
      const ms = day * dayMs + msOfDay - offsetMs;
      const untilMs = Math.min(spans[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY, this.#endMs);
      return ms >= Math.max(fromMs, this.#startMs) && ms < untilMs ? [ms] : [];
    });
  }

  /**
   * The ms since 00:00 that the clock shows at an instant, on the day that {@link dayOf} gives. Where the clock goes back over midnight, the day's first or last ms.
   *
   * @throws RangeError if `ms` is no time of the years 1 to 9999.
   */
  msOfDayAt(ms: number): number {
    const day = this.dayOf(ms);
    const spans = this.#spans;
    if (spans === undefined) return ms - this.#startMs;
    const { offsetMs } = spans.findLast(({ fromMs }) => ms >= fromMs)!;
    return Math.min(Math.max(ms + offsetMs - day * dayMs, 0), dayMs - 1);
  }

  /**
   * What calendar and clock show at an instant: `{ day: 17251, msOfDay: 12600000 }`, 03:30, at 1490491800000 in 'Europe/Paris'.
   *
   * @throws RangeError if `ms` is no time of the years 1 to 9999.
   */
  civilAt(ms: number): CivilTime {
    return { day: this.dayOf(ms), msOfDay: this.msOfDayAt(ms) };
  }

  /** The name. */
  toString(): string {
    return this.name;
  }

  #toMsAmong(spans: readonly OffsetSpan[], msOfDay: number): number {
    if (this.#startMs === this.#endMs)
      throw new RangeError(`day ${this.#day} does not exist in ${this.name}: ask exists(day) first`);
    const civilMs = this.#day * dayMs + msOfDay;
    let ms = civilMs - spans[0]!.offsetMs;
    for (let i = 1; i < spans.length && ms >= spans[i]!.fromMs; i++) {
      const next = civilMs - spans[i]!.offsetMs;
      // Past the span before, not yet in this one: in the gap between. The offset before the jump shows the time as much too late as the jump is long.
      if (next < spans[i]!.fromMs) break;
      ms = next;
    }
    return Math.min(Math.max(ms, this.#startMs), this.#endMs - 1);
  }

  #find(ms: number): number {
    if (!(ms >= firstCivilDay * dayMs && ms < (lastCivilDay + 1) * dayMs)) {
      throw new RangeError(`${ms} is not a timestamp in ms of the years 1 to 9999`);
    }
    const offsetMs = this.#day * dayMs - this.#startMs;
    let day = Math.floor((ms + offsetMs) / dayMs);
    this.#enter(day);
    while (ms < this.#startMs) this.#enter(--day);
    while (ms >= this.#endMs) this.#enter(++day);
    return day;
  }

  /** Makes `day` the day met last. */
  #enter(day: number): void {
    const slot = day & (slots - 1);
    if (this.#days[slot] !== day) this.#learn(day, slot);
    this.#day = day;
    this.#startMs = this.#starts[slot]!;
    this.#endMs = this.#ends[slot]!;
    this.#spans = this.#changes[slot];
  }

  #learn(day: number, slot: number): void {
    if (!Number.isInteger(day) || day < firstDay || day > lastDay)
      throw new RangeError(`${day} is not a day number of the years 1 to 9999`);
    const spans = this.#spansAround(day);
    const startMs = firstReaching(spans, day * dayMs);
    const endMs = firstReaching(spans, (day + 1) * dayMs);
    let last = spans.length - 1;
    while (spans[last]!.fromMs >= endMs) last--;
    const plain =
      spans[last]!.fromMs <= startMs && startMs + spans[last]!.offsetMs === day * dayMs && endMs - startMs === dayMs;
    this.#starts[slot] = startMs;
    this.#ends[slot] = endMs;
    this.#changes[slot] = plain ? undefined : spans;
    this.#days[slot] = day;
  }

  /**
   * The offsets that hold from UTC midnight of the day before to UTC midnight two days later. Offsets are below 16 h, so this holds the day
   * and what is just before it.
   *
   * One sample a day is enough: since 1900 no zone has changed its offset twice within 95 h ('Africa/Freetown' 1939).
   */
  #spansAround(day: number): OffsetSpan[] {
    let offsetMs = this.#sample(day - 1);
    const spans: OffsetSpan[] = [{ fromMs: Number.NEGATIVE_INFINITY, offsetMs }];
    for (let at = day - 1; at < day + 2; at++) {
      const after = this.#sample(at + 1);
      if (after === offsetMs) continue;
      spans.push({ fromMs: this.#firstChange(at * dayMs, offsetMs), offsetMs: after });
      offsetMs = after;
    }
    return spans;
  }

  /** Offset at UTC midnight of a day. */
  #sample(day: number): number {
    const slot = day & (slots - 1);
    if (this.#sampledDays[slot] !== day) {
      this.#sampledOffsets[slot] = this.#offsetAt(day * dayMs);
      this.#sampledDays[slot] = day;
    }
    return this.#sampledOffsets[slot]!;
  }

  /** The instant within a day from `fromMs` at which the offset is `beforeMs` no longer. The database's changes fall on whole seconds. */
  #firstChange(fromMs: number, beforeMs: number): number {
    let before = fromMs;
    let after = fromMs + dayMs;
    while (after - before > 1000) {
      const middle = before + Math.floor((after - before) / 2000) * 1000;
      if (this.#offsetAt(middle) === beforeMs) before = middle;
      else after = middle;
    }
    return after;
  }

  /** Luxon gives minutes, with a fraction for offsets of old: 9 min 21 s in Paris until 1911. */
  #offsetAt(ms: number): number {
    return Math.round(this.#rules.offset(ms) * 60_000);
  }
}

/** First instant at which the clock shows `civilMs` or later. */
function firstReaching(spans: readonly OffsetSpan[], civilMs: number): number {
  let i = 0;
  for (; i < spans.length - 1; i++) {
    const ms = Math.max(civilMs - spans[i]!.offsetMs, spans[i]!.fromMs);
    if (ms < spans[i + 1]!.fromMs) return ms;
  }
  return Math.max(civilMs - spans[i]!.offsetMs, spans[i]!.fromMs);
}

/**
 * Whether Intl knows the name, and it is spelled right. Intl ignores case and replaces aliases ('Asia/Kathmandu' becomes 'Asia/Katmandu' in
 * some versions), so an alias is held against the look of the database's names only.
 */
function isZoneName(name: string): boolean {
  // Later versions of Node take offsets such as '+01:00' for zones.
  if (typeof name !== 'string' || !/^[A-Za-z]/.test(name) || !IANAZone.isValidZone(name)) return false;
  const resolved = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  if (resolved.toLowerCase() === name.toLowerCase()) return resolved === name;
  return /^(?:(?:US|[A-Z][a-z]+)\/[A-Z]|[A-Z][^/]*$)/.test(name) && !/[A-Z]{5}/.test(name);
}

function unknownZoneMessage(name: string): string {
  const wanted = name.trim().toLowerCase().replaceAll(' ', '_');
  const city = wanted.slice(wanted.lastIndexOf('/') + 1);
  const names = [...Intl.supportedValuesOf('timeZone'), 'UTC'];
  const near =
    names.find((known) => known.toLowerCase() === wanted) ??
    names.find((known) => city !== '' && known.toLowerCase().slice(known.lastIndexOf('/') + 1) === city);
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
  return `time zone '${name}' is unknown: give a name of the IANA time zone database, such as 'Europe/Paris' or 'UTC', in its exact spelling.${hint}`;
}
