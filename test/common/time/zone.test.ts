import test from 'ava';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { StreamsError } from '../../../src/common/errors.ts';
import { dayMs, daysFromCivil, parseCivilDate } from '../../../src/common/time/civil.ts';
import { Zone } from '../../../src/common/time/zone.ts';
import { allZones, clockAt, firstInstantOf, instantOf, oddZones } from './oracle.ts';

const day = (text: string): number => parseCivilDate(text)!;
const at = (text: string): number => Date.parse(text);
/** ms since 00:00 of 'HH:MM' or 'HH:MM:SS'. */
const clock = (text: string): number => Date.parse(`1970-01-01T${text.length === 5 ? `${text}:00` : text}Z`);
/** First instant of a day and its length in hours. */
const startAndHours = (zone: string, date: string): [string, number] => {
  const of = Zone.of(zone);
  const start = of.startOfDay(day(date));
  return [new Date(start).toISOString(), (of.startOfDay(day(date) + 1) - start) / 3_600_000];
};

const anyZone = fc.oneof(fc.constantFrom(...oddZones), fc.constantFrom(...allZones));
const from1970to2100 = fc.integer({ min: 0, max: daysFromCivil(2100, 12, 31) });
const from1900to2200 = fc.integer({ min: daysFromCivil(1900, 1, 1), max: daysFromCivil(2200, 12, 31) });
const anyTime = fc.integer({ min: 0, max: dayMs - 1 });

test('days of Europe/Paris have 24 h, 23 h in spring and 25 h in autumn', (t) => {
  t.deepEqual(startAndHours('Europe/Paris', '2017-12-15'), ['2017-12-14T23:00:00.000Z', 24]);
  t.deepEqual(startAndHours('Europe/Paris', '2017-03-26'), ['2017-03-25T23:00:00.000Z', 23]);
  t.deepEqual(startAndHours('Europe/Paris', '2017-10-29'), ['2017-10-28T22:00:00.000Z', 25]);
  t.deepEqual(startAndHours('Europe/Paris', '2016-02-29'), ['2016-02-28T23:00:00.000Z', 24]);
});

test('a day without a midnight starts at its first instant', (t) => {
  t.deepEqual(startAndHours('America/Sao_Paulo', '2018-11-04'), ['2018-11-04T03:00:00.000Z', 23]);
  t.deepEqual(startAndHours('Africa/Cairo', '2023-04-28'), ['2023-04-27T22:00:00.000Z', 23]);
  t.deepEqual(startAndHours('Asia/Beirut', '2022-03-27'), ['2022-03-26T22:00:00.000Z', 23]);
  const saoPaulo = Zone.of('America/Sao_Paulo');
  t.is(saoPaulo.toMs(day('2018-11-04'), clock('00:30')), at('2018-11-04T03:30:00Z'), '00:30 is 01:30');
  t.is(saoPaulo.toMs(day('2018-11-04'), 0), saoPaulo.startOfDay(day('2018-11-04')));
});

test('a day whose last hour comes twice has 25 h, and the next one starts at its only midnight', (t) => {
  t.deepEqual(startAndHours('America/Sao_Paulo', '2018-02-17'), ['2018-02-17T02:00:00.000Z', 25]);
  t.deepEqual(startAndHours('America/Sao_Paulo', '2018-02-18'), ['2018-02-18T03:00:00.000Z', 24]);
  t.deepEqual(startAndHours('Africa/Cairo', '2023-10-26'), ['2023-10-25T21:00:00.000Z', 25]);
});

test('a day whose first hour comes twice starts at the first of its midnights', (t) => {
  t.deepEqual(startAndHours('America/Havana', '2017-11-05'), ['2017-11-05T04:00:00.000Z', 25]);
  t.is(Zone.of('America/Havana').toMs(day('2017-11-05'), clock('00:30')), at('2017-11-05T04:30:00Z'));
});

test('Asia/Kathmandu began 1986 at 00:15', (t) => {
  t.deepEqual(startAndHours('Asia/Kathmandu', '1986-01-01'), ['1985-12-31T18:30:00.000Z', 23.75]);
  const kathmandu = Zone.of('Asia/Kathmandu');
  t.is(kathmandu.toMs(day('1986-01-01'), clock('00:05')), at('1985-12-31T18:35:00Z'), '00:05 is 00:20');
  t.is(kathmandu.toMs(day('1986-01-01'), clock('00:15')), at('1985-12-31T18:30:00Z'));
});

