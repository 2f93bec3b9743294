const daysOfYear = 365;
/** Days since 1970-01-01 of a 15 January, when most is sent. */
const midwinter = 14;

/**
 * How many events a day has where days differ as those of a grid do: 20 % more in the middle of January and 20 % fewer in that of July, 15 % fewer on Saturdays and 25 % on Sundays, and up to 5 %
 * either way by chance, always the same on the same day.
 *
 * @param day - Days since 1970-01-01.
 * @param average - Events of a day without all that.
 */
export function eventsOfDay(day: number, average: number): number {
  const sinceWinter = (((day - midwinter) % daysOfYear) + daysOfYear) % daysOfYear;
  const fromWinter = Math.min(sinceWinter, daysOfYear - sinceWinter);
  const season = 20 - Math.floor((40 * fromWinter) / 182);
  // 1970-01-01 was a Thursday; Monday is 0.
  const weekday = (((day + 3) % 7) + 7) % 7;
  const week = weekday === 5 ? -15 : weekday === 6 ? -25 : 0;
  const chance = ((Math.imul(day, 0x9e3779b1) >>> 16) % 11) - 5;
  return Math.max(1, Math.floor((average * (100 + season + week + chance)) / 100));
}
