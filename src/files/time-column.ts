import { CivilPattern, type CivilTime, civilTime } from '../common/time/civil-pattern.ts';
import { Zone } from '../common/time/zone.ts';
import { refuse } from './file-dialect.ts';
import { BadRow } from './row-format.ts';

/** How times are written, and what they mean. */
export interface TimeForm {
  /**
   * `iso`: `2018-01-31T22:59:00+01:00`, with or without seconds and fractions; `epoch-ms`, `epoch-s`: numbers since 1970-01-01T00:00Z; else a form of civil times of
   * `zone`, such as `DD/MM/YYYY HH:mm`: `YYYY`, `YY` (2000 to 2099), `MM`, `DD`, `HH`, `mm`, `ss`, `SSS`, and `M`, `D`, `H` of one or two digits; `hh` or `h` with `A` for
   * AM and PM; letters of the text itself in brackets (`HH[h]mm`). Names of months are not read. `24:00` is the end of its day.
   */
  readonly time: string;
  /** IANA zone of civil times, and of ISO ones without an offset. */
  readonly zone?: string;
  /**
   * What a time means that the clock shows twice, when it is put back: its `first` instant, the `second`, or that the row is `bad`. Where a column tells
   * which it is: that column, and the texts that stand there for the second.
   *
   * @defaultValue 'first'
   */
  readonly repeated?: 'first' | 'second' | 'bad' | SecondColumn;
  /** What a time means that the clock jumps over: that the row is `bad`, or the time `later` by the length of the jump (02:30 is 03:30). @defaultValue 'bad' */
  readonly skipped?: 'bad' | 'later';
}

/** The column that tells the first of two hours of the same name from the second, such as one for summer and winter time. */
export interface SecondColumn {
  readonly column: string;
  /** What stands there for the second. */
  readonly second: readonly string[];
}

/** The options of a {@link TimeForm}. */
export const timeOptions: readonly string[] = ['time', 'zone', 'repeated', 'skipped'];

/** The instant of a text, ms; `second`: what stands in the {@link SecondColumn}. Throws a {@link BadRow} whose message goes on behind the column and its text. */
export type TimeReader<T = number> = (text: string, second: string | undefined) => T;

/**
 * Makes a reader of times.
 *
 * @param zone - Zone of civil times where the form has none of its own.
 * @throws {@link StreamsError} `STREAMS_CONFIG` - the form is wrong, or its zone unknown or missing.
 */
export function timeReader(form: TimeForm, zone?: string): TimeReader {
  const { time, repeated = 'first', skipped = 'bad' } = form;
  if (typeof time !== 'string') refuse('time', time, '"iso", "epoch-ms", "epoch-s" or a form like "DD/MM/YYYY HH:mm"');
  if (!['bad', 'later'].includes(skipped)) refuse('skipped', skipped, '"bad" or "later"');
  if (!isRepeated(repeated))
    refuse('repeated', repeated, '"first", "second", "bad" or {"column": ..., "second": [...]}');
  if (time === 'epoch-ms') return (text) => epochOf(text, 1);
  if (time === 'epoch-s') return (text) => epochOf(text, 1000);
  const name = form.zone ?? zone;
  const civilZone = name === undefined ? undefined : Zone.of(name);
  const instant = (at: CivilTime, second: string | undefined): number => {
    if (civilZone === undefined) throw new BadRow('date', 'has no offset, and the format no zone');
    return instantOf(at, civilZone, skipped, whichOf(repeated, second));
  };
  if (time === 'iso')
    return (text, second) => {
      const found = isoOf(text);
      return inYears(typeof found === 'number' ? found : instant(found, second));
    };
  const read = civilReader(time);
  if (civilZone === undefined) refuse('zone', undefined, 'the IANA zone of civil times, such as "Europe/Paris"');
  return (text, second) => inYears(instant(read(text), second));
}

/**
 * Makes what writes times again, in another form, as civil times of a zone. A civil time of that zone of which nothing else is said stays what it was, whether
 * the clock shows it once, twice or never: who reads what is written judges it.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` - as {@link timeReader}.
 */
export function timeWriter(form: TimeForm, zone: string, written: CivilPattern): TimeReader<string> {
  const { time, repeated, skipped } = form;
  const target = Zone.of(zone);
  const read = timeReader(form, zone);
  if (!instants.includes(time) && (form.zone ?? zone) === zone && repeated === undefined && skipped === undefined) {
    const readCivil = civilReader(time);
    return (text) => written.format(readCivil(text));
  }
  return (text, second) => written.format(target.civilAt(read(text, second)));
}

const instants: readonly string[] = ['iso', 'epoch-ms', 'epoch-s'];

function civilReader(time: string): (text: string) => CivilTime {
  const pattern = new CivilPattern(time);
  return (text) => {
    const at = pattern.parse(text);
    if (at === undefined) throw new BadRow('date', `is not a time of the form ${time}`);
    return at;
  };
}

function isRepeated(repeated: unknown): boolean {
  if (typeof repeated !== 'object' || repeated === null) return ['first', 'second', 'bad'].includes(repeated as string);
  const { column, second } = repeated as Partial<SecondColumn>;
  return typeof column === 'string' && Array.isArray(second);
}

function whichOf(repeated: NonNullable<TimeForm['repeated']>, second: string | undefined): 'first' | 'second' | 'bad' {
  if (typeof repeated === 'string') return repeated;
  return repeated.second.includes(second ?? '') ? 'second' : 'first';
}

function instantOf(
  { day, msOfDay }: CivilTime,
  zone: Zone,
  skipped: 'bad' | 'later',
  which: 'first' | 'second' | 'bad',
): number {
  if (!zone.exists(day)) throw new BadRow('date', `is of a day that was left out in ${zone.name}`);
  const instants = zone.instantsOf(day, msOfDay);
  if (instants.length === 0) {
    if (skipped === 'later') return zone.toMs(day, msOfDay);
    throw new BadRow('date', `is a time that the clock jumped over in ${zone.name}`);
  }
  if (instants.length > 1 && which === 'bad')
    throw new BadRow('date', `is a time that the clock showed twice in ${zone.name}`);
  return instants[which === 'second' ? instants.length - 1 : 0]!;
}

const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const earliestMs = -62_135_596_800_000;

function epochOf(text: string, unitMs: number): number {
  const ms = /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Math.round(Number(text) * unitMs) : Number.NaN;
  if (ms >= earliestMs && ms <= latestMs) return ms;
  throw new BadRow('date', `is not a number of ${unitMs === 1 ? 'ms' : 'seconds'} since 1970`);
}

/** What is beyond has no day in any zone. */
function inYears(ms: number): number {
  if (ms >= earliestMs && ms <= latestMs) return ms;
  throw new BadRow('date', 'is not of the years 1 to 9999');
}

const isoForm =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)? ?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$/;

/** The instant of an ISO time, or its civil time where it has no offset. */
function isoOf(text: string): number | CivilTime {
  const match = isoForm.exec(text);
  const [, year, month, date, hour = '0', minute = '0', second = '0', fraction = '', offset] = match ?? [];
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const at =
    match === null
      ? undefined
      : civilTime([Number(year), Number(month), Number(date)], [Number(hour), Number(minute), Number(second), ms]);
  if (at === undefined) throw new BadRow('date', 'is not an ISO time');
  if (offset === undefined) return at;
  const utcMs = at.day * 86_400_000 + at.msOfDay;
  if (offset === 'Z') return utcMs;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(':', ''));
  return offset.startsWith('-') ? utcMs + minutes * 60_000 : utcMs - minutes * 60_000;
}