test('Australia/Lord_Howe moves its clock by half an hour', (t) => {
  t.deepEqual(startAndHours('Australia/Lord_Howe', '2017-10-01'), ['2017-09-30T13:30:00.000Z', 23.5]);
  t.deepEqual(startAndHours('Australia/Lord_Howe', '2017-04-02'), ['2017-04-01T13:00:00.000Z', 24.5]);
});

test('where the clock goes back over midnight a minute after it, the new day has begun and goes on', (t) => {
  const stJohns = Zone.of('America/St_Johns');
  const sunday = day('2010-11-07');
  t.deepEqual(startAndHours('America/St_Johns', '2010-11-06'), ['2010-11-06T02:30:00.000Z', 24]);
  t.deepEqual(startAndHours('America/St_Johns', '2010-11-07'), ['2010-11-07T02:30:00.000Z', 25]);
  // 23:30 of the 6th for the second time: the 7th.
  t.is(new Date(clockAt('America/St_Johns', at('2010-11-07T03:00:00Z'))).toISOString(), '2010-11-06T23:30:00.000Z');
  t.is(stJohns.dayOf(at('2010-11-07T03:00:00Z')), sunday);
  t.is(stJohns.toMs(sunday - 1, clock('23:30')), at('2010-11-07T02:00:00Z'), 'the first 23:30');
  t.is(stJohns.toMs(sunday, clock('00:00:30')), at('2010-11-07T02:30:30Z'), 'the first 00:00:30');
  t.is(stJohns.toMs(sunday, clock('00:30')), at('2010-11-07T04:00:00Z'), 'the only 00:30');
  t.deepEqual(startAndHours('America/St_Johns', '2010-03-14'), ['2010-03-14T03:30:00.000Z', 23]);
});

test('a day that a zone left out does not exist, has no instants and takes no times', (t) => {
  const apia = Zone.of('Pacific/Apia');
  const leftOut = day('2011-12-30');
  t.false(apia.exists(leftOut));
  t.true(apia.exists(leftOut - 1));
  t.true(apia.exists(leftOut + 1));
  t.is(apia.startOfDay(leftOut), apia.startOfDay(leftOut + 1));
  t.is(apia.startOfDay(leftOut), at('2011-12-30T10:00:00Z'));
  t.is(apia.dayOf(at('2011-12-30T09:59:59.999Z')), leftOut - 1);
  t.is(apia.dayOf(at('2011-12-30T10:00:00Z')), leftOut + 1);
  t.throws(() => apia.toMs(leftOut, 0), { instanceOf: RangeError, message: /does not exist in Pacific\/Apia/ });
});

test('a day that came nearly twice has 47 h', (t) => {
  t.deepEqual(startAndHours('Pacific/Kwajalein', '1969-09-30'), ['1969-09-29T13:00:00.000Z', 47]);
});

test('offsets with seconds are kept to the second', (t) => {
  t.deepEqual(startAndHours('Europe/Paris', '1905-06-01'), ['1905-05-31T23:50:39.000Z', 24]);
  t.is(Zone.of('Africa/Monrovia').startOfDay(day('1971-06-01')), at('1971-06-01T00:44:30Z'));
});

test('a time that the clock jumped over moves forward by the jump, one that comes twice means the first', (t) => {
  const paris = Zone.of('Europe/Paris');
  t.is(paris.toMs(day('2017-03-26'), clock('01:59:59')), at('2017-03-26T00:59:59Z'));
  t.is(paris.toMs(day('2017-03-26'), clock('02:30')), at('2017-03-26T01:30:00Z'), '02:30 is 03:30');
  t.is(paris.toMs(day('2017-03-26'), clock('03:00')), at('2017-03-26T01:00:00Z'));
  t.is(paris.toMs(day('2017-10-29'), clock('01:59:59')), at('2017-10-28T23:59:59Z'));
  t.is(paris.toMs(day('2017-10-29'), clock('02:30')), at('2017-10-29T00:30:00Z'), 'the first 02:30');
  t.is(paris.toMs(day('2017-10-29'), clock('03:00')), at('2017-10-29T02:00:00Z'));
});

