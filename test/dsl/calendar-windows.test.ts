import test from 'ava';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { StreamsError } from '../../src/common/errors.ts';
import { CalendarWindows } from '../../src/dsl/calendar-windows.ts';
import { TimeWindows } from '../../src/dsl/time-windows.ts';
import type { Windows } from '../../src/dsl/windows.ts';
import { allZones, firstInstantOf, oddZones } from '../common/time/oracle.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const units = ['day', 'isoWeek', 'month', 'year'] as const;
type Unit = (typeof units)[number];
const luxonUnit = { day: 'day', isoWeek: 'week', month: 'month', year: 'year' } as const;

const at = (text: string): number => Date.parse(text);
const until2100 = fc.integer({ min: at('1970-01-02T00:00:00Z'), max: at('2100-12-31T00:00:00Z') });
const anyUnit = fc.constantFrom(...units);
const anyZone = fc.oneof(fc.constantFrom(...oddZones), fc.constantFrom(...allZones));

/** Start and end of the window that holds a time, as ISO texts in UTC, and its length in hours. */
function windowAt(windows: CalendarWindows, text: string): [string, string, number] {
  const start = windows.startOf(at(text));
  const end = windows.endOf(start);
  return [new Date(start).toISOString().slice(0, 16), new Date(end).toISOString().slice(0, 16), (end - start) / hourMs];
}

/** The window that holds a time: civil dates by luxon in UTC, their instants by the oracle. */
function oracleWindow(unit: Unit, zone: string, ms: number): { start: number; end: number; date: string } {
  let day = Math.floor(ms / dayMs) + 2;
  while (firstInstantOf(zone, day) > ms) day--;
  const first = DateTime.fromMillis(day * dayMs, { zone: 'utc' }).startOf(luxonUnit[unit]);
  const next = first.plus({ [`${luxonUnit[unit]}s`]: 1 });
  return {
    start: firstInstantOf(zone, first.toMillis() / dayMs),
    end: firstInstantOf(zone, next.toMillis() / dayMs),
    date: first.toISODate()!,
  };
}

test('a day of Europe/Paris is 24 h long, 23 h in spring and 25 h in autumn', (t) => {
  const days = CalendarWindows.day('Europe/Paris');
  t.deepEqual(windowAt(days, '2017-12-15T12:00:00Z'), ['2017-12-14T23:00', '2017-12-15T23:00', 24]);
  t.deepEqual(windowAt(days, '2017-03-26T12:00:00Z'), ['2017-03-25T23:00', '2017-03-26T22:00', 23]);
  t.deepEqual(windowAt(days, '2017-10-29T12:00:00Z'), ['2017-10-28T22:00', '2017-10-29T23:00', 25]);
  t.is(days.startOf(1490500000000), 1490482800000);
  t.is(days.endOf(1490482800000), 1490565600000);
});

test('a window holds its start and not its end', (t) => {
  for (const unit of units) {
    const windows = CalendarWindows[unit]('Europe/Paris');
    const start = windows.startOf(at('2017-12-15T12:00:00Z'));
    const end = windows.endOf(start);
    t.is(windows.startOf(start), start);
    t.is(windows.startOf(end - 1), start);
    t.is(windows.startOf(end), end);
    t.not(windows.startOf(start - 1), start);
    t.deepEqual(windows.startsFor(end - 1), [start]);
    t.false(windows.overlapping);
  }
});

test('the week, month and year of a time around the end of a year', (t) => {
  const paris = (unit: Unit): CalendarWindows => CalendarWindows[unit]('Europe/Paris');
  t.deepEqual(windowAt(paris('isoWeek'), '2018-01-01T00:00:00Z'), ['2017-12-31T23:00', '2018-01-07T23:00', 168]);
  t.deepEqual(windowAt(paris('isoWeek'), '2017-12-31T22:59:59Z'), ['2017-12-24T23:00', '2017-12-31T23:00', 168]);
  t.deepEqual(windowAt(paris('month'), '2017-12-31T22:59:59Z'), ['2017-11-30T23:00', '2017-12-31T23:00', 744]);
  t.deepEqual(windowAt(paris('year'), '2017-12-31T23:00:00Z'), ['2017-12-31T23:00', '2018-12-31T23:00', 8760]);
  t.deepEqual(windowAt(paris('year'), '2016-06-01T00:00:00Z'), ['2015-12-31T23:00', '2016-12-31T23:00', 8784]);
});

