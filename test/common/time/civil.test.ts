import test from 'ava';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import {
  civilFromDays,
  dayMs,
  daysFromCivil,
  daysInMonth,
  firstCivilDay,
  formatCivilDate,
  isCivilDate,
  isLeapYear,
  isoWeekday,
  lastCivilDay,
  parseCivilDate,
  parseCompactCivilDate,
  startOfIsoWeek,
  startOfMonth,
  startOfNextIsoWeek,
  startOfNextMonth,
  startOfNextYear,
  startOfYear,
  yearOf,
} from '../../../src/common/time/civil.ts';

/** Day number by another calendar. */
const dayOf = (text: string): number => Date.parse(`${text}T00:00:00Z`) / dayMs;
const day = (text: string): number => parseCivilDate(text)!;
const anyDay = fc.integer({ min: firstCivilDay, max: lastCivilDay });

test('day 0 is 1970-01-01, a Thursday, and 2017-12-15 is day 17515', (t) => {
  t.is(daysFromCivil(1970, 1, 1), 0);
  t.deepEqual(civilFromDays(0), { year: 1970, month: 1, day: 1 });
  t.is(isoWeekday(0), 4);
  t.is(daysFromCivil(2017, 12, 15), 17515);
  t.deepEqual(civilFromDays(-1), { year: 1969, month: 12, day: 31 });
});

test('every day from 1896 to 2204 has the date, weekday and starts that luxon gives in UTC', (t) => {
  let utc = DateTime.utc(1896, 1, 1);
  let expected = 0;
  for (let at = dayOf('1896-01-01'); at < dayOf('2204-01-01'); at++) {
    const date = civilFromDays(at);
    if (date.year !== utc.year || date.month !== utc.month || date.day !== utc.day) t.fail(formatCivilDate(at));
    if (daysFromCivil(date.year, date.month, date.day) !== at) t.fail(formatCivilDate(at));
    if (isoWeekday(at) !== utc.weekday) t.fail(formatCivilDate(at));
    expected++;
    utc = utc.plus({ days: 1 });
  }
  t.is(expected, 112_494);
});

test('starts of weeks, months and years are those of luxon, for any date of the years 1 to 9999', (t) => {
  const starts = [
    ['week', startOfIsoWeek, startOfNextIsoWeek],
    ['month', startOfMonth, startOfNextMonth],
    ['year', startOfYear, startOfNextYear],
  ] as const;
  fc.assert(
    fc.property(anyDay, (at) => {
      const utc = DateTime.fromMillis(at * dayMs, { zone: 'utc' });
      for (const [unit, start, next] of starts) {
        const first = utc.startOf(unit);
        if (start(at) * dayMs !== first.toMillis()) return false;
        if (next(at) * dayMs !== first.plus({ [`${unit}s`]: 1 }).toMillis()) return false;
      }
      return yearOf(at) === utc.year;
    }),
    { numRuns: 1_500 },
  );
  t.pass();
});

test('from 0001-01-01 to 9999-12-31 each day number has the date after that of the number before', (t) => {
  t.is(formatCivilDate(firstCivilDay), '0001-01-01');
  t.is(formatCivilDate(lastCivilDay), '9999-12-31');
  let [year, month, date] = [1, 1, 1];
  for (let at = firstCivilDay; at <= lastCivilDay; at++) {
    const found = civilFromDays(at);
    if (found.year !== year || found.month !== month || found.day !== date) t.fail(`${at}`);
    if (daysFromCivil(year, month, date) !== at) t.fail(`${at}`);
    date++;
    if (!isCivilDate(year, month, date)) [month, date] = [month + 1, 1];
    if (month === 13) [year, month] = [year + 1, 1];
  }
  t.is(year, 10_000);
});

test('a day number comes back from its text', (t) => {
  fc.assert(
    fc.property(anyDay, (at) => parseCivilDate(formatCivilDate(at)) === at),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('leap years are those that 4 divides, but for centuries that 400 does not', (t) => {
  t.deepEqual([1900, 2000, 2016, 2017, 2100].map(isLeapYear), [false, true, true, false, false]);
  t.is(daysInMonth(2016, 2), 29);
  t.is(daysInMonth(1900, 2), 28);
  t.is(daysFromCivil(2016, 3, 1) - daysFromCivil(2016, 2, 28), 2);
  t.is(daysFromCivil(2100, 3, 1) - daysFromCivil(2100, 2, 28), 1);
});

test('an ISO week runs over the end of the year from its Monday on', (t) => {
  t.is(formatCivilDate(startOfIsoWeek(day('2021-01-03'))), '2020-12-28');
  t.is(formatCivilDate(startOfNextIsoWeek(day('2021-01-03'))), '2021-01-04');
  t.is(formatCivilDate(startOfIsoWeek(day('2018-01-01'))), '2018-01-01');
  t.is(formatCivilDate(startOfIsoWeek(day('2017-01-01'))), '2016-12-26');
});

test('2015, 2020 and 2026 have 53 ISO weeks, the years around them 52', (t) => {
  // Week 1 is the one with 4 January.
  const weeks = (year: number): number =>
    (startOfIsoWeek(daysFromCivil(year + 1, 1, 4)) - startOfIsoWeek(daysFromCivil(year, 1, 4))) / 7;
  const long = [];
  for (let year = 2014; year <= 2027; year++) if (weeks(year) === 53) long.push(year);
  t.deepEqual(long, [2015, 2020, 2026]);
});

test('the month after December is January, and February ends on its last day', (t) => {
  t.is(formatCivilDate(startOfNextMonth(day('2017-12-31'))), '2018-01-01');
  t.is(formatCivilDate(startOfMonth(day('2016-02-29'))), '2016-02-01');
  t.is(formatCivilDate(startOfNextMonth(day('2016-02-29'))), '2016-03-01');
  t.is(formatCivilDate(startOfNextYear(day('2016-12-31'))), '2017-01-01');
});

test('texts that are not exactly a date, or name none, are no date', (t) => {
  for (const text of [
    '',
    '2017-2-09',
    '2017-02-29',
    '2017-13-01',
    '2017-00-10',
    '2017-04-31',
    '0000-01-01',
    '2017-12-15 ',
    '+2017-12-15',
    '17-12-15',
    '20171215',
    '2017-12-15\n',
    '２０１７-12-15',
  ]) {
    t.is(parseCivilDate(text), undefined, text);
  }
  for (const text of ['', '2017-12-15', '2017121', '201712150', '20170229', '20171301'])
    t.is(parseCompactCivilDate(text), undefined, text);
  t.is(parseCivilDate('2016-02-29'), dayOf('2016-02-29'));
  t.is(parseCompactCivilDate('20171215'), 17515);
  t.false(isCivilDate(2017, 2, 29));
  t.false(isCivilDate(Number.NaN, 2, 1));
});

test('a number that is no day of the years 1 to 9999 has no text', (t) => {
  for (const bad of [firstCivilDay - 1, lastCivilDay + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => formatCivilDate(bad), { instanceOf: RangeError });
  }
});