test('a time jumped over at the end of a day stays in its day', (t) => {
  // Nuuk went from 23:00 on 30 March 2024 to 00:00 on the 31st.
  const nuuk = Zone.of('America/Nuuk');
  t.deepEqual(startAndHours('America/Nuuk', '2024-03-30'), ['2024-03-30T02:00:00.000Z', 23]);
  t.is(nuuk.toMs(day('2024-03-30'), clock('22:59')), at('2024-03-31T00:59:00Z'));
  t.is(nuuk.toMs(day('2024-03-30'), clock('23:30')), at('2024-03-31T00:59:59.999Z'));
});

test('a day starts at the first instant that shows its date or a later one, in any zone, 1970 to 2100', (t) => {
  fc.assert(
    fc.property(anyZone, from1970to2100, (name, date) => Zone.of(name).startOfDay(date) === firstInstantOf(name, date)),
    { numRuns: 600 },
  );
  t.pass();
});

test('the days around every change of an offset start where their first instant is', (t) => {
  for (const name of oddZones) {
    const zone = Zone.of(name);
    for (let date = day('2005-01-01'); date < day('2012-06-01'); date++) {
      if (zone.startOfDay(date + 1) - zone.startOfDay(date) === dayMs) continue;
      for (let near = date - 1; near <= date + 1; near++) {
        if (zone.startOfDay(near) !== firstInstantOf(name, near)) t.fail(`${name} ${near}`);
      }
    }
  }
  t.pass();
});