test('weeks and months with a change of the clock are an hour shorter or longer', (t) => {
  t.is(windowAt(CalendarWindows.isoWeek('Europe/Paris'), '2017-03-22T00:00:00Z')[2], 167);
  t.is(windowAt(CalendarWindows.isoWeek('Europe/Paris'), '2017-10-25T00:00:00Z')[2], 169);
  t.is(windowAt(CalendarWindows.month('Europe/Paris'), '2017-03-10T00:00:00Z')[2], 31 * 24 - 1);
  t.is(windowAt(CalendarWindows.month('Europe/Paris'), '2016-02-10T00:00:00Z')[2], 29 * 24);
});

test('week 53 of 2015, 2020 and 2026 runs into the next year', (t) => {
  const weeks = CalendarWindows.isoWeek('Europe/Paris');
  t.is(weeks.formatStart(weeks.startOf(at('2016-01-03T12:00:00Z'))), '2015-12-28');
  t.is(weeks.formatStart(weeks.startOf(at('2021-01-03T12:00:00Z'))), '2020-12-28');
  t.is(weeks.formatStart(weeks.startOf(at('2027-01-03T12:00:00Z'))), '2026-12-28');
  t.is(weeks.formatStart(weeks.startOf(at('2021-01-04T12:00:00Z'))), '2021-01-04');
});

test('a day that a zone left out has no window; the week around it is a day shorter', (t) => {
  const days = CalendarWindows.day('Pacific/Apia');
  const before = days.startOf(at('2011-12-30T09:59:59Z'));
  t.is(days.formatStart(before), '2011-12-29');
  t.is(days.formatStart(days.endOf(before)), '2011-12-31');
  t.deepEqual(windowAt(CalendarWindows.isoWeek('Pacific/Apia'), '2011-12-28T00:00:00Z'), [
    '2011-12-26T10:00',
    '2012-01-01T10:00',
    144,
  ]);
});

test('the window that holds a time is the one of an independent calendar, in any zone, 1970 to 2100', (t) => {
  fc.assert(
    fc.property(anyUnit, anyZone, until2100, (unit, zone, ms) => {
      const windows = CalendarWindows[unit](zone);
      const expected = oracleWindow(unit, zone, ms);
      const start = windows.startOf(ms);
      return (
        start === expected.start &&
        windows.endOf(start) === expected.end &&
        windows.formatStart(start) === expected.date
      );
    }),
    { numRuns: 600 },
  );
  t.pass();
});

test('a day whose midnight its zone left out begins with its first instant', (t) => {
  // 28 February 1981 ended at +10:00, 1 March began at 00:30 +10:30.
  const days = CalendarWindows.day('Australia/Lord_Howe');
  const start = at('1981-02-28T14:00:00Z');
  t.is(days.startOf(start), start);
  t.is(days.startOf(start - 1), at('1981-02-27T14:00:00Z'));
  t.is(days.endOf(start), at('1981-03-01T13:30:00Z'));
  t.is(days.formatStart(start), '1981-03-01');
});

test('the window that holds a time is the one of luxon, wherever days begin at one midnight', (t) => {
  const zones = fc.constantFrom('Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Tokyo', 'UTC');
  // In 1976 the summer of Paris ended at 01:00, so that 26 September had two midnights; 1 March 1981 began at 00:30 on Lord Howe, where luxon looks for a midnight.
  const since1982 = fc.integer({ min: at('1982-01-02T00:00:00Z'), max: at('2100-12-31T00:00:00Z') });
  fc.assert(
    fc.property(anyUnit, zones, fc.array(since1982, { minLength: 1, maxLength: 8 }), (unit, zone, times) => {
      // The same windows for all times: what they remember of the time before must not show.
      const windows = CalendarWindows[unit](zone);
      return times.every((ms) => {
        const first = DateTime.fromMillis(ms, { zone }).startOf(luxonUnit[unit]);
        const next = first.plus({ [`${luxonUnit[unit]}s`]: 1 });
        const start = windows.startOf(ms);
        return (
          start === first.toMillis() &&
          windows.endOf(start) === next.toMillis() &&
          windows.formatStart(start) === first.toISODate()
        );
      });
    }),
    { numRuns: 400 },
  );
  t.pass();
});

test('the end of a window follows from its start alone, in whatever order windows are asked', (t) => {
  const months = CalendarWindows.month('Europe/Paris');
  const starts: number[] = [];
  for (let ms = at('2016-12-31T23:00:00Z'); starts.length < 24; ms = months.endOf(ms)) starts.push(ms);
  t.is(months.formatStart(starts[23]!), '2018-12-01');
  for (const start of [...starts].reverse())
    t.is(CalendarWindows.month('Europe/Paris').endOf(start), months.endOf(start));
});

