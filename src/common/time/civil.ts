/**
 * Civil dates as integers: a date is its day number, days since 1970-01-01, in the proleptic Gregorian calendar.
 *
 * Nothing here knows a time zone; {@link Zone} in zone.ts maps day numbers to instants. All functions take and give integers; a day number
 * that is none gives rubbish, not an error, because these run once per row.
 */

/** Length of a day without a change of the zone's offset, ms. */
export const dayMs = 86_400_000;

/** Days of the year before each month's first, for common years and for leap years. */
const daysBeforeMonth = [
  [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365],
  [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366],
] as const;

/** Days from 0001-01-01 to 1970-01-01. */
const daysBefore1970 = 719_162;

/** Day number of 0001-01-01, the first date that has a text. */
export const firstCivilDay: number = -daysBefore1970;
/** Day number of 9999-12-31, the last date that has a text. */
export const lastCivilDay = 2_932_896;

/** A date of the proleptic Gregorian calendar. */
export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** Whether a year has a 29 February: 2000 and 2016 do, 1900 and 2017 do not. */
export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** How many days month 1 to 12 of a year has: `daysInMonth(2016, 2)` is 29. */
export function daysInMonth(year: number, month: number): number {
  return month === 2
    ? isLeapYear(year)
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31;
}

/** Whether the numbers name a date of the years 1 to 9999: 2016-02-29 is one, 2017-02-29 is none. */
export function isCivilDate(year: number, month: number, day: number): boolean {
  return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

/** Whether an instant has a date of the years 1 to 9999 in every zone. */
export function isCivilTime(ms: number): boolean {
  return ms >= (firstCivilDay + 1) * dayMs && ms < lastCivilDay * dayMs;
}

/** Day number of 1 January of a year. */
function firstDayOfYear(year: number): number {
  const past = year - 1;
  return past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - daysBefore1970;
}

/** Year of a day number: `yearOf(17515)` is 2017. */
export function yearOf(day: number): number {
  // 365.2425 days is the mean year. Leap days run ahead of the mean by less than a day, so the guess is right or, after 31 December, a year short.
  const guess = Math.floor((day + daysBefore1970) / 365.2425) + 1;
  return day < firstDayOfYear(guess + 1) ? guess : guess + 1;
}

/** Months before the one that holds a day of the year (0 for 1 January): 0 to 11. */
function monthIndex(dayOfYear: number, before: readonly number[]): number {
  // Months have at most 32 days, so this is the month or the one before it.
  const guess = dayOfYear >> 5;
  return dayOfYear >= before[guess + 1]! ? guess + 1 : guess;
}

/**
 * Day number of a date: `daysFromCivil(2017, 12, 15)` is 17515, `daysFromCivil(1970, 1, 1)` is 0.
 *
 * The date must exist ({@link isCivilDate}); nothing is checked here.
 */
export function daysFromCivil(year: number, month: number, day: number): number {
  return firstDayOfYear(year) + daysBeforeMonth[isLeapYear(year) ? 1 : 0][month - 1]! + day - 1;
}

/** Date of a day number: `civilFromDays(17515)` is 2017-12-15. */
export function civilFromDays(day: number): CivilDate {
  const year = yearOf(day);
  const before = daysBeforeMonth[isLeapYear(year) ? 1 : 0];
  const dayOfYear = day - firstDayOfYear(year);
  const index = monthIndex(dayOfYear, before);
  return { year, month: index + 1, day: dayOfYear - before[index]! + 1 };
}

/** ISO 8601 weekday, 1 for Monday to 7 for Sunday: `isoWeekday(0)` is 4, 1970-01-01 was a Thursday. */
export function isoWeekday(day: number): number {
  return day + 4 - 7 * Math.floor((day + 3) / 7);
}

/** The Monday of the ISO week that holds `day`: for 2021-01-01, a Friday, 2020-12-28. */
export function startOfIsoWeek(day: number): number {
  return day + 1 - isoWeekday(day);
}

/** The first Monday after `day`. */
export function startOfNextIsoWeek(day: number): number {
  return day + 8 - isoWeekday(day);
}

/** The first of the month that holds `day`. */
export function startOfMonth(day: number): number {
  const year = yearOf(day);
  const before = daysBeforeMonth[isLeapYear(year) ? 1 : 0];
  const first = firstDayOfYear(year);
  return first + before[monthIndex(day - first, before)]!;
}

/** The first of the month after the one that holds `day`: for 2017-12-15, 2018-01-01. */
export function startOfNextMonth(day: number): number {
  const year = yearOf(day);
  const before = daysBeforeMonth[isLeapYear(year) ? 1 : 0];
  const first = firstDayOfYear(year);
  return first + before[monthIndex(day - first, before) + 1]!;
}

/** 1 January of the year that holds `day`. */
export function startOfYear(day: number): number {
  return firstDayOfYear(yearOf(day));
}

/** 1 January of the year after the one that holds `day`. */
export function startOfNextYear(day: number): number {
  return firstDayOfYear(yearOf(day) + 1);
}

/** Day number of 'YYYY-MM-DD', or undefined if the text is not exactly that or names no date: '2017-02-29' and '2017-2-9' are refused. */
export function parseCivilDate(text: string): number | undefined {
  return dayOfMatch(/^(\d{4})-(\d\d)-(\d\d)$/.exec(text));
}

/** Day number of 'YYYYMMDD', or undefined if the text is not exactly that or names no date. */
export function parseCompactCivilDate(text: string): number | undefined {
  return dayOfMatch(/^(\d{4})(\d\d)(\d\d)$/.exec(text));
}

function dayOfMatch(match: RegExpExecArray | null): number | undefined {
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  return isCivilDate(year, month, day) ? daysFromCivil(year, month, day) : undefined;
}

/**
 * A day number as 'YYYY-MM-DD': `formatCivilDate(17515)` is '2017-12-15'.
 *
 * @throws RangeError if `day` is not an integer or lies outside the years 1 to 9999, which have no such text.
 */
export function formatCivilDate(day: number): string {
  if (!Number.isInteger(day) || day < firstCivilDay || day > lastCivilDay) {
    throw new RangeError(`${day} is not a day number of the years 1 to 9999`);
  }
  const date = civilFromDays(day);
  return `${String(date.year).padStart(4, '0')}-${twoDigits(date.month)}-${twoDigits(date.day)}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
