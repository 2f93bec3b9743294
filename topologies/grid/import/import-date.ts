import { lastCivilDay, parseCivilDate, parseCompactCivilDate } from '../../../src/common/time/civil.ts';
import { stillThere } from '../park/park.ts';

/** What follows the date where the column is a date with a time: midnight. */
const midnight: RegExp = /^(\d{4}-\d\d-\d\d)[ T]00:00:00(?:\.0+)?$/;

/**
 * The civil day that a cell of a database names, in days since 1970-01-01: `2018-01-31`, `20180131`, or such a day with 00:00:00. Undefined: there is no such day.
 *
 * `9999-12-31`, by which databases say "without end", is {@link stillThere}.
 */
export function importDate(text: string): number | undefined {
  const bare = text.trim();
  const day = parseCompactCivilDate(bare) ?? parseCivilDate(midnight.exec(bare)?.[1] ?? bare);
  return day === lastCivilDay ? stillThere : day;
}