test('a start that no window has, has neither an end nor a name', (t) => {
  for (const unit of units) {
    const windows = CalendarWindows[unit]('Europe/Paris');
    const start = windows.startOf(at('2017-12-15T12:00:00Z'));
    for (const bad of [start + 1, start - 1, start + hourMs, Number.NaN, Number.POSITIVE_INFINITY]) {
      t.throws(() => windows.endOf(bad), { instanceOf: RangeError }, `${unit} ${bad}`);
      t.throws(() => windows.formatStart(bad), { instanceOf: RangeError });
    }
    t.is(windows.startOf(start), start, 'and the windows stay usable');
  }
  t.throws(() => CalendarWindows.month('Europe/Paris').endOf(at('2017-12-14T23:00:00Z')), {
    message: /^no month of Europe\/Paris starts at 1513292400000: /,
  });
});

test('times before 1970 have windows too', (t) => {
  const days = CalendarWindows.day('Europe/Paris');
  t.is(days.formatStart(days.startOf(-1)), '1970-01-01');
  t.is(days.formatStart(days.startOf(-hourMs - 1)), '1969-12-31');
});

test('the first day of a window is the one in its zone', (t) => {
  for (const [unit, date] of [
    ['day', '2018-02-15'],
    ['isoWeek', '2018-02-12'],
    ['month', '2018-02-01'],
    ['year', '2018-01-01'],
  ] as const) {
    const windows = CalendarWindows[unit]('Pacific/Auckland');
    t.is(windows.formatStart(windows.startOf(at('2018-02-14T20:00:00Z'))), date);
    t.is(windows.unit, unit);
    t.is(windows.zone.name, 'Pacific/Auckland');
  }
});

test('calendar windows cover those whose every window lies in one of theirs', (t) => {
  const covered = (coarse: Windows): string[] =>
    units.filter((unit) => coarse.covers(CalendarWindows[unit]('Europe/Paris').grace(5)));
  t.deepEqual(covered(CalendarWindows.day('Europe/Paris')), ['day']);
  t.deepEqual(covered(CalendarWindows.isoWeek('Europe/Paris')), ['day', 'isoWeek']);
  t.deepEqual(covered(CalendarWindows.month('Europe/Paris')), ['day', 'month']);
  t.deepEqual(covered(CalendarWindows.year('Europe/Paris')), ['day', 'month', 'year']);
  t.deepEqual(covered(CalendarWindows.year('Europe/Berlin')), [], 'another zone has other days');
});

test('calendar windows cover fixed hours in UTC only, where it is certain', (t) => {
  const hours = TimeWindows.ofSizeWithNoGrace(hourMs);
  t.true(CalendarWindows.day('UTC').covers(hours));
  t.true(CalendarWindows.year('UTC').covers(hours));
  t.false(CalendarWindows.day('Europe/Paris').covers(hours));
  t.false(CalendarWindows.day('UTC').covers(TimeWindows.ofSizeWithNoGrace(7 * hourMs)));
  t.false(CalendarWindows.day('UTC').covers(hours.advanceBy(60_000)));
});

test('each setting gives new windows of the same unit and zone', (t) => {
  const plain = CalendarWindows.month('Europe/Paris');
  const all = plain.grace(dayMs).retention(40 * dayMs);
  t.deepEqual([plain.graceMs, plain.retentionMs], [0, Number.POSITIVE_INFINITY]);
  t.deepEqual([all.unit, all.zone.name, all.graceMs, all.retentionMs], ['month', 'Europe/Paris', dayMs, 40 * dayMs]);
});

test('graces and retentions that lose open windows are refused', (t) => {
  const days = CalendarWindows.day('Europe/Paris').grace(dayMs);
  t.is(days.retention(25 * hourMs + dayMs).retentionMs, 49 * hourMs);
  t.throws(() => days.retention(49 * hourMs - 1), { instanceOf: RangeError, message: /retention/ });
  t.throws(() => days.retention(49 * hourMs).grace(dayMs + 1), { instanceOf: RangeError, message: /retention/ });
  t.throws(() => CalendarWindows.year('Europe/Paris').retention(366 * dayMs), { instanceOf: RangeError });
  for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => days.grace(bad), { instanceOf: RangeError, message: /grace/ });
  t.throws(() => days.grace('5' as never), { instanceOf: TypeError });
});

test('an unknown zone is a configuration error', (t) => {
  const error = t.throws(() => CalendarWindows.day('Europe/Pari'));
  t.true(StreamsError.is(error) && error.code === 'STREAMS_CONFIG');
});

test('calendar windows are described by unit, zone and grace', (t) => {
  t.is(CalendarWindows.day('Europe/Paris').grace(dayMs).describe(), 'calendar day Europe/Paris grace 86400000');
  t.is(CalendarWindows.isoWeek('UTC').retention(1e10).describe(), 'calendar isoWeek UTC grace 0');
});