test('every time of every existing day lies in the day that it names', (t) => {
  fc.assert(
    fc.property(anyZone, from1900to2200, fc.array(anyTime, { minLength: 1, maxLength: 20 }), (name, date, times) => {
      const zone = Zone.of(name);
      return !zone.exists(date) || times.every((msOfDay) => zone.dayOf(zone.toMs(date, msOfDay)) === date);
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('on days with a change of the offset every time of the day lies in its day and is where the rule puts it', (t) => {
  let days = 0;
  for (const name of oddZones) {
    const zone = Zone.of(name);
    for (let date = day('2005-01-01'); date < day('2012-06-01'); date++) {
      if (!zone.exists(date) || zone.startOfDay(date + 1) - zone.startOfDay(date) === dayMs) continue;
      days++;
      for (let msOfDay = 0; msOfDay < dayMs; msOfDay += 10_000) {
        if (zone.dayOf(zone.toMs(date, msOfDay)) !== date) t.fail(`${name} ${date} ${msOfDay}`);
      }
      if (days % 5 !== 0) continue;
      for (let msOfDay = 15_000; msOfDay < dayMs; msOfDay += 900_000) {
        if (zone.toMs(date, msOfDay) !== instantOf(name, date, msOfDay)) t.fail(`${name} ${date} ${msOfDay}`);
      }
    }
  }
  t.true(days > 90);
});

test('a time is the instant that the clock shows it at, in any zone, 1970 to 2100', (t) => {
  fc.assert(
    fc.property(anyZone, from1970to2100, anyTime, (name, date, msOfDay) => {
      const zone = Zone.of(name);
      return !zone.exists(date) || zone.toMs(date, msOfDay) === instantOf(name, date, msOfDay);
    }),
    { numRuns: 400 },
  );
  t.pass();
});

test('days have neither holes nor overlaps: each instant lies in the day that it is given, and starts never fall', (t) => {
  fc.assert(
    fc.property(anyZone, from1900to2200, fc.integer({ min: -dayMs, max: dayMs }), (name, date, shift) => {
      const zone = Zone.of(name);
      const ms = date * dayMs + shift;
      const found = zone.dayOf(ms);
      return zone.exists(found) && zone.startOfDay(found) <= ms && ms < zone.startOfDay(found + 1);
    }),
    { numRuns: 1_000 },
  );
  for (const name of ['Pacific/Apia', 'America/St_Johns', 'Pacific/Kwajalein']) {
    const zone = Zone.of(name);
    let before = zone.startOfDay(day('1968-01-01') - 1);
    for (let date = day('1968-01-01'); date < day('2014-01-01'); date++) {
      const start = zone.startOfDay(date);
      if (start < before) t.fail(`${name} ${date}`);
      if (zone.exists(date) && zone.dayOf(start) !== date) t.fail(`${name} ${date}`);
      before = start;
    }
  }
  t.pass();
});

test('times of the day are those of luxon wherever luxon has no choice to make', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
      fc.integer({ min: 0, max: at('2101-01-01T00:00:00Z') }),
      (name, ms) => {
        const luxon = DateTime.fromMillis(ms, { zone: name });
        const date = daysFromCivil(luxon.year, luxon.month, luxon.day);
        const msOfDay = ((luxon.hour * 60 + luxon.minute) * 60 + luxon.second) * 1000 + luxon.millisecond;
        const zone = Zone.of(name);
        const found = zone.toMs(date, msOfDay);
        return zone.dayOf(ms) === date && (found === ms || clockAt(name, found) === clockAt(name, ms));
      },
    ),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('days that share a place in the memory do not mix', (t) => {
  const paris = Zone.of('Europe/Paris');
  const winter = day('2017-12-15');
  const other = winter + 4096;
  for (let i = 0; i < 3; i++) {
    t.is(paris.startOfDay(winter), at('2017-12-14T23:00:00Z'));
    t.is(paris.startOfDay(other), firstInstantOf('Europe/Paris', other));
    t.is(paris.dayOf(at('2017-12-15T12:00:00Z')), winter);
    t.is(paris.toMs(winter - 4096, 0), firstInstantOf('Europe/Paris', winter - 4096));
  }
});

test('a zone is the same object for the same name', (t) => {
  t.is(Zone.of('Europe/Paris'), Zone.of('Europe/Paris'));
  t.is(Zone.of('Europe/Paris').name, 'Europe/Paris');
  t.is(`${Zone.of('UTC')}`, 'UTC');
});

test('every zone that Intl lists, and the usual aliases, are known', (t) => {
  for (const name of [
    ...allZones,
    'UTC',
    'Etc/UTC',
    'Etc/GMT+5',
    'GMT',
    'Asia/Kathmandu',
    'Asia/Katmandu',
    'Asia/Kolkata',
    'Europe/Kyiv',
    'US/Eastern',
    'America/Argentina/ComodRivadavia',
    'Australia/NSW',
  ]) {
    t.notThrows(() => Zone.of(name), name);
  }
});

test('an unknown zone, or one spelled otherwise, is a configuration error that names the nearest', (t) => {
  const codeAndMessage = (name: unknown): string => {
    const error = t.throws(() => Zone.of(name as string));
    return StreamsError.is(error) ? `${error.code} ${error.message}` : String(error);
  };
  for (const name of [
    '',
    'Mars/Olympus',
    'local',
    'system',
    '+01:00',
    'UTC+1',
    'asia/kathmandu',
    'ASIA/KATHMANDU',
    'Asia/kathmandu',
    'utc',
    ' Europe/Paris',
    undefined,
    5,
  ]) {
    t.regex(codeAndMessage(name), /^STREAMS_CONFIG time zone '.*' is unknown/, String(name));
  }
  t.regex(codeAndMessage('europe/paris'), /Did you mean 'Europe\/Paris'\?$/);
  t.regex(codeAndMessage('Paris'), /Did you mean 'Europe\/Paris'\?$/);
  t.regex(codeAndMessage('America/New York'), /Did you mean 'America\/New_York'\?$/);
  t.notRegex(codeAndMessage('Mars/Olympus'), /Did you mean/);
});

test('what is no day or timestamp is a programming mistake', (t) => {
  const paris = Zone.of('Europe/Paris');
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1.5, 4e6, -4e6]) {
    t.throws(() => paris.startOfDay(bad), { instanceOf: RangeError });
    t.throws(() => paris.toMs(bad, 0), { instanceOf: RangeError });
  }
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1e15, -1e15])
    t.throws(() => paris.dayOf(bad), { instanceOf: RangeError });
  t.is(paris.dayOf(at('2017-12-15T12:00:00Z')), day('2017-12-15'), 'and leaves the zone usable');
});
