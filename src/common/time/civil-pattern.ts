import { StreamsError } from '../errors.ts';
import { civilFromDays, dayMs, daysFromCivil, isCivilDate } from './civil.ts';

/** A civil time, what calendar and clock show: 02:30 on 2017-03-26 is `{ day: 17251, msOfDay: 9000000 }`. */
export interface CivilTime {
  /** Days since 1970-01-01. */
  readonly day: number;
  /** ms since 00:00 that the clock shows. */
  readonly msOfDay: number;
}

/** What each sign stands for, and how it is read. */
const signs: Readonly<Record<string, string>> = {
  YYYY: '(\\d{4})',
  YY: '(\\d\\d)',
  MM: '(\\d\\d)',
  M: '(\\d\\d?)',
  DD: '(\\d\\d)',
  D: '(\\d\\d?)',
  HH: '(\\d\\d)',
  H: '(\\d\\d?)',
  hh: '(0[1-9]|1[0-2])',
  h: '(0?[1-9]|1[0-2])',
  mm: '(\\d\\d)',
  ss: '(\\d\\d)',
  SSS: '(\\d{3})',
  A: '([AaPp][Mm])',
  a: '([AaPp][Mm])',
};
type Unit = 'Y' | 'M' | 'D' | 'H' | 'h' | 'm' | 's' | 'S' | 'A';

/**
 * A written form of civil times, such as `DD/MM/YYYY HH:mm`.
 *
 * Signs: `YYYY`, `YY` (2000 to 2099), `MM`, `DD`, `HH`, `mm`, `ss`, `SSS`, and `M`, `D`, `H` of one or two digits. A clock of twelve hours has `hh` or `h`, and `A` or `a` for AM and PM, written
 * large or small: 12:30 AM is 00:30. Letters of the text itself stand in brackets (`HH[h]mm`), but for `T`; all else stands for itself. What is not there is 0. `24:00` is the end of its day.
 */
export class CivilPattern {
  readonly text: string;
  readonly #parts: readonly string[];
  readonly #form: RegExp;
  readonly #units: readonly Unit[];

  /** @throws {@link StreamsError} `STREAMS_CONFIG` - it has other letters, or no date. */
  constructor(text: string) {
    this.text = text;
    this.#parts = text.match(/\[[^\]]*\]|([A-Za-z])\1*|[\s\S]/g) ?? [];
    this.#units = this.#parts.filter((part) => part in signs).map((part) => (part === 'a' ? 'A' : part[0]) as Unit);
    const problem = problemOf(this.#parts, this.#units);
    if (problem !== undefined)
      throw new StreamsError(
        'STREAMS_CONFIG',
        `the form of times "${text}" ${problem}: it is made of YYYY or YY, MM or M, DD or D, HH or H (hh or h with A for AM and PM), mm, ss, SSS; other letters stand in brackets, as in "HH[h]mm".`,
      );
    const source = this.#parts.map((part) => signs[part] ?? literalOf(part).replace(/[^\w\s]/g, '\\$&'));
    this.#form = new RegExp(`^${source.join('')}$`);
  }

  /** The civil time of a text; undefined if it has another form, or is no time of the calendar. */
  parse(text: string): CivilTime | undefined {
    const match = this.#form.exec(text);
    if (match === null) return undefined;
    const value = { Y: 0, M: 0, D: 0, H: 0, h: 0, m: 0, s: 0, S: 0, A: 0 };
    this.#units.forEach((unit, i) => {
      const found = match[i + 1]!;
      if (unit === 'A') value.A = /^p/i.test(found) ? 12 : 0;
      else value[unit] = Number(found);
    });
    if (this.#units.includes('h')) value.H = (value.h % 12) + value.A;
    const year = this.#parts.includes('YYYY') ? value.Y : 2000 + value.Y;
    return civilTime([year, value.M, value.D], [value.H, value.m, value.s, value.S]);
  }

  /** The text of a civil time; what the form has no sign for is left out. */
  format({ day, msOfDay }: CivilTime): string {
    const date = civilFromDays(day);
    const second = Math.floor(msOfDay / 1000);
    const minute = Math.floor(second / 60);
    const hour = Math.floor(minute / 60);
    const values = {
      Y: date.year,
      M: date.month,
      D: date.day,
      H: hour,
      h: ((hour + 11) % 12) + 1,
      m: minute % 60,
      s: second % 60,
      S: msOfDay % 1000,
    };
    const written = (part: string): string => {
      if (part === 'A' || part === 'a') return ['AM', 'PM', 'am', 'pm'][(part === 'a' ? 2 : 0) + (hour < 12 ? 0 : 1)]!;
      return String(values[part[0] as keyof typeof values] % 10 ** Math.max(2, part.length));
    };
    return this.#parts
      .map((part) => (part in signs ? written(part).padStart(part.length, '0') : literalOf(part)))
      .join('');
  }
}

