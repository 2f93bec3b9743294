import { dayMs, firstCivilDay, lastCivilDay, parseCivilDate } from '../common/time/civil.ts';

/** Start of the year 1: before every timestamp, ms since the epoch. */
export const earliestMs: number = firstCivilDay * dayMs;
/** End of the year 9999: after every timestamp, ms since the epoch. */
export const latestMs: number = (lastCivilDay + 1) * dayMs;

// A plus sign in a query that nobody escaped arrives as a space.
const isoTime = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[-+ ]\d\d:\d\d)?)?$/;

/**
 * An instant, ms since the epoch, from a query: ms, or an ISO 8601 date or time. Without an offset it is UTC.
 *
 * `1513292400000`, `2017-12-14T23:00:00Z` and `2017-12-15T00:00+01:00` are the same instant; `2017-12-15` is one hour later.
 *
 * @throws Error that says what is allowed.
 */
export function parseInstant(text: string): number {
  const ms = /^-?\d{1,15}$/.test(text) ? Number(text) : parseIso(text);
  if (!(ms >= earliestMs && ms <= latestMs)) {
    throw new Error(
      `${JSON.stringify(text.slice(0, 60))} is not an instant; give ms since the epoch, or an ISO date or time such as 2017-12-15 or 2017-12-15T00:00+01:00`,
    );
  }
  return ms;
}

function parseIso(text: string): number {
  const match = isoTime.exec(text);
  // Date.parse takes 30 February for 2 March.
  if (match === null || parseCivilDate(match[1]!) === undefined) return Number.NaN;
  const offset = (match[3] ?? 'Z').replace(' ', '+');
  return Date.parse(`${match[1]}T${match[2] ?? '00:00'}${offset}`);
}