const usualForm = 'YYYY-MM-DD HH:mm:ss';
/** So many forms are remembered; then all are forgotten. */
const mostForms = 64;
const patterns = new Map<string, CivilPattern>();

function patternOf(form: string): CivilPattern {
  let pattern = patterns.get(form);
  if (pattern === undefined) {
    pattern = new CivilPattern(form);
    if (patterns.size === mostForms) patterns.clear();
    patterns.set(form, pattern);
  }
  return pattern;
}

/**
 * Reads a civil time, one without zone. What instant it is, the {@link Zone} says: none where the clock jumped over it, two where it was put back.
 *
 * @example
 * ```ts
 * const paris = Zone.of('Europe/Paris');
 * const { day, msOfDay } = parseCivil('29/10/2017 02:30', 'DD/MM/YYYY HH:mm')!; // 17468, 9000000
 * paris.instantsOf(day, msOfDay); // [1509237000000, 1509240600000]
 * ```
 *
 * @param form - How it is written: `YYYY`, `YY` (2000 to 2099), `MM`, `DD`, `HH`, `mm`, `ss`, `SSS`, and `M`, `D`, `H` of one or two digits; `hh` or `h` of a
 * clock of twelve hours, with `A` for AM and PM; letters of the text itself stand in brackets (`HH[h]mm`). What is not there is 0; `24:00` is the start of the next day. @defaultValue 'YYYY-MM-DD HH:mm:ss'
 * @returns undefined if the text has another form, or is no time of the calendar, such as 2017-02-29.
 * @throws {@link StreamsError} `STREAMS_CONFIG` - the form has other letters, or no date.
 */
export function parseCivil(text: string, form: string = usualForm): CivilTime | undefined {
  return patternOf(form).parse(text);
}

/**
 * Writes a civil time: `formatCivil({ day: 17251, msOfDay: 9000000 }, 'D.M.YYYY HH:mm')` is `26.3.2017 02:30`. What the form has no sign for is left out.
 *
 * @param form - As for {@link parseCivil}. @defaultValue 'YYYY-MM-DD HH:mm:ss'
 * @throws {@link StreamsError} `STREAMS_CONFIG` - the form has other letters, or no date.
 */
export function formatCivil(time: CivilTime, form: string = usualForm): string {
  return patternOf(form).format(time);
}

/** The civil time of numbers, year to day and hour to ms; undefined if they are out of bounds. 24:00 is the start of the next day. */
export function civilTime(
  [year, month, date]: readonly [number, number, number],
  [hour, minute, second, ms]: readonly [number, number, number, number],
): CivilTime | undefined {
  const msOfDay = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  if (!isCivilDate(year, month, date) || minute > 59 || second > 59 || msOfDay > dayMs) return undefined;
  const day = daysFromCivil(year, month, date);
  return msOfDay === dayMs ? { day: day + 1, msOfDay: 0 } : { day, msOfDay };
}

const unitNames: Readonly<Record<Unit, string>> = {
  Y: 'the year',
  M: 'the month',
  D: 'the day',
  H: 'the hour',
  h: 'the hour',
  m: 'the minute',
  s: 'the second',
  S: 'the ms',
  A: 'AM or PM',
};

/** What is wrong with a form of these parts. */
function problemOf(parts: readonly string[], units: readonly Unit[]): string | undefined {
  const strange = parts.find((part) => !(part in signs) && /^[A-SU-Za-z]/.test(part));
  if (strange !== undefined) return `has ${strange}${/^MMM/.test(strange) ? ', and names of months are not read' : ''}`;
  const names = units.map((unit) => unitNames[unit]);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) return `has ${twice} twice${twice === unitNames.M ? ' (minutes are mm)' : ''}`;
  const lacking = (['Y', 'M', 'D'] as const).find((unit) => !units.includes(unit));
  if (lacking !== undefined) return `lacks ${unitNames[lacking]}`;
  const [short, half] = [units.includes('h'), units.includes('A')];
  if (short && !half) return 'has hours of 1 to 12 without A for AM or PM';
  return half && !short ? 'has AM or PM without hours of 1 to 12 (hh or h)' : undefined;
}

function literalOf(part: string): string {
  return part.startsWith('[') && part.endsWith(']') ? part.slice(1, -1) : part;
}
